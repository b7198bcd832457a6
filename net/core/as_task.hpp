// Anything that can be awaited, as a task: what lets the combinators take `peer.read_some()` or `sleep_for(1s)`
// beside tasks.
#pragma once

#include <phoenix/net/task.hpp>

#include <type_traits>
#include <utility>

namespace phoenix::net::detail {

template <class T>
concept plain_awaiter = requires(T& awaiter) {
    awaiter.await_ready();
    awaiter.await_resume();
};

template <class T>
concept has_awaiter = requires(T&& made) { std::move(made).operator co_await(); };

/// What is awaited where it is made, and no task. Lvalues are none: T is deduced as a reference for them.
template <class T>
concept fresh_awaitable =
    !std::is_reference_v<T> && !std::is_const_v<T> && !is_task<T> && (plain_awaiter<T> || has_awaiter<T>);

template <class T>
concept fresh_work = fresh_awaitable<T> || is_task<T>;

template <class T>
struct awaited {
    using type = decltype(std::declval<T&>().await_resume());
};

template <has_awaiter T>
struct awaited<T> {
    using type = decltype(std::declval<T>().operator co_await().await_resume());
};

template <class T>
using awaited_t = typename awaited<T>::type;

/// Refers to `work`, which must outlive the task: awaiters are pinned and cannot move into a frame.
template <fresh_awaitable Awaitable>
task<awaited_t<Awaitable>> as_task(Awaitable& work) {
    if constexpr (has_awaiter<Awaitable>) {
        co_return co_await std::move(work);
    } else {
        co_return co_await work;
    }
}

template <class T>
task<T> as_task(task<T>& work) noexcept {
    return std::move(work);
}

/// A task that refers to what stands in the full expression that makes it: awaited there, not kept.
template <class T>
class [[nodiscard]] borrowing {
public:
    explicit borrowing(task<T> work) noexcept : work_(std::move(work)) {}

    borrowing(const borrowing&) = delete;
    borrowing& operator=(const borrowing&) = delete;

    [[nodiscard]] auto operator co_await() && noexcept { return std::move(work_).operator co_await(); }

private:
    task<T> work_;
};

} // namespace phoenix::net::detail
