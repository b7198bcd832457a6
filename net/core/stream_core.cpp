#include <phoenix/net/core/stream_core.hpp>
#include <phoenix/net/error.hpp>

namespace phoenix::net::detail {

void stream_core::abandon(bool reset) noexcept {
    if (!loop_.backend().is_usable()) [[unlikely]] {
        // A forked child: operations, waiters and output are the parent's. This stays as their place.
        loop_.backend().release(connection_, false);
        return;
    }
    const std::error_code closed = make_error_code(errc::closed);
    abandoned_ = true;
    loop_.linger_begins();
    receiver_.stop(closed);
    sender_.close();
    // Output that is dropped must not look like a clean end to the peer.
    reset_ = reset || sender_.error() || (close_timeout_ == nanoseconds(0) && !sender_.is_done());
    if (reset || close_timeout_ == nanoseconds(0)) {
        sender_.abort(closed);
    } else if (!sender_.is_done()) {
        // Not the time of the turn: what was computed before is not the peer's fault.
        loop_.arm(*this, loop_.backend().now() + close_timeout_);
    }
    finish_if_done();
}

void stream_core::close_timed_out(timer& self) noexcept {
    auto& here = static_cast<stream_core&>(self);
    here.reset_ = true;
    here.sender_.abort(make_error_code(errc::closed));
    here.finish_if_done();
}

void stream_core::destroy() noexcept {
    loop_.disarm(*this);
    loop_.linger_ended();
    loop_.owned_ended();
    // Output that was lost meanwhile must not look like a clean end either.
    loop_.backend().release(connection_, reset_ || sender_.error());
    delete this;
}

} // namespace phoenix::net::detail
