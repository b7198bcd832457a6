// Waiting for time, and giving others their turn.
//
//   co_await sleep_for(10ms);
//   co_await yield();
//
// A sleep ends at or after its time, in the turn in which the loop sees it; errc::canceled when the strand is
// stopped. A time that has come already yields once. Thread rule: the loop's thread.
#pragma once

#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/time.hpp>

#include <chrono>
#include <concepts>
#include <coroutine>

namespace phoenix::net {

class sleep_awaiter : private timer, private waitable, private runnable {
public:
    explicit sleep_awaiter(monotonic_time until) noexcept : sleep_awaiter(until, nanoseconds(-1)) {}

    explicit sleep_awaiter(nanoseconds duration) noexcept : sleep_awaiter(monotonic_time(), duration) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) {
        strand_ = &awaiting.promise().current_strand();
        waiting_ = awaiting;
        return suspend();
    }

    void await_resume() const {
        if (canceled_) [[unlikely]] {
            throw_error(errc::canceled, "the sleep was cancelled");
        }
    }

private:
    sleep_awaiter(monotonic_time until, nanoseconds duration) noexcept
        : timer(&fire), waitable(&stop), runnable(&resume), until_(until), duration_(duration) {}

    bool suspend();
    static void fire(timer& self) noexcept;
    static void stop(waitable& self) noexcept;
    static void resume(runnable& self) noexcept;

    monotonic_time until_;
    nanoseconds duration_;
    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
    bool canceled_ = false;
};

/// Not before `duration` from now; zero or less yields.
template <class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, nanoseconds>
[[nodiscard]] sleep_awaiter sleep_for(std::chrono::duration<Rep, Period> duration) noexcept {
    const nanoseconds counted = saturated(duration);
    return sleep_awaiter(counted < nanoseconds(0) ? nanoseconds(0) : counted);
}

/// Not before `when`.
[[nodiscard]] inline sleep_awaiter sleep_until(monotonic_time when) noexcept {
    return sleep_awaiter(when);
}

/// Lets everything that is ready run first; throws errc::canceled when the strand is stopped.
[[nodiscard]] inline sleep_awaiter yield() noexcept {
    return sleep_awaiter(nanoseconds(0));
}

} // namespace phoenix::net
