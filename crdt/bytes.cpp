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

void byte_reader::refuse_bits(std::size_t offset, std::size_t bits, std::int64_t found) {
    fail_at(offset, "a number of " + std::to_string(bits) + " bits, found " + std::to_string(found));
}

void byte_reader::refuse_version(std::uint8_t found) {
    fail_at(0,
            "bytes of version " + std::to_string(bytes_version) + ", found version " + std::to_string(found));
}

void byte_reader::refuse_number(std::size_t offset, const char* what, std::uint64_t max,
                                std::uint64_t found) {
    fail_at(offset,
            std::string(what) + " of at most " + std::to_string(max) + ", found " + std::to_string(found));
}

void byte_reader::refuse_count(std::size_t offset, const char* what, std::uint64_t found) const {
    fail_at(offset, std::string("as many ") + what + " as the bytes that follow can hold, found a count of " +
                        std::to_string(found) + " before " + std::to_string(remaining()) + " bytes");
}

void byte_reader::refuse_size(std::size_t wanted) const {
    fail(std::to_string(wanted) + " more bytes, found " + std::to_string(remaining()));
}

void byte_reader::refuse_rest() const {
    fail("the end, found " + std::to_string(remaining()) + " more bytes");
}

std::uint64_t hash_bytes(std::span<const std::byte> data) noexcept {
    return XXH3_64bits(data.data(), data.size());
}

} // namespace phoenix::crdt
