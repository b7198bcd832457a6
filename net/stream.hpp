// A connected byte stream: TCP over v4 or v6, or a Unix socket.
//
//   task<> echo(stream peer) {
//       for (;;) {
//           const auto data = co_await peer.read_some();
//           if (data.empty()) { co_return; }           // the peer has ended its side
//           co_await peer.write(data);
//       }
//   }
//
// One coroutine at a time reads; any number write, in the order of their calls. Reading and writing may be
// cancelled at any point: a cancelled read loses nothing. A stream belongs to the loop on which it was made,
// must not outlive it, and is used on its thread alone.
#pragma once

#include <phoenix/net/core/stream_core.hpp>
#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/socket_options.hpp>
#include <phoenix/net/task.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace phoenix::net {

class stream {
public:
    class read_some_awaiter;
    class read_awaiter;
    class write_awaiter;
    class flush_awaiter;

    /// Takes over a connection of the loop's driver; accept and connect do this. Throws std::bad_alloc, and
    /// the connection is reset then.
    stream(loop& owner, handle& connection, const stream_options& options);

    stream(stream&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

    stream& operator=(stream&& other) noexcept {
        if (this != &other) {
            let_go(false);
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }

    /// What was written is still sent, for at most stream_options::close_timeout; then the connection is
    /// closed.
    ~stream() { let_go(false); }

    /// False after close, reset and move.
    [[nodiscard]] bool is_open() const noexcept { return core_ != nullptr; }

    /// Awaits what arrives next: a span of at least one byte, valid until the next read, or an empty one when
    /// the peer has ended its side. Throws std::system_error: the connection failed (ECONNRESET, ETIMEDOUT),
    /// errc::canceled, errc::closed. Does not suspend when data has arrived already.
    [[nodiscard]] read_some_awaiter read_some() noexcept;

    /// Awaits up to out.size() bytes into `out`: how many came, at least one; 0 at the end. An empty `out`
    /// gives 0 at once, as an empty read_exactly returns at once: neither waits, nor says whether the stream
    /// is open.
    [[nodiscard]] read_awaiter read(std::span<std::byte> out) noexcept;

    /// Fills `out`, or throws: errc::end_of_stream when the peer ends before. `out` must live until the await
    /// returns.
    [[nodiscard]] task<> read_exactly(std::span<std::byte> out);

    /// Awaits until the stream has taken `data`: small writes are copied, and leave together at the end of
    /// the turn; large ones (over a quarter of a write block), and all when stream_options::write_limit_bytes
    /// are queued, are sent from where they lie. Either way `data` is free again when the await returns, and
    /// the await is what a slow reader holds up. Throws std::system_error: the connection failed,
    /// errc::canceled, errc::closed. A large write that is cancelled in its middle ends the stream's sending
    /// side.
    [[nodiscard]] write_awaiter write(std::span<const std::byte> data) noexcept;
    [[nodiscard]] write_awaiter write(std::string_view text) noexcept;

    /// Awaits until the kernel has all that was written.
    [[nodiscard]] flush_awaiter flush() noexcept;

    /// Flushes, then ends the sending side: the peer reads an end of stream, and may go on sending.
    [[nodiscard]] task<> shutdown_send();

    /// Flushes, then closes. Other coroutines that wait on this stream get errc::closed. When the flush
    /// fails or is cancelled its error comes out, and the stream is closed as its destructor would close it.
    [[nodiscard]] task<> close();

    /// Closes at once and drops what was not sent; the peer sees a reset.
    void reset() noexcept { let_go(true); }

    /// Bytes that were written and that the kernel has not taken yet (without large writes that wait).
    [[nodiscard]] std::size_t queued_bytes() const noexcept {
        return core_ != nullptr ? core_->sender().queued_bytes() : 0;
    }

    /// Precondition: open. Throws std::system_error.
    [[nodiscard]] endpoint local_endpoint() const;
    [[nodiscard]] endpoint peer_endpoint() const;

    /// The kernel's descriptor, for options that this library does not know; -1 where there is none.
    [[nodiscard]] int native_descriptor() const noexcept;

private:
    void let_go(bool reset) noexcept {
        if (core_ != nullptr) {
            std::exchange(core_, nullptr)->abandon(reset);
        }
    }

    detail::stream_core* core_;
};

class stream::read_some_awaiter : private detail::stream_reader {
public:
    explicit read_some_awaiter(detail::stream_core* core) noexcept : stream_reader(core) {}

    [[nodiscard]] bool await_ready() noexcept { return ready_now(); }

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        return begin(awaiting.promise().current_strand(), awaiting);
    }

    [[nodiscard]] std::span<const std::byte> await_resume() { return finish().take(); }
};

class stream::read_awaiter : private detail::stream_reader {
public:
    read_awaiter(detail::stream_core* core, std::span<std::byte> out) noexcept
        : stream_reader(core), out_(out) {}

    [[nodiscard]] bool await_ready() noexcept { return out_.empty() || ready_now(); }

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        return begin(awaiting.promise().current_strand(), awaiting);
    }

    [[nodiscard]] std::size_t await_resume() { return out_.empty() ? 0 : finish().take_into(out_); }

private:
    std::span<std::byte> out_;
};

class stream::write_awaiter : private detail::direct_write {
public:
    write_awaiter(detail::stream_core* core, std::span<const std::byte> data) noexcept
        : direct_write(core, data) {}

    [[nodiscard]] bool await_ready() { return core_ != nullptr && core_->sender().try_copy(data_); }

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        return begin(awaiting.promise().current_strand(), awaiting);
    }

    void await_resume() const {
        if (error_) [[unlikely]] {
            throw_error(error_, "write");
        }
    }
};

class stream::flush_awaiter : private detail::flush_waiter {
public:
    explicit flush_awaiter(detail::stream_core* core) noexcept : flush_waiter(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        if (core_ == nullptr) {
            error_ = make_error_code(errc::closed);
            return false;
        }
        if (refuse_stopped(awaiting)) {
            return false;
        }
        PHOENIX_ASSERT(&awaiting.promise().current_strand().owner() == &core_->owner(),
                       "a coroutine flushes a stream that belongs to another loop");
        detail::stream_sender& sender = core_->sender();
        const bool is_over = sender.empty();
        if (is_over) {
            error_ = sender.error();
        } else {
            sender.expedite();
        }
        return begin(awaiting, is_over, sender.flushers());
    }

    void await_resume() const {
        throw_if_canceled();
        if (error_) [[unlikely]] {
            throw_error(error_, "flush");
        }
    }
};

inline stream::read_some_awaiter stream::read_some() noexcept {
    return read_some_awaiter(core_);
}

inline stream::read_awaiter stream::read(std::span<std::byte> out) noexcept {
    return read_awaiter(core_, out);
}

inline stream::write_awaiter stream::write(std::span<const std::byte> data) noexcept {
    return write_awaiter(core_, data);
}

inline stream::write_awaiter stream::write(std::string_view text) noexcept {
    return write_awaiter(core_, std::as_bytes(std::span<const char>(text.data(), text.size())));
}

inline stream::flush_awaiter stream::flush() noexcept {
    return flush_awaiter(core_);
}

} // namespace phoenix::net
