#include <phoenix/net/error.hpp>
#include <phoenix/net/listener.hpp>

namespace phoenix::net {

namespace {

handle& open_listener(loop& owner, const endpoint& local, const listener_options& options) {
    options.validate();
    return owner.backend().open_listener(local, options);
}

detail::listener_core* make_core(loop& owner, handle& source, const stream_options& accepted) {
    try {
        return new detail::listener_core(owner, source, accepted);
    } catch (...) {
        owner.backend().release(source, false);
        throw;
    }
}

} // namespace

listener::listener(loop& owner, const endpoint& local, const listener_options& options)
    : core_(make_core(owner, open_listener(owner, local, options), options.accepted)) {}

endpoint listener::local_endpoint() const {
    if (core_ == nullptr) {
        throw_error(errc::closed, "the listener was closed or moved from");
    }
    return core_->owner().backend().local_endpoint(core_->source());
}

stream listener::accept_awaiter::await_resume() {
    detail::listener_core& core = finish();
    handle& connection = core.take();
    stream accepted(core.owner(), connection, core.accepted_options());
    core.owner().backend().configure(connection, core.accepted_options());
    return accepted;
}

} // namespace phoenix::net
