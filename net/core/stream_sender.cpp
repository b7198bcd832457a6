#include <phoenix/net/core/stream_core.hpp>
#include <phoenix/net/core/stream_sender.hpp>
#include <phoenix/net/error.hpp>

#include <algorithm>
#include <cerrno>
#include <new>

namespace phoenix::net::detail {

// The header stands at the start of the block's own memory; the bytes follow it.
class stream_sender::block final : public output_segment {
public:
    static block& create(loop& owner) {
        return *::new (static_cast<void*>(owner.take_write_block())) block();
    }

    static void destroy(block& item, loop& owner) noexcept {
        item.~block();
        owner.give_write_block(reinterpret_cast<std::byte*>(&item));
    }

    [[nodiscard]] std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this) + sizeof(block); }

    [[nodiscard]] static std::size_t capacity(const loop& owner) noexcept {
        return owner.options().write_block_bytes - sizeof(block);
    }

private:
    block() noexcept : output_segment(true) {}

    ~block() = default;
};

stream_sender::stream_sender(stream_core& core, loop& owner, handle& target, std::size_t limit_bytes) noexcept
    : core_(core), loop_(owner), limit_bytes_(limit_bytes), send_(*this), gather_(*this) {
    send_.target = &target;
}

stream_sender::~stream_sender() {
    PHOENIX_ASSERT(empty(), "a stream was destroyed before its output was sent or dropped");
    PHOENIX_ASSERT(!scheduled_, "a stream was destroyed before its last turn had ended");
}

bool stream_sender::try_copy_slow(std::span<const std::byte> data) {
    if (closed_ || error_) {
        return false;
    }
    const std::size_t capacity = block::capacity(loop_);
    if (data.size() > capacity / 4 || copied_bytes_ + data.size() > limit_bytes_) {
        return false;
    }
    if (data.empty()) {
        return true;
    }
    // First what may throw: a write is queued whole or not at all.
    block& added = block::create(loop_);
    const std::size_t head = std::min(room_, data.size());
    if (head > 0) {
        std::memcpy(cursor_, data.data(), head);
        note_copied(head);
        data = data.subspan(head);
    }
    added.data_ = added.bytes();
    append_segment(added);
    cursor_ = added.bytes();
    room_ = capacity;
    std::memcpy(cursor_, data.data(), data.size());
    note_copied(data.size());
    return true;
}

void stream_sender::append_segment(output_segment& added) noexcept {
    (last_ != nullptr ? last_->next_ : first_) = &added;
    last_ = &added;
}

void stream_sender::append(direct_write& writer) noexcept {
    writer.output_segment::data_ = writer.direct_write::data_.data();
    writer.size_ = writer.direct_write::data_.size();
    append_segment(writer);
    cut_tail();
    ++direct_writers_;
    expedite();
    schedule();
}

void stream_sender::cancel(direct_write& writer) noexcept {
    writer.cancel_wanted_ = true;
    if (!send_.is_settled()) {
        const output_segment* in_flight = first_;
        for (std::uint32_t i = 0; i < pieces_in_flight_; ++i, in_flight = in_flight->next_) {
            if (in_flight == &writer) {
                // Its bytes are the kernel's until the send itself has ended.
                cancel_wanted_ = true;
                loop_.cancel(send_);
                return;
            }
        }
    }
    drop_cancelled();
    core_.finish_if_done();
}

void stream_sender::expedite() noexcept {
    if (!send_.is_settled() && send_.eager) {
        loop_.do_not_wait();
    }
}

void stream_sender::close() noexcept {
    closed_ = true;
    cut_tail();
    expedite();
}

void stream_sender::abort(std::error_code reason) noexcept {
    closed_ = true;
    cut_tail();
    if (!error_) {
        error_ = reason;
    }
    if (send_.is_settled()) {
        fail(error_);
    } else {
        loop_.cancel(send_);
    }
}

void stream_sender::gather(runnable& self) noexcept {
    stream_sender& here = static_cast<gather_part&>(self).owner;
    here.scheduled_ = false;
    if (here.send_.is_settled()) {
        if (!here.empty()) {
            here.submit(true);
        }
    } else {
        // More was written while an eager send is on its way, whose end nobody announces.
        here.expedite();
    }
    here.core_.finish_if_done();
}

void stream_sender::submit(bool may_be_eager) noexcept {
    bool eager = may_be_eager;
    for (;;) {
        std::uint32_t count = 0;
        std::size_t total = 0;
        for (const output_segment* each = first_; each != nullptr && count < most_pieces;
             each = each->next_) {
            // The kernel only reads through the pointer.
            const std::size_t size = std::min(each->size_, most_bytes_a_send - total);
            pieces_[count] = iovec{const_cast<std::byte*>(each->data_), size};
            total += size;
            ++count;
            if (total == most_bytes_a_send) {
                break;
            }
        }
        pieces_in_flight_ = count;
        send_.pieces = std::span<iovec>(pieces_, count);
        send_.total_bytes = total;
        // A closed stream waits for its last send: its end must be announced.
        send_.eager = eager && !closed_ && direct_writers_ == 0 && flushers_.empty();
        send_.state = op_state::idle;
        if (!loop_.submit(send_)) {
            return;
        }
        const bool was_short = send_.result >= 0 && static_cast<std::size_t>(send_.result) < total;
        note_sent(send_.result);
        if (empty() || error_) {
            return;
        }
        eager = may_be_eager && !was_short && send_.result >= 0;
    }
}

void stream_sender::sent(runnable& self) noexcept {
    stream_sender& here = static_cast<send_part&>(self).owner;
    const int result = here.send_.result;
    const bool was_short = result < 0 || static_cast<std::size_t>(result) < here.send_.total_bytes;
    here.note_sent(result);
    if (!here.empty() && !here.error_) {
        if (was_short) {
            here.submit(false);
        } else {
            here.schedule();
        }
    }
    here.core_.finish_if_done();
}

void stream_sender::note_sent(int result) noexcept {
    pieces_in_flight_ = 0;
    if (result > 0) {
        consume(static_cast<std::size_t>(result));
    }
    if (error_) {
        fail(error_);
        return;
    }
    if (result < 0 && result != -EAGAIN && result != -ECANCELED && result != -EINTR) {
        fail(make_error(-result));
        return;
    }
    if (cancel_wanted_) {
        cancel_wanted_ = false;
        drop_cancelled();
    }
    if (empty()) {
        wake_flushers();
    }
}

void stream_sender::consume(std::size_t bytes) noexcept {
    while (bytes > 0) {
        output_segment& segment = *first_;
        const std::size_t taken = std::min(bytes, segment.size_);
        segment.data_ += taken;
        segment.size_ -= taken;
        bytes -= taken;
        if (segment.is_block_) {
            copied_bytes_ -= taken;
        }
        first_is_partly_sent_ = segment.size_ > 0;
        if (segment.size_ == 0) {
            pop_first();
        }
    }
}

void stream_sender::pop_first() noexcept {
    output_segment& segment = *first_;
    first_ = segment.next_;
    if (first_ == nullptr) {
        last_ = nullptr;
        cut_tail();
    }
    first_is_partly_sent_ = false;
    if (segment.is_block_) {
        block::destroy(static_cast<block&>(segment), loop_);
    } else {
        finish_writer(static_cast<direct_write&>(segment), std::error_code());
    }
}

void stream_sender::pop_cancelled() noexcept {
    auto& writer = static_cast<direct_write&>(*first_);
    first_ = first_->next_;
    finish_writer(writer, make_error_code(errc::canceled));
}

void stream_sender::drop_cancelled() noexcept {
    output_segment* previous = nullptr;
    output_segment* each = first_;
    if (!send_.is_settled()) {
        // What is in flight is the driver's: it is looked at again when the send has ended.
        for (std::uint32_t i = 0; i < pieces_in_flight_; ++i) {
            previous = each;
            each = each->next_;
        }
    }
    while (each != nullptr) {
        output_segment* const following = each->next_;
        auto* const writer = each->is_block_ ? nullptr : static_cast<direct_write*>(each);
        if (writer == nullptr || !writer->cancel_wanted_) {
            previous = each;
            each = following;
            continue;
        }
        if (each == first_ && first_is_partly_sent_) {
            // The peer has part of this write: whatever followed would be read as the rest of it.
            pop_cancelled();
            fail(make_error_code(errc::closed));
            return;
        }
        (previous != nullptr ? previous->next_ : first_) = following;
        if (following == nullptr) {
            last_ = previous;
            cut_tail();
        }
        finish_writer(*writer, make_error_code(errc::canceled));
        each = following;
    }
    if (empty()) {
        wake_flushers();
    }
}

void stream_sender::fail(std::error_code reason) noexcept {
    error_ = reason;
    closed_ = true;
    while (first_ != nullptr) {
        output_segment& segment = *first_;
        first_ = segment.next_;
        if (segment.is_block_) {
            copied_bytes_ -= segment.size_;
            block::destroy(static_cast<block&>(segment), loop_);
        } else {
            finish_writer(static_cast<direct_write&>(segment), reason);
        }
    }
    last_ = nullptr;
    cut_tail();
    wake_flushers();
}

void stream_sender::wake_flushers() noexcept {
    while (!flushers_.empty()) {
        static_cast<flush_waiter&>(flushers_.front()).error_ = error_;
        flushers_.wake_first();
    }
}

void stream_sender::finish_writer(direct_write& writer, std::error_code error) noexcept {
    --direct_writers_;
    writer.error_ = error;
    writer.output_segment::next_ = nullptr;
    writer.core_ = nullptr;
    loop_.make_ready(writer);
}

void stream_sender::cut_tail() noexcept {
    cursor_ = nullptr;
    room_ = 0;
}

bool direct_write::begin(strand& waiting, std::coroutine_handle<> awaiting) noexcept {
    if (core_ == nullptr) {
        error_ = make_error_code(errc::closed);
        return false;
    }
    if (waiting.stop_requested()) {
        error_ = make_error_code(errc::canceled);
        return false;
    }
    if (!core_->sender().can_send()) {
        error_ = core_->sender().error() ? core_->sender().error() : make_error_code(errc::closed);
        return false;
    }
    PHOENIX_ASSERT(&waiting.owner() == &core_->owner(),
                   "a coroutine writes to a stream that belongs to another loop");
    strand_ = &waiting;
    waiting_ = awaiting;
    core_->sender().append(*this);
    waiting.wait_for(*this);
    return true;
}

void direct_write::stop(waitable& self) noexcept {
    auto& here = static_cast<direct_write&>(self);
    // Without a core it has left the queue, and its result is on its way.
    if (here.core_ != nullptr) {
        here.core_->sender().cancel(here);
    }
}

void direct_write::resume(runnable& self) noexcept {
    auto& here = static_cast<direct_write&>(self);
    here.strand_->done_waiting();
    here.waiting_.resume();
}

} // namespace phoenix::net::detail
