#include <phoenix/net/detail/require_option.hpp>
#include <phoenix/net/sim/fault_plan.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace phoenix::net::sim {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view owner = "sim::fault_plan";

void require_time(std::string_view name, nanoseconds value) {
    constexpr nanoseconds longest = 24h;
    if (value < 0ns || value > longest) {
        detail::refuse_option(owner, name, std::to_string(value.count()) + " ns", "0 to 24 h");
    }
}

void require_rate(const std::string& name, const fault_rate& rate) {
    require_time(name + ".every", rate.every);
    require_time(name + ".shortest", rate.shortest);
    require_time(name + ".longest", rate.longest);
    if (rate.shortest > rate.longest) {
        detail::refuse_option(owner, name + ".shortest", std::to_string(rate.shortest.count()) + " ns",
                              "not more than " + name + ".longest");
    }
}

/// Even over the magnitudes: as often from 1 to 10 ms as from 1 to 10 s.
nanoseconds draw_time(random_source& random, nanoseconds least, nanoseconds most) {
    // Halves of whole numbers: floating point may differ from one compiler to another.
    std::uint32_t doublings = 0;
    for (nanoseconds at = least; at * 2 <= most; at *= 2) {
        ++doublings;
    }
    const nanoseconds from = least * (std::int64_t{1} << random.between(0, doublings));
    const auto until = static_cast<std::uint64_t>(std::min(from * 2, most).count());
    return nanoseconds(random.between(static_cast<std::uint64_t>(from.count()), until));
}

fault_rate draw_rate(random_source& random, nanoseconds length, nanoseconds shortest, nanoseconds longest) {
    constexpr std::uint32_t half = 500'000;
    constexpr int often = 50;
    // Drawn all the same when it is off: what the others are does not depend on it.
    const bool is_on = random.chance(half);
    const nanoseconds every = draw_time(random, std::max<nanoseconds>(length / often, 1ms), length);
    const nanoseconds lasts = draw_time(random, shortest, longest);
    return {.every = is_on ? every : 0ns, .shortest = shortest, .longest = lasts};
}

} // namespace

fault_plan fault_plan::drawn_from(random_source& random, nanoseconds length) {
    fault_plan drawn;
    const nanoseconds part = std::max<nanoseconds>(length / 4, 2ms);
    const auto rate = [&](nanoseconds shortest) {
        return draw_rate(random, length, std::min(shortest, part), part);
    };
    drawn.partitions = rate(1ms);
    drawn.cuts = rate(1ms);
    drawn.one_way_cuts = rate(1ms);
    drawn.clogs = rate(1ms);
    drawn.resets = rate(1ms);
    drawn.silences = rate(1ms);
    drawn.kills = rate(1ms);
    drawn.power_losses = rate(1ms);
    drawn.pauses = rate(1ms);
    drawn.slow_readers = rate(1ms);
    drawn.clock_jumps = rate(1ms);
    drawn.clock_jump = draw_time(random, 1ms, 10s);
    drawn.clock_skew = draw_time(random, 1ms, 10s);
    drawn.buggify_sites = static_cast<std::uint32_t>(random.below(500'000));
    drawn.buggify_rate = static_cast<std::uint32_t>(random.below(100'000));
    return drawn;
}

void fault_plan::validate() const {
    for (const auto& [name, rate] : {std::pair<std::string_view, const fault_rate&>("partitions", partitions),
                                     {"cuts", cuts},
                                     {"one_way_cuts", one_way_cuts},
                                     {"clogs", clogs},
                                     {"resets", resets},
                                     {"silences", silences},
                                     {"kills", kills},
                                     {"power_losses", power_losses},
                                     {"pauses", pauses},
                                     {"slow_readers", slow_readers},
                                     {"clock_jumps", clock_jumps}}) {
        require_rate(std::string(name), rate);
    }
    require_time("clock_jump", clock_jump);
    require_time("clock_skew", clock_skew);
    constexpr std::uint64_t all = 1'000'000;
    detail::require_option_in_range(owner, "buggify_sites", buggify_sites, 0, all);
    detail::require_option_in_range(owner, "buggify_rate", buggify_rate, 0, all);
}

} // namespace phoenix::net::sim
