// The examples of codec/WIRE.md: bytes that any version reads.
#include <phoenix/codec/messages.hpp>

#include "hand_made.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>

namespace phoenix::codec {

namespace {

[[nodiscard]] testing::aligned_bytes from_hex(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::byte> bytes;
    for (int each = 0; in >> std::hex >> each;) {
        bytes.push_back(static_cast<std::byte>(each));
    }
    return testing::aligned_bytes(bytes);
}

/// The one frame that these bytes are.
[[nodiscard]] frame only_frame(const std::string& text) {
    const auto bytes = from_hex(text);
    std::vector<frame> found;
    frame_reader(limits{}).feed(bytes.bytes(),
                                [&](const received_frame& each) { found.push_back(each.share()); });
    BOOST_TEST_REQUIRE(found.size() == 1U);
    return found.front();
}

} // namespace

BOOST_AUTO_TEST_SUITE(specification_test)

BOOST_AUTO_TEST_CASE(the_ping_of_the_specification_is_read) {
    const frame read = only_frame("cf 06 96 7b 05 00 00 00 18 00 00 00 18 00 00 00 "
                                  "0c 00 00 00 00 00 06 00 0c 00 04 00 06 00 00 00 "
                                  "07 00 00 00 00 00 00 00");
    BOOST_TEST(decode<ping>(read.payload(), {}).token == 7U);
}

BOOST_AUTO_TEST_CASE(the_batch_of_the_specification_is_read) {
    const frame read = only_frame("4c 1e ad 28 11 01 00 00 b0 00 00 00 b0 00 00 00 "
                                  "20 00 00 00 1c 00 4c 00 20 00 28 00 30 00 38 00 "
                                  "40 00 04 00 08 00 0c 00 10 00 14 00 18 00 1c 00 "
                                  "1c 00 00 00 02 00 00 00 44 00 00 00 50 00 00 00 "
                                  "54 00 00 00 60 00 00 00 54 00 00 00 60 00 00 00 "
                                  "07 00 00 00 00 00 00 00 09 00 00 00 00 00 00 00 "
                                  "01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 "
                                  "e8 03 00 00 00 00 00 00 00 00 00 00 01 00 00 00 "
                                  "05 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 "
                                  "01 00 00 00 01 00 00 00 02 00 00 00 01 00 00 00 "
                                  "0d 00 00 00 02 00 00 00 01 78 00 00 0d 00 00 00 "
                                  "01 01 07 09 01 00 00 01 01 78 01 00 01 00 00 00");
    const batch_view batch = batch_view::read(read.payload(), {});
    BOOST_TEST((batch.head() == batch_head{{7, 9}, 1, 1, {1000, 2}}));
    BOOST_TEST_REQUIRE(batch.entries().size() == 1U);
    const entry only = batch.entries()[0];
    BOOST_TEST(only.type == 5U);
    BOOST_TEST(std::ranges::equal(only.key, std::as_bytes(std::span("\1x", 2))));
    BOOST_TEST(only.delta.size() == 13U);
    BOOST_TEST(std::to_integer<int>(only.delta[9]) == 'x');
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
