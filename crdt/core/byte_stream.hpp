// A bounded writer and reader of bytes: what values are written to and read from.
#pragma once

#include <phoenix/crdt/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace phoenix::crdt {

/// Appends to a buffer of its own.
class byte_writer {
public:
    void write_byte(std::uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }

    /// LEB128, 1 to 10 bytes.
    void write_varint(std::uint64_t value) {
        std::array<std::byte, 10> out;
        std::size_t size = 0;
        while (value >= 0x80) {
            out[size++] = static_cast<std::byte>(value | 0x80);
            value >>= 7;
        }
        out[size++] = static_cast<std::byte>(value);
        bytes_.insert(bytes_.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    }

    /// Eight bytes, little-endian.
    void write_fixed64(std::uint64_t value);

    void write_raw(std::span<const std::byte> data) { bytes_.insert(bytes_.end(), data.begin(), data.end()); }

    /// A length and the bytes.
    void write_string(std::string_view text) {
        write_varint(text.size());
        write_raw(std::as_bytes(std::span(text.data(), text.size())));
    }

    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

    /// Valid until the next write.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// Hands the buffer over; the writer is empty then.
    [[nodiscard]] std::vector<std::byte> take() noexcept { return std::exchange(bytes_, {}); }

    void reserve(std::size_t size) { bytes_.reserve(size); }

    /// What it can hold without more memory.
    [[nodiscard]] std::size_t capacity() const noexcept { return bytes_.capacity(); }

    /// Drops what was written and keeps the memory.
    void clear() noexcept { bytes_.clear(); }

private:
    std::vector<std::byte> bytes_;
};

/// Reads a span from its front. The span must outlive the reader; what it returns by value does not need it.
class byte_reader {
public:
    explicit byte_reader(std::span<const std::byte> data) noexcept : data_(data) {}

    [[nodiscard]] std::uint8_t read_byte() {
        if (position_ == data_.size()) [[unlikely]] {
            fail("one more byte, found the end");
        }
        return static_cast<std::uint8_t>(data_[position_++]);
    }

    [[nodiscard]] std::uint64_t read_varint() {
        if (position_ < data_.size() && static_cast<std::uint8_t>(data_[position_]) < 0x80) [[likely]] {
            return static_cast<std::uint8_t>(data_[position_++]);
        }
        return read_long_varint();
    }

    /// A varint of at most `max`.
    [[nodiscard]] std::uint64_t read_varint(std::uint64_t max, const char* what) {
        const std::size_t at = position_;
        const std::uint64_t value = read_varint();
        if (value > max) [[unlikely]] {
            refuse_number(at, what, max, value);
        }
        return value;
    }

    /// How many elements follow, each of which takes at least `least_bytes`: refused when so many cannot be there.
    [[nodiscard]] std::size_t read_count(std::size_t least_bytes, const char* what) {
        const std::size_t at = position_;
        const std::uint64_t count = read_varint();
        if (count > remaining() / least_bytes) [[unlikely]] {
            refuse_count(at, what, count);
        }
        return static_cast<std::size_t>(count);
    }

    [[nodiscard]] std::uint64_t read_fixed64();

    /// A view into the input.
    [[nodiscard]] std::span<const std::byte> read_raw(std::size_t size) {
        if (size > remaining()) [[unlikely]] {
            refuse_size(size);
        }
        const auto found = data_.subspan(position_, size);
        position_ += size;
        return found;
    }

    /// A view into the input.
    [[nodiscard]] std::string_view read_string() {
        const auto raw = read_raw(read_count(1, "characters"));
        return {reinterpret_cast<const char*>(raw.data()), raw.size()};
    }

    [[nodiscard]] std::size_t position() const noexcept { return position_; }

    [[nodiscard]] std::size_t remaining() const noexcept { return data_.size() - position_; }

    void expect_end() const {
        if (remaining() > 0) [[unlikely]] {
            refuse_rest();
        }
    }

    /// Throws decode_error for this place, or for one before it.
    [[noreturn]] void fail(const std::string& expected) const { fail_at(position_, expected); }

    [[noreturn]] static void fail_at(std::size_t offset, const std::string& expected);

    /// Refusals of values by their kinds, for the templates below.
    [[noreturn]] static void refuse_bits(std::size_t offset, std::size_t bits, std::int64_t found);
    [[noreturn]] static void refuse_version(std::uint8_t found);

private:
    [[noreturn]] static void refuse_number(std::size_t offset, const char* what, std::uint64_t max,
                                           std::uint64_t found);
    [[noreturn]] void refuse_count(std::size_t offset, const char* what, std::uint64_t found) const;
    [[noreturn]] void refuse_size(std::size_t wanted) const;
    [[noreturn]] void refuse_rest() const;
    [[nodiscard]] std::uint64_t read_long_varint();

    std::span<const std::byte> data_;
    std::size_t position_ = 0;
};

} // namespace phoenix::crdt
