// The bytes of the standard library's types: there and back, one form for each value, and what is refused.
#include <phoenix/crdt/bytes.hpp>

#include "refusal.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {
namespace {

using testing::bytes_of;
using testing::refusal_of;
using testing::says;

using numbers = std::set<std::uint64_t>;
using prices = std::map<std::string, std::uint64_t>;

static_assert(!byte_value<std::set<std::uint64_t, std::greater<>>>, "another order has another form");
static_assert(!byte_value<std::map<std::uint64_t, void*>>);

template <byte_value Value>
bool comes_back(const Value& value) {
    return decode<Value>(encode(value)) == value;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bytes_test)

BOOST_AUTO_TEST_CASE(containers_come_back_as_they_were) {
    BOOST_TEST(comes_back(numbers{}));
    BOOST_TEST(comes_back(numbers{7, 1, 300}));
    BOOST_TEST(comes_back(prices{}));
    BOOST_TEST(comes_back(prices{{"tea", 3}, {"milk", 1}}));
    BOOST_TEST(
        comes_back(std::map<int, std::set<std::vector<std::string>>>{{-1, {{"a", "b"}, {}}}, {4, {}}}));
    BOOST_TEST(comes_back(std::array<std::string, 3>{"a", "", "c"}));
    BOOST_TEST(comes_back(std::array<int, 0>{}));
    BOOST_TEST(comes_back(std::monostate()));
    BOOST_TEST(comes_back(std::variant<std::monostate, std::string>()));
    BOOST_TEST(comes_back(std::variant<std::monostate, std::string>("tea")));
    BOOST_TEST(comes_back(std::set<double>{-1.5, 0.0, std::numeric_limits<double>::infinity()}));
}

BOOST_AUTO_TEST_CASE(containers_have_one_form) {
    BOOST_TEST((encode(numbers{3, 1, 2}) == bytes_of({1, 3, 1, 2, 3})));
    BOOST_TEST((encode(prices{{"b", 2}, {"a", 1}}) == bytes_of({1, 2, 1, 'a', 1, 1, 'b', 2})));
    BOOST_TEST((encode(std::array<std::uint8_t, 2>{5, 6}) == bytes_of({1, 5, 6})));
    BOOST_TEST((encode(std::monostate()) == bytes_of({1})));
}

BOOST_AUTO_TEST_CASE(containers_refuse_what_is_unsorted_repeated_or_cut) {
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 2, 1}), "ascending order"));
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 2, 2}), "each once"));
    BOOST_TEST(says(refusal_of<prices>({1, 2, 1, 'b', 2, 1, 'a', 1}), "ascending order"));
    BOOST_TEST(says(refusal_of<prices>({1, 2, 1, 'a', 2, 1, 'a', 1}), "each once"));
    BOOST_TEST(!refusal_of<numbers>({1, 3, 1, 2}).empty());
    BOOST_TEST(!refusal_of<prices>({1, 1, 1, 'a'}).empty());
    BOOST_TEST(!(refusal_of<std::array<std::uint8_t, 2>>({1, 5}).empty()));
    BOOST_TEST(!(refusal_of<std::array<std::uint8_t, 2>>({1, 5, 6, 7}).empty()));
    BOOST_TEST(!refusal_of<std::monostate>({1, 0}).empty());
}

BOOST_AUTO_TEST_CASE(a_count_that_cannot_be_there_takes_no_memory) {
    // 2^35 elements in six bytes.
    BOOST_TEST(!refusal_of<numbers>({1, 128, 128, 128, 128, 128, 1}).empty());
    BOOST_TEST(!refusal_of<prices>({1, 128, 128, 128, 128, 128, 1}).empty());
}

BOOST_AUTO_TEST_CASE(a_nan_is_no_key) {
    byte_writer out;
    out.write_byte(bytes_version);
    out.write_varint(1);
    write_value(out, std::nan(""));
    BOOST_CHECK_THROW((void)decode<std::set<double>>(out.bytes()), decode_error);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
