// What bounds sessions: strangers, silence, queues, and how peers are dialled.
#pragma once

#include <phoenix/net/socket_options.hpp>
#include <phoenix/net/time.hpp>

#include <chrono>
#include <cstddef>

namespace phoenix::replication {

struct session_options {
    /// How long a peer may take to prove who it is.
    net::nanoseconds handshake_deadline = std::chrono::seconds(5);

    /// Connections whose peers have not proved who they are, at once; the oldest is closed for one more.
    std::size_t strangers_max = 64;

    /// How often a peer is asked whether it is there.
    net::nanoseconds ping_interval = std::chrono::seconds(1);

    /// A peer from which nothing comes for so long is given up; more than ping_interval.
    net::nanoseconds silence_max = std::chrono::seconds(5);

    /// How long a farewell may take to leave.
    net::nanoseconds farewell_time = std::chrono::seconds(1);

    /// Frames of control that a peer may leave untaken; a session that has more is given up. Who sends bulk bounds it.
    std::size_t control_bytes_max = 4UL * 1024 * 1024;

    /// How long a connection may take to come about.
    net::nanoseconds connect_deadline = std::chrono::seconds(5);

    /// Between two attempts to dial a peer: the first pause, doubled each time up to the longest; each is shortened by up
    /// to a half at random, so that many nodes do not dial at once.
    net::nanoseconds first_pause = std::chrono::milliseconds(50);
    net::nanoseconds longest_pause = std::chrono::seconds(2);

    /// For every connection.
    net::stream_options stream;

    /// Throws errc::invalid_options that names the field.
    void validate() const;
};

} // namespace phoenix::replication
