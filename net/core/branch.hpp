// A task on a strand of its own: what scopes and combinators are made of.
#pragma once

#include <phoenix/net/task.hpp>

namespace phoenix::net::detail {

/// Precondition of the destructor: the task has ended, or was never started.
template <class T>
class branch {
public:
    branch(task<T> work, loop& owner) noexcept : strand_(owner), frame_(work.release()) {
        PHOENIX_ASSERT(frame_ && !frame_.promise().was_started(),
                       "a task is started once, and not after it was moved from");
    }

    branch(const branch&) = delete;
    branch& operator=(const branch&) = delete;

    ~branch() { frame_.destroy(); }

    /// True when the task has ended already; otherwise `at_end` will be told, from inside the task's last
    /// step.
    [[nodiscard]] bool start(completion& at_end) {
        frame_.promise().run_on(strand_);
        frame_.resume();
        if (frame_.done()) {
            return true;
        }
        frame_.promise().tell_at_end(at_end);
        return false;
    }

    [[nodiscard]] strand& own_strand() noexcept { return strand_; }

    [[nodiscard]] outcome<T>& result() noexcept { return frame_.promise().result(); }

private:
    strand strand_;
    std::coroutine_handle<promise<T>> frame_;
};

/// Awaits a task on its own strand and never throws: the result stays inside. Stopping the awaiting strand
/// stops the task's.
template <class T>
class branch_awaiter : private completion, private waitable {
public:
    branch_awaiter(task<T> work, loop& owner) noexcept
        : completion(&ended), waitable(&stop), branch_(std::move(work), owner) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) {
        waiting_ = &waiter.promise().current_strand();
        if (waiting_->stop_requested()) {
            branch_.own_strand().request_stop();
        }
        if (branch_.start(*this)) {
            return false;
        }
        waiter_ = waiter;
        waiting_->wait_for(*this);
        return true;
    }

    void await_resume() const noexcept {}

    [[nodiscard]] strand& own_strand() noexcept { return branch_.own_strand(); }

    [[nodiscard]] outcome<T>& result() noexcept { return branch_.result(); }

private:
    static void ended(completion& self) noexcept {
        auto& here = static_cast<branch_awaiter&>(self);
        here.waiting_->done_waiting();
        here.waiter_.resume();
    }

    static void stop(waitable& self) noexcept {
        static_cast<branch_awaiter&>(self).branch_.own_strand().request_stop();
    }

    branch<T> branch_;
    strand* waiting_ = nullptr;
    std::coroutine_handle<> waiter_;
};

} // namespace phoenix::net::detail
