#include <phoenix/crdt/grow_counter.hpp>

#include <limits>

namespace phoenix::crdt {

grow_counter grow_counter::increment(const replica_id& here, std::int64_t amount) {
    const std::uint64_t added = detail::unsigned_amount("increment", amount);
    (void)detail::raised_total("increment", value(), added);
    return raise(here, 0, added == 0 ? 0 : total(here) + added);
}

std::uint64_t grow_counter::value() const noexcept {
    constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
    const detail::wide_sum sum = totals_.sum(0);
    return sum > highest ? highest : static_cast<std::uint64_t>(sum);
}

void grow_counter::explain(explanation& facts) const {
    for (const auto& each : totals_) {
        facts.path.push_back(detail::replica_text(each.key));
        facts.add(explanation::verdict::stands, std::to_string(each.total[0]), "its total");
        facts.path.pop_back();
    }
}

} // namespace phoenix::crdt
