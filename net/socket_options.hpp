// What may be set on a stream and on a listener, with defaults that suit a low-latency service.
//
//   net::stream_options options;
//   options.keepalive = net::keepalive_options{.idle = 20s, .interval = 5s, .count = 3};
//   options.user_timeout = 10s;
//   options.write_limit_bytes = 1 << 20;
//   auto peer = co_await net::connect(endpoint, options); // throws errc::invalid_options naming a wrong
//   field
//
// Plain values, usable from any thread. What a socket's family does not know (nodelay, keepalive and user
// timeout on a Unix socket) is ignored.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace phoenix::net {

/// Probes that the kernel sends on an idle connection; it is reset after `count` unanswered ones
/// (tcp(7): TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT). A vanished peer is noticed after idle + interval *
/// count.
struct keepalive_options {
    std::chrono::seconds idle{60};     ///< silence before the first probe; 1 to 32767 s
    std::chrono::seconds interval{10}; ///< between probes; 1 to 32767 s
    int count = 6;                     ///< 1 to 127

    friend bool operator==(const keepalive_options&, const keepalive_options&) = default;
};

struct stream_options {
    /// Sends small writes at once (TCP_NODELAY). The stream coalesces the writes of one turn itself.
    bool nodelay = true;
    std::optional<keepalive_options> keepalive = std::nullopt;
    /// How long sent bytes may stay unacknowledged before the kernel resets (TCP_USER_TIMEOUT); 0: the
    /// kernel's default, about 15 minutes. At most 24 days.
    std::chrono::milliseconds user_timeout{0};
    /// The kernel's buffers (SO_RCVBUF, SO_SNDBUF); 0: its default, which tunes itself. Else 4 KiB to 1 GiB;
    /// the kernel doubles it and silently cuts it to the sysctls net.core.rmem_max and wmem_max.
    std::size_t receive_buffer_bytes = 0;
    std::size_t send_buffer_bytes = 0;
    /// Queued output on which a writer waits; 1 byte to 1 GiB. What a slow reader can cost in memory.
    std::size_t write_limit_bytes = std::size_t{256} * 1024;
    /// How long a destroyed stream may still send what was written; 0: not at all. At most 1 hour.
    std::chrono::milliseconds close_timeout{5000};

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may.
    void validate() const;

    friend bool operator==(const stream_options&, const stream_options&) = default;
};

struct listener_options {
    /// Connections that wait for accept; 1 to 65535. The kernel silently cuts it to the sysctl
    /// net.core.somaxconn.
    int backlog = 1024;
    /// Binds although connections of an earlier process linger in TIME_WAIT (SO_REUSEADDR). TCP only.
    bool reuse_address = true;
    /// Lets several listeners, one a loop, share a port; the kernel spreads connections (SO_REUSEPORT). TCP
    /// only.
    bool reuse_port = false;
    /// A listener on a v6 address takes no v4 connections (IPV6_V6ONLY).
    bool v6_only = true;
    /// Removes the path of a Unix socket before binding when it is a socket that nobody listens on, as a
    /// crashed process leaves behind. Anything else at the path is refused with EADDRINUSE either way.
    bool unlink_existing = false;
    /// For every accepted stream.
    stream_options accepted = {};

    /// As stream_options::validate; a field of `accepted` is named "accepted.x".
    void validate() const;

    friend bool operator==(const listener_options&, const listener_options&) = default;
};

} // namespace phoenix::net
