// A ring, set up as the driver needs it, and all that liburing 2.3 lacks or gets wrong.
#pragma once

#include <phoenix/net/core/fork_mark.hpp>
#include <phoenix/net/loop_options.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>

namespace phoenix::net::detail {

/// One issuer, deferred task work, created disabled and enabled by the thread that runs it: from then on the
/// kernel takes submissions from that thread alone. Throws std::system_error from the constructor. Knows
/// whether the process was forked since: then nothing of it may be touched.
class ring {
public:
    explicit ring(std::uint32_t entries);
    ~ring();

    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;

    [[nodiscard]] io_uring& native() noexcept { return ring_; }

    /// True in a child process that inherited the ring, and after give_up().
    [[nodiscard]] bool is_lost() const noexcept { return given_up_ || was_forked(); }

    /// True in a child process that inherited the ring. Any thread.
    [[nodiscard]] bool was_forked() const noexcept { return !mark_.is_set(); }

    /// Binds the ring to the calling thread. Throws std::system_error.
    void enable();

    [[nodiscard]] bool is_enabled() const noexcept { return enabled_; }

    /// Whether the calling thread may run the ring: any as long as it is not enabled.
    [[nodiscard]] bool runs_here() const noexcept;

    /// Closes the ring, from any thread. The kernel ends what was in flight and touches no memory of it any
    /// more: all of it waits for readiness, and what would become of it then is the business of a thread that
    /// enters. While the thread that enabled the ring lives, the kernel may keep the ring, and the sockets on
    /// which something was in flight, until that thread ends.
    void give_up() noexcept;

private:
    void close() noexcept;

    io_uring ring_{};
    fork_mark mark_;
    bool enabled_ = false;
    bool given_up_ = false;
    int thread_ = 0;
};

/// A ring of provided buffers: memory that receive streams fill and that is lent to readers.
class buffer_ring {
public:
    buffer_ring(ring& owner, std::uint32_t count, std::uint32_t bytes_each);
    ~buffer_ring();

    buffer_ring(const buffer_ring&) = delete;
    buffer_ring& operator=(const buffer_ring&) = delete;

    static constexpr std::uint16_t group = 1;

    [[nodiscard]] std::byte* data(std::uint32_t id) const noexcept {
        return memory_ + std::size_t{id} * bytes_each_;
    }

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }

    /// The kernel sees what was added at the next publish().
    void add(std::uint32_t id) noexcept;
    void publish() noexcept;

private:
    ring& owner_;
    const std::uint32_t count_;
    const std::uint32_t bytes_each_;
    std::byte* memory_ = nullptr;
    io_uring_buf_ring* entries_ = nullptr;
    std::uint16_t added_ = 0;
};

} // namespace phoenix::net::detail
