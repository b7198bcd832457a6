// Cuts a stream of bytes into verified frames.
//
//   frame_reader reader(bounds);
//   for (;;) {
//       const auto data = co_await peer.read_some();
//       if (data.empty())
//           break;
//       reader.feed(data, [&](const received_frame& received) { handle(received); });
//   }
//
// A frame that lies whole and at a multiple of 8 in `data` is handed out where it lies; others are gathered in a buffer
// of the reader's. That grows with the bytes that arrive, never by what a header announces, and holds one frame at most;
// after a large one it is given back. Bytes that are no frame throw std::system_error (errc::malformed_frame, bad_checksum,
// unsupported_compression, limit_exceeded) that says at which byte of the stream; the stream is lost then, and whatever is
// fed on throws errc::stream_lost. Any thread; a reader belongs to one at a time.
#pragma once

#include <phoenix/codec/error.hpp>
#include <phoenix/codec/frame.hpp>
#include <phoenix/codec/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace phoenix::codec {

/// A frame whose header, checksum and padding are right; a view.
class received_frame {
public:
    [[nodiscard]] frame_kind kind() const noexcept { return header_.kind; }

    [[nodiscard]] lane on() const noexcept { return header_.lane; }

    /// Begins at a multiple of 8.
    [[nodiscard]] std::span<const std::byte> payload() const noexcept {
        return {data_ + frame_header::size, header_.length};
    }

    /// Header, payload and padding.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return {data_, frame_bytes(header_.length)};
    }

    /// A copy that lives on, to keep or to forward as it is.
    [[nodiscard]] frame share() const { return frame::copy_of(bytes()); }

private:
    friend class frame_reader;

    received_frame(const std::byte* data, const frame_header& header) noexcept
        : data_(data), header_(header) {}

    const std::byte* data_;
    frame_header header_;
};

class frame_reader {
public:
    explicit frame_reader(const limits& bounds);

    /// Calls on_frame(const received_frame&) for each frame that ends in `data`, and keeps what is left. What is handed
    /// out is valid during the call. When on_frame throws, the rest of `data` is gone and the stream with it.
    template <class Handler>
    void feed(std::span<const std::byte> data, Handler&& on_frame) {
        while (const auto received = next(data)) {
            lost_ = true;
            on_frame(*received);
            lost_ = false;
        }
    }

    /// Takes the next frame off the front of `data`: for who wants to stop between two. Nothing when it does not end there;
    /// all of `data` is kept then. Valid until the next call, and as long as `data`.
    [[nodiscard]] std::optional<received_frame> next(std::span<const std::byte>& data);

    /// From the next header on. Takes frame_bytes_max alone.
    void set_limits(const limits& bounds);

    /// Bytes of a frame that has begun.
    [[nodiscard]] std::size_t buffered() const noexcept { return delivered_ ? 0 : held_; }

    /// The memory that the reader holds.
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
    [[nodiscard]] frame_header checked_header(const std::byte* from);
    [[nodiscard]] received_frame verified(const std::byte* data, const frame_header& header);
    void gather(std::span<const std::byte>& data, std::size_t until);
    void reserve(std::size_t wanted, std::size_t most);
    void let_go();

    [[nodiscard]] std::byte* buffer() noexcept { return reinterpret_cast<std::byte*>(words_.get()); }

    /// `at` counts from the first byte of the frame.
    [[noreturn, gnu::cold]] void refuse(errc code, std::size_t at, const std::string& expected);

    std::uint32_t frame_bytes_max_;
    bool lost_ = false;
    /// What the buffer holds was handed out by the last call.
    bool delivered_ = false;
    /// Where in the stream the present frame begins.
    std::uint64_t position_ = 0;

    std::unique_ptr<std::uint64_t[]> words_;
    std::size_t capacity_ = 0;
    std::size_t held_ = 0;
    /// Once all of it is held.
    frame_header header_;
};

} // namespace phoenix::codec
