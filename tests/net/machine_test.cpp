#include <phoenix/net/detail/machine.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/time.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using detail::machine;

} // namespace

BOOST_AUTO_TEST_SUITE(machine_test)

BOOST_AUTO_TEST_CASE(monotonic_time_never_runs_backwards) {
    monotonic_time last = machine::now();
    for (int i = 0; i < 10'000; ++i) {
        const monotonic_time now = machine::now();
        if (now < last) {
            BOOST_ERROR("time ran backwards");
        }
        last = now;
    }
}

BOOST_AUTO_TEST_CASE(wall_time_is_this_century) {
    using namespace std::chrono;
    BOOST_TEST((machine::wall_now() > sys_days(year(2020) / 1 / 1)));
    BOOST_TEST((machine::wall_now() < sys_days(year(2100) / 1 / 1)));
}

BOOST_AUTO_TEST_CASE(random_numbers_differ_and_their_bits_are_even) {
    machine first;
    machine second;
    std::set<std::uint64_t> seen;
    std::array<int, 64> ones{};
    constexpr int draws = 10'000;
    for (int i = 0; i < draws; ++i) {
        const std::uint64_t drawn = first.random();
        seen.insert(drawn);
        seen.insert(second.random());
        for (std::size_t bit = 0; bit < ones.size(); ++bit) {
            ones[bit] += (drawn >> bit & 1) != 0 ? 1 : 0;
        }
    }
    BOOST_TEST(seen.size() == std::size_t{2} * draws);
    // Eight standard deviations: 64 bits do not leave that by chance.
    BOOST_TEST(*std::min_element(ones.begin(), ones.end()) > draws / 2 - 400);
    BOOST_TEST(*std::max_element(ones.begin(), ones.end()) < draws / 2 + 400);
}

BOOST_AUTO_TEST_CASE(random_bytes_fill_the_whole_span) {
    machine::random_bytes({});
    // More than getrandom(2) gives in one call when a signal comes.
    std::vector<std::byte> bytes(1000);
    machine::random_bytes(bytes);
    std::vector<std::byte> others(1000);
    machine::random_bytes(others);
    BOOST_TEST((bytes != others));
    // No run of sixteen zeros anywhere: nothing was left out.
    const std::array<std::byte, 16> zeros{};
    BOOST_TEST((std::search(bytes.begin(), bytes.end(), zeros.begin(), zeros.end()) == bytes.end()));
}

ON_EACH_DRIVER(a_loop_gives_the_machines_randomness_and_wall_time) {
    loop first(options_on(driver));
    loop second(options_on(driver));
    BOOST_TEST(first.random() != second.random());
    BOOST_TEST(first.random() != first.random());
    std::array<std::byte, 32> key{};
    std::array<std::byte, 32> other{};
    first.random_bytes(key);
    second.random_bytes(other);
    BOOST_TEST((key != other));
    const auto apart = first.wall_now() - machine::wall_now();
    BOOST_TEST((std::chrono::abs(apart) < std::chrono::minutes(1)));
}

BOOST_AUTO_TEST_SUITE_END()
