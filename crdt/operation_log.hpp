// Pure operation-based types: a partially ordered log of operations, and a policy that says what they mean.
//
//   using shelf = pure_set<std::string>;                    // operation_log<pure_set_policy<std::string>>
//   shelf mine;
//   auto delta = mine.apply(here, set_operations<std::string>::add{"tea"});
//   theirs.join(delta);
//   theirs.value().contains("tea");
//   delta = mine.stabilize(seen_by_everyone);               // drops what only concurrency needs
//
// What travels and is kept is the operation as it was called, under its dot and with its timestamp: what its writer had
// seen. pure_types.hpp has policies to learn from. A policy is a struct with
//
//   using operation = ...;                                  // regular, with canonical bytes; a variant as a rule
//   static bool old_is_obsolete(const operation& old, const operation& fresh);
//   static bool new_is_obsolete(const operation& fresh, const operation_log<Policy>& log);
//   static auto eval(const operation_log<Policy>& log);     // the value
//   static void check(const operation_log<Policy>& log, const replica_id& here, const operation&);  // optional, throws
//   static bool is_kept(const operation&);                  // optional: what the log of no replica holds is refused
//                                                           // when it is read from bytes
//   static std::string text(const operation&);              // optional, for explain
//
// or, when no operation ever makes another obsolete and all of them commute, `using folded = ...` (regular, with
// bytes) and `static void fold(folded&, const operation&)` in place of the first two relations.
//
// The rule. An operation leaves the log when one is applied that has seen it and makes it obsolete; one that has not seen it
// leaves it alone, so of concurrent operations neither goes. An operation that new_is_obsolete only makes others
// obsolete and is not kept itself. Both are decided once, by the writer, and the delta names the dots that go: the
// relations need not be transitive, and deltas may come in any order. The value is eval of what is left.
//
// Stability. An operation is causally stable here when everything that is still to come has seen it: every member of
// the system has seen it, and this state has seen all that any member wrote before that. stabilize(vector) is told
// so and drops the timestamps of those operations, or folds them: then a prefix of each replica's operations is
// one `folded`. Which operations are stable is knowledge like any other and part of the state: a replica that
// stabilized is ahead of one that did not, stabilize returns a delta, and ==, bytes and digests say so. Along the
// way a dot only climbs: unknown, logged, stable or folded, gone. So a join of a compacted with an uncompacted
// replica is the compacted one with what else both know, and no value changes by it. (Kept operations keep their dots,
// without which a join could not tell a removal from a delay.) Told an untruth, replicas converge all the same;
// only happened_before() then says "not known to" of operations that did happen before.
//
// A timestamp is an exact causal context, which without gaps is a version vector and costs as much: a vector could not
// say what was seen of a replica whose operations came out of order.
//
// Costs: apply O(operations in the log), join O(those that arrive, log n), memory and bytes a timestamp of one interval
// for each replica for each operation that is not stable. For large sets and maps prefer or_set and or_map.
//
// Source: C. Baquero, P. S. Almeida, A. Shoker, Pure Operation-Based Replicated Data Types (2017). Any thread; a
// value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/causal_context.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>
#include <phoenix/crdt/version_vector.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt {

/// What a log has: all dots that it has seen, those of logged operations with a timestamp, and those that are
/// settled, stable or folded. What was seen and is neither is gone.
struct operation_log_digest {
    causal_context seen;
    causal_context logged;
    causal_context settled;

    friend bool operator==(const operation_log_digest&, const operation_log_digest&) = default;

    void write(byte_writer& out) const;
    [[nodiscard]] static operation_log_digest read(byte_reader& in);
};

template <class Policy>
concept folding_policy = requires(typename Policy::folded& sum, const typename Policy::operation& each) {
    requires std::regular<typename Policy::folded> && byte_value<typename Policy::folded>;
    Policy::fold(sum, each);
};

/// One operation that is kept.
template <class Operation>
struct logged_operation {
    Operation what;
    /// What its writer had seen; nothing when it is stable.
    std::optional<causal_context> timestamp;

    friend bool operator==(const logged_operation&, const logged_operation&) = default;
};

/// The first operations of one replica as one value.
template <class Value>
struct folded_operations {
    std::uint64_t count = 0;
    Value value{};

    friend bool operator==(const folded_operations&, const folded_operations&) = default;
};

namespace detail {

struct nothing_folded {
    friend bool operator==(const nothing_folded&, const nothing_folded&) = default;
};

template <class Policy>
struct folded_of {
    using type = nothing_folded;
};

template <folding_policy Policy>
struct folded_of<Policy> {
    using type = typename Policy::folded;
};

/// The dots of `all` that neither of the others has.
[[nodiscard]] causal_context gone_from(const operation_log_digest& all);
/// A timestamp of an operation with this dot.
[[nodiscard]] causal_context read_timestamp(byte_reader& in, const dot& of);
void write_seen_dot(byte_writer& out, const dot& d, const std::vector<replica_id>& replicas);
[[nodiscard]] dot read_seen_dot(byte_reader& in, const std::vector<replica_id>& replicas);
[[nodiscard]] std::vector<replica_id> replicas_of(const causal_context& context);

} // namespace detail

template <class Policy>
class operation_log {
public:
    using policy = Policy;
    using operation = typename Policy::operation;
    using digest_type = operation_log_digest;
    using logged = logged_operation<operation>;
    using folded = folded_operations<typename detail::folded_of<Policy>::type>;

    static constexpr bool folds = folding_policy<Policy>;

    /// Applies an operation for writer `here` and returns the change, itself a log. Throws what the policy's check
    /// throws, and errc::limit_exceeded when `here` has used up its dots; nothing has changed then.
    operation_log apply(const replica_id& here, const operation& what);

    /// These are stable here, see above. Those that were not seen here are left out. Returns the change.
    operation_log stabilize(const version_vector& stable);

    /// What the policy makes of it.
    [[nodiscard]] auto value() const { return Policy::eval(*this); }

    /// The operations that are kept, by dot. Valid until the log changes.
    [[nodiscard]] const std::map<dot, logged>& operations() const noexcept { return entries_; }

    /// What was folded, by replica.
    [[nodiscard]] const std::map<replica_id, folded>& folded_prefixes() const noexcept { return folded_; }

    /// The writer of `later` had seen `earlier`. Not known, and false, when `later` is stable.
    [[nodiscard]] bool happened_before(const dot& earlier, const dot& later) const {
        const auto found = entries_.find(later);
        return found != entries_.end() && found->second.timestamp &&
               found->second.timestamp->contains(earlier);
    }

    void join(const operation_log& theirs) { merge(theirs, nullptr); }

    [[nodiscard]] operation_log delta_and_merge(const operation_log& theirs) {
        operation_log fresh;
        merge(theirs, &fresh);
        return fresh;
    }

    /// Everything that this state knows, `theirs` knows too.
    [[nodiscard]] bool leq(const operation_log& theirs) const {
        return delta_since(theirs.digest()).is_bottom();
    }

    [[nodiscard]] bool is_bottom() const noexcept { return seen_.empty(); }

    [[nodiscard]] digest_type digest() const;

    /// The least delta that brings a holder of `theirs` up to this state.
    [[nodiscard]] operation_log delta_since(const digest_type& theirs) const;

    /// The join-irreducible states whose join this is: one for each operation, kept or gone, and each folded prefix.
    [[nodiscard]] std::vector<operation_log> decompose() const;

    friend bool operator==(const operation_log&, const operation_log&) = default;

    void write(byte_writer& out) const;
    [[nodiscard]] static operation_log read(byte_reader& in);

    void explain(explanation& facts) const;

    /// The dots of all operations that were seen.
    [[nodiscard]] const causal_context& context() const noexcept { return seen_; }

private:
    void merge(const operation_log& theirs, operation_log* fresh);
    void keep(const dot& d, logged entry);
    void keep_folded(const replica_id& replica, folded prefix);

    causal_context seen_;
    std::map<dot, logged> entries_;
    std::map<replica_id, folded> folded_;
};

/// Takes an operation, with its dot.
template <class Policy>
void operation_log<Policy>::keep(const dot& d, logged entry) {
    seen_.insert(d);
    entries_.insert_or_assign(d, std::move(entry));
}

/// Takes a prefix that is longer than the one that is here.
template <class Policy>
void operation_log<Policy>::keep_folded(const replica_id& replica, folded prefix) {
    seen_.insert(replica, 1, prefix.count);
    entries_.erase(entries_.lower_bound(dot{replica, 0}), entries_.upper_bound(dot{replica, prefix.count}));
    folded_.insert_or_assign(replica, std::move(prefix));
}

template <class Policy>
operation_log<Policy> operation_log<Policy>::apply(const replica_id& here, const operation& what) {
    if constexpr (requires { Policy::check(*this, here, what); }) {
        Policy::check(*this, here, what);
    }
    const dot mine{here, seen_.max(here) + 1};
    if (mine.counter > detail::max_counter) {
        throw_error(errc::limit_exceeded,
                    "expected at most 2^47 - 1 writes of one incarnation to one object: restart the node");
    }
    // Before anything changes: a copy, as the operation may be one of this log.
    const logged entry{what, seen_};
    operation_log delta;
    bool kept = true;
    if constexpr (!folds) {
        kept = !Policy::new_is_obsolete(entry.what, *this);
        std::erase_if(entries_, [&](const auto& old) {
            const bool obsolete = Policy::old_is_obsolete(old.second.what, entry.what);
            if (obsolete) {
                delta.seen_.insert(old.first);
            }
            return obsolete;
        });
    }
    seen_.insert(mine);
    delta.seen_.insert(mine);
    if (kept) {
        entries_.emplace(mine, entry);
        delta.entries_.emplace(mine, entry);
    }
    return delta;
}

template <class Policy>
operation_log<Policy> operation_log<Policy>::stabilize(const version_vector& stable) {
    operation_log delta;
    for (const auto& [replica, counter] : stable) {
        if constexpr (folds) {
            const auto found = folded_.find(replica);
            folded prefix = found == folded_.end() ? folded() : found->second;
            // Up to the first gap: each of them is in the log.
            const std::uint64_t last = std::min(counter, seen_.floor(replica));
            if (last <= prefix.count) {
                continue;
            }
            for (auto each = entries_.lower_bound(dot{replica, prefix.count + 1});
                 each != entries_.end() && each->first.replica == replica && each->first.counter <= last;
                 ++each) {
                Policy::fold(prefix.value, each->second.what);
            }
            prefix.count = last;
            keep_folded(replica, prefix);
            delta.keep_folded(replica, std::move(prefix));
        } else {
            for (auto each = entries_.lower_bound(dot{replica, 1});
                 each != entries_.end() && each->first.replica == replica && each->first.counter <= counter;
                 ++each) {
                if (each->second.timestamp) {
                    each->second.timestamp.reset();
                    delta.keep(each->first, each->second);
                }
            }
        }
    }
    return delta;
}

template <class Policy>
void operation_log<Policy>::merge(const operation_log& theirs, operation_log* fresh) {
    if (&theirs == this) {
        return;
    }
    // Refused, if at all, before anything changes.
    causal_context seen = seen_;
    seen.join(theirs.seen_);
    const digest_type their = theirs.digest();
    detail::gone_from(their).for_each_interval(
        [&](const replica_id& replica, std::uint64_t first, std::uint64_t last) {
            const auto from = entries_.lower_bound(dot{replica, first});
            const auto to = entries_.upper_bound(dot{replica, last});
            for (auto each = from; each != to && fresh != nullptr; ++each) {
                fresh->seen_.insert(each->first);
            }
            entries_.erase(from, to);
        });
    if (fresh != nullptr) {
        fresh->seen_.join(detail::gone_from(their).without(seen_));
    }
    for (const auto& [d, entry] : theirs.entries_) {
        const auto mine = entries_.find(d);
        const bool is_new = !seen_.contains(d);
        const bool settles = mine != entries_.end() && mine->second.timestamp && !entry.timestamp;
        if (!is_new && !settles) {
            continue;
        }
        if (fresh != nullptr) {
            fresh->keep(d, entry);
        }
        entries_.insert_or_assign(d, entry);
    }
    for (const auto& [replica, prefix] : theirs.folded_) {
        const auto mine = folded_.find(replica);
        if (mine == folded_.end() || mine->second.count < prefix.count) {
            if (fresh != nullptr) {
                fresh->keep_folded(replica, prefix);
            }
            keep_folded(replica, prefix);
        }
    }
    seen_ = std::move(seen);
}

template <class Policy>
operation_log_digest operation_log<Policy>::digest() const {
    digest_type made;
    made.seen = seen_;
    for (const auto& [d, entry] : entries_) {
        (entry.timestamp ? made.logged : made.settled).insert(d);
    }
    for (const auto& [replica, prefix] : folded_) {
        made.settled.insert(replica, 1, prefix.count);
    }
    return made;
}

template <class Policy>
operation_log<Policy> operation_log<Policy>::delta_since(const digest_type& theirs) const {
    operation_log delta;
    for (const auto& [d, entry] : entries_) {
        if (!theirs.seen.contains(d) || (!entry.timestamp && theirs.logged.contains(d))) {
            delta.keep(d, entry);
        }
    }
    for (const auto& [replica, prefix] : folded_) {
        if (theirs.settled.floor(replica) < prefix.count) {
            delta.keep_folded(replica, prefix);
        }
    }
    const causal_context gone = detail::gone_from(digest());
    delta.seen_.join(gone.without(detail::gone_from(theirs)));
    return delta;
}

template <class Policy>
std::vector<operation_log<Policy>> operation_log<Policy>::decompose() const {
    std::vector<operation_log> parts;
    for (const auto& [d, entry] : entries_) {
        parts.emplace_back().keep(d, entry);
    }
    for (const auto& [replica, prefix] : folded_) {
        parts.emplace_back().keep_folded(replica, prefix);
    }
    detail::gone_from(digest()).for_each_interval(
        [&](const replica_id& replica, std::uint64_t first, std::uint64_t last) {
            for (std::uint64_t counter = first; counter <= last; ++counter) {
                parts.emplace_back().seen_.insert(dot{replica, counter});
            }
        });
    return parts;
}

template <class Policy>
void operation_log<Policy>::write(byte_writer& out) const {
    seen_.write(out);
    const std::vector<replica_id> replicas = detail::replicas_of(seen_);
    if constexpr (folds) {
        out.write_varint(folded_.size());
        for (const auto& [replica, prefix] : folded_) {
            detail::write_seen_dot(out, {replica, prefix.count}, replicas);
            write_value(out, prefix.value);
        }
    }
    out.write_varint(entries_.size());
    for (const auto& [d, entry] : entries_) {
        detail::write_seen_dot(out, d, replicas);
        write_value(out, entry.what);
        write_value(out, entry.timestamp);
    }
}

template <class Policy>
operation_log<Policy> operation_log<Policy>::read(byte_reader& in) {
    operation_log made;
    made.seen_ = causal_context::read(in);
    const std::vector<replica_id> replicas = detail::replicas_of(made.seen_);
    if constexpr (folds) {
        for (std::size_t left = in.read_count(2, "folded prefixes"); left > 0; --left) {
            const std::size_t at = in.position();
            const dot last = detail::read_seen_dot(in, replicas);
            if (made.seen_.floor(last.replica) < last.counter) {
                byte_reader::fail_at(at, "a folded prefix that was seen");
            }
            if (!made.folded_.empty() && last.replica <= made.folded_.rbegin()->first) {
                byte_reader::fail_at(at, "replicas in ascending order, each once");
            }
            made.folded_.emplace_hint(
                made.folded_.end(), last.replica,
                folded{last.counter, read_value<typename detail::folded_of<Policy>::type>(in)});
        }
    }
    for (std::size_t left = in.read_count(3, "operations"); left > 0; --left) {
        const std::size_t at = in.position();
        const dot d = detail::read_seen_dot(in, replicas);
        const auto prefix = made.folded_.find(d.replica);
        if (!made.seen_.contains(d) || (prefix != made.folded_.end() && d.counter <= prefix->second.count)) {
            byte_reader::fail_at(at, "a dot that was seen and not folded");
        }
        if (!made.entries_.empty() && d <= made.entries_.rbegin()->first) {
            byte_reader::fail_at(at, "dots in ascending order, each once");
        }
        const std::size_t operation_at = in.position();
        logged entry{read_value<operation>(in), std::nullopt};
        if constexpr (requires { Policy::is_kept(entry.what); }) {
            if (!Policy::is_kept(entry.what)) {
                byte_reader::fail_at(operation_at, "an operation of a kind that is kept");
            }
        }
        const std::size_t timestamp_at = in.position();
        if (read_value<bool>(in)) {
            entry.timestamp = detail::read_timestamp(in, d);
        } else if (folds) {
            byte_reader::fail_at(timestamp_at, "an operation with its timestamp, or folded");
        }
        made.entries_.emplace_hint(made.entries_.end(), d, std::move(entry));
    }
    if (folds && !detail::gone_from(made.digest()).empty()) {
        in.fail("an operation for every dot that was seen");
    }
    return made;
}

template <class Policy>
void operation_log<Policy>::explain(explanation& facts) const {
    for (const auto& [replica, prefix] : folded_) {
        if constexpr (folds) {
            facts.add(explanation::verdict::stands, value_text(prefix.value), "folded",
                      {{replica, 1}, {replica, prefix.count}});
        }
    }
    for (const auto& [d, entry] : entries_) {
        std::string what;
        if constexpr (requires { Policy::text(entry.what); }) {
            what = Policy::text(entry.what);
        } else {
            what = value_text(entry.what);
        }
        facts.add(explanation::verdict::stands, std::move(what),
                  entry.timestamp ? "had seen " + std::to_string(entry.timestamp->count()) : "stable", {d});
    }
    const digest_type mine = digest();
    causal_context live = mine.logged;
    live.join(mine.settled);
    facts.add_gone(seen_, live);
}

} // namespace phoenix::crdt
