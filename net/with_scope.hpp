// with_scope: runs a body with a scope that ends when the body ends. See scope.hpp.
#pragma once

#include <phoenix/net/core/branch.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace phoenix::net {

/// Runs `body(children, args...)`, a coroutine function that gives a task<T>; then cancels the children that
/// still run, waits for all of them, and gives the body's result. Throws what failed first, a child or the
/// body. The arguments are kept by value until the end; pass what the body takes by reference with std::ref.
template <class Body, class... Args>
auto with_scope(Body body, Args... args) -> std::invoke_result_t<Body&, scope&, Args...> {
    using result_type = typename std::invoke_result_t<Body&, scope&, Args...>::value_type;
    loop& here = co_await this_loop();
    scope children(here);
    std::optional<detail::branch_awaiter<result_type>> begun;
    std::exception_ptr never_began;
    try {
        begun.emplace(std::invoke(body, children, std::move(args)...), here);
    } catch (...) {
        // A body that is no coroutine itself may spawn and then throw before it gives a task.
        never_began = std::current_exception();
    }
    if (never_began) {
        children.cancel();
        co_await children.drain();
        std::rethrow_exception(never_began);
    }
    detail::branch_awaiter<result_type>& running = *begun;
    children.set_body(&running.own_strand());
    co_await running;
    children.set_body(nullptr);
    const std::exception_ptr child_failed_first = children.take_failure();
    children.cancel();
    co_await children.drain();
    if (child_failed_first) {
        std::rethrow_exception(child_failed_first);
    }
    if (running.result().has_value()) {
        if (const std::exception_ptr failed_late = children.take_failure()) {
            std::rethrow_exception(failed_late);
        }
    } else {
        static_cast<void>(children.take_failure());
    }
    co_return running.result().take();
}

} // namespace phoenix::net
