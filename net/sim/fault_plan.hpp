// What goes wrong in a simulated world, and how often.
#pragma once

#include <phoenix/net/sim/random.hpp>
#include <phoenix/net/time.hpp>

#include <chrono>
#include <cstdint>

namespace phoenix::net::sim {

/// A kind of fault that comes by itself.
struct fault_rate {
    /// From one to the next, on average; 0: it never comes.
    nanoseconds every{0};
    /// How long one lasts: from the shortest to the longest.
    nanoseconds shortest{0};
    nanoseconds longest{0};
};

/// Each comes anywhere in the world, at any time, until world::calm().
struct fault_plan {
    /// All links between some nodes and the others, both ways.
    fault_rate partitions;
    /// A link, both ways or one.
    fault_rate cuts;
    fault_rate one_way_cuts;
    /// A link, one way, holds up what is sent.
    fault_rate clogs;

    /// A connection, wherever it is in what it sends. Nothing lasts.
    fault_rate resets;
    /// A connection whose packets vanish from then on: neither side is told. Nothing lasts.
    fault_rate silences;

    /// A node's process ends as by SIGKILL, and starts again after that time. Its kernel ends its connections.
    fault_rate kills;
    /// The same with the whole machine, which says nothing to anybody.
    fault_rate power_losses;
    /// How many nodes are down at once, at most. One that stays up keeps what is only in memory.
    std::uint32_t down_max = 1;

    /// A node's process stands still. Its kernel does not.
    fault_rate pauses;
    /// A node's process reads little at a time.
    fault_rate slow_readers;

    /// A node's wall clock is set to another time, by clock_jump at most. Nothing lasts.
    fault_rate clock_jumps;
    nanoseconds clock_jump{0};
    /// How far wall clocks are from the world's from the beginning, at most.
    nanoseconds clock_skew{0};

    /// Of loop::buggify: which share of the sites is on, and how often each is; in parts of a million.
    std::uint32_t buggify_sites = 0;
    std::uint32_t buggify_rate = 0;

    /// Draws which kinds there are (each with one chance in two) and how often they come: swarm testing, after A. Groce et
    /// al., Swarm Testing (2012). A run of about `length` sees each kind that is on, more than once as a rule.
    [[nodiscard]] static fault_plan drawn_from(random_source& random, nanoseconds length);

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may.
    void validate() const;
};

} // namespace phoenix::net::sim
