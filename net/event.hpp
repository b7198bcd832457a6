// A flag that coroutines wait for.
//
//   event ready;
//   co_await ready.wait();      // some coroutines
//   ready.set();                // another: wakes all, and later waits pass at once until reset()
//
// Waiters resume from the ready queue, in the order in which they came. A cancelled wait throws
// errc::canceled. Thread rule: the loop's thread alone; from other threads, post a call that sets it.
#pragma once

#include <phoenix/net/core/waiter.hpp>

namespace phoenix::net {

class event {
public:
    class awaiter : private detail::waiter {
    public:
        explicit awaiter(event& target) noexcept : target_(target) {}

        [[nodiscard]] bool await_ready() const noexcept { return false; }

        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
            return !refuse_stopped(awaiting) && begin(awaiting, target_.is_set_, target_.waiters_);
        }

        void await_resume() const { throw_if_canceled(); }

    private:
        event& target_;
    };

    [[nodiscard]] bool is_set() const noexcept { return is_set_; }

    void set() noexcept {
        is_set_ = true;
        waiters_.wake_all();
    }

    void reset() noexcept { is_set_ = false; }

    [[nodiscard]] awaiter wait() noexcept { return awaiter(*this); }

private:
    bool is_set_ = false;
    detail::waiter_list waiters_;
};

} // namespace phoenix::net
