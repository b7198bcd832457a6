// Every law that a type claims, as a property of RapidCheck, which shortens what breaks one.
//
// PHOENIX_TEST_CASES says how many histories each law is judged on (500; 30 where it is sanitized or not
// optimized), PHOENIX_TEST_SEED which (a new one, printed with a failure).
#pragma once

#include <phoenix/crdt/laws.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace phoenix::crdt::testing {

[[nodiscard]] std::size_t cases_wanted();
[[nodiscard]] std::uint64_t random_seed();

/// Empty when all hold, else what RapidCheck printed of each broken one.
[[nodiscard]] std::string broken_laws(const std::vector<laws::law>& all, std::size_t steps_max = 40,
                                      std::size_t replicas = 4);

template <class T>
void laws_hold(const laws::subject<T>& of, std::size_t steps_max = 40) {
    const std::string broken = broken_laws(laws::all_laws(of), steps_max);
    BOOST_TEST(broken.empty(), broken);
}

} // namespace phoenix::crdt::testing
