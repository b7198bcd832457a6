#include <phoenix/crdt/pn_counter.hpp>

namespace phoenix::crdt {

pn_counter pn_counter::increment(const replica_id& here, std::int64_t amount) {
    return change("increment", here, plus, amount);
}

pn_counter pn_counter::decrement(const replica_id& here, std::int64_t amount) {
    return change("decrement", here, minus, amount);
}

std::int64_t pn_counter::value() const noexcept {
    return detail::saturated(totals_.sum(plus) - totals_.sum(minus));
}

pn_counter pn_counter::apply(const replica_id& here, const operation& what) {
    if (const auto* const more = std::get_if<operations::increment>(&what)) {
        return increment(here, more->amount);
    }
    return decrement(here, std::get<operations::decrement>(what).amount);
}

void pn_counter::explain(explanation& facts) const {
    for (const auto& each : totals_) {
        const detail::wide_sum share = detail::wide_sum(each.total[plus]) - each.total[minus];
        facts.path.push_back(detail::replica_text(each.key));
        facts.add(explanation::verdict::stands, std::to_string(detail::saturated(share)),
                  "added " + std::to_string(each.total[plus]) + ", took " +
                      std::to_string(each.total[minus]));
        facts.path.pop_back();
    }
}

pn_counter pn_counter::change(const char* call, const replica_id& here, std::size_t index,
                              std::int64_t amount) {
    const std::uint64_t total = totals_.find(here)[index];
    const std::uint64_t raised = detail::raised_total(call, total, detail::unsigned_amount(call, amount));
    const detail::wide_sum now = totals_.sum(plus) - totals_.sum(minus);
    const detail::wide_sum then = index == plus ? now + amount : now - amount;
    // A value that left the range by concurrent changes may be led back.
    if (amount > 0 && then != detail::saturated(then) && (then > 0) == (index == plus)) {
        throw_error(errc::counter_overflow, std::string(call) + ": expected a value of 64 bits, found " +
                                                std::to_string(value()) + " and a change by " +
                                                std::to_string(amount) + ": use a smaller unit");
    }
    return raise(here, index, amount == 0 ? 0 : raised);
}

} // namespace phoenix::crdt
