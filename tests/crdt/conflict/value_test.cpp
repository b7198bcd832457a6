#include <phoenix/crdt/conflict/sibling.hpp>
#include <phoenix/crdt/conflict/value.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

/// `levels` lists in one another.
value nested(std::size_t levels) {
    value made = 7;
    for (std::size_t i = 0; i < levels; ++i) {
        made = value(value::list{made});
    }
    return made;
}

std::vector<value> one_of_each() {
    return {-3,
            3,
            -std::numeric_limits<double>::infinity(),
            0.5,
            std::numeric_limits<double>::quiet_NaN(),
            "",
            "tea",
            value(value::bytes{}),
            value(value::bytes{std::byte(0), std::byte(255)}),
            value(value::list{}),
            value(value::list{1, "a"}),
            value(value::list{1, "b"}),
            value(value::set{}),
            value(value::set{"x", 1}),
            value(value::map{}),
            value(value::map{{"k", value(value::list{1})}}),
            value(value::map{{"l", 0}})};
}

void refused(const std::vector<int>& raw, const std::string& expected) {
    std::vector<std::byte> bytes{std::byte(bytes_version)};
    for (const int each : raw) {
        bytes.push_back(static_cast<std::byte>(each));
    }
    BOOST_CHECK_EXCEPTION((void)decode<value>(bytes), decode_error, [&](const decode_error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return std::string(e.what()).find(expected) != std::string::npos;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(conflict_value_test)

BOOST_AUTO_TEST_CASE(values_are_ordered_by_kind_and_then_by_content) {
    const auto all = one_of_each();
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j < all.size(); ++j) {
            BOOST_TEST(((all[i] <=> all[j]) == (i <=> j)), to_text(all[i]) << " and " << to_text(all[j]));
            BOOST_TEST((all[i] == all[j]) == (i == j));
        }
    }
}

BOOST_AUTO_TEST_CASE(bytes_lead_back_and_are_equal_when_values_are) {
    for (const value& each : one_of_each()) {
        BOOST_TEST((decode<value>(encode(each)) == each), to_text(each));
    }
    BOOST_TEST((value(0.0) == value(-0.0)));
    BOOST_TEST(encode(value(0.0)) == encode(value(-0.0)));
    BOOST_TEST(encode(value(std::nan("1"))) == encode(value(-std::nan("2"))));
    BOOST_TEST((value(1) != value(1.0)));
}

BOOST_AUTO_TEST_CASE(a_value_tells_its_kind_and_gives_only_that) {
    const value text = "tea";
    BOOST_TEST((text.what() == value::kind::text));
    BOOST_TEST(*text.as<std::string>() == "tea");
    BOOST_TEST(text.as<std::int64_t>() == nullptr);
    BOOST_TEST(text.as<value::list>() == nullptr);
    const value list(value::list{1, 2});
    BOOST_TEST(list.as<value::list>()->size() == 2U);
    BOOST_TEST(list.as<value::set>() == nullptr);
    BOOST_TEST((value() == value(0)));
}

BOOST_AUTO_TEST_CASE(every_integer_is_an_integer) {
    static_assert(!std::is_constructible_v<value, bool>);
    BOOST_TEST((value(std::size_t(5)) == value(5)));
    BOOST_TEST((value((std::uint64_t(1) << 60) + 1) == value((std::int64_t(1) << 60) + 1)));
    BOOST_TEST(*value(0.5F).as<double>() == 0.5);
    BOOST_CHECK_THROW(value(std::uint64_t(1) << 63), std::system_error);
}

BOOST_AUTO_TEST_CASE(dots_are_numbered_from_one) {
    const dot first{{1, 2}, 1};
    BOOST_TEST((decode<dot>(encode(first)) == first));
    for (const std::uint64_t counter : {std::uint64_t(0), std::uint64_t(1) << 47}) {
        BOOST_CHECK_THROW((void)decode<dot>(encode(dot{{1, 2}, counter})), decode_error);
        const sibling<value> one{.by = {{1, 2}, counter}, .time = {}, .clock = {}, .value = 3};
        BOOST_CHECK_THROW((void)decode<sibling<value>>(encode(one)), decode_error);
    }
}

BOOST_AUTO_TEST_CASE(copies_are_values) {
    value mine(value::list{1});
    const value copy = mine;
    mine = value(value::list{2});
    BOOST_TEST((copy == value(value::list{1})));
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded_in_memory_and_in_bytes) {
    const value deepest = nested(value::depth_max);
    BOOST_TEST((decode<value>(encode(deepest)) == deepest));
    const auto limit = [](const std::system_error& e) {
        return e.code() == errc::limit_exceeded;
    };
    BOOST_CHECK_EXCEPTION((void)nested(value::depth_max + 1), std::system_error, limit);
    std::vector<int> raw;
    for (std::size_t i = 0; i < value::depth_max; ++i) {
        raw.insert(raw.end(), {4, 1});
    }
    std::vector<int> too_deep = raw;
    too_deep.insert(too_deep.end(), {4, 0});
    refused(too_deep, "at byte 65: expected a value of at most 32 levels");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    refused({}, "one more byte");
    refused({7}, "a kind of value of at most 6");
    refused({5, 2, 0, 4, 0, 2}, "elements in ascending order");
    refused({5, 2, 0, 2, 0, 2}, "elements in ascending order");
    refused({6, 2, 1, 'b', 0, 0, 1, 'a', 0, 0}, "keys in ascending order");
    refused({6, 2, 1, 'a', 0, 0, 1, 'a', 0, 0}, "keys in ascending order");
    refused({4, 255, 255, 255, 15}, "as many items");
    refused({1, 0, 0, 0, 0, 0, 0, 0, 128}, "the one form of a zero");
    refused({0, 2, 0}, "the end");
    for (const value& each : one_of_each()) {
        auto bytes = encode(each);
        bytes.pop_back();
        BOOST_CHECK_THROW((void)decode<value>(bytes), decode_error);
    }
}

BOOST_AUTO_TEST_CASE(reads_as_text) {
    const value cart(value::map{{"n", 2},
                                {"price", 3.0},
                                {"raw", value(value::bytes{std::byte(1)})},
                                {"tags", value(value::set{"b", "a"})},
                                {"todo", value(value::list{"x", 1.5})}});
    BOOST_TEST(to_text(cart) ==
               R"({"n": 2, "price": 3.0, "raw": 0x01, "tags": {"a", "b"}, "todo": ["x", 1.5]})");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt::conflict
