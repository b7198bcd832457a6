#include <phoenix/net/detail/require_option.hpp>
#include <phoenix/net/sim/plan.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace phoenix::net::sim {

void plan::validate() const {
    constexpr std::string_view owner = "sim::plan";
    constexpr std::uint64_t all = 1'000'000;
    constexpr nanoseconds longest = std::chrono::hours(1);
    for (const auto& [name, value] : {std::pair<std::string_view, nanoseconds>("latency", latency),
                                      {"jitter", jitter},
                                      {"tail", tail},
                                      {"loopback_latency", loopback_latency},
                                      {"connect_timeout", connect_timeout}}) {
        if (value < nanoseconds(0) || value > longest) {
            detail::refuse_option(owner, name, std::to_string(value.count()) + " ns", "0 to 1 h");
        }
    }
    for (const auto& [name, value] :
         {std::pair<std::string_view, nanoseconds>("connect_retry", connect_retry),
          {"retransmit_timeout", retransmit_timeout},
          {"retransmit_max", retransmit_max}}) {
        if (value <= nanoseconds(0) || value > longest) {
            detail::refuse_option(owner, name, std::to_string(value.count()) + " ns",
                                  "more than 0, at most 1 h");
        }
    }
    detail::require_option_in_range(owner, "tail_rate", tail_rate, 0, all);
    detail::require_option_in_range(owner, "short_rate", short_rate, 0, all);
    detail::require_option_in_range(owner, "late_rate", late_rate, 0, all);
    constexpr std::uint64_t bytes_per_second_max = std::uint64_t{1} << 40;
    detail::require_option_in_range(owner, "bytes_per_second", bytes_per_second, 0, bytes_per_second_max);
    constexpr std::uint64_t connection_bytes_max = std::uint64_t{1} << 30;
    detail::require_option_in_range(owner, "connection_bytes", connection_bytes, 1, connection_bytes_max);
    faults.validate();
}

} // namespace phoenix::net::sim
