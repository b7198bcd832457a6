// A frame: the unit of the wire, encoded once and sent to as many peers as want it.
//
//   const frame ping = encode(codec::ping{.token = 7});
//   for (peer& each : peers)
//       each.queue(ping);                // copies share the bytes
//   co_await stream.write(ping.bytes());
//
// Sixteen bytes of header, all little-endian, then the payload, padded with zero bytes to a multiple of 8:
//
//   u32 crc          CRC-32C of the header from byte 4 on and of the payload
//   u8  kind         what the payload is
//   u8  lane         control overtakes bulk
//   u8  compression  of the payload
//   u8  flags        0
//   u32 length       of the payload, without padding
//   u32 raw_length   of the payload before compression; length, without
//
// Frames lie on 8-byte boundaries, so that payloads are read in place. WIRE.md is the specification.
#pragma once

#include <phoenix/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace phoenix::codec {

static_assert(std::endian::native == std::endian::little,
              "frames and their columns are read in place: expected a little-endian machine");

enum class frame_kind : std::uint8_t {
    hello = 1,
    proof = 2,
    welcome = 3,
    bye = 4,
    ping = 5,
    pong = 6,
    report = 16,
    batch = 17,
    batch_part = 18,
    behind = 19,
    transfer_request = 20,
    transfer_begin = 21,
    transfer_objects = 22,
    transfer_part = 23,
    transfer_ack = 24,
    transfer_end = 25,
    transfer_cancel = 26,
    batch_ack = 27,
};

/// Frames of one lane arrive in the order in which they were queued; those of control overtake those of bulk.
enum class lane : std::uint8_t { control = 0, bulk = 1 };

/// Wire version 1 speaks `none` alone.
enum class compression : std::uint8_t { none = 0, zlib = 1, lz4 = 2, snappy = 3 };

/// As in `batch_part`; empty for a number that is no kind.
[[nodiscard]] std::string_view to_text(frame_kind kind) noexcept;

/// The lane in which frames of a kind travel, always.
[[nodiscard]] constexpr lane lane_of(frame_kind kind) noexcept {
    switch (kind) {
    case frame_kind::batch:
    case frame_kind::batch_part:
    case frame_kind::transfer_begin:
    case frame_kind::transfer_objects:
    case frame_kind::transfer_part:
    case frame_kind::transfer_end:
        return lane::bulk;
    default:
        return lane::control;
    }
}

struct frame_header {
    static constexpr std::size_t size = 16;

    std::uint32_t crc = 0;
    frame_kind kind = {};
    codec::lane lane = codec::lane::control;
    codec::compression compression = codec::compression::none;
    std::uint8_t flags = 0;
    std::uint32_t length = 0;
    std::uint32_t raw_length = 0;

    /// Reads `size` bytes, at any address; checks nothing.
    [[nodiscard]] static frame_header read(const std::byte* from) noexcept;

    /// Writes `size` bytes, at any address, as two words: single fields would stall who reads them next as words.
    void write(std::byte* to) const noexcept;
};

/// Header, payload and padding of a frame, by the length of its payload.
[[nodiscard]] constexpr std::size_t frame_bytes(std::size_t payload_bytes) noexcept {
    return frame_header::size + ((payload_bytes + 7) & ~std::size_t{7});
}

/// One encoded frame, immutable. A copy shares the bytes, also between threads; one of them belongs to one at a time.
class frame {
public:
    frame() = default;

    /// Copies the payload.
    [[nodiscard]] static frame make(frame_kind kind, std::span<const std::byte> payload);

    /// A verified frame, whole: copies it as it is.
    [[nodiscard]] static frame copy_of(std::span<const std::byte> whole);

    /// Writes header and padding around a payload of `length` bytes that begins in the third of these words; there
    /// are enough of them for frame_bytes(length).
    [[nodiscard]] static frame seal(std::shared_ptr<std::uint64_t[]> words, frame_kind kind,
                                    std::uint32_t length);

    /// Default-constructed or moved from: nothing below but bytes() may be asked then.
    [[nodiscard]] bool empty() const noexcept { return words_ == nullptr; }

    /// Header, payload and padding: what goes on the wire. Begins at a multiple of 8; valid as long as any copy lives.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return empty() ? std::span<const std::byte>() : std::span(data(), frame_bytes(header().length));
    }

    /// Begins at a multiple of 8; valid as long as any copy lives.
    [[nodiscard]] std::span<const std::byte> payload() const noexcept {
        return {data() + frame_header::size, header().length};
    }

    [[nodiscard]] frame_kind kind() const noexcept { return header().kind; }

    [[nodiscard]] lane on() const noexcept { return header().lane; }

    [[nodiscard]] frame_header header() const noexcept {
        PHOENIX_ASSERT(!empty(), "an empty frame has neither kind nor payload");
        return frame_header::read(data());
    }

private:
    explicit frame(std::shared_ptr<const std::uint64_t[]> words) noexcept : words_(std::move(words)) {}

    [[nodiscard]] const std::byte* data() const noexcept {
        return reinterpret_cast<const std::byte*>(words_.get());
    }

    std::shared_ptr<const std::uint64_t[]> words_;
};

} // namespace phoenix::codec
