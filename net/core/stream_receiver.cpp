#include <phoenix/net/core/stream_core.hpp>
#include <phoenix/net/core/stream_receiver.hpp>
#include <phoenix/net/detail/op_awaiter.hpp>
#include <phoenix/net/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace phoenix::net::detail {

namespace {

// A reader that falls this many lent buffers behind pauses the receive stream.
constexpr std::uint32_t most_queued_buffers = 8;

// A stream of its own without much traffic receives into a buffer of this size.
constexpr std::size_t small_own_buffer_bytes = 1024;

// After so many receives in a row that would have fitted the small buffer, the large one goes back.
constexpr std::uint8_t short_receives_to_shrink = 8;

} // namespace

stream_receiver::stream_receiver(stream_core& core, loop& owner, handle& source) noexcept
    : core_(core), loop_(owner), source_(source), stream_(*this), once_(*this), pause_(*this) {
    stream_.target = &source;
    once_.target = &source;
}

bool stream_receiver::next_data() {
    if (!unread_.empty()) {
        return true;
    }
    give_back_current();
    if (own_received_ != 0) {
        unread_ = std::span<const std::byte>(own_buffer_, own_received_);
        own_received_ = 0;
        return true;
    }
    if (first_ != nullptr) {
        current_ = first_;
        first_ = current_->next;
        --queued_;
        unread_ = std::span<const std::byte>(current_->data, current_->size);
        return true;
    }
    if (end_ == end_kind::failed) {
        throw_error(result_error(failure_), "receive");
    }
    return false;
}

std::span<const std::byte> stream_receiver::take() {
    if (!next_data()) {
        return {};
    }
    return std::exchange(unread_, std::span<const std::byte>());
}

std::size_t stream_receiver::take_into(std::span<std::byte> out) {
    if (!next_data()) {
        return 0;
    }
    const std::size_t taken = std::min(out.size(), unread_.size());
    std::memcpy(out.data(), unread_.data(), taken);
    unread_ = unread_.subspan(taken);
    return taken;
}

void stream_receiver::give_back_current() noexcept {
    if (current_ != nullptr) {
        loop_.backend().give_back(*std::exchange(current_, nullptr));
    }
}

bool stream_receiver::wait(stream_reader& reader) noexcept {
    PHOENIX_ASSERT(reader_ == nullptr, "one coroutine at a time reads from a stream");
    // What was taken before becomes invalid now, so its buffer can be lent again.
    give_back_current();
    do {
        receive_more();
    } while (is_settled() && !is_ready());
    if (is_ready()) {
        return false;
    }
    reader_ = &reader;
    return true;
}

void stream_receiver::wait_for_turn(stream_reader& reader) noexcept {
    PHOENIX_ASSERT(reader_ == nullptr, "one coroutine at a time reads from a stream");
    reader_ = &reader;
    wake_reader();
}

void stream_receiver::cancel_wait() noexcept {
    if (!reader_is_woken_) {
        reader_->error_ = make_error_code(errc::canceled);
        wake_reader();
        // Nobody reads: what arrives waits in the kernel, and a host is not kept at work.
        if (!once_.is_settled()) {
            loop_.cancel(once_);
        }
    }
}

void stream_receiver::receive_more() noexcept {
    if (!is_settled() || end_ != end_kind::open || stopped_) {
        return;
    }
    driver& backend = loop_.backend();
    if (backend.capabilities().recv_stream && backend.can_lend()) {
        drop_own_buffer();
        stream_.state = op_state::idle;
        if (loop_.submit(stream_)) {
            note_end(stream_.result);
        }
        return;
    }
    use_own_buffer(own_was_filled_);
    once_.state = op_state::idle;
    once_.buffer = std::span<std::byte>(own_buffer_, own_is_large_ ? loop_.options().write_block_bytes
                                                                   : small_own_buffer_bytes);
    if (loop_.submit(once_)) {
        note_received(once_.result);
    }
}

void stream_receiver::use_own_buffer(bool large) {
    if (own_buffer_ != nullptr && own_is_large_ == large) {
        return;
    }
    drop_own_buffer();
    own_is_large_ = large;
    own_buffer_ =
        large ? loop_.take_write_block() : static_cast<std::byte*>(frame_allocate(small_own_buffer_bytes));
}

void stream_receiver::drop_own_buffer() noexcept {
    if (own_buffer_ == nullptr) {
        return;
    }
    if (own_is_large_) {
        loop_.give_write_block(own_buffer_);
    } else {
        frame_deallocate(own_buffer_, small_own_buffer_bytes);
    }
    own_buffer_ = nullptr;
}

void stream_receiver::note_received(int result) noexcept {
    if (result <= 0) {
        note_end(result);
        return;
    }
    own_received_ = static_cast<std::uint32_t>(result);
    if (own_received_ > small_own_buffer_bytes) {
        short_receives_ = 0;
    } else if (own_is_large_) {
        own_was_filled_ = ++short_receives_ < short_receives_to_shrink;
    } else {
        own_was_filled_ = own_received_ == small_own_buffer_bytes;
        short_receives_ = 0;
    }
}

void stream_receiver::note_end(int result) noexcept {
    // More may follow after a cancel (a pause), after a lack of buffers, and after a stream that ended by
    // itself.
    if (result > 0 || result == -ECANCELED || result == -ENOBUFS || result == -EINTR) {
        return;
    }
    end_ = result == 0 ? end_kind::end_of_stream : end_kind::failed;
    failure_ = result;
}

void stream_receiver::arrived(recv_stream_op& self, lent_buffer& buffer) noexcept {
    stream_receiver& here = static_cast<stream_part&>(self).owner;
    if (here.stopped_) {
        here.loop_.backend().give_back(buffer);
        return;
    }
    buffer.next = nullptr;
    (here.first_ != nullptr ? here.last_->next : here.first_) = &buffer;
    here.last_ = &buffer;
    if (++here.queued_ >= most_queued_buffers && !here.pause_.queued) {
        // Whether the reader is behind is known when it has had its turn.
        here.pause_.queued = true;
        here.loop_.at_end_of_turn(here.pause_);
    }
    here.wake_reader();
}

void stream_receiver::pause(runnable& self) noexcept {
    stream_receiver& here = static_cast<pause_part&>(self).owner;
    here.pause_.queued = false;
    if (here.queued_ >= most_queued_buffers && here.stream_.state == op_state::in_flight) {
        here.loop_.cancel(here.stream_);
    }
    here.core_.finish_if_done();
}

void stream_receiver::stream_ended(runnable& self) noexcept {
    stream_receiver& here = static_cast<stream_part&>(self).owner;
    here.note_end(here.stream_.result);
    here.settle();
}

void stream_receiver::received(runnable& self) noexcept {
    stream_receiver& here = static_cast<once_part&>(self).owner;
    here.note_received(here.once_.result);
    here.settle();
}

void stream_receiver::settle() noexcept {
    if (stopped_) {
        own_received_ = 0;
        drop_own_buffer();
        core_.finish_if_done();
        return;
    }
    while (reader_ != nullptr && !reader_is_woken_ && is_settled() && !is_ready()) {
        receive_more();
    }
    if (is_ready()) {
        wake_reader();
    }
}

void stream_receiver::wake_reader() noexcept {
    if (reader_ != nullptr && !reader_is_woken_) {
        reader_is_woken_ = true;
        loop_.make_ready(*reader_);
    }
}

void stream_receiver::stop(std::error_code reason) noexcept {
    stopped_ = true;
    if (reader_ != nullptr) {
        // It may resume after this receiver has gone: it takes the reason along.
        reader_->error_ = reason;
        reader_->core_ = nullptr;
        wake_reader();
        reader_resumed();
    }
    unread_ = {};
    own_received_ = 0;
    give_back_current();
    while (first_ != nullptr) {
        lent_buffer& buffer = *first_;
        first_ = buffer.next;
        loop_.backend().give_back(buffer);
    }
    queued_ = 0;
    if (!stream_.is_settled()) {
        loop_.cancel(stream_);
    }
    if (!once_.is_settled()) {
        loop_.cancel(once_);
    } else {
        drop_own_buffer();
    }
}

bool stream_reader::ready_now() noexcept {
    return core_ != nullptr && core_->receiver().is_ready() && core_->owner().take_inline_budget();
}

bool stream_reader::begin(strand& waiting, std::coroutine_handle<> awaiting) noexcept {
    if (core_ == nullptr) {
        error_ = make_error_code(errc::closed);
        return false;
    }
    if (waiting.stop_requested()) {
        error_ = make_error_code(errc::canceled);
        return false;
    }
    PHOENIX_ASSERT(&waiting.owner() == &core_->owner(),
                   "a coroutine reads from a stream that belongs to another loop");
    strand_ = &waiting;
    waiting_ = awaiting;
    if (core_->receiver().is_ready()) {
        // Beyond the turn's budget: others first.
        core_->receiver().wait_for_turn(*this);
    } else if (!core_->receiver().wait(*this)) {
        return false;
    }
    waiting.wait_for(*this);
    return true;
}

stream_receiver& stream_reader::finish() {
    if (error_) [[unlikely]] {
        throw_error(error_, "read");
    }
    return core_->receiver();
}

void stream_reader::cancel_read(waitable& self) noexcept {
    auto& here = static_cast<stream_reader&>(self);
    if (here.core_ != nullptr) {
        here.core_->receiver().cancel_wait();
    }
}

void stream_reader::resume(runnable& self) noexcept {
    auto& here = static_cast<stream_reader&>(self);
    if (here.core_ != nullptr) {
        here.core_->receiver().reader_resumed();
    }
    here.strand_->done_waiting();
    here.waiting_.resume();
}

} // namespace phoenix::net::detail
