// The Asio driver: a loop inside an asio::io_context, on Asio's own sockets.
//
//   asio::io_context context;                     // somebody's, with timers and sockets of its own
//   loop l(make_asio_driver(context));
//   l.spawn(serve());
//   context.run();                                // runs the host's handlers and the loop's tasks
//
// The loop keeps the context from running out of work while spawned tasks run. One thread at a time may run
// the context: tasks have no locks. The context must outlive the loop. A loop destroyed with tasks still
// running cancels them and runs the context until they have ended. bridge.hpp awaits Asio operations from
// tasks, and the other way round. A host that forks tells its context so in both processes
// (asio::io_context::notify_fork) before either goes on with the loop or lets go of it, and runs the loop in
// one of them only. loop::stop() may be called from any thread, but not from a signal handler (use
// asio::signal_set).
#pragma once

#include <phoenix/net/driver.hpp>

#include <memory>

namespace asio {
class io_context;
}

namespace phoenix::net {

class loop;

/// What a driver that runs on Asio can say besides driver's contract.
class asio_host {
public:
    [[nodiscard]] virtual asio::io_context& context() noexcept = 0;

protected:
    ~asio_host() = default;
};

/// The io_context that `guest` runs in. Throws errc::not_supported when it runs on another driver.
[[nodiscard]] asio::io_context& asio_context(loop& guest);

/// A driver on an io_context of its own, which loop::run() drives.
[[nodiscard]] std::unique_ptr<driver> make_asio_driver();

/// A driver inside `host`.
[[nodiscard]] std::unique_ptr<driver> make_asio_driver(asio::io_context& host);

} // namespace phoenix::net
