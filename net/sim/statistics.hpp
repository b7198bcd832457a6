// What happened in a simulated world, counted: a run in which nothing did says nothing.
#pragma once

#include <cstdint>

namespace phoenix::net::sim {

struct statistics {
    std::uint64_t steps = 0;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t connections = 0;

    // Faults that befell somebody.
    std::uint64_t cuts = 0;
    std::uint64_t clogs = 0;
    std::uint64_t resets = 0;
    std::uint64_t silences = 0;
    std::uint64_t kills = 0;
    std::uint64_t power_losses = 0;
    std::uint64_t pauses = 0;
    std::uint64_t slow_readers = 0;
    std::uint64_t clock_jumps = 0;
    std::uint64_t buggified = 0;

    [[nodiscard]] std::uint64_t faults() const noexcept {
        return cuts + clogs + resets + silences + kills + power_losses + pauses + slow_readers + clock_jumps;
    }
};

} // namespace phoenix::net::sim
