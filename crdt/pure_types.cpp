#include <phoenix/crdt/core/replica_totals.hpp>
#include <phoenix/crdt/pure_types.hpp>

#include <string>

namespace phoenix::crdt {

namespace {

std::int64_t amount_of(const pure_counter_policy::operation& what) noexcept {
    return std::visit([](const auto& each) { return each.amount; }, what);
}

/// False when the sum would leave 64 bits; it is as before then.
[[nodiscard]] bool add_to(std::int64_t& sum, const pure_counter_policy::operation& what) noexcept {
    std::int64_t made = 0;
    const bool overflows = std::holds_alternative<pure_counter_policy::operations::increment>(what)
                               ? __builtin_add_overflow(sum, amount_of(what), &made)
                               : __builtin_sub_overflow(sum, amount_of(what), &made);
    sum = overflows ? sum : made;
    return !overflows;
}

} // namespace

void pure_counter_policy::check(const log& state, const replica_id& here, const operation& what) {
    if (amount_of(what) < 0) {
        throw_error(errc::negative_amount, "pure counter: expected an amount of at least 0, found " +
                                               std::to_string(amount_of(what)) +
                                               ": use the opposite operation");
    }
    const auto prefix = state.folded_prefixes().find(here);
    std::int64_t sum = prefix == state.folded_prefixes().end() ? 0 : prefix->second.value;
    bool fits = true;
    for (auto each = state.operations().lower_bound(dot{here, 1});
         each != state.operations().end() && each->first.replica == here; ++each) {
        fits = fits && add_to(sum, each->second.what);
    }
    if (!fits || !add_to(sum, what)) {
        throw_error(errc::counter_overflow,
                    "pure counter: expected a total of one replica within 64 bits, found one beyond");
    }
}

void pure_counter_policy::fold(folded& sum, const operation& what) {
    // What a writer that checks has written fits; what others forged is bounded.
    (void)add_to(sum, what);
}

std::int64_t pure_counter_policy::eval(const log& state) {
    // Wide, so that no order of addition overflows when the total does not.
    detail::wide_sum sum = 0;
    for (const auto& [replica, prefix] : state.folded_prefixes()) {
        sum += prefix.value;
    }
    for (const auto& [d, entry] : state.operations()) {
        sum += std::holds_alternative<operations::increment>(entry.what)
                   ? detail::wide_sum(amount_of(entry.what))
                   : -detail::wide_sum(amount_of(entry.what));
    }
    return detail::saturated(sum);
}

std::string pure_counter_policy::text(const operation& what) {
    return (std::holds_alternative<operations::increment>(what) ? "+" : "-") +
           std::to_string(amount_of(what));
}

} // namespace phoenix::crdt
