// Listens and accepts.
//
//   listener door(co_await this_loop(), endpoint::loopback_v4(7000));
//   stream peer = co_await door.accept();
//
// Port 0 lets the kernel choose: local_endpoint() says which. One coroutine at a time accepts. A cancelled
// accept loses no connection. A listener belongs to its loop and must not outlive it. Thread rule: the loop's
// thread.
#pragma once

#include <phoenix/net/core/listener_core.hpp>
#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/socket_options.hpp>
#include <phoenix/net/stream.hpp>

#include <utility>

namespace phoenix::net {

class listener {
public:
    class accept_awaiter;

    /// Binds and listens. Throws std::system_error: the address is in use or not ours, or an option is wrong.
    listener(loop& owner, const endpoint& local, const listener_options& options = {});

    listener(listener&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

    listener& operator=(listener&& other) noexcept {
        if (this != &other) {
            close();
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }

    ~listener() { close(); }

    /// Awaits the next connection. Throws std::system_error: out of descriptors (EMFILE, ENFILE: worth a
    /// retry after a pause; the connection stays in the kernel's backlog), errc::canceled, errc::closed.
    [[nodiscard]] accept_awaiter accept() noexcept;

    /// Stops listening. The address is free again after the loop's next turns, which nothing announces; the
    /// path of a Unix socket stays. A coroutine that accepts gets errc::closed. Connections that were not
    /// accepted are closed.
    void close() noexcept {
        if (core_ != nullptr) {
            std::exchange(core_, nullptr)->abandon();
        }
    }

    [[nodiscard]] bool is_open() const noexcept { return core_ != nullptr; }

    /// Precondition: open.
    [[nodiscard]] endpoint local_endpoint() const;

private:
    detail::listener_core* core_;
};

class listener::accept_awaiter : private detail::acceptor {
public:
    explicit accept_awaiter(detail::listener_core* core) noexcept : acceptor(core) {}

    [[nodiscard]] bool await_ready() noexcept { return ready_now(); }

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        return begin(awaiting.promise().current_strand(), awaiting);
    }

    [[nodiscard]] stream await_resume();
};

inline listener::accept_awaiter listener::accept() noexcept {
    return accept_awaiter(core_);
}

} // namespace phoenix::net
