// What a listener is made of, at a fixed place: it outlives the listener object until its driver is done with
// it.
//
// Like a stream's receiving half: the accept operation belongs to the listener, so that a cancelled accept
// loses no connection. Where the driver has accept streams one stays armed while somebody accepts, and is
// paused when `most_queued_connections` wait here instead of in the kernel's backlog.
#pragma once

#include <phoenix/net/core/frame_pool.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/op.hpp>
#include <phoenix/net/socket_options.hpp>
#include <phoenix/net/strand.hpp>

#include <coroutine>
#include <cstddef>
#include <deque>
#include <system_error>

namespace phoenix::net::detail {

class acceptor;

class listener_core final : public pooled {
public:
    listener_core(loop& owner, handle& source, const stream_options& accepted_options);

    [[nodiscard]] loop& owner() noexcept { return loop_; }

    [[nodiscard]] handle& source() noexcept { return source_; }

    [[nodiscard]] const stream_options& accepted_options() const noexcept { return accepted_options_; }

    [[nodiscard]] bool is_ready() const noexcept { return !queue_.empty() || failure_ != 0; }

    /// The next connection, or throws why there is none. Precondition: is_ready().
    [[nodiscard]] handle& take();

    /// False when a connection came at once.
    [[nodiscard]] bool wait(acceptor& waiting) noexcept;
    void wait_for_turn(acceptor& waiting) noexcept;
    void cancel_wait() noexcept;

    void acceptor_resumed() noexcept {
        acceptor_ = nullptr;
        acceptor_is_woken_ = false;
    }

    /// The listener object lets go; this object is gone when its driver is done.
    void abandon() noexcept;

private:
    class stream_part : public accept_stream_op {
    public:
        explicit stream_part(listener_core& owner) noexcept
            : accept_stream_op(&listener_core::stream_ended, &listener_core::arrived), owner(owner) {}

        listener_core& owner;
    };

    class once_part : public accept_op {
    public:
        explicit once_part(listener_core& owner) noexcept
            : accept_op(&listener_core::accepted), owner(owner) {}

        listener_core& owner;
    };

    class pause_part : public runnable {
    public:
        explicit pause_part(listener_core& owner) noexcept : runnable(&listener_core::pause), owner(owner) {}

        listener_core& owner;
        bool queued = false;
    };

    ~listener_core() = default;

    static void arrived(accept_stream_op& self, handle& connection) noexcept;
    static void stream_ended(runnable& self) noexcept;
    static void accepted(runnable& self) noexcept;
    static void pause(runnable& self) noexcept;

    void cancel_operations() noexcept;

    [[nodiscard]] bool is_settled() const noexcept { return stream_.is_settled() && once_.is_settled(); }

    void accept_more() noexcept;
    void add(handle& connection) noexcept;
    void note_accepted() noexcept;
    void note_end(int result) noexcept;
    void settle() noexcept;
    void wake_acceptor() noexcept;
    void finish_if_done() noexcept;

    loop& loop_;
    handle& source_;
    const stream_options accepted_options_;
    acceptor* acceptor_ = nullptr;
    bool acceptor_is_woken_ = false;
    bool abandoned_ = false;
    int failure_ = 0;
    std::deque<handle*> queue_;
    stream_part stream_;
    once_part once_;
    pause_part pause_;
};

/// A coroutine that waits for a connection; base of the accept awaiter.
class acceptor : private waitable, private runnable {
protected:
    explicit acceptor(listener_core* core) noexcept : waitable(&stop), runnable(&resume), core_(core) {}

    ~acceptor() = default;

    [[nodiscard]] bool ready_now() noexcept {
        return core_ != nullptr && core_->is_ready() && core_->owner().take_inline_budget();
    }

    [[nodiscard]] bool begin(strand& waiting, std::coroutine_handle<> awaiting) noexcept;

    /// The core, ready to be taken from; throws why there is nothing to take.
    [[nodiscard]] listener_core& finish();

private:
    friend class listener_core;

    static void stop(waitable& self) noexcept;
    static void resume(runnable& self) noexcept;

    listener_core* core_;
    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
    std::error_code error_;
};

} // namespace phoenix::net::detail
