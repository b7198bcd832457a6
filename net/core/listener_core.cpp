#include <phoenix/net/core/listener_core.hpp>
#include <phoenix/net/detail/op_awaiter.hpp>
#include <phoenix/net/error.hpp>

#include <cerrno>
#include <utility>

namespace phoenix::net::detail {

namespace {

// Connections that wait here for a coroutine to accept them; the rest stay in the kernel's backlog.
constexpr std::size_t most_queued_connections = 64;

/// The connection was lost before it was accepted, or the call was interrupted: the listener itself is fine.
bool is_of_one_connection(int result) noexcept {
    switch (-result) {
    case ECONNABORTED:
    case EINTR:
    case EAGAIN:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case ENONET:
        return true;
    default:
        return false;
    }
}

} // namespace

listener_core::listener_core(loop& owner, handle& source, const stream_options& accepted_options)
    : loop_(owner), source_(source), accepted_options_(accepted_options), stream_(*this), once_(*this),
      pause_(*this) {
    stream_.target = &source;
    once_.target = &source;
    owner.owned_begins();
}

handle& listener_core::take() {
    if (queue_.empty()) {
        throw_error(result_error(std::exchange(failure_, 0)), "accept");
    }
    handle& connection = *queue_.front();
    queue_.pop_front();
    return connection;
}

bool listener_core::wait(acceptor& waiting) noexcept {
    PHOENIX_ASSERT(acceptor_ == nullptr, "one coroutine at a time accepts from a listener");
    do {
        accept_more();
    } while (is_settled() && !is_ready());
    if (is_ready()) {
        return false;
    }
    acceptor_ = &waiting;
    return true;
}

void listener_core::wait_for_turn(acceptor& waiting) noexcept {
    PHOENIX_ASSERT(acceptor_ == nullptr, "one coroutine at a time accepts from a listener");
    acceptor_ = &waiting;
    wake_acceptor();
}

void listener_core::cancel_wait() noexcept {
    if (!acceptor_is_woken_) {
        acceptor_->error_ = make_error_code(errc::canceled);
        wake_acceptor();
        // Nobody accepts: connections wait in the kernel, and a host is not kept at work.
        cancel_operations();
    }
}

void listener_core::accept_more() noexcept {
    if (!is_settled() || abandoned_) {
        return;
    }
    if (loop_.backend().capabilities().accept_stream) {
        stream_.state = op_state::idle;
        if (loop_.submit(stream_)) {
            note_end(stream_.result);
        }
        return;
    }
    once_.state = op_state::idle;
    once_.accepted = nullptr;
    if (loop_.submit(once_)) {
        note_accepted();
    }
}

void listener_core::add(handle& connection) noexcept {
    if (abandoned_) {
        loop_.backend().release(connection, false);
        return;
    }
    queue_.push_back(&connection);
    if (queue_.size() >= most_queued_connections && !pause_.queued) {
        pause_.queued = true;
        loop_.at_end_of_turn(pause_);
    }
    wake_acceptor();
}

void listener_core::note_end(int result) noexcept {
    if (result < 0 && result != -ECANCELED && !is_of_one_connection(result)) {
        failure_ = result;
    }
}

void listener_core::arrived(accept_stream_op& self, handle& connection) noexcept {
    static_cast<stream_part&>(self).owner.add(connection);
}

void listener_core::stream_ended(runnable& self) noexcept {
    listener_core& here = static_cast<stream_part&>(self).owner;
    here.note_end(here.stream_.result);
    here.settle();
}

void listener_core::accepted(runnable& self) noexcept {
    listener_core& here = static_cast<once_part&>(self).owner;
    here.note_accepted();
    here.settle();
}

void listener_core::note_accepted() noexcept {
    if (once_.result >= 0) {
        add(*once_.accepted);
    } else {
        note_end(once_.result);
    }
}

void listener_core::pause(runnable& self) noexcept {
    listener_core& here = static_cast<pause_part&>(self).owner;
    here.pause_.queued = false;
    if (here.queue_.size() >= most_queued_connections && here.stream_.state == op_state::in_flight) {
        here.loop_.cancel(here.stream_);
    }
    here.finish_if_done();
}

void listener_core::settle() noexcept {
    while (acceptor_ != nullptr && !acceptor_is_woken_ && is_settled() && !is_ready()) {
        accept_more();
    }
    if (is_ready()) {
        wake_acceptor();
    }
    finish_if_done();
}

void listener_core::wake_acceptor() noexcept {
    if (acceptor_ != nullptr && !acceptor_is_woken_) {
        acceptor_is_woken_ = true;
        loop_.make_ready(*acceptor_);
    }
}

void listener_core::abandon() noexcept {
    if (!loop_.backend().is_usable()) [[unlikely]] {
        // A forked child: the operations are the parent's. This stays as their place.
        for (handle* const each : queue_) {
            loop_.backend().release(*each, false);
        }
        loop_.backend().release(source_, false);
        return;
    }
    abandoned_ = true;
    loop_.linger_begins();
    if (acceptor_ != nullptr) {
        // It may resume after this core has gone: it takes the reason along.
        acceptor_->error_ = make_error_code(errc::closed);
        acceptor_->core_ = nullptr;
        wake_acceptor();
        acceptor_resumed();
    }
    while (!queue_.empty()) {
        loop_.backend().release(*queue_.front(), false);
        queue_.pop_front();
    }
    cancel_operations();
    finish_if_done();
}

void listener_core::cancel_operations() noexcept {
    if (!stream_.is_settled()) {
        loop_.cancel(stream_);
    }
    if (!once_.is_settled()) {
        loop_.cancel(once_);
    }
}

void listener_core::finish_if_done() noexcept {
    if (abandoned_ && is_settled() && !pause_.queued) {
        loop_.linger_ended();
        loop_.owned_ended();
        loop_.backend().release(source_, false);
        delete this;
    }
}

bool acceptor::begin(strand& waiting, std::coroutine_handle<> awaiting) noexcept {
    if (core_ == nullptr) {
        error_ = make_error_code(errc::closed);
        return false;
    }
    if (waiting.stop_requested()) {
        error_ = make_error_code(errc::canceled);
        return false;
    }
    PHOENIX_ASSERT(&waiting.owner() == &core_->owner(),
                   "a coroutine accepts from a listener that belongs to another loop");
    strand_ = &waiting;
    waiting_ = awaiting;
    if (core_->is_ready()) {
        // Beyond the turn's budget: others first.
        core_->wait_for_turn(*this);
    } else if (!core_->wait(*this)) {
        return false;
    }
    waiting.wait_for(*this);
    return true;
}

listener_core& acceptor::finish() {
    if (error_) [[unlikely]] {
        throw_error(error_, "accept");
    }
    return *core_;
}

void acceptor::stop(waitable& self) noexcept {
    auto& here = static_cast<acceptor&>(self);
    if (here.core_ != nullptr) {
        here.core_->cancel_wait();
    }
}

void acceptor::resume(runnable& self) noexcept {
    auto& here = static_cast<acceptor&>(self);
    if (here.core_ != nullptr) {
        here.core_->acceptor_resumed();
    }
    here.strand_->done_waiting();
    here.waiting_.resume();
}

} // namespace phoenix::net::detail
