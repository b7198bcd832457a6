// task<T>: a lazy coroutine that is awaited exactly once.
//
//   task<std::size_t> count_bytes(stream& s) {
//       std::size_t total = 0;
//       for (;;) {
//           const auto data = co_await s.read_some();
//           if (data.empty()) { co_return total; }
//           total += data.size();
//       }
//   }
//
// A task starts when it is awaited (or given to scope::spawn, loop::run, with_deadline, when_all, when_any)
// and runs on the strand of its awaiter. It resumes its awaiter directly when it ends; an exception travels
// with the result. Destroying a task that was never started destroys its frame. Frames come from freelists of
// the thread.
//
// A child is started with resume(): if it finished meanwhile, the parent does not suspend at all; otherwise
// the child's end resumes the parent. Loops of any length over ready children use constant stack, at any
// optimization. Only the depth of nested awaits costs stack.
//
// Thread rule: a task runs on its loop's thread alone.
#pragma once

#include <phoenix/net/core/frame_pool.hpp>
#include <phoenix/net/strand.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace phoenix::net {

template <class T = void>
class task;

namespace detail {

/// Told when a task ends that nobody awaits with co_await: a spawned child, a branch of a combinator.
class completion {
public:
    using function = void (*)(completion&) noexcept;

    explicit completion(function done) noexcept : done_(done) {}

    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;

    void done() noexcept { done_(*this); }

protected:
    ~completion() = default;

private:
    function done_;
};

class promise_base {
public:
    struct final_awaiter {
        [[nodiscard]] bool await_ready() const noexcept { return false; }

        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            // Whoever is told may destroy this frame: nothing of it is touched after the call.
            promise_base& self = ended.promise();
            if (self.parent_) {
                self.parent_.resume();
            } else if (self.completion_ != nullptr) {
                self.completion_->done();
            }
        }

        void await_resume() const noexcept {}
    };

    static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }

    static void operator delete(void* frame, std::size_t bytes) noexcept { frame_deallocate(frame, bytes); }

    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }

    [[nodiscard]] final_awaiter final_suspend() const noexcept { return {}; }

    [[nodiscard]] strand& current_strand() const noexcept { return *strand_; }

    void run_on(strand& target) noexcept { strand_ = &target; }

    [[nodiscard]] bool was_started() const noexcept { return strand_ != nullptr; }

    /// Set only after the coroutine has suspended for the first time: while they are empty, its end is seen
    /// by the caller of resume().
    void resume_at_end(std::coroutine_handle<> parent) noexcept { parent_ = parent; }

    void tell_at_end(completion& target) noexcept { completion_ = &target; }

private:
    std::coroutine_handle<> parent_;
    completion* completion_ = nullptr;
    strand* strand_ = nullptr;
};

/// void and references as something that can be stored.
template <class T>
using stored = std::conditional_t<
    std::is_void_v<T>, std::monostate,
    std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<std::remove_reference_t<T>>, T>>;

/// What a task left behind: a value, an exception, or nothing yet.
template <class T>
class outcome {
public:
    template <class... Args>
    void set_value(Args&&... args) {
        state_.template emplace<1>(std::forward<Args>(args)...);
    }

    void set_error(std::exception_ptr error) noexcept { state_.template emplace<2>(std::move(error)); }

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 1; }

    /// The exception, or null.
    [[nodiscard]] std::exception_ptr error() const noexcept {
        const auto* found = std::get_if<2>(&state_);
        return found != nullptr ? *found : nullptr;
    }

    /// Moves the value out, or throws what the task threw. Precondition: the task has ended.
    T take() {
        if (state_.index() == 2) [[unlikely]] {
            std::rethrow_exception(std::get<2>(state_));
        }
        if constexpr (std::is_void_v<T>) {
            return;
        } else if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(**std::get_if<1>(&state_));
        } else {
            return std::move(*std::get_if<1>(&state_));
        }
    }

private:
    std::variant<std::monostate, stored<T>, std::exception_ptr> state_;
};

template <>
class outcome<void> {
public:
    void set_value() noexcept {}

    void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }

    [[nodiscard]] bool has_value() const noexcept { return error_ == nullptr; }

    [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }

    void take() {
        if (error_) [[unlikely]] {
            std::rethrow_exception(error_);
        }
    }

private:
    std::exception_ptr error_;
};

template <class T>
class promise : public promise_base {
public:
    task<T> get_return_object() noexcept;

    template <class Value>
        requires std::convertible_to<Value&&, T>
    void return_value(Value&& value) {
        if constexpr (std::is_reference_v<T>) {
            outcome_.set_value(std::addressof(value));
        } else {
            outcome_.set_value(std::forward<Value>(value));
        }
    }

    void unhandled_exception() noexcept { outcome_.set_error(std::current_exception()); }

    [[nodiscard]] outcome<T>& result() noexcept { return outcome_; }

private:
    outcome<T> outcome_;
};

template <>
class promise<void> : public promise_base {
public:
    task<void> get_return_object() noexcept;

    void return_void() noexcept {}

    void unhandled_exception() noexcept { outcome_.set_error(std::current_exception()); }

    [[nodiscard]] outcome<void>& result() noexcept { return outcome_; }

private:
    outcome<void> outcome_;
};

} // namespace detail

template <class T>
class [[nodiscard]] task {
public:
    using promise_type = detail::promise<T>;
    using value_type = T;

    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}

    task& operator=(task&& other) noexcept {
        if (this != &other) {
            reset();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }

    ~task() { reset(); }

    class awaiter {
    public:
        explicit awaiter(std::coroutine_handle<promise_type> child) noexcept : child_(child) {}

        [[nodiscard]] bool await_ready() const noexcept { return false; }

        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> parent) {
            promise_type& child = child_.promise();
            child.run_on(parent.promise().current_strand());
            child_.resume();
            if (child_.done()) {
                return false;
            }
            child.resume_at_end(parent);
            return true;
        }

        T await_resume() { return child_.promise().result().take(); }

    private:
        std::coroutine_handle<promise_type> child_;
    };

    /// Starts the task on the awaiter's strand; the awaiter goes on when it has ended. Awaited once, as an
    /// rvalue.
    [[nodiscard]] awaiter operator co_await() && noexcept {
        PHOENIX_ASSERT(frame_ && !frame_.promise().was_started(),
                       "a task is awaited once, and not after it was moved from");
        return awaiter(frame_);
    }

    /// A named task is awaited as `co_await std::move(t)`: it is used up.
    awaiter operator co_await() & = delete;

    /// For combinators: the frame, which the caller now owns.
    [[nodiscard]] std::coroutine_handle<promise_type> release() noexcept {
        return std::exchange(frame_, nullptr);
    }

private:
    friend promise_type;

    explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

    void reset() noexcept {
        if (frame_) {
            std::exchange(frame_, nullptr).destroy();
        }
    }

    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise>::from_promise(*this));
}

inline task<void> promise<void>::get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise>::from_promise(*this));
}

} // namespace detail
} // namespace phoenix::net
