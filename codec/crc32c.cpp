#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/detail/crc32c_ways.hpp>
#include <phoenix/config.hpp>

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace phoenix::codec {

namespace detail {

namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;

using byte_table = std::array<std::uint32_t, 256>;

/// tables[n][b]: what byte b, followed by n zero bytes, does to the register.
consteval std::array<byte_table, 8> make_tables() {
    std::array<byte_table, 8> tables{};
    for (std::uint32_t value = 0; value < 256; ++value) {
        std::uint32_t crc = value;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1) != 0 ? (crc >> 1) ^ polynomial : crc >> 1;
        }
        tables[0][value] = crc;
    }
    for (std::size_t zeros = 1; zeros < tables.size(); ++zeros) {
        for (std::size_t value = 0; value < 256; ++value) {
            const std::uint32_t crc = tables[zeros - 1][value];
            tables[zeros][value] = (crc >> 8) ^ tables[0][crc & 0xff];
        }
    }
    return tables;
}

constexpr std::array<byte_table, 8> tables = make_tables();

[[nodiscard]] std::uint64_t load(const std::byte* from) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return word;
}

} // namespace

std::uint32_t crc32c_by_tables(std::span<const std::byte> data, std::uint32_t before) noexcept {
    std::uint32_t crc = ~before;
    const std::byte* at = data.data();
    std::size_t left = data.size();
    for (; left >= 8; at += 8, left -= 8) {
        const std::uint64_t word = load(at) ^ crc;
        crc = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            crc ^= tables[7 - i][(word >> (8 * i)) & 0xff];
        }
    }
    for (; left > 0; ++at, --left) {
        crc = (crc >> 8) ^ tables[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xff];
    }
    return ~crc;
}

#if defined(__x86_64__)

namespace {

/// A linear map of the register: column n is the image of bit n.
using bit_map = std::array<std::uint32_t, 32>;

constexpr std::uint32_t apply(const bit_map& map, std::uint32_t crc) {
    std::uint32_t sum = 0;
    for (std::size_t bit = 0; crc != 0; ++bit, crc >>= 1) {
        sum ^= (crc & 1) != 0 ? map[bit] : 0;
    }
    return sum;
}

/// What `Bytes` zero bytes (a power of two) do to the register, for each of its four bytes.
template <std::size_t Bytes>
consteval std::array<byte_table, 4> make_zeros() {
    static_assert((Bytes & (Bytes - 1)) == 0);
    bit_map map{};
    map[0] = polynomial; // one zero bit
    for (std::size_t bit = 1; bit < 32; ++bit) {
        map[bit] = std::uint32_t{1} << (bit - 1);
    }
    for (std::size_t bits = 1; bits < Bytes * 8; bits *= 2) {
        bit_map twice{};
        for (std::size_t bit = 0; bit < 32; ++bit) {
            twice[bit] = apply(map, map[bit]);
        }
        map = twice;
    }
    std::array<byte_table, 4> zeros{};
    for (std::uint32_t value = 0; value < 256; ++value) {
        for (std::size_t i = 0; i < 4; ++i) {
            zeros[i][value] = apply(map, value << (8 * i));
        }
    }
    return zeros;
}

template <std::size_t Bytes>
struct lane_of {
    static constexpr std::array<byte_table, 4> zeros = make_zeros<Bytes>();

    [[nodiscard]] static std::uint64_t shift(std::uint64_t crc) noexcept {
        return zeros[0][crc & 0xff] ^ zeros[1][(crc >> 8) & 0xff] ^ zeros[2][(crc >> 16) & 0xff] ^
               zeros[3][(crc >> 24) & 0xff];
    }
};

/// Takes three lanes of `Bytes` at a time for as long as there are three.
template <std::size_t Bytes>
[[gnu::target("sse4.2")]] std::uint64_t in_lanes(std::uint64_t crc, const std::byte*& at,
                                                 std::size_t& left) noexcept {
    while (left >= 3 * Bytes) {
        std::uint64_t second = 0;
        std::uint64_t third = 0;
        for (std::size_t i = 0; i < Bytes; i += 8) {
            crc = _mm_crc32_u64(crc, load(at + i));
            second = _mm_crc32_u64(second, load(at + Bytes + i));
            third = _mm_crc32_u64(third, load(at + 2 * Bytes + i));
        }
        crc = lane_of<Bytes>::shift(crc) ^ second;
        crc = lane_of<Bytes>::shift(crc) ^ third;
        at += 3 * Bytes;
        left -= 3 * Bytes;
    }
    return crc;
}

} // namespace

bool has_crc32c_instruction() noexcept {
    return __builtin_cpu_supports("sse4.2") != 0;
}

[[gnu::target("sse4.2")]] std::uint32_t crc32c_by_instruction(std::span<const std::byte> data,
                                                              std::uint32_t before) noexcept {
    const std::byte* at = data.data();
    std::size_t left = data.size();
    std::uint64_t crc = static_cast<std::uint32_t>(~before);
    if (left >= 768) {
        crc = in_lanes<4096>(crc, at, left);
        crc = in_lanes<256>(crc, at, left);
    }
    for (; left >= 8; at += 8, left -= 8) {
        crc = _mm_crc32_u64(crc, load(at));
    }
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; left > 0; ++at, --left) {
        narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(*at));
    }
    return ~narrow;
}

#else

bool has_crc32c_instruction() noexcept {
    return false;
}

std::uint32_t crc32c_by_instruction(std::span<const std::byte> /*data*/, std::uint32_t /*before*/) noexcept {
    PHOENIX_ASSERT(false, "this build has no instruction for CRC-32C: ask has_crc32c_instruction() first");
    return 0;
}

#endif

} // namespace detail

std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t before) noexcept {
    return detail::has_crc32c_instruction() ? detail::crc32c_by_instruction(data, before)
                                            : detail::crc32c_by_tables(data, before);
}

} // namespace phoenix::codec
