// A connection that carries frames.
//
//   frame_stream frames(co_await net::connect(peer), limits);
//   co_await frames.write(encode(codec::ping{7}));
//   const auto received = co_await frames.read();           // empty at the end
//
// One coroutine reads, one writes. Both throw what the stream throws, and reading what codec::frame_reader throws. The loop's
// thread.
#pragma once

#include <phoenix/codec/frame.hpp>
#include <phoenix/codec/frame_reader.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace phoenix::replication {

class frame_stream {
public:
    frame_stream(net::stream connection, const codec::limits& bounds)
        : stream_(std::move(connection)), reader_(bounds) {}

    /// The next frame; empty when the peer has ended its side. Valid until the next read.
    [[nodiscard]] net::task<std::optional<codec::received_frame>> read();

    /// What has arrived already, without waiting; empty when the next frame has not, or not whole.
    [[nodiscard]] std::optional<codec::received_frame> read_ready() { return reader_.next(arrived_); }

    /// `frame` must live until the await returns.
    [[nodiscard]] net::stream::write_awaiter write(const codec::frame& frame) noexcept {
        sent_bytes_ += frame.bytes().size();
        return stream_.write(frame.bytes());
    }

    /// From the next frame on.
    void set_limits(const codec::limits& bounds) { reader_.set_limits(bounds); }

    [[nodiscard]] net::stream& connection() noexcept { return stream_; }

    [[nodiscard]] const net::stream& connection() const noexcept { return stream_; }

    [[nodiscard]] std::uint64_t received_bytes() const noexcept { return received_bytes_; }

    [[nodiscard]] std::uint64_t sent_bytes() const noexcept { return sent_bytes_; }

private:
    net::stream stream_;
    codec::frame_reader reader_;
    /// Lent by the stream until its next read.
    std::span<const std::byte> arrived_;
    std::uint64_t received_bytes_ = 0;
    std::uint64_t sent_bytes_ = 0;
};

} // namespace phoenix::replication
