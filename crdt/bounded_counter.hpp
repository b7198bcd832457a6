// Counter that never falls below its bound, or never rises above it, without asking anyone.
//
//   bounded_counter<0> stock;                 // bounded_counter<100, bound_side::upper> for seats taken
//   auto delta = stock.increment(here, 10);   // 10 rights to take away, held here
//   delta.join(stock.transfer(here, there, 4));
//   other.join(delta);
//   other.decrement(there, 3);                // errc::insufficient_rights beyond 4
//   stock.value();
//
// It starts at its bound. A step away from the bound makes rights for the replica that takes it; a step
// towards the bound spends rights of the replica that takes it, which is refused with
// errc::insufficient_rights when it holds too few, even if others hold enough: they can transfer some. So
// each replica checks its own rights alone, and the true value, of all that was ever done, keeps the bound in
// any partition; a state that has not heard of some rights refuses more than it must, never less.
//
// `value` is what this state knows of. A decrement may arrive before the increment that made its rights
// possible; such a state reads as no lower than the bound, until the rest arrives. States joined whole never
// come to that. Rights are held by an incarnation. When a node restarts, those of its former one are spent by
// nobody, unless somebody who is sure to hold all that the former one ever wrote transfers them, once, in its
// name: transfer(former, now, rights(former)).
//
// Amounts are not negative (errc::negative_amount); a step away from the bound beyond 64 signed bits is
// refused (errc::counter_overflow), concurrent ones that get there together read as the closest number.
// State: two totals for each replica, and one for each pair of which one gave to the other; all grow and are
// joined by maximum, and deltas carry totals. A change is O(replicas + pairs). Its digest is the state
// itself. Source: V. Balegas et al., Extending Eventually Consistent Cloud Databases for Enforcing Numeric
// Invariants (2015). Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/counter_operations.hpp>
#include <phoenix/crdt/core/rights_matrix.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

enum class bound_side : std::uint8_t {
    lower, ///< the value is at least the bound
    upper, ///< the value is at most the bound
};

/// The bound is part of the type, since all replicas must mean the same one.
template <std::int64_t Bound = 0, bound_side Side = bound_side::lower>
class bounded_counter {
public:
    using digest_type = bounded_counter;

    struct operations : counter_operations {
        struct transfer {
            replica_id to;
            std::int64_t amount = 1;

            friend bool operator==(const transfer&, const transfer&) = default;

            void write(byte_writer& out) const {
                detail::write_replica(out, to, nullptr);
                write_value(out, amount);
            }

            [[nodiscard]] static transfer read(byte_reader& in) {
                const replica_id to = detail::read_replica(in, nullptr);
                return {to, read_value<std::int64_t>(in)};
            }
        };
    };

    using operation = std::variant<typename operations::increment, typename operations::decrement,
                                   typename operations::transfer>;

    static constexpr std::int64_t bound = Bound;
    static constexpr bound_side side = Side;

    /// Each mutator changes this counter and returns the change, itself a counter.
    bounded_counter increment(const replica_id& here, std::int64_t amount = 1) {
        return Side == bound_side::lower ? recede("increment", here, amount)
                                         : approach("increment", here, amount);
    }

    bounded_counter decrement(const replica_id& here, std::int64_t amount = 1) {
        return Side == bound_side::lower ? approach("decrement", here, amount)
                                         : recede("decrement", here, amount);
    }

    /// Gives rights of `here` to another replica. To itself: nothing.
    bounded_counter transfer(const replica_id& here, const replica_id& to, std::int64_t amount) {
        return bounded_counter(
            rights_.give("transfer", here, to, detail::unsigned_amount("transfer", amount)));
    }

    [[nodiscard]] std::int64_t value() const noexcept {
        const detail::wide_sum distance = std::max<detail::wide_sum>(rights_.unspent(), 0);
        return detail::saturated(Side == bound_side::lower ? Bound + distance : Bound - distance);
    }

    /// How far `replica` may go towards the bound, as far as this state knows.
    [[nodiscard]] std::int64_t rights(const replica_id& replica) const noexcept {
        return detail::saturated(rights_.rights(replica));
    }

    void join(const bounded_counter& theirs) { rights_.join(theirs.rights_); }

    [[nodiscard]] bounded_counter delta_and_merge(const bounded_counter& theirs) {
        return bounded_counter(rights_.delta_and_merge(theirs.rights_));
    }

    [[nodiscard]] bool leq(const bounded_counter& theirs) const noexcept {
        return rights_.leq(theirs.rights_);
    }

    [[nodiscard]] bool is_bottom() const noexcept { return rights_.is_bottom(); }

    [[nodiscard]] digest_type digest() const { return *this; }

    /// The least delta that brings a holder of `theirs` up to this state.
    [[nodiscard]] bounded_counter delta_since(const digest_type& theirs) const {
        return bounded_counter(rights_.newer_than(theirs.rights_));
    }

    /// The join-irreducible states whose join this is: one for each total.
    [[nodiscard]] std::vector<bounded_counter> decompose() const {
        std::vector<bounded_counter> parts;
        for (auto& each : rights_.decompose()) {
            parts.push_back(bounded_counter(std::move(each)));
        }
        return parts;
    }

    bounded_counter apply(const replica_id& here, const operation& what) {
        return std::visit(
            [&]<class What>(const What& each) {
                if constexpr (std::is_same_v<What, typename operations::increment>) {
                    return increment(here, each.amount);
                } else if constexpr (std::is_same_v<What, typename operations::decrement>) {
                    return decrement(here, each.amount);
                } else {
                    return transfer(here, each.to, each.amount);
                }
            },
            what);
    }

    void explain(explanation& facts) const { rights_.explain(facts); }

    friend bool operator==(const bounded_counter&, const bounded_counter&) = default;

    bounded_counter() = default;

    void write(byte_writer& out) const { rights_.write(out); }

    [[nodiscard]] static bounded_counter read(byte_reader& in) {
        return bounded_counter(detail::rights_matrix::read(in));
    }

private:
    explicit bounded_counter(detail::rights_matrix rights) noexcept : rights_(std::move(rights)) {}

    bounded_counter recede(const char* call, const replica_id& here, std::int64_t amount) {
        const std::uint64_t added = detail::unsigned_amount(call, amount);
        const detail::wide_sum distance = rights_.unspent() + added;
        const detail::wide_sum then = Side == bound_side::lower ? Bound + distance : Bound - distance;
        if (added > 0 && then != detail::saturated(then)) {
            throw_error(errc::counter_overflow, std::string(call) + ": expected a value of 64 bits, found " +
                                                    std::to_string(value()) + " and a change by " +
                                                    std::to_string(amount) + ": use a smaller unit");
        }
        return bounded_counter(rights_.mint(call, here, added));
    }

    bounded_counter approach(const char* call, const replica_id& here, std::int64_t amount) {
        return bounded_counter(rights_.spend(call, here, detail::unsigned_amount(call, amount)));
    }

    detail::rights_matrix rights_;
};

} // namespace phoenix::crdt
