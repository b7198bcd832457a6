// Awaits one operation that lives in the awaiter, inside the coroutine's frame.
#pragma once

#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/op.hpp>
#include <phoenix/net/strand.hpp>

#include <cerrno>
#include <coroutine>
#include <utility>

namespace phoenix::net::detail {

/// Submits when awaited. A stop cancels the op; the coroutine goes on after the op's own completion, never
/// before.
template <class Op>
class op_awaiter : public Op, private waitable {
public:
    template <class... Args>
    explicit op_awaiter(Args&&... args) noexcept
        : Op(&completed, std::forward<Args>(args)...), waitable(&stop) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        strand_ = &awaiting.promise().current_strand();
        waiting_ = awaiting;
        if (strand_->stop_requested()) {
            this->result = -ECANCELED;
            return false;
        }
        if (strand_->owner().submit(*this)) {
            return false;
        }
        strand_->wait_for(*this);
        return true;
    }

    /// The op's result, negative on failure.
    [[nodiscard]] int await_resume() const noexcept { return this->result; }

private:
    static void completed(runnable& self) noexcept {
        auto& here = static_cast<op_awaiter&>(self);
        here.strand_->done_waiting();
        here.waiting_.resume();
    }

    static void stop(waitable& self) noexcept {
        auto& here = static_cast<op_awaiter&>(self);
        if (!here.is_settled()) {
            here.strand_->owner().cancel(here);
        }
    }

    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
};

/// The error code of a negative result: cancellation is the library's own.
[[nodiscard]] inline std::error_code result_error(int result) noexcept {
    return result == -ECANCELED ? make_error_code(errc::canceled) : make_error(-result);
}

} // namespace phoenix::net::detail
