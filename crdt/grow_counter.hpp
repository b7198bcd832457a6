// Counter that only grows (G-Counter).
//
//   grow_counter visits;
//   auto delta = visits.increment(here);       // or any amount: increment(here, 3)
//   other.join(delta);                         // counts once, however often it arrives
//   visits.value();
//
// Each replica keeps the total of its own increments, joined by maximum; the value is the sum of all. A delta
// carries the writer's total, never "+3". Increments are never lost and never undone. Amounts are not
// negative (errc::negative_amount); one that would take the writer's total or the value beyond 2^64 - 1 is
// refused (errc::counter_overflow), and concurrent ones that do so together read as 2^64 - 1. An increment by
// 0 is nothing and stores nothing.
//
// One entry for each replica that ever counted: 24 bytes, some 7 in canonical bytes. Its digest
// is the state itself. An increment is O(replicas), for the sum. Source: M. Shapiro et al., A Comprehensive
// Study of Convergent and Commutative Replicated Data Types (2011), specification 6. Any thread; a value,
// which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/counter_operations.hpp>
#include <phoenix/crdt/core/replica_totals.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <cstdint>
#include <variant>

namespace phoenix::crdt {

class grow_counter : public detail::totals_lattice<grow_counter, 1> {
    friend detail::totals_lattice<grow_counter, 1>;

public:
    using operations = counter_operations;
    using operation = std::variant<operations::increment>;

    /// Changes this counter and returns the change, itself a counter.
    grow_counter increment(const replica_id& here, std::int64_t amount = 1);

    [[nodiscard]] std::uint64_t value() const noexcept;

    /// What `replica` has added of it.
    [[nodiscard]] std::uint64_t total(const replica_id& replica) const noexcept {
        return totals_.find(replica)[0];
    }

    grow_counter apply(const replica_id& here, const operation& what) {
        return increment(here, std::get<operations::increment>(what).amount);
    }

    void explain(explanation& facts) const;
};

} // namespace phoenix::crdt
