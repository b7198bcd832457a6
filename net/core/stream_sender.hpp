// The sending half of a stream: a queue of output, one send in flight, and who waits for it.
//
// Small writes are copied into pooled blocks and leave together at the end of the turn, as one vectored send.
// Large ones, and those that find the queue over its bound, stay where they are: their writer waits until the
// kernel has them. Order is the order of the writes. When nobody waits, the send is eager: see send_op.
#pragma once

#include <phoenix/net/core/waiter.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/op.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <system_error>

#include <sys/uio.h>

namespace phoenix::net::detail {

class stream_core;

/// Copies like memcpy. A small message was as a rule built a moment ago, field by field; a wide load over several
/// young stores stalls until they have left the core, loads of at most a field's width are served at once.
inline void copy_message(std::byte* to, const std::byte* from, std::size_t size) noexcept {
    constexpr std::size_t word = sizeof(std::uint64_t);
    if (size < word || size > 16 * word) {
        std::memcpy(to, from, size);
        return;
    }
    const auto copy_word = [&](std::size_t at) {
        std::uint64_t value;
        std::memcpy(&value, from + at, word);
        std::memcpy(to + at, &value, word);
    };
    for (std::size_t at = 0; at + word < size; at += word) {
        copy_word(at);
    }
    copy_word(size - word);
}

/// Output in the queue: a pooled block that the queue owns, or a span of a writer that waits.
class output_segment {
public:
    output_segment(const output_segment&) = delete;
    output_segment& operator=(const output_segment&) = delete;

protected:
    explicit output_segment(bool is_block) noexcept : is_block_(is_block) {}

    ~output_segment() = default;

private:
    friend class stream_sender;

    output_segment* next_ = nullptr;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    const bool is_block_;
};

/// A writer whose span is in the queue.
class direct_write : public output_segment, private waitable, private runnable {
public:
    explicit direct_write(stream_core* core, std::span<const std::byte> data) noexcept
        : output_segment(false), waitable(&stop), runnable(&resume), core_(core), data_(data) {}

protected:
    ~direct_write() = default;

    [[nodiscard]] bool begin(strand& waiting, std::coroutine_handle<> awaiting) noexcept;

    stream_core* core_;
    std::span<const std::byte> data_;
    std::error_code error_;

private:
    friend class stream_sender;

    static void stop(waitable& self) noexcept;
    static void resume(runnable& self) noexcept;

    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
    bool cancel_wanted_ = false;
};

/// A coroutine that waits until the queue is empty; base of the flush awaiter.
class flush_waiter : public waiter {
protected:
    explicit flush_waiter(stream_core* core) noexcept : core_(core) {}

    ~flush_waiter() = default;

    stream_core* core_;
    std::error_code error_;

private:
    friend class stream_sender;
};

class stream_sender {
public:
    stream_sender(stream_core& core, loop& owner, handle& target, std::size_t limit_bytes) noexcept;

    ~stream_sender();

    /// Copies `data` into the queue; false when it must be written directly, or the stream cannot send any
    /// more.
    [[nodiscard]] bool try_copy(std::span<const std::byte> data) {
        // Not for nothing at all: there may be no block.
        if (data.size() - 1 < room_ && copied_bytes_ + data.size() <= limit_bytes_) [[likely]] {
            copy_message(cursor_, data.data(), data.size());
            note_copied(data.size());
            return true;
        }
        return try_copy_slow(data);
    }

    [[nodiscard]] bool can_send() const noexcept { return !closed_ && !error_; }

    /// Why nothing can be sent any more, or an empty code.
    [[nodiscard]] std::error_code error() const noexcept { return error_; }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    /// Bytes that were copied and that the kernel does not have yet.
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return copied_bytes_; }

    void append(direct_write& writer) noexcept;
    void cancel(direct_write& writer) noexcept;

    /// For flush: waiters are woken when the queue is empty or failed.
    [[nodiscard]] waiter_list& flushers() noexcept { return flushers_; }

    /// Somebody waits: sends that were eager are reported at once.
    void expedite() noexcept;

    /// From now on every write fails with errc::closed; what is queued is still sent.
    void close() noexcept;

    /// Drops what is queued; its writers fail with `reason`.
    void abort(std::error_code reason) noexcept;

    /// True when nothing is left to send and nothing of it is known to the driver or the loop any more.
    [[nodiscard]] bool is_done() const noexcept { return empty() && send_.is_settled() && !scheduled_; }

private:
    class block;

    class send_part : public send_op {
    public:
        explicit send_part(stream_sender& owner) noexcept : send_op(&stream_sender::sent), owner(owner) {}

        stream_sender& owner;
    };

    class gather_part : public runnable {
    public:
        explicit gather_part(stream_sender& owner) noexcept
            : runnable(&stream_sender::gather), owner(owner) {}

        stream_sender& owner;
    };

    static constexpr std::size_t most_pieces = 16;
    // Results of the kernel are ints, and a submission's length has 32 bits.
    static constexpr std::size_t most_bytes_a_send = std::size_t{1} << 30;

    static void sent(runnable& self) noexcept;
    static void gather(runnable& self) noexcept;

    void note_copied(std::size_t bytes) noexcept {
        cursor_ += bytes;
        room_ -= bytes;
        copied_bytes_ += bytes;
        last_->size_ += bytes;
        schedule();
    }

    void schedule() noexcept {
        if (!scheduled_) {
            scheduled_ = true;
            loop_.at_end_of_turn(gather_);
        }
    }

    [[nodiscard]] bool try_copy_slow(std::span<const std::byte> data);
    void append_segment(output_segment& added) noexcept;
    void submit(bool may_be_eager) noexcept;
    void note_sent(int result) noexcept;
    void consume(std::size_t bytes) noexcept;
    void pop_first() noexcept;
    void pop_cancelled() noexcept;
    void drop_cancelled() noexcept;
    void fail(std::error_code reason) noexcept;
    void wake_flushers() noexcept;
    void finish_writer(direct_write& writer, std::error_code error) noexcept;
    void cut_tail() noexcept;

    stream_core& core_;
    loop& loop_;
    const std::size_t limit_bytes_;

    // The tail block's free room; zero when the tail is no block.
    std::byte* cursor_ = nullptr;
    std::size_t room_ = 0;
    std::size_t copied_bytes_ = 0;
    output_segment* first_ = nullptr;
    output_segment* last_ = nullptr;
    std::uint32_t direct_writers_ = 0;
    bool scheduled_ = false;
    bool first_is_partly_sent_ = false;
    bool cancel_wanted_ = false;
    bool closed_ = false;
    std::error_code error_;
    waiter_list flushers_;

    send_part send_;
    gather_part gather_;
    std::uint32_t pieces_in_flight_ = 0;
    iovec pieces_[most_pieces];
};

} // namespace phoenix::net::detail
