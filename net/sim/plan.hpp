// What a simulated world is like: how long things take, and what goes wrong how often.
#pragma once

#include <phoenix/net/sim/fault_plan.hpp>
#include <phoenix/net/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace phoenix::net::sim {

/// Rates are in parts of a million.
struct plan {
    /// From one node to another: at least so long, as a rule up to so much longer, and once in a while, by `tail_rate`, up
    /// to `tail` longer.
    nanoseconds latency = std::chrono::microseconds(100);
    nanoseconds jitter = std::chrono::microseconds(100);
    nanoseconds tail = std::chrono::milliseconds(20);
    std::uint32_t tail_rate = 1'000;

    /// Within a node.
    nanoseconds loopback_latency = std::chrono::microseconds(10);

    /// What a link carries in each direction; 0: all that is sent.
    std::uint64_t bytes_per_second = 0;

    /// How often a read or a write that could do all at once does a part of it.
    std::uint32_t short_rate = 50'000;
    /// How often an operation that could complete at once completes later.
    std::uint32_t late_rate = 100'000;

    /// What a connection holds in each direction when neither side says otherwise.
    std::size_t connection_bytes = std::size_t{256} * 1024;

    /// How long a connection that nobody answers is tried for, and after which pause it is tried anew.
    nanoseconds connect_timeout = std::chrono::seconds(127);
    nanoseconds connect_retry = std::chrono::seconds(1);

    /// How long a kernel sends again what nobody acknowledges, before the connection fails; and how far apart its attempts
    /// are at most.
    nanoseconds retransmit_timeout = std::chrono::seconds(924);
    nanoseconds retransmit_max = std::chrono::seconds(3);

    /// What goes wrong.
    fault_plan faults;

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may.
    void validate() const;
};

} // namespace phoenix::net::sim
