// serve: a task for each connection of a listener, for as long as the server lives.
//
//   task<> echo(stream peer);                  // the handler; what it throws ends its own connection alone
//
//   task<> server(endpoint address) {
//       loop& here = co_await this_loop();
//       listener door(here, address);
//       co_await serve(door, echo);            // until it is stopped, or the door is closed
//   }
//
// Accepting survives what passes: out of descriptors or memory it is logged, and after a growing pause serve
// accepts again, while the connections that it has go on and the new ones wait in the kernel's backlog. A
// handler that fails is logged as a warning of `net.serve`; a cancelled one is not.
//
// serve owns the handlers' tasks: it ends after the last of them. Stopped, it stops them and throws
// errc::canceled. When `door` is closed by somebody, it waits for the connections that still run and returns.
// Any other failure of the listener stops the handlers and comes out. `door` must outlive the await; the
// handler is kept until the end. Thread rule: the loop's thread.
#pragma once

#include <phoenix/net/error.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/semaphore.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/time.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace phoenix::net {

struct serve_options {
    /// Handlers at once; 1 to 10'000'000. More connections wait: some accepted in the listener, the others in
    /// the kernel's backlog.
    std::size_t max_connections = 1'000'000;
    /// After a failure that passes; doubled with each that follows, until something was accepted. 1 us to 1
    /// minute.
    nanoseconds first_pause = std::chrono::milliseconds(5);
    /// The longest; first_pause to 1 hour.
    nanoseconds longest_pause = std::chrono::seconds(1);

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may.
    void validate() const;
};

namespace detail {

/// What serve is without the type of its handler.
class server {
public:
    server(loop& owner, listener& door, const serve_options& options);

    /// The next connection; empty when the door was closed. Throws what is not worth a retry.
    [[nodiscard]] task<std::optional<stream>> next();

    void handler_failed(const std::exception_ptr& error);

    scope connections;
    semaphore places;

private:
    [[nodiscard]] nanoseconds pause_after(const std::error_code& refusal);

    loop& loop_;
    listener& door_;
    const serve_options options_;
    nanoseconds pause_;
};

template <class Handler>
task<> serve_one(server& owner, Handler& handler, stream peer, semaphore::permit) {
    try {
        co_await std::invoke(handler, std::move(peer));
    } catch (...) {
        owner.handler_failed(std::current_exception());
    }
}

} // namespace detail

/// A coroutine function that is given a connection.
template <class Handler>
concept connection_handler = std::same_as<std::invoke_result_t<Handler&, stream>, task<>>;

/// Runs `handler(peer)` for each connection. Throws errc::invalid_options when it is awaited.
template <connection_handler Handler>
task<> serve(listener& door, Handler handler, serve_options options) {
    loop& here = co_await this_loop();
    detail::server state(here, door, options);
    std::exception_ptr failure;
    try {
        for (;;) {
            semaphore::permit place = co_await state.places.acquire();
            std::optional<stream> peer = co_await state.next();
            if (!peer) {
                break;
            }
            state.connections.spawn(
                detail::serve_one<Handler>(state, handler, std::move(*peer), std::move(place)));
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        state.connections.cancel();
    }
    co_await state.connections.drain();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

template <connection_handler Handler>
task<> serve(listener& door, Handler handler) {
    return serve(door, std::move(handler), serve_options());
}

} // namespace phoenix::net
