// A coroutine that waits in a first-in first-out list of an event, a semaphore or a channel.
#pragma once

#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/op.hpp>
#include <phoenix/net/strand.hpp>

#include <coroutine>

namespace phoenix::net::detail {

class waiter_list;

/// Base of an awaiter. Its await_suspend calls begin(), which settles the awaits that need no waiting.
class waiter : public waitable, public runnable {
protected:
    waiter() noexcept : waitable(&stop), runnable(&resume) {}

    ~waiter() = default;

    /// Whether the coroutine must suspend. `ready` says that the wait is over already: then it goes on at
    /// once, or, beyond the turn's budget, through the ready queue. Otherwise it joins `list`.
    template <class Promise>
    [[nodiscard]] bool begin(std::coroutine_handle<Promise> awaiting, bool ready,
                             waiter_list& list) noexcept {
        strand_ = &awaiting.promise().current_strand();
        waiting_ = awaiting;
        return suspend(ready, list);
    }

    /// Before anything is taken for this waiter: a stopped strand gets nothing.
    template <class Promise>
    [[nodiscard]] bool refuse_stopped(std::coroutine_handle<Promise> awaiting) noexcept {
        canceled_ = awaiting.promise().current_strand().stop_requested();
        return canceled_;
    }

    void throw_if_canceled() const {
        if (canceled_) [[unlikely]] {
            throw_error(errc::canceled, "the wait was cancelled");
        }
    }

private:
    friend class waiter_list;

    bool suspend(bool ready, waiter_list& list) noexcept;
    static void stop(waitable& self) noexcept;
    static void resume(runnable& self) noexcept;

    waiter* previous_ = nullptr;
    waiter* next_ = nullptr;
    waiter_list* list_ = nullptr;
    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
    bool canceled_ = false;
};

class waiter_list {
public:
    waiter_list() = default;
    waiter_list(const waiter_list&) = delete;
    waiter_list& operator=(const waiter_list&) = delete;

    ~waiter_list() { PHOENIX_ASSERT(empty(), "destroyed while coroutines wait for it"); }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    /// Precondition: not empty.
    [[nodiscard]] waiter& front() const noexcept { return *first_; }

    /// Removes the first waiter and resumes it from the ready queue. Precondition: not empty.
    void wake_first() noexcept;

    void wake_all() noexcept {
        while (!empty()) {
            wake_first();
        }
    }

private:
    friend class waiter;

    void append(waiter& added) noexcept;
    void remove(waiter& removed) noexcept;

    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
};

} // namespace phoenix::net::detail
