// The seed of a random test: from the environment, or a new one, which is printed when the test fails.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace phoenix::net::testing {

/// PHOENIX_TEST_SEED, or a random number; says which in the log.
[[nodiscard]] inline std::uint64_t random_seed() {
    const char* const given = std::getenv("PHOENIX_TEST_SEED");
    const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
    BOOST_TEST_MESSAGE("PHOENIX_TEST_SEED=" << seed);
    return seed;
}

} // namespace phoenix::net::testing
