// What a stream is made of, at a fixed place: it outlives the stream object until its driver is done with it.
#pragma once

#include <phoenix/net/core/frame_pool.hpp>
#include <phoenix/net/core/stream_receiver.hpp>
#include <phoenix/net/core/stream_sender.hpp>
#include <phoenix/net/core/timer_queue.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/socket_options.hpp>

#include <system_error>

namespace phoenix::net::detail {

class stream_core final : private timer, public pooled {
public:
    stream_core(loop& owner, handle& connection, const stream_options& options) noexcept
        : timer(&close_timed_out), loop_(owner), connection_(connection),
          close_timeout_(options.close_timeout), receiver_(*this, owner, connection),
          sender_(*this, owner, connection, options.write_limit_bytes) {
        owner.owned_begins();
    }

    [[nodiscard]] loop& owner() noexcept { return loop_; }

    [[nodiscard]] handle& connection() noexcept { return connection_; }

    [[nodiscard]] stream_receiver& receiver() noexcept { return receiver_; }

    [[nodiscard]] stream_sender& sender() noexcept { return sender_; }

    /// The stream object lets go. What was written is still sent, for at most the close timeout; then the
    /// connection is closed and this object is gone. With `reset` nothing more is sent, and the peer sees a
    /// reset.
    void abandon(bool reset) noexcept;

    /// To be called last by whoever has finished something: destroys this object when all is done.
    void finish_if_done() noexcept {
        if (abandoned_ && receiver_.is_done() && sender_.is_done()) [[unlikely]] {
            destroy();
        }
    }

private:
    ~stream_core() = default;

    void destroy() noexcept;
    static void close_timed_out(timer& self) noexcept;

    loop& loop_;
    handle& connection_;
    nanoseconds close_timeout_;
    bool abandoned_ = false;
    bool reset_ = false;
    stream_receiver receiver_;
    stream_sender sender_;
};

} // namespace phoenix::net::detail
