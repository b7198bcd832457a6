// Counter that grows and shrinks (PN-Counter).
//
//   pn_counter stock;
//   auto delta = stock.increment(here, 10);
//   delta.join(stock.decrement(here, 3));
//   other.join(delta);                         // counts once, however often it arrives
//   stock.value();                             // 7
//
// Each replica keeps two totals, what it has added and what it has taken away, each joined by maximum; the
// value is the sum of the first less the sum of the second. A delta carries the writer's total, never "+3".
// The value may fall below zero: bounded_counter has a bound, resettable_counter a reset. Amounts are not
// negative (errc::negative_amount); a change that would take a total beyond 2^64 - 1, or the value out of 64
// signed bits, is refused (errc::counter_overflow); concurrent ones that do so together read as the closest
// number. A change by 0 is nothing and stores nothing.
//
// One entry for each replica that ever counted: 32 bytes, some 8 in canonical bytes. Its
// digest is the state itself. A change is O(replicas), for the sum. Source: M. Shapiro et al., A
// Comprehensive Study of Convergent and Commutative Replicated Data Types (2011), specification 7. Any
// thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/counter_operations.hpp>
#include <phoenix/crdt/core/replica_totals.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <cstdint>
#include <variant>

namespace phoenix::crdt {

class pn_counter : public detail::totals_lattice<pn_counter, 2> {
    friend detail::totals_lattice<pn_counter, 2>;

public:
    using operations = counter_operations;
    using operation = std::variant<operations::increment, operations::decrement>;

    /// Each mutator changes this counter and returns the change, itself a counter.
    pn_counter increment(const replica_id& here, std::int64_t amount = 1);
    pn_counter decrement(const replica_id& here, std::int64_t amount = 1);

    [[nodiscard]] std::int64_t value() const noexcept;

    /// What `replica` has added, and what it has taken away.
    [[nodiscard]] std::uint64_t added(const replica_id& replica) const noexcept {
        return totals_.find(replica)[plus];
    }

    [[nodiscard]] std::uint64_t taken(const replica_id& replica) const noexcept {
        return totals_.find(replica)[minus];
    }

    pn_counter apply(const replica_id& here, const operation& what);
    void explain(explanation& facts) const;

private:
    static constexpr std::size_t plus = 0;
    static constexpr std::size_t minus = 1;

    pn_counter change(const char* call, const replica_id& here, std::size_t index, std::int64_t amount);
};

} // namespace phoenix::crdt
