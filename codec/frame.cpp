#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/frame.hpp>

#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace phoenix::codec {

std::string_view to_text(frame_kind kind) noexcept {
    switch (kind) {
    case frame_kind::hello:
        return "hello";
    case frame_kind::proof:
        return "proof";
    case frame_kind::welcome:
        return "welcome";
    case frame_kind::bye:
        return "bye";
    case frame_kind::ping:
        return "ping";
    case frame_kind::pong:
        return "pong";
    case frame_kind::report:
        return "report";
    case frame_kind::batch:
        return "batch";
    case frame_kind::batch_part:
        return "batch_part";
    case frame_kind::behind:
        return "behind";
    case frame_kind::transfer_request:
        return "transfer_request";
    case frame_kind::transfer_begin:
        return "transfer_begin";
    case frame_kind::transfer_objects:
        return "transfer_objects";
    case frame_kind::transfer_part:
        return "transfer_part";
    case frame_kind::transfer_ack:
        return "transfer_ack";
    case frame_kind::transfer_end:
        return "transfer_end";
    case frame_kind::transfer_cancel:
        return "transfer_cancel";
    case frame_kind::batch_ack:
        return "batch_ack";
    }
    return {};
}

frame_header frame_header::read(const std::byte* from) noexcept {
    std::array<std::uint64_t, 2> words;
    std::memcpy(words.data(), from, size);
    const auto byte = [&](int index) {
        return static_cast<std::uint8_t>(words[0] >> (8 * index));
    };
    return {.crc = static_cast<std::uint32_t>(words[0]),
            .kind = static_cast<frame_kind>(byte(4)),
            .lane = static_cast<codec::lane>(byte(5)),
            .compression = static_cast<codec::compression>(byte(6)),
            .flags = byte(7),
            .length = static_cast<std::uint32_t>(words[1]),
            .raw_length = static_cast<std::uint32_t>(words[1] >> 32)};
}

void frame_header::write(std::byte* to) const noexcept {
    const auto word = [](auto value) {
        return static_cast<std::uint64_t>(value);
    };
    const std::array<std::uint64_t, 2> words{word(crc) | word(kind) << 32 | word(lane) << 40 |
                                                 word(compression) << 48 | word(flags) << 56,
                                             word(length) | word(raw_length) << 32};
    std::memcpy(to, words.data(), size);
}

frame frame::make(frame_kind kind, std::span<const std::byte> payload) {
    PHOENIX_ASSERT(payload.size() <= std::numeric_limits<std::uint32_t>::max(),
                   "a payload must be shorter than 4 GiB: cut it");
    auto words = std::make_shared_for_overwrite<std::uint64_t[]>(frame_bytes(payload.size()) / 8);
    if (!payload.empty()) {
        std::memcpy(words.get() + 2, payload.data(), payload.size());
    }
    return seal(std::move(words), kind, static_cast<std::uint32_t>(payload.size()));
}

frame frame::copy_of(std::span<const std::byte> whole) {
    PHOENIX_ASSERT(whole.size() >= frame_header::size &&
                       whole.size() == frame_bytes(frame_header::read(whole.data()).length),
                   "expected just one frame, header, payload and padding");
    auto words = std::make_shared_for_overwrite<std::uint64_t[]>(whole.size() / 8);
    std::memcpy(words.get(), whole.data(), whole.size());
    return frame(std::move(words));
}

frame frame::seal(std::shared_ptr<std::uint64_t[]> words, frame_kind kind, std::uint32_t length) {
    auto* const data = reinterpret_cast<std::byte*>(words.get());
    const std::size_t end = frame_header::size + length;
    std::memset(data + end, 0, frame_bytes(length) - end);
    frame_header header{.kind = kind, .lane = lane_of(kind), .length = length, .raw_length = length};
    header.write(data);
    header.crc = crc32c({data + sizeof header.crc, end - sizeof header.crc});
    header.write(data);
    return frame(std::move(words));
}

} // namespace phoenix::codec
