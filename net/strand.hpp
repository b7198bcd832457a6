// A strand: one line of control flow, and its stop state.
//
// Every spawned task is the root of a strand; the tasks it awaits run on the same strand. At any time a
// strand waits for at most one thing, so that stopping it needs no lists: request_stop() marks the strand and
// cancels what it waits for. From then on each wait of the strand ends at once with errc::canceled.
//
// Users meet strands only when they write awaiters of their own:
//
//   template <class Promise>
//   bool await_suspend(std::coroutine_handle<Promise> waiter) {
//       strand& self = waiter.promise().current_strand();
//       if (self.stop_requested()) { ... return false; }
//       self.wait_for(*this);          // *this is a waitable: its cancel function is called on a stop
//       return true;                   // whoever resumes calls self.done_waiting() first
//   }
//
// Thread rule: the loop's thread alone.
#pragma once

#include <phoenix/config.hpp>

namespace phoenix::net {

class loop;

/// What a strand can wait for. The cancel function must lead to the waiter's resumption, once, through the
/// loop's ready queue or a later completion, never from inside the call.
class waitable {
public:
    using cancel_function = void (*)(waitable&) noexcept;

    explicit waitable(cancel_function cancel) noexcept : cancel_(cancel) {}

    waitable(const waitable&) = delete;
    waitable& operator=(const waitable&) = delete;

    void cancel() noexcept { cancel_(*this); }

protected:
    ~waitable() = default;

private:
    cancel_function cancel_;
};

class strand {
public:
    explicit strand(loop& owner) noexcept : loop_(&owner) {}

    strand(const strand&) = delete;
    strand& operator=(const strand&) = delete;

    [[nodiscard]] loop& owner() const noexcept { return *loop_; }

    [[nodiscard]] bool stop_requested() const noexcept { return stop_requested_; }

    /// Marks the strand as stopped and cancels what it waits for. Idempotent.
    void request_stop() noexcept {
        if (stop_requested_) {
            return;
        }
        stop_requested_ = true;
        if (waiting_for_ != nullptr) {
            waiting_for_->cancel();
        }
    }

    void wait_for(waitable& target) noexcept {
        PHOENIX_ASSERT(waiting_for_ == nullptr, "a strand waits for one thing at a time");
        waiting_for_ = &target;
        if (stop_requested_) [[unlikely]] {
            // Stopped by something that ran while this wait was being set up.
            target.cancel();
        }
    }

    void done_waiting() noexcept { waiting_for_ = nullptr; }

private:
    loop* loop_;
    waitable* waiting_for_ = nullptr;
    bool stop_requested_ = false;
};

} // namespace phoenix::net
