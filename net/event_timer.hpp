// Sets an event when a time comes: for who waits for something or a time, whichever is first, and does so often.
//
//   event work;
//   event_timer at(co_await this_loop(), work);
//   at.set(next_due);           // instead of what was set before
//   co_await work.wait();       // until somebody sets it, or until then
//
// Unlike with_deadline it ends no task and throws nothing. `target` must outlive it. Thread rule: the loop's thread.
#pragma once

#include <phoenix/net/core/timer_queue.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/time.hpp>

namespace phoenix::net {

class event_timer : private timer {
public:
    event_timer(loop& owner, event& target) noexcept : timer(&ring), loop_(owner), target_(target) {}

    ~event_timer() { loop_.disarm(*this); }

    /// The event will be set in the turn that sees `when` pass; no_deadline: not at all. Throws std::bad_alloc, and then it
    /// is not.
    void set(monotonic_time when) {
        if (when == when_) {
            return;
        }
        loop_.disarm(*this);
        when_ = no_deadline;
        if (when != no_deadline) {
            loop_.arm(*this, when);
            when_ = when;
        }
    }

private:
    static void ring(timer& self) noexcept {
        auto& here = static_cast<event_timer&>(self);
        here.when_ = no_deadline;
        here.target_.set();
    }

    loop& loop_;
    event& target_;
    monotonic_time when_ = no_deadline;
};

} // namespace phoenix::net
