// What makes a sequence a lattice: its elements in their order, their values, and how two such states join.
//
// sequence<Value> derives from this and adds what a list is to a reader and a writer. The members are part of its
// interface and said there as far as they are special to it; lattice.hpp says the rest.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/sequence_tree.hpp>
#include <phoenix/crdt/core/sequence_values.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace phoenix::crdt::detail {

template <class Derived, class Value>
class sequence_state {
public:
    using digest_type = causal_digest;

    void join(const Derived& theirs) { merge(theirs, nullptr); }

    [[nodiscard]] Derived delta_and_merge(const Derived& theirs) {
        Derived fresh;
        merge(theirs, &fresh);
        return fresh;
    }

    /// Everything that this state knows, `theirs` knows too.
    [[nodiscard]] bool leq(const Derived& theirs) const;

    [[nodiscard]] bool is_bottom() const noexcept { return seen_.empty(); }

    /// Which elements were seen, erased ones too, and which of them are not erased.
    [[nodiscard]] digest_type digest() const { return {seen_, live()}; }

    /// The least delta that brings a holder of `theirs` up to this state.
    [[nodiscard]] Derived delta_since(const digest_type& theirs) const;

    /// The join-irreducible states whose join this is: one for each element, live or erased.
    [[nodiscard]] std::vector<Derived> decompose() const;

    friend bool operator==(const Derived& a, const Derived& b) { return a.equals(b); }

    void write(byte_writer& out) const;
    [[nodiscard]] static Derived read(byte_reader& in);

    /// The dots of all elements that were seen, and of those that are not erased.
    [[nodiscard]] const causal_context& context() const noexcept { return seen_; }

    [[nodiscard]] causal_context live() const {
        causal_context made;
        tree_.for_each([&](const sequence_span& each) {
            if (each.live) {
                made.insert(seen_.replica(each.slot()), each.first.counter(), each.last());
            }
        });
        return made;
    }

    /// No element waits for one that has not come.
    [[nodiscard]] bool complete() const noexcept { return tree_.complete(); }

    /// How many passages the elements are held in, erased ones too: what memory and time go by. O(passages).
    [[nodiscard]] std::size_t passage_count() const {
        std::size_t count = 0;
        tree_.for_each([&](const sequence_span&) { ++count; });
        return count;
    }

protected:
    /// Values that stand for themselves in bytes.
    static constexpr bool raw = sizeof(Value) == 1 && std::integral<Value> && !std::same_as<Value, bool>;

    /// Adds elements of another state, which are not here yet.
    void take(const sequence_state& from, const sequence_span& span);

    /// The same dot in the slots of this state.
    [[nodiscard]] compact_dot slotted(compact_dot theirs, const sequence_state& from) {
        return is_root(theirs)
                   ? theirs
                   : compact_dot(seen_.slot_of(from.seen_.replica(theirs.slot())), theirs.counter());
    }

    causal_context seen_;
    sequence_tree tree_;
    sequence_values<Value> values_;

private:
    void merge(const Derived& theirs, Derived* fresh);
    [[nodiscard]] bool equals(const sequence_state& other) const;
};

template <class Derived, class Value>
void sequence_state<Derived, Value>::take(const sequence_state& from, const sequence_span& span) {
    sequence_span mine = span;
    mine.first = slotted(span.first, from);
    mine.parent = slotted(span.parent, from);
    if (span.live) {
        std::uint64_t next = span.first.counter();
        from.values_.for_each_part(span.slot(), span.counters(), [&](std::span<const Value> part) {
            values_.insert(compact_dot(mine.slot(), next), part);
            next += part.size();
        });
    }
    seen_.insert(mine.slot(), mine.counters());
    tree_.add(mine, seen_);
}

template <class Derived, class Value>
void sequence_state<Derived, Value>::merge(const Derived& theirs, Derived* fresh) {
    if (static_cast<const sequence_state*>(&theirs) == this) {
        return;
    }
    if (is_bottom()) {
        *this = static_cast<const sequence_state&>(theirs);
        if (fresh != nullptr) {
            *fresh = theirs;
        }
        return;
    }
    // Slots first, which may be refused: a slot without dots changes nothing.
    for (std::size_t slot = 0; slot < theirs.seen_.slot_count(); ++slot) {
        seen_.slot_of(theirs.seen_.replica(static_cast<replica_slot>(slot)));
    }
    theirs.tree_.for_each([&](const sequence_span& span) {
        const replica_slot slot = seen_.find_slot(theirs.seen_.replica(span.slot()));
        for (std::uint64_t next = span.first.counter(); next <= span.last();) {
            // The longest part from `next` on that is known or not as a whole.
            const dot_intervals& known = seen_.known(slot);
            const auto after = std::upper_bound(
                known.begin(), known.end(), next,
                [](std::uint64_t value, const interval& each) { return value < each.first; });
            const bool is_known = after != known.begin() && next <= (after - 1)->last;
            std::uint64_t last = span.last();
            if (is_known) {
                last = std::min(last, (after - 1)->last);
            } else if (after != known.end()) {
                last = std::min(last, after->first - 1);
            }
            if (!is_known) {
                take(theirs, span.part({next, last}));
                if (fresh != nullptr) {
                    fresh->take(theirs, span.part({next, last}));
                }
            } else if (!span.live) {
                tree_.erase(slot, {next, last}, [&](interval part) {
                    values_.erase(slot, part);
                    if (fresh != nullptr) {
                        fresh->take(theirs, span.part(part));
                    }
                });
            }
            next = last + 1;
        }
    });
}

template <class Derived, class Value>
bool sequence_state<Derived, Value>::leq(const Derived& theirs) const {
    if (!theirs.seen_.includes(seen_)) {
        return false;
    }
    bool erased_there = true;
    tree_.for_each([&](const sequence_span& mine) {
        if (!mine.live && erased_there) {
            theirs.tree_.for_each_in(
                theirs.seen_.find_slot(seen_.replica(mine.slot())), mine.counters(),
                [&](const sequence_span& other) { erased_there = erased_there && !other.live; });
        }
    });
    return erased_there;
}

template <class Derived, class Value>
Derived sequence_state<Derived, Value>::delta_since(const digest_type& theirs) const {
    causal_context wanted = seen_.without(theirs.seen);
    const causal_context doubtful = theirs.live.common_with(seen_);
    if (!doubtful.empty()) {
        wanted.join(doubtful.without(live()));
    }
    Derived delta;
    wanted.for_each_interval([&](const replica_id& replica, std::uint64_t first, std::uint64_t last) {
        tree_.for_each_in(seen_.find_slot(replica), {first, last},
                          [&](const sequence_span& span) { delta.take(*this, span); });
    });
    return delta;
}

template <class Derived, class Value>
std::vector<Derived> sequence_state<Derived, Value>::decompose() const {
    std::vector<Derived> parts;
    tree_.for_each([&](const sequence_span& span) {
        for (std::uint64_t counter = span.first.counter(); counter <= span.last(); ++counter) {
            parts.emplace_back();
            parts.back().take(*this, span.part({counter, counter}));
        }
    });
    return parts;
}

template <class Derived, class Value>
bool sequence_state<Derived, Value>::equals(const sequence_state& other) const {
    if (!(seen_ == other.seen_)) {
        return false;
    }
    const auto same_dot = [&](compact_dot mine, compact_dot theirs) {
        return is_root(mine) || is_root(theirs) ? mine == theirs
                                                : seen_.expand(mine) == other.seen_.expand(theirs);
    };
    for (const replica_slot slot : seen_.sorted_slots()) {
        const replica_slot their_slot = other.seen_.find_slot(seen_.replica(slot));
        const auto mine = tree_.runs(slot);
        const auto theirs = other.tree_.runs(their_slot);
        const bool same_runs = std::ranges::equal(mine, theirs, [&](const auto& a, const auto& b) {
            return a.span.counters() == b.span.counters() && a.span.side == b.span.side &&
                   same_dot(a.span.parent, b.span.parent) && a.stretches == b.stretches;
        });
        if (!same_runs) {
            return false;
        }
        for (const sequence_run& run : mine) {
            bool same_values = true;
            run.for_each_stretch([&](const sequence_span& part) {
                if (!part.live) {
                    return;
                }
                std::uint64_t next = part.first.counter();
                values_.for_each_part(slot, part.counters(), [&](std::span<const Value> values) {
                    for (const Value& each : values) {
                        same_values = same_values && each == other.values_.from(their_slot, next).front();
                        ++next;
                    }
                });
            });
            if (!same_values) {
                return false;
            }
        }
    }
    return true;
}

template <class Derived, class Value>
void sequence_state<Derived, Value>::write(byte_writer& out) const {
    const sequence_replicas replicas(tree_, seen_);
    out.write_varint(replicas.sorted.size());
    for (const replica_slot slot : replicas.sorted) {
        out.write_varint(seen_.replica(slot).node);
        out.write_varint(seen_.replica(slot).incarnation);
    }
    for (const replica_slot slot : replicas.sorted) {
        const auto runs = tree_.runs(slot);
        out.write_varint(runs.size());
        std::uint64_t before = 0;
        for (const sequence_run& run : runs) {
            write_run(out, run, before, replicas);
            run.for_each_stretch([&](const sequence_span& part) {
                if (!part.live) {
                    return;
                }
                values_.for_each_part(slot, part.counters(), [&](std::span<const Value> values) {
                    if constexpr (raw) {
                        out.write_raw(std::as_bytes(values));
                    } else {
                        for (const Value& each : values) {
                            write_value(out, each);
                        }
                    }
                });
            });
            before = run.span.last();
        }
    }
}

template <class Derived, class Value>
Derived sequence_state<Derived, Value>::read(byte_reader& in) {
    Derived made;
    std::vector<bool> used = read_replicas(in, made.seen_);
    for (std::size_t rank = 0; rank < used.size(); ++rank) {
        const auto slot = static_cast<replica_slot>(rank);
        std::uint64_t before = 0;
        for (std::size_t left = in.read_count(2, "runs"); left > 0; --left) {
            const std::size_t at = in.position();
            const sequence_run run = read_run(in, slot, before, used);
            run.for_each_stretch([&](const sequence_span& part) {
                if (part.live) {
                    if (part.length > in.remaining()) {
                        byte_reader::fail_at(at, "as many values as the bytes that follow can hold, found " +
                                                     std::to_string(part.length));
                    }
                    for (std::uint64_t i = 0; i < part.length; ++i) {
                        if constexpr (raw) {
                            made.values_.insert(slot, part.first.counter() + i,
                                                static_cast<Value>(in.read_byte()));
                        } else {
                            made.values_.insert(slot, part.first.counter() + i, read_value<Value>(in));
                        }
                    }
                }
                made.seen_.insert(slot, part.counters());
                made.tree_.add(part, made.seen_);
            });
            before = run.span.last();
            used[rank] = true;
        }
    }
    if (std::ranges::find(used, false) != used.end()) {
        in.fail("replicas that have elements or children, each");
    }
    return made;
}

} // namespace phoenix::crdt::detail
