// The receiving half of a stream: data that has arrived, the operation that brings more, and who waits for
// it.
//
// The operation belongs to the stream, not to the coroutine that reads: cancelling a read loses nothing.
// Where the driver lends buffers, one receive stream stays armed; it is paused when the reader falls behind
// by `most_queued_buffers`, and armed again when he caught up. When the driver has no buffer left to lend,
// and on drivers that lend none, a one-shot receive into a buffer of the stream's own takes its place: small
// while little arrives.
#pragma once

#include <phoenix/net/loop.hpp>
#include <phoenix/net/op.hpp>
#include <phoenix/net/strand.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

namespace phoenix::net::detail {

class stream_core;
class stream_reader;

class stream_receiver {
public:
    stream_receiver(stream_core& core, loop& owner, handle& source) noexcept;

    /// Whether take() has something to say without waiting.
    [[nodiscard]] bool is_ready() const noexcept {
        return !unread_.empty() || first_ != nullptr || own_received_ != 0 || end_ != end_kind::open;
    }

    /// What has arrived and was not taken, one buffer of it; empty at the end of the stream. What the call
    /// before gave becomes invalid. Throws when the stream failed and everything that arrived before was
    /// taken. Precondition: is_ready().
    [[nodiscard]] std::span<const std::byte> take();

    /// As take(), but copies out at most `out.size()` bytes and keeps the rest.
    [[nodiscard]] std::size_t take_into(std::span<std::byte> out);

    /// Registers who waits, and sees to it that an operation is on its way. False when data came at once.
    [[nodiscard]] bool wait(stream_reader& reader) noexcept;

    /// What is ready shall reach the reader through the ready queue.
    void wait_for_turn(stream_reader& reader) noexcept;

    /// The waiting reader gives up, unless it was woken already.
    void cancel_wait() noexcept;

    /// The woken reader runs.
    void reader_resumed() noexcept {
        reader_ = nullptr;
        reader_is_woken_ = false;
    }

    /// Ends receiving: a waiting reader gets `reason`, and what was lent goes back.
    void stop(std::error_code reason) noexcept;

    /// True when nothing of it is known to the driver or the loop any more.
    [[nodiscard]] bool is_done() const noexcept {
        return is_settled() && !pause_.queued && reader_ == nullptr;
    }

private:
    enum class end_kind : std::uint8_t { open, end_of_stream, failed };

    class stream_part : public recv_stream_op {
    public:
        explicit stream_part(stream_receiver& owner) noexcept
            : recv_stream_op(&stream_receiver::stream_ended, &stream_receiver::arrived), owner(owner) {}

        stream_receiver& owner;
    };

    class once_part : public recv_op {
    public:
        explicit once_part(stream_receiver& owner) noexcept
            : recv_op(&stream_receiver::received), owner(owner) {}

        stream_receiver& owner;
    };

    class pause_part : public runnable {
    public:
        explicit pause_part(stream_receiver& owner) noexcept
            : runnable(&stream_receiver::pause), owner(owner) {}

        stream_receiver& owner;
        bool queued = false;
    };

    static void arrived(recv_stream_op& self, lent_buffer& buffer) noexcept;
    static void stream_ended(runnable& self) noexcept;
    static void received(runnable& self) noexcept;
    static void pause(runnable& self) noexcept;

    [[nodiscard]] bool is_settled() const noexcept { return stream_.is_settled() && once_.is_settled(); }

    [[nodiscard]] bool next_data();
    void give_back_current() noexcept;
    void receive_more() noexcept;
    void note_received(int result) noexcept;
    void note_end(int result) noexcept;
    void wake_reader() noexcept;
    void settle() noexcept;
    void use_own_buffer(bool large);
    void drop_own_buffer() noexcept;

    stream_core& core_;
    loop& loop_;
    handle& source_;
    stream_reader* reader_ = nullptr;
    bool reader_is_woken_ = false;

    std::span<const std::byte> unread_;
    lent_buffer* current_ = nullptr;
    lent_buffer* first_ = nullptr;
    lent_buffer* last_ = nullptr;
    std::uint32_t queued_ = 0;

    std::byte* own_buffer_ = nullptr;
    std::uint32_t own_received_ = 0;
    bool own_is_large_ = false;
    bool own_was_filled_ = false;
    std::uint8_t short_receives_ = 0;

    end_kind end_ = end_kind::open;
    bool stopped_ = false;
    int failure_ = 0;

    stream_part stream_;
    once_part once_;
    pause_part pause_;
};

/// A coroutine that waits for data; base of the read awaiters.
class stream_reader : private waitable, private runnable {
protected:
    explicit stream_reader(stream_core* core) noexcept
        : waitable(&cancel_read), runnable(&resume), core_(core) {}

    ~stream_reader() = default;

    [[nodiscard]] bool ready_now() noexcept;

    /// Whether to suspend.
    [[nodiscard]] bool begin(strand& waiting, std::coroutine_handle<> awaiting) noexcept;

    /// The receiver, ready to be taken from; throws why there is nothing to take.
    [[nodiscard]] stream_receiver& finish();

private:
    friend class stream_receiver;

    static void cancel_read(waitable& self) noexcept;
    static void resume(runnable& self) noexcept;

    stream_core* core_;
    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
    std::error_code error_;
};

} // namespace phoenix::net::detail
