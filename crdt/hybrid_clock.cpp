#include <phoenix/crdt/hybrid_clock.hpp>

#include <algorithm>
#include <limits>

namespace phoenix::crdt {

std::string to_text(const timestamp& when) {
    constexpr std::uint64_t second_us = 1'000'000;
    const std::string fraction = std::to_string(when.wall_us % second_us);
    return std::to_string(when.wall_us / second_us) + "." + std::string(6 - fraction.size(), '0') + fraction +
           "+" + std::to_string(when.logical);
}

void hybrid_clock_options::validate() const {
    if (future_max.count() <= 0) {
        throw_error(errc::invalid_operation, "hybrid_clock_options.future_max: expected more than 0, found " +
                                                 std::to_string(future_max.count()) +
                                                 " us: give at least the skew of the machines");
    }
}

hybrid_clock::hybrid_clock(const hybrid_clock_options& options, const timestamp& last)
    : options_(options), last_(last) {
    options_.validate();
}

timestamp hybrid_clock::receive(const timestamp& remote, std::uint64_t wall_us) {
    if (!accepts(remote, wall_us)) {
        throw_error(errc::clock_too_far_ahead, "hybrid_clock: expected a timestamp at most " +
                                                   std::to_string(options_.future_max.count()) +
                                                   " us after " + to_text(timestamp{wall_us}) + ", found " +
                                                   to_text(remote) +
                                                   ": set the clock of one of the two machines");
    }
    last_ = after(std::max(last_, remote), wall_us);
    return last_;
}

bool hybrid_clock::accepts(const timestamp& remote, std::uint64_t wall_us) const noexcept {
    // What was passed already cannot drag the clock anywhere.
    return remote <= last_ || remote.wall_us <= wall_us ||
           remote.wall_us - wall_us <= static_cast<std::uint64_t>(options_.future_max.count());
}

timestamp hybrid_clock::after(const timestamp& latest, std::uint64_t wall_us) {
    if (wall_us > latest.wall_us) {
        return {wall_us, 0};
    }
    if (latest.logical < std::numeric_limits<std::uint32_t>::max()) {
        return {latest.wall_us, latest.logical + 1};
    }
    // The counter is full: the next microsecond is borrowed from the future.
    if (latest.wall_us == std::numeric_limits<std::uint64_t>::max()) {
        throw_error(
            errc::limit_exceeded,
            "hybrid_clock: expected a wall time below 2^64 - 1 us, found that: set the machine's clock");
    }
    return {latest.wall_us + 1, 0};
}

} // namespace phoenix::crdt
