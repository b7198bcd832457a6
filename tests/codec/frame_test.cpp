#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/frame.hpp>

#include "../net/death.hpp"
#include "allocation_count.hpp"
#include "random_source.hpp"
#include "refusal.hpp"

#include <boost/test/unit_test.hpp>

namespace phoenix::codec {

namespace {

using net::testing::last_words;
using testing::allocations_so_far;
using testing::random_source;
using testing::says;

[[nodiscard]] std::uint32_t u32(std::span<const std::byte> bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
    }
    return value;
}

} // namespace

BOOST_AUTO_TEST_SUITE(frame_test)

BOOST_AUTO_TEST_CASE(header_payload_and_padding_lie_where_the_specification_says) {
    const std::vector<std::byte> payload{std::byte{1}, std::byte{2}, std::byte{3}};
    const frame made = frame::make(frame_kind::batch, payload);
    const auto bytes = made.bytes();
    BOOST_TEST(bytes.size() == 24U);
    BOOST_TEST(u32(bytes, 0) == crc32c(bytes.subspan(4, 15)));
    BOOST_TEST(std::to_integer<int>(bytes[4]) == 17);
    BOOST_TEST(std::to_integer<int>(bytes[5]) == 1);
    BOOST_TEST(std::to_integer<int>(bytes[6]) == 0);
    BOOST_TEST(std::to_integer<int>(bytes[7]) == 0);
    BOOST_TEST(u32(bytes, 8) == 3U);
    BOOST_TEST(u32(bytes, 12) == 3U);
    BOOST_TEST(std::ranges::equal(made.payload(), payload));
    BOOST_TEST(u32(bytes, 19) == 0U);
    BOOST_TEST((made.kind() == frame_kind::batch && made.on() == lane::bulk));
}

BOOST_AUTO_TEST_CASE(a_frame_is_a_multiple_of_8_bytes_at_a_multiple_of_8) {
    random_source from;
    for (std::size_t size = 0; size < 40; ++size) {
        const frame made = frame::make(frame_kind::ping, from.bytes(size));
        BOOST_TEST(made.bytes().size() == frame_bytes(size));
        BOOST_TEST(made.bytes().size() % 8 == 0U);
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(made.bytes().data()) % 8 == 0U);
        BOOST_TEST(made.payload().size() == size);
    }
}

BOOST_AUTO_TEST_CASE(copies_share_the_bytes_and_outlive_each_other) {
    frame copy;
    BOOST_TEST(copy.empty());
    BOOST_TEST(copy.bytes().empty());
    {
        const frame made = encode(ping{7});
        copy = made;
        BOOST_TEST(copy.bytes().data() == made.bytes().data());
    }
    BOOST_TEST(decode<ping>(copy.payload(), {}).token == 7U);
    const frame moved = std::move(copy);
    BOOST_TEST(!moved.empty());
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_whole_frame_is_that_frame) {
    random_source from;
    for (int repeat = 0; repeat < 50; ++repeat) {
        const frame made = testing::some_frame(from);
        const frame copy = frame::copy_of(made.bytes());
        BOOST_TEST(std::ranges::equal(copy.bytes(), made.bytes()));
        BOOST_TEST(copy.bytes().data() != made.bytes().data());
    }
}

BOOST_AUTO_TEST_CASE(a_header_comes_back_whatever_it_says) {
    random_source from;
    for (int repeat = 0; repeat < 100; ++repeat) {
        const auto raw = from.array<frame_header::size + 3>();
        std::array<std::byte, frame_header::size> back;
        frame_header::read(raw.data() + 3).write(back.data());
        BOOST_TEST(std::ranges::equal(back, std::span(raw).subspan(3)));
    }
}

BOOST_AUTO_TEST_CASE(a_message_is_encoded_in_one_block_of_memory) {
    const hello greeting{.cluster = std::string(200, 'c'), .self = {1, 2}, .wall_us = 3};
    const behind news{.has = {{{1, 1}, 1}, {{2, 1}, 9}, {{3, 1}, 5}}, .bytes_estimate = 10};
    const std::size_t before = allocations_so_far();
    const frame first = encode(greeting);
    const frame second = encode(news);
    const frame copy = second;
    BOOST_TEST(allocations_so_far() - before == 2U);
}

BOOST_AUTO_TEST_CASE(an_empty_frame_has_no_kind) {
    BOOST_TEST(says(last_words([] { (void)frame().kind(); }), "an empty frame"));
    BOOST_TEST(
        says(last_words([] { (void)frame::copy_of(encode(ping{}).bytes().first(16)); }), "just one frame"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
