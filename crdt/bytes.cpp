#include <phoenix/crdt/bytes.hpp>

#include <xxhash.h>

namespace phoenix::crdt {

void byte_writer::write_fixed64(std::uint64_t value) {
    std::array<std::byte, sizeof value> out;
    for (std::byte& each : out) {
        each = static_cast<std::byte>(value);
        value >>= 8;
    }
    write_raw(out);
}

std::uint64_t byte_reader::read_fixed64() {
    std::uint64_t value = 0;
    int shift = 0;
    for (const std::byte each : read_raw(sizeof value)) {
        value |= static_cast<std::uint64_t>(each) << shift;
        shift += 8;
    }
    return value;
}

std::uint64_t byte_reader::read_long_varint() {
    const std::size_t at = position_;
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        const std::uint64_t part = read_byte();
        if (shift == 63 && part > 1) {
            fail_at(at, "a number of at most 64 bits");
        }
        value |= (part & 0x7f) << shift;
        if (part < 0x80) {
            if (part == 0 && shift > 0) {
                fail_at(at, "the shortest form of a number");
            }
            return value;
        }
    }
}

void byte_reader::fail_at(std::size_t offset, const std::string& expected) {
    throw decode_error(errc::malformed_bytes, offset, expected);
}

std::uint64_t hash_bytes(std::span<const std::byte> data) noexcept {
    return XXH3_64bits(data.data(), data.size());
}

} // namespace phoenix::crdt
