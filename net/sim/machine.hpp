// One simulated machine: what stays when the process on it does not.
#pragma once

#include <phoenix/net/time.hpp>

#include <cstdint>

namespace phoenix::net::sim {

class sim_driver;

/// Nodes count from 1, and so do their machines.
using node_number = std::uint32_t;

struct machine {
    /// Of what runs on it; null while nothing does.
    sim_driver* process = nullptr;
    /// Whether its kernel answers: a machine without power does not, one whose process died says so.
    bool has_power = true;
    std::uint32_t power_losses = 0;
    /// Its processes stand still until then; the kernel goes on.
    monotonic_time paused_until = monotonic_time::min();
    /// Something happened meanwhile.
    bool was_touched = false;
    /// Its processes read little at a time, and late, until then.
    monotonic_time slow_until = monotonic_time::min();
    /// How far its wall clock is ahead of the world's.
    nanoseconds clock_offset{0};
    /// How often a process was started on it.
    std::uint32_t starts = 0;
    /// The port that went out last.
    std::uint16_t last_port = 0;
};

} // namespace phoenix::net::sim
