// with_deadline: bounds any task or wait in time, and really cancels it.
//
//   const reply r = co_await with_deadline(ask(peer), 50ms);
//   const auto data = co_await with_deadline(peer.read_some(), 1s);
//
// When the time comes first, the task is stopped: whatever it waits for is cancelled, and the await goes on
// after the task has ended, with errc::timed_out if it ended by the cancellation, or with its result if it
// finished all the same. A task needs no frame more; what is no task needs a small one, and is awaited in the
// expression that makes it, as above. Thread rule: the loop's thread.
#pragma once

#include <phoenix/net/core/as_task.hpp>
#include <phoenix/net/core/branch.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/time.hpp>

#include <chrono>
#include <concepts>
#include <coroutine>
#include <optional>
#include <utility>

namespace phoenix::net {

template <class T>
class [[nodiscard]] deadline_awaiter : private detail::completion, private waitable, private timer {
public:
    deadline_awaiter(task<T> work, std::optional<monotonic_time> deadline, nanoseconds duration) noexcept
        : completion(&ended), waitable(&stop), timer(&expire), work_(std::move(work)), deadline_(deadline),
          duration_(duration) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) {
        waiting_ = &awaiting.promise().current_strand();
        loop& owner = waiting_->owner();
        branch_.emplace(std::move(work_), owner);
        if (waiting_->stop_requested()) {
            branch_->own_strand().request_stop();
        }
        owner.arm(*this, deadline_ ? *deadline_ : later(owner.backend().now(), duration_));
        if (branch_->start(*this)) {
            owner.disarm(*this);
            return false;
        }
        waiter_ = awaiting;
        waiting_->wait_for(*this);
        return true;
    }

    T await_resume() {
        if (expired_ && !waiting_->stop_requested() && loop::is_cancellation(branch_->result().error())) {
            throw_error(errc::timed_out, "the deadline passed");
        }
        return branch_->result().take();
    }

private:
    static void ended(detail::completion& self) noexcept {
        auto& here = static_cast<deadline_awaiter&>(self);
        here.waiting_->owner().disarm(here);
        here.waiting_->done_waiting();
        here.waiter_.resume();
    }

    static void stop(waitable& self) noexcept {
        static_cast<deadline_awaiter&>(self).branch_->own_strand().request_stop();
    }

    static void expire(timer& self) noexcept {
        auto& here = static_cast<deadline_awaiter&>(self);
        here.expired_ = true;
        here.branch_->own_strand().request_stop();
    }

    task<T> work_;
    std::optional<monotonic_time> deadline_;
    nanoseconds duration_;
    std::optional<detail::branch<T>> branch_;
    strand* waiting_ = nullptr;
    std::coroutine_handle<> waiter_;
    bool expired_ = false;
};

/// Gives what `work` gives, or throws errc::timed_out after `duration` from the await.
template <class T, class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, nanoseconds>
deadline_awaiter<T> with_deadline(task<T> work, std::chrono::duration<Rep, Period> duration) noexcept {
    return deadline_awaiter<T>(std::move(work), std::nullopt, saturated(duration));
}

/// The same with a point in time; one in the past stops the task at its first wait in a later turn.
template <class T>
deadline_awaiter<T> with_deadline(task<T> work, monotonic_time deadline) noexcept {
    return deadline_awaiter<T>(std::move(work), deadline, nanoseconds(0));
}

/// For what is no task: `co_await with_deadline(peer.read_some(), 1s)`, in one expression.
template <detail::fresh_awaitable Awaitable, class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, nanoseconds>
auto with_deadline(Awaitable&& work, std::chrono::duration<Rep, Period> duration) {
    return with_deadline(detail::as_task(work), duration);
}

template <detail::fresh_awaitable Awaitable>
auto with_deadline(Awaitable&& work, monotonic_time deadline) {
    return with_deadline(detail::as_task(work), deadline);
}

} // namespace phoenix::net
