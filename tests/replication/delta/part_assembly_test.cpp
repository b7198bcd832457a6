// Parts of one object: only in order, only of one object, and never more than is allowed.
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/part_assembly.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace phoenix::replication {

namespace {

constexpr std::size_t bytes_max = 4096;

std::vector<std::byte> some_bytes() {
    std::vector<std::byte> all(1000);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = static_cast<std::byte>(i * 7);
    }
    return all;
}

const std::vector<std::byte> object = some_bytes();

codec::object_part part(std::size_t from, std::size_t to) {
    return {7, key_bytes_of("key"), from, object.size(), std::span(object).subspan(from, to - from)};
}

std::error_code refusal_of(part_assembly& parts, const codec::object_part& next,
                           std::size_t most = bytes_max) {
    try {
        (void)parts.take(next, most);
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

/// One that has the first 400 bytes.
part_assembly begun() {
    part_assembly parts;
    BOOST_TEST(!parts.take(part(0, 400), bytes_max));
    return parts;
}

} // namespace

BOOST_AUTO_TEST_SUITE(part_assembly_test)

BOOST_AUTO_TEST_CASE(parts_in_order_make_the_object) {
    part_assembly parts = begun();
    BOOST_TEST(!parts.empty());
    BOOST_TEST(!parts.take(part(400, 990), bytes_max));
    BOOST_TEST(parts.take(part(990, 1000), bytes_max));
    BOOST_TEST(parts.type() == 7U);
    BOOST_TEST(parts.key() == "key");
    BOOST_TEST(std::ranges::equal(parts.bytes(), object));
}

BOOST_AUTO_TEST_CASE(one_part_may_be_all) {
    part_assembly parts;
    BOOST_TEST(parts.empty());
    BOOST_TEST(parts.take(part(0, 1000), bytes_max));
}

BOOST_AUTO_TEST_CASE(a_gap_a_repetition_and_a_late_first_part_are_refused) {
    part_assembly parts = begun();
    BOOST_TEST((refusal_of(parts, part(401, 800)) == errc::protocol_violation));
    BOOST_TEST((refusal_of(parts, part(0, 400)) == errc::protocol_violation));
    part_assembly none;
    BOOST_TEST((refusal_of(none, part(1, 400)) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(a_part_of_another_object_is_refused) {
    part_assembly parts = begun();
    codec::object_part next = part(400, 800);
    next.type = 8;
    BOOST_TEST((refusal_of(parts, next) == errc::protocol_violation));
    next = part(400, 800);
    next.key = key_bytes_of("other");
    BOOST_TEST((refusal_of(parts, next) == errc::protocol_violation));
    next = part(400, 800);
    next.total = 1001;
    BOOST_TEST((refusal_of(parts, next) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(more_than_the_rest_nothing_and_crumbs_are_refused) {
    part_assembly parts = begun();
    codec::object_part next = part(400, 1000);
    const std::vector<std::byte> long_one(601);
    next.bytes = long_one;
    BOOST_TEST((refusal_of(parts, next) == errc::protocol_violation));
    BOOST_TEST((refusal_of(parts, part(400, 400)) == errc::protocol_violation));
    BOOST_TEST((refusal_of(parts, part(400, 400 + part_bytes_min - 1)) == errc::protocol_violation));
    BOOST_TEST(!parts.take(part(400, 400 + part_bytes_min), bytes_max));
}

BOOST_AUTO_TEST_CASE(an_object_above_the_limit_is_refused_with_its_first_part) {
    part_assembly parts;
    BOOST_TEST((refusal_of(parts, part(0, 400), 999) == errc::limit_exceeded));
    BOOST_TEST((refusal_of(parts, part(0, 400), 1000) == std::error_code()));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication
