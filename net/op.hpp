// The operation: the one thing that crosses the boundary between coroutines and drivers.
//
// An op is a pinned struct that lives where its waiter lives: a one-shot op inside the awaiting coroutine's
// frame, an op that outlives its awaiter (a receive stream, the writer's send) inside the object that owns
// the handle. A driver links ops, fills `result` and hands each back to the loop exactly once; it never
// allocates for them.
//
// Life of an op: idle -> queued (the driver has it) -> in_flight (the kernel has it) -> completed (its result
// is known, its function is in the loop's ready queue) -> done (its function runs), with `cancelling` before
// `completed` when somebody asked for its end. Buffers belong to the driver until the op is done,
// cancelled or not. Thread rule: an op is touched by its loop's thread alone.
#pragma once

#include <phoenix/config.hpp>
#include <phoenix/net/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

namespace phoenix::net {

/// Something the loop runs once: a link of the ready queue and a function. Never copied, never moved.
class runnable {
public:
    using function = void (*)(runnable&) noexcept;

    explicit runnable(function run) noexcept : run_(run) {}

    runnable(const runnable&) = delete;
    runnable& operator=(const runnable&) = delete;

    void run() noexcept { run_(*this); }

protected:
    ~runnable() = default;

private:
    friend class run_queue;

    runnable* next_ = nullptr;
    function run_;
};

/// Intrusive first-in first-out queue of runnables; owns nothing.
class run_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }

    void push(runnable& item) noexcept {
        item.next_ = nullptr;
        *tail_ = &item;
        tail_ = &item.next_;
    }

    /// Forgets all that is in the queue.
    void clear() noexcept {
        head_ = nullptr;
        tail_ = &head_;
    }

    /// Precondition: not empty.
    runnable& pop() noexcept {
        runnable& item = *head_;
        head_ = item.next_;
        if (head_ == nullptr) {
            tail_ = &head_;
        }
        return item;
    }

private:
    runnable* head_ = nullptr;
    runnable** tail_ = &head_;
};

/// The closed set of operations. Timers are the loop's own and never reach a driver.
enum class op_kind : std::uint8_t {
    accept,
    connect,
    recv,
    send,
    recv_stream,
    accept_stream,
    shutdown,
    resolve,
    // Of files: file_op.hpp.
    open_file,
    read_at,
    write_at,
    sync_data,
    file_size,
    resize_file,
    preallocate,
    rename,
    remove_file,
    create_directory,
    sync_directory,
    list_directory
};

/// Whether ops of the kind are file_ops.
[[nodiscard]] constexpr bool is_file_kind(op_kind kind) noexcept {
    return kind >= op_kind::open_file;
}

enum class op_state : std::uint8_t { idle, queued, in_flight, cancelling, completed, done };

class handle;

/// What all operations share. `run` is called by the loop after the driver has completed the op.
class op : public runnable {
public:
    op(op_kind kind, function completed) noexcept : runnable(&settle), kind(kind), completed_(completed) {}

    /// A driver that still knew this op would write into freed memory: cancel it and wait for its end first.
    ~op() { PHOENIX_ASSERT(is_settled(), "an operation was destroyed while its driver still had it"); }

    /// True when neither a driver nor the ready queue holds the op: it may be submitted, reused or destroyed.
    [[nodiscard]] bool is_settled() const noexcept {
        return state == op_state::idle || state == op_state::done;
    }

    /// True when a driver holds the op and nobody has asked for its end yet.
    [[nodiscard]] bool is_cancellable() const noexcept {
        return state == op_state::queued || state == op_state::in_flight;
    }

    const op_kind kind;
    op_state state = op_state::idle;
    /// Bytes, zero, or a negative errno (-ECANCELED after a cancel that took effect). Resolve: a getaddrinfo
    /// code.
    int result = 0;
    handle* target = nullptr;

private:
    static void settle(runnable& self) noexcept {
        auto& here = static_cast<op&>(self);
        here.state = op_state::done;
        here.completed_(here);
    }

    const function completed_;
};

/// Receives at most once, into `buffer`; result 0 is the end of the stream.
class recv_op : public op {
public:
    explicit recv_op(function completed) noexcept : op(op_kind::recv, completed) {}

    std::span<std::byte> buffer;
};

/// A received piece of memory that belongs to a driver and is lent until driver::give_back.
struct lent_buffer {
    lent_buffer* next = nullptr;
    std::byte* data = nullptr;
    std::uint32_t size = 0;
    std::uint32_t id = 0;
};

/// Receives until it ends by itself (end of stream, error, no buffers: -ENOBUFS) or is cancelled. Each
/// arrival is handed to `arrived` from inside the driver's turn; the function may not submit, it queues.
class recv_stream_op : public op {
public:
    using arrival = void (*)(recv_stream_op&, lent_buffer&) noexcept;

    recv_stream_op(function completed, arrival arrived) noexcept
        : op(op_kind::recv_stream, completed), arrived(arrived) {}

    const arrival arrived;
};

/// Sends all pieces, or fails; `result` is the number of bytes that left, which may be short after an error,
/// and always may be short when `eager`.
class send_op : public op {
public:
    explicit send_op(function completed) noexcept : op(op_kind::send, completed) {}

    std::span<iovec> pieces;
    /// Nobody waits for this one: the driver may try once and report short instead of waiting for room, and
    /// may report it as late as at the end of the next turn.
    bool eager = false;
    /// Scratch of the drivers: the message header that the kernel reads while the op is in flight.
    msghdr header{};
    /// Whether the kernel has reported a result of an eager send.
    bool reported = false;
    std::size_t total_bytes = 0;
};

class accept_op : public op {
public:
    explicit accept_op(function completed) noexcept : op(op_kind::accept, completed) {}

    /// The accepted connection when `result` is not negative; the owner must release it.
    handle* accepted = nullptr;
};

/// Accepts until it is cancelled or fails; see recv_stream_op.
class accept_stream_op : public op {
public:
    using arrival = void (*)(accept_stream_op&, handle&) noexcept;

    accept_stream_op(function completed, arrival arrived) noexcept
        : op(op_kind::accept_stream, completed), arrived(arrived) {}

    const arrival arrived;
};

class connect_op : public op {
public:
    connect_op(function completed, const endpoint& peer) noexcept
        : op(op_kind::connect, completed), peer(peer) {}

    const endpoint peer;
};

/// Half-closes the sending side.
class shutdown_op : public op {
public:
    explicit shutdown_op(function completed) noexcept : op(op_kind::shutdown, completed) {}
};

/// Resolves a name to stream endpoints, off the loop's thread. `result` is a getaddrinfo code, -ECANCELED, or
/// -EMFILE or -ENFILE when there was no descriptor for the lookup (no code of getaddrinfo's has their
/// numbers).
class resolve_op : public op {
public:
    resolve_op(function completed, std::string_view host, std::uint16_t port) noexcept
        : op(op_kind::resolve, completed), host(host), port(port) {}

    const std::string_view host;
    const std::uint16_t port;
    std::vector<endpoint> endpoints;
    /// Scratch of the resolver.
    void* request = nullptr;
};

/// A descriptor as its driver sees it: sockets of the kernel, of Asio, or of a simulator.
class handle {
public:
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;

    /// Operations that the driver has not completed yet.
    std::uint32_t in_flight = 0;
    /// Released by its owner: the driver closes it after the last completion.
    bool released = false;

protected:
    handle() = default;
    ~handle() = default;
};

} // namespace phoenix::net
