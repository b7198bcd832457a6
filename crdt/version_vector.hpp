// Vector clock: how many events of each replica are known, and which of two states came first.
//
//   version_vector mine;
//   mine.tick(here);                         // an event here; `mine` is sent along
//   theirs.receive(there, mine);             // merge, then tick
//   if (mine.happens_before(theirs)) { ... }
//   for (const auto& [replica, counter] : theirs) { ... }
//
// A vector is less than another when no entry is higher and they differ; two of which neither is less or
// equal are concurrent. An absent entry is 0. Entries stand sorted in one array, the first four without
// memory of their own: `at` is O(log n), the rest O(n). `encode` writes some 7 bytes an entry. Vectors are
// also a lattice (`join` is `merge`), with themselves as digest. Sources: C. J. Fidge (1988); F. Mattern,
// Virtual Time and Global States (1989); merging as D. S. Parker et al., Detection of Mutual Inconsistency
// (1983). Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/projected_iterator.hpp>
#include <phoenix/crdt/core/replica_totals.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace phoenix::crdt {

enum class clock_order : std::uint8_t {
    equal,
    less,       ///< the first happened before the second
    greater,    ///< the second happened before the first
    concurrent, ///< neither knows all of the other
};

class version_vector : public detail::totals_lattice<version_vector, 1, 4> {
    friend detail::totals_lattice<version_vector, 1, 4>;

public:
    struct entry {
        replica_id replica;
        std::uint64_t counter = 0;

        friend bool operator==(const entry&, const entry&) = default;
    };

private:
    struct shape {
        [[nodiscard]] static bool wanted(const totals_type::entry& /*each*/) noexcept { return true; }

        [[nodiscard]] static entry show(const totals_type::entry& each) noexcept {
            return {each.key, each.total[0]};
        }
    };

public:
    using iterator = detail::projected_iterator<totals_type::storage::const_iterator, shape>;

    /// Counts one event of `here` and returns its number, from 1. Throws errc::counter_overflow after 2^64 -
    /// 1.
    std::uint64_t tick(const replica_id& here);

    /// Knows the first `counter` events of `replica` from now on, if it did not know more.
    void advance(const replica_id& replica, std::uint64_t counter) { totals_.raise(replica, 0, counter); }

    /// Takes the higher counter of each replica.
    void merge(const version_vector& other) { join(other); }

    /// Merges what arrived, then counts the arrival as an event of `here` and returns its number. Throws
    /// errc::counter_overflow, and has changed nothing then.
    std::uint64_t receive(const replica_id& here, const version_vector& other);

    [[nodiscard]] clock_order compare(const version_vector& other) const noexcept;

    /// This knows less than `other` and nothing that `other` does not.
    [[nodiscard]] bool happens_before(const version_vector& other) const noexcept {
        return compare(other) == clock_order::less;
    }

    [[nodiscard]] bool concurrent(const version_vector& other) const noexcept {
        return compare(other) == clock_order::concurrent;
    }

    /// 0 when nothing of `replica` is known.
    [[nodiscard]] std::uint64_t at(const replica_id& replica) const noexcept {
        return totals_.find(replica)[0];
    }

    /// Drops the entries of all replicas that `keep` (in any order) does not name, and returns how many those
    /// were.
    ///
    /// An entry says "I have seen this much of that replica", and dropping it unsays that. It is safe only if
    ///  1. the replica is retired: its incarnation has ended and counts no event any more;
    ///  2. everyone who will ever compare, merge or be sent vectors has its last events, so that nobody asks
    ///     for them;
    ///  3. every vector that will be compared with this one is pruned of the same replicas first, those that
    ///     are stored with data or on their way included: so the members agree on the list of the retired,
    ///     and prune what arrives from before that.
    /// Without 1 the replica's next event looks like its first to some and like an old one to others. Without
    /// 2 events are asked for that nobody sends, or are taken for old ones that were missed. Without 3 a
    /// vector that still has the entry is never less again than one that has not: what was ordered becomes
    /// concurrent, and merging brings the entry back. Knowing this from age or from silence is impossible; a
    /// membership that the members agreed on can know it.
    std::size_t prune(std::span<const replica_id> keep);

    [[nodiscard]] std::size_t size() const noexcept { return totals_.size(); }

    [[nodiscard]] bool empty() const noexcept { return totals_.empty(); }

    /// The entries, by replica; none has the counter 0. Valid until the vector changes.
    [[nodiscard]] iterator begin() const noexcept { return {totals_.begin(), totals_.end()}; }

    [[nodiscard]] iterator end() const noexcept { return {totals_.end(), totals_.end()}; }

    void explain(explanation& facts) const;
};

} // namespace phoenix::crdt
