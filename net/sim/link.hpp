// The way from one simulated machine to another: open, cut or clogged, for all connections at once.
//
// What is on its way when the link is cut is not lost to a connection, whose kernel sends again what nobody answers for: it
// waits (one_way.hpp). What belongs to no connection yet, a request for one, is.
#pragma once

#include <phoenix/net/time.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace phoenix::net::sim {

class one_way;

struct link {
    /// How many faults cut it, and how many hold up what is on it; it is open when there is none.
    std::uint32_t cuts = 0;
    std::uint32_t clogs = 0;
    /// When the last of them began.
    monotonic_time stands_since{};
    /// When what was sent until now has left, where the plan bounds the bandwidth.
    monotonic_time free_at{};
    /// Who wait for it to open, in the order in which they came: also what a side sent that has forgotten the connection.
    std::vector<std::shared_ptr<one_way>> waiting;

    [[nodiscard]] bool is_open() const noexcept { return cuts == 0 && clogs == 0; }
};

} // namespace phoenix::net::sim
