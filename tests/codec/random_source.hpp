// The random frames of a test: their seed is from the environment, or a new one, which the log tells.
#pragma once

#include "random_frames.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace phoenix::codec::testing {

/// PHOENIX_TEST_CASES, or `usual`.
[[nodiscard]] inline std::size_t case_count(std::size_t usual) {
    const char* const given = std::getenv("PHOENIX_TEST_CASES");
    return given != nullptr ? std::stoull(given) : usual;
}

/// PHOENIX_TEST_SEED, or a random number.
[[nodiscard]] inline std::uint64_t random_seed() {
    const char* const given = std::getenv("PHOENIX_TEST_SEED");
    const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
    BOOST_TEST_MESSAGE("PHOENIX_TEST_SEED=" << seed);
    return seed;
}

class random_source : public random_frames {
public:
    random_source() : random_frames(random_seed()) {}
};

} // namespace phoenix::codec::testing
