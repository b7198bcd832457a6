#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/frame_reader.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace phoenix::codec {

namespace {

/// A buffer up to this size is kept from frame to frame.
constexpr std::size_t kept_bytes = 64 * 1024;
constexpr std::size_t least_bytes = 256;

[[nodiscard]] bool is_aligned(const std::byte* at) noexcept {
    return reinterpret_cast<std::uintptr_t>(at) % 8 == 0;
}

template <class Number>
[[nodiscard]] std::string found(Number value) {
    return ", found " + std::to_string(static_cast<std::uint64_t>(value));
}

} // namespace

frame_reader::frame_reader(const limits& bounds) : frame_bytes_max_(bounds.frame_bytes_max) {
    bounds.validate();
}

void frame_reader::set_limits(const limits& bounds) {
    bounds.validate();
    frame_bytes_max_ = bounds.frame_bytes_max;
}

std::optional<received_frame> frame_reader::next(std::span<const std::byte>& data) {
    if (lost_) {
        throw_error(errc::stream_lost, "byte " + std::to_string(position_) + " of the stream");
    }
    if (delivered_) {
        let_go();
    }
    if (held_ == 0 && data.size() >= frame_header::size && is_aligned(data.data())) {
        const frame_header header = checked_header(data.data());
        const std::size_t whole = frame_bytes(header.length);
        if (data.size() >= whole) {
            const received_frame received = verified(data.data(), header);
            data = data.subspan(whole);
            return received;
        }
    }
    if (held_ < frame_header::size) {
        gather(data, frame_header::size);
        if (held_ < frame_header::size) {
            return std::nullopt;
        }
        header_ = checked_header(buffer());
    }
    const std::size_t whole = frame_bytes(header_.length);
    gather(data, whole);
    if (held_ < whole) {
        return std::nullopt;
    }
    delivered_ = true;
    return verified(buffer(), header_);
}

/// All that a header says is checked here, before memory is taken for its payload.
frame_header frame_reader::checked_header(const std::byte* from) {
    const frame_header header = frame_header::read(from);
    if (to_text(header.kind).empty()) [[unlikely]] {
        refuse(errc::malformed_frame, 4, "a kind of frame that wire version 1 has" + found(header.kind));
    }
    if (header.lane != lane_of(header.kind)) [[unlikely]] {
        refuse(errc::malformed_frame, 5,
               "lane " + std::to_string(static_cast<int>(lane_of(header.kind))) + " for " +
                   std::string(to_text(header.kind)) + found(header.lane));
    }
    if (header.compression != compression::none) [[unlikely]] {
        refuse(errc::unsupported_compression, 6, "compression 0 (none)" + found(header.compression));
    }
    if (header.flags != 0) [[unlikely]] {
        refuse(errc::malformed_frame, 7, "no flags" + found(header.flags));
    }
    if (header.length > frame_bytes_max_) [[unlikely]] {
        refuse(errc::limit_exceeded, 8,
               "at most " + std::to_string(frame_bytes_max_) + " bytes of payload" + found(header.length));
    }
    if (header.raw_length != header.length) [[unlikely]] {
        refuse(errc::malformed_frame, 12,
               "raw_length equal to length, " + std::to_string(header.length) + found(header.raw_length));
    }
    return header;
}

received_frame frame_reader::verified(const std::byte* data, const frame_header& header) {
    const std::size_t end = frame_header::size + header.length;
    const std::size_t whole = frame_bytes(header.length);
    const std::uint32_t crc = crc32c({data + sizeof header.crc, end - sizeof header.crc});
    if (crc != header.crc) [[unlikely]] {
        refuse(errc::bad_checksum, 0,
               "checksum " + std::to_string(header.crc) + " of " + std::string(to_text(header.kind)) +
                   " with " + std::to_string(header.length) + " bytes of payload" + found(crc));
    }
    for (std::size_t at = end; at < whole; ++at) {
        if (data[at] != std::byte{0}) [[unlikely]] {
            refuse(errc::malformed_frame, at, "padding of zero bytes" + found(data[at]));
        }
    }
    position_ += whole;
    return {data, header};
}

void frame_reader::gather(std::span<const std::byte>& data, std::size_t until) {
    const std::size_t taken = std::min(until - held_, data.size());
    if (taken > 0) {
        reserve(held_ + taken, until);
        std::memcpy(buffer() + held_, data.data(), taken);
        held_ += taken;
        data = data.subspan(taken);
    }
}

/// Room for `wanted` bytes, at least doubling and never for more than `most`, the end of the frame.
void frame_reader::reserve(std::size_t wanted, std::size_t most) {
    if (wanted <= capacity_) {
        return;
    }
    const std::size_t capacity = std::max(std::min(std::max(wanted, 2 * capacity_), most), least_bytes);
    const std::size_t words = (capacity + 7) / 8;
    auto grown = std::make_unique_for_overwrite<std::uint64_t[]>(words);
    if (held_ > 0) {
        std::memcpy(grown.get(), words_.get(), held_);
    }
    words_ = std::move(grown);
    capacity_ = words * 8;
}

void frame_reader::let_go() {
    delivered_ = false;
    held_ = 0;
    if (capacity_ > kept_bytes) {
        words_.reset();
        capacity_ = 0;
    }
}

void frame_reader::refuse(errc code, std::size_t at, const std::string& expected) {
    lost_ = true;
    throw_error(code, "byte " + std::to_string(position_ + at) + " of the stream: expected " + expected);
}

} // namespace phoenix::codec
