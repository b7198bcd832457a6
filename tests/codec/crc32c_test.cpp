#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/detail/crc32c_ways.hpp>

#include "random_source.hpp"

#include <boost/test/unit_test.hpp>

#include <string_view>

namespace phoenix::codec {

namespace {

using testing::random_source;

[[nodiscard]] std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

/// Bit by bit, as the definition says.
[[nodiscard]] std::uint32_t by_definition(std::span<const std::byte> data) {
    std::uint32_t crc = 0xffffffff;
    for (const std::byte each : data) {
        crc ^= std::to_integer<std::uint32_t>(each);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
        }
    }
    return ~crc;
}

} // namespace

BOOST_AUTO_TEST_SUITE(crc32c_test)

BOOST_AUTO_TEST_CASE(the_vectors_of_rfc_3720) {
    std::vector<std::byte> block(32);
    BOOST_TEST(crc32c(block) == 0x8a9136aaU);
    std::ranges::fill(block, std::byte{0xff});
    BOOST_TEST(crc32c(block) == 0x62a8ab43U);
    for (std::size_t i = 0; i < 32; ++i) {
        block[i] = static_cast<std::byte>(i);
    }
    BOOST_TEST(crc32c(block) == 0x46dd794eU);
    std::ranges::reverse(block);
    BOOST_TEST(crc32c(block) == 0x113fdb5cU);
    BOOST_TEST(crc32c(bytes_of("123456789")) == 0xe3069283U);
    BOOST_TEST(crc32c({}) == 0U);
}

BOOST_AUTO_TEST_CASE(both_ways_agree_on_every_length_and_alignment) {
    random_source from;
    const auto data = from.bytes(5008);
    for (std::size_t size = 0; size <= 5000; ++size) {
        const std::size_t shift = size % 8;
        const auto piece = std::span(data).subspan(shift, size);
        const auto before = static_cast<std::uint32_t>(from.number());
        const std::uint32_t expected = detail::crc32c_by_tables(piece, before);
        BOOST_REQUIRE_EQUAL(crc32c(piece, before), expected);
        if (detail::has_crc32c_instruction()) {
            BOOST_REQUIRE_EQUAL(detail::crc32c_by_instruction(piece, before), expected);
        }
    }
    for (std::size_t shift = 0; shift < 8; ++shift) {
        for (const std::size_t size : {0, 1, 7, 8, 9, 767, 768, 769, 1535, 1536, 4096, 5000}) {
            const auto piece = std::span(data).subspan(shift, size);
            BOOST_TEST(crc32c(piece) == by_definition(piece));
            BOOST_TEST(detail::crc32c_by_tables(piece, 0) == by_definition(piece));
        }
    }
}

BOOST_AUTO_TEST_CASE(large_pieces_agree_too) {
    random_source from;
    const auto data = from.bytes(100'003);
    for (const std::size_t size : {12'287, 12'288, 12'289, 13'056, 24'576, 99'999, 100'003}) {
        const auto piece = std::span(data).first(size);
        BOOST_TEST(crc32c(piece) == detail::crc32c_by_tables(piece, 0));
    }
}

BOOST_AUTO_TEST_CASE(a_piece_continues_what_was_before_it) {
    random_source from;
    const auto data = from.bytes(3000);
    const std::uint32_t whole = crc32c(data);
    for (int repeat = 0; repeat < 200; ++repeat) {
        const std::size_t cut = from.below(data.size() + 1);
        BOOST_TEST(crc32c(std::span(data).subspan(cut), crc32c(std::span(data).first(cut))) == whole);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
