#include <phoenix/replication/session/frame_stream.hpp>

namespace phoenix::replication {

net::task<std::optional<codec::received_frame>> frame_stream::read() {
    for (;;) {
        if (const auto next = read_ready()) {
            co_return next;
        }
        arrived_ = co_await stream_.read_some();
        if (arrived_.empty()) {
            co_return std::nullopt;
        }
        received_bytes_ += arrived_.size();
    }
}

} // namespace phoenix::replication
