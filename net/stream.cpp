#include <phoenix/net/detail/op_awaiter.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/stream.hpp>

namespace phoenix::net {

namespace {

detail::stream_core& opened(detail::stream_core* core) {
    if (core == nullptr) {
        throw_error(errc::closed, "the stream was closed or moved from");
    }
    return *core;
}

} // namespace

stream::stream(loop& owner, handle& connection, const stream_options& options) try
    : core_(new detail::stream_core(owner, connection, options)) {
} catch (...) {

    owner.backend().release(connection, true);
}

task<> stream::read_exactly(std::span<std::byte> out) {
    while (!out.empty()) {
        const std::size_t taken = co_await read(out);
        if (taken == 0) {
            throw_error(errc::end_of_stream, "the peer ended its side, " + std::to_string(out.size()) +
                                                 " bytes before what was expected");
        }
        out = out.subspan(taken);
    }
}

task<> stream::shutdown_send() {
    detail::stream_core& core = opened(core_);
    // First: what is written from now on would come after the end.
    core.sender().close();
    co_await flush();
    detail::op_awaiter<shutdown_op> ending;
    ending.target = &core.connection();
    const int result = co_await ending;
    if (result < 0) {
        throw_error(detail::result_error(result), "shut down the sending side");
    }
}

task<> stream::close() {
    try {
        co_await flush();
    } catch (...) {
        let_go(false);
        throw;
    }
    let_go(false);
}

endpoint stream::local_endpoint() const {
    detail::stream_core& core = opened(core_);
    return core.owner().backend().local_endpoint(core.connection());
}

endpoint stream::peer_endpoint() const {
    detail::stream_core& core = opened(core_);
    return core.owner().backend().peer_endpoint(core.connection());
}

int stream::native_descriptor() const noexcept {
    return core_ != nullptr ? core_->owner().backend().native_descriptor(core_->connection()) : -1;
}

} // namespace phoenix::net
