// The longer members of sequence<Value>; sequence.hpp includes this and says what they do.
#pragma once

#include <phoenix/crdt/sequence.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt {

template <class Value>
    requires std::regular<Value> && byte_value<Value>
void sequence<Value>::check_range(std::uint64_t index, std::uint64_t count) const {
    if (index > size() || count > size() - index) {
        throw_error(errc::invalid_operation,
                    "sequence: expected a place within its " + std::to_string(size()) + " elements, found " +
                        std::to_string(count) + " from index " + std::to_string(index) + " on");
    }
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence<Value> sequence<Value>::insert_values(const replica_id& here, std::uint64_t index,
                                               std::span<const Value> values) {
    check_range(index, 0);
    sequence delta;
    if (values.empty()) {
        return delta;
    }
    const detail::replica_slot slot = seen_.slot_of(here);
    const std::uint64_t first = seen_.known(slot).max() + 1;
    if (values.size() > detail::max_counter - first + 1) {
        throw_error(errc::limit_exceeded,
                    "expected at most 2^47 - 1 writes of one incarnation to one object: restart the node");
    }
    // Before anything changes: the delta keeps the value of an element of this sequence that is inserted again.
    const detail::compact_dot in_delta(delta.seen_.slot_of(here), first);
    delta.values_.insert(in_delta, values);
    delta.seen_.insert(in_delta.slot(), detail::interval{first, first + values.size() - 1});
    delta.values_.for_each_part(in_delta.slot(), detail::interval{first, first + values.size() - 1},
                                [&, next = first](std::span<const Value> part) mutable {
                                    values_.insert(detail::compact_dot(slot, next), part);
                                    next += part.size();
                                });
    detail::sequence_span span = tree_.insert(index, detail::compact_dot(slot, first), values.size(), seen_);
    seen_.insert(slot, span.counters());
    span.first = in_delta;
    span.parent = delta.slotted(span.parent, *this);
    delta.tree_.add(span, delta.seen_);
    return delta;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence<Value> sequence<Value>::erase(const replica_id& /*here*/, std::uint64_t index, std::uint64_t count) {
    check_range(index, count);
    sequence delta;
    if (count == 0) {
        return delta;
    }
    std::vector<detail::sequence_span> erased;
    auto [node, offset] = tree_.at(index);
    for (std::uint64_t left = count; left > 0; node = tree_.next(node), offset = 0) {
        const detail::sequence_span& span = tree_[node];
        if (span.live) {
            const std::uint64_t first = span.first.counter() + offset;
            const std::uint64_t length = std::min(left, span.length - offset);
            erased.push_back(span.part({first, first + length - 1}));
            erased.back().live = false;
            left -= length;
        }
    }
    for (const detail::sequence_span& each : erased) {
        tree_.erase(each.slot(), each.counters(),
                    [&](detail::interval part) { values_.erase(each.slot(), part); });
        delta.take(*this, each);
    }
    return delta;
}

/// Adds elements of another state, which are not here yet.
template <class Value>
    requires std::regular<Value> && byte_value<Value>
void sequence<Value>::take(const sequence& from, const detail::sequence_span& span) {
    detail::sequence_span mine = span;
    mine.first = slotted(span.first, from);
    mine.parent = slotted(span.parent, from);
    if (span.live) {
        std::uint64_t next = span.first.counter();
        from.values_.for_each_part(span.slot(), span.counters(), [&](std::span<const Value> part) {
            values_.insert(detail::compact_dot(mine.slot(), next), part);
            next += part.size();
        });
    }
    seen_.insert(mine.slot(), mine.counters());
    tree_.add(mine, seen_);
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
void sequence<Value>::merge(const sequence& theirs, sequence* fresh) {
    if (&theirs == this) {
        return;
    }
    if (is_bottom()) {
        *this = theirs;
        if (fresh != nullptr) {
            *fresh = theirs;
        }
        return;
    }
    // Slots first, which may be refused: a slot without dots changes nothing.
    for (std::size_t slot = 0; slot < theirs.seen_.slot_count(); ++slot) {
        seen_.slot_of(theirs.seen_.replica(static_cast<detail::replica_slot>(slot)));
    }
    theirs.tree_.for_each([&](const detail::sequence_span& span) {
        const detail::replica_slot slot = seen_.find_slot(theirs.seen_.replica(span.slot()));
        for (std::uint64_t next = span.first.counter(); next <= span.last();) {
            // The longest part from `next` on that is known or not as a whole.
            const detail::dot_intervals& known = seen_.known(slot);
            const auto after = std::upper_bound(
                known.begin(), known.end(), next,
                [](std::uint64_t value, const detail::interval& each) { return value < each.first; });
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
                tree_.erase(slot, {next, last}, [&](detail::interval part) {
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

template <class Value>
    requires std::regular<Value> && byte_value<Value>
bool sequence<Value>::leq(const sequence& theirs) const {
    if (!theirs.seen_.includes(seen_)) {
        return false;
    }
    bool erased_there = true;
    tree_.for_each([&](const detail::sequence_span& mine) {
        if (!mine.live && erased_there) {
            theirs.tree_.for_each_in(
                theirs.seen_.find_slot(seen_.replica(mine.slot())), mine.counters(),
                [&](const detail::sequence_span& other) { erased_there = erased_there && !other.live; });
        }
    });
    return erased_there;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence<Value> sequence<Value>::delta_since(const digest_type& theirs) const {
    causal_context wanted = seen_.without(theirs.seen);
    const causal_context doubtful = theirs.live.common_with(seen_);
    if (!doubtful.empty()) {
        wanted.join(doubtful.without(live()));
    }
    sequence delta;
    wanted.for_each_interval([&](const replica_id& replica, std::uint64_t first, std::uint64_t last) {
        tree_.for_each_in(seen_.find_slot(replica), {first, last},
                          [&](const detail::sequence_span& span) { delta.take(*this, span); });
    });
    return delta;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
std::vector<sequence<Value>> sequence<Value>::decompose() const {
    std::vector<sequence> parts;
    tree_.for_each([&](const detail::sequence_span& span) {
        for (std::uint64_t counter = span.first.counter(); counter <= span.last(); ++counter) {
            parts.emplace_back();
            parts.back().take(*this, span.part({counter, counter}));
        }
    });
    return parts;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
bool sequence<Value>::equals(const sequence& other) const {
    if (!(seen_ == other.seen_)) {
        return false;
    }
    const auto same_dot = [&](detail::compact_dot mine, detail::compact_dot theirs) {
        return detail::is_root(mine) || detail::is_root(theirs)
                   ? mine == theirs
                   : seen_.expand(mine) == other.seen_.expand(theirs);
    };
    for (const detail::replica_slot slot : seen_.sorted_slots()) {
        const detail::replica_slot their_slot = other.seen_.find_slot(seen_.replica(slot));
        const auto mine = tree_.runs(slot);
        const auto theirs = other.tree_.runs(their_slot);
        const bool same_runs = std::ranges::equal(mine, theirs, [&](const auto& a, const auto& b) {
            return a.span.counters() == b.span.counters() && a.span.side == b.span.side &&
                   same_dot(a.span.parent, b.span.parent) && a.stretches == b.stretches;
        });
        if (!same_runs) {
            return false;
        }
        for (const detail::sequence_run& run : mine) {
            bool same_values = true;
            run.for_each_stretch([&](const detail::sequence_span& part) {
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

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence_position sequence<Value>::position_at(std::uint64_t index, position::neighbour stays_with) const {
    check_range(index, 0);
    const bool next = stays_with == position::neighbour::next;
    if (index == (next ? size() : 0)) {
        return {{}, stays_with};
    }
    const auto place = tree_.at(next ? index : index - 1);
    return {seen_.expand(tree_[place.node].at(place.offset)), stays_with};
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
std::optional<std::uint64_t> sequence<Value>::index_of(const position& place) const {
    const bool next = place.stays_with == position::neighbour::next;
    if (place.element.counter == 0) {
        return next ? size() : 0;
    }
    const detail::replica_slot slot = seen_.find_slot(place.element.replica);
    if (slot == detail::no_slot || !seen_.contains(place.element)) {
        return std::nullopt;
    }
    const detail::compact_dot element(slot, place.element.counter);
    auto index = tree_.index_of(element);
    if (index && !next && tree_[tree_.find(element).node].live) {
        ++*index;
    }
    return index;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
void sequence<Value>::write(byte_writer& out) const {
    const detail::sequence_replicas replicas(tree_, seen_);
    out.write_varint(replicas.sorted.size());
    for (const detail::replica_slot slot : replicas.sorted) {
        out.write_varint(seen_.replica(slot).node);
        out.write_varint(seen_.replica(slot).incarnation);
    }
    for (const detail::replica_slot slot : replicas.sorted) {
        const auto runs = tree_.runs(slot);
        out.write_varint(runs.size());
        std::uint64_t before = 0;
        for (const detail::sequence_run& run : runs) {
            detail::write_run(out, run, before, replicas);
            run.for_each_stretch([&](const detail::sequence_span& part) {
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

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence<Value> sequence<Value>::read(byte_reader& in) {
    sequence made;
    std::vector<bool> used = detail::read_replicas(in, made.seen_);
    for (std::size_t rank = 0; rank < used.size(); ++rank) {
        const auto slot = static_cast<detail::replica_slot>(rank);
        std::uint64_t before = 0;
        for (std::size_t left = in.read_count(2, "runs"); left > 0; --left) {
            const std::size_t at = in.position();
            const detail::sequence_run run = detail::read_run(in, slot, before, used);
            run.for_each_stretch([&](const detail::sequence_span& part) {
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

template <class Value>
    requires std::regular<Value> && byte_value<Value>
void sequence<Value>::explain(explanation& facts) const {
    const auto add = [&](explanation::verdict outcome, const detail::sequence_span& span, std::string why) {
        std::string text;
        values_.for_each_part(span.slot(), span.counters(), [&](std::span<const Value> values) {
            for (const Value& each : values) {
                if constexpr (raw) {
                    text += static_cast<char>(each);
                } else if constexpr (detail::character<Value>) {
                    detail::append_utf8(text, static_cast<char32_t>(each));
                } else {
                    text += (text.empty() ? "" : ", ") + value_text(each);
                }
            }
        });
        std::vector<dot> by{seen_.expand(span.first)};
        if (span.length > 1) {
            by.push_back(seen_.expand(span.at(span.length - 1)));
        }
        facts.add(outcome, detail::character<Value> ? quoted_text(text) : text, std::move(why),
                  std::move(by));
    };
    for (auto node = tree_.first(); node != detail::sequence_tree::none; node = tree_.next(node)) {
        if (tree_[node].live) {
            add(explanation::verdict::stands, tree_[node], {});
        }
    }
    for (const detail::replica_slot slot : seen_.sorted_slots()) {
        tree_.for_each_in(slot, {1, detail::max_counter}, [&](const detail::sequence_span& span) {
            if (span.live && tree_.waits(tree_.find(span.first).node)) {
                add(explanation::verdict::loses, span, "waits for " + to_text(seen_.expand(span.parent)));
            }
        });
    }
    facts.add_gone(seen_, live());
}

} // namespace phoenix::crdt
