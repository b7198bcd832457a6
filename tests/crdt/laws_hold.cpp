#include "laws_hold.hpp"

#include <phoenix/config.hpp>

#include <rapidcheck.h>

#include <cstdlib>
#include <random>
#include <sstream>

namespace phoenix::crdt::testing {

namespace {

using laws::history;
using laws::step;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* const given = std::getenv(name);
    return given != nullptr ? std::stoull(given) : otherwise;
}

rc::Gen<step> any_step(std::size_t replicas) {
    return rc::gen::apply(
        [](int kind, int replica, int peer, std::uint64_t seed) {
            step made;
            made.what = kind < 6 ? step::kind::mutate : kind < 9 ? step::kind::deliver : step::kind::merge;
            made.replica = static_cast<std::uint8_t>(replica);
            made.peer = static_cast<std::uint8_t>(peer);
            made.seed = seed;
            return made;
        },
        rc::gen::inRange(0, 10), rc::gen::inRange(0, static_cast<int>(replicas)),
        rc::gen::inRange(0, static_cast<int>(replicas)), rc::gen::arbitrary<std::uint64_t>());
}

} // namespace

std::size_t cases_wanted() {
    // Sanitized and unoptimized builds look for other mistakes than rare histories.
#if PHOENIX_UNDER_ASAN || !defined(__OPTIMIZE__)
    constexpr std::uint64_t otherwise = 30;
#else
    constexpr std::uint64_t otherwise = 500;
#endif
    return number_from("PHOENIX_TEST_CASES", otherwise);
}

std::uint64_t random_seed() {
    static const std::uint64_t seed = number_from("PHOENIX_TEST_SEED", std::random_device()());
    return seed;
}

std::string broken_laws(const std::vector<laws::law>& all, std::size_t steps_max, std::size_t replicas) {
    std::string broken;
    for (const laws::law& each : all) {
        rc::detail::TestParams params;
        params.seed = random_seed();
        params.maxSuccess = static_cast<int>(cases_wanted());
        params.maxSize = static_cast<int>(steps_max);
        const auto property = [&] {
            const auto steps = *rc::gen::container<history>(any_step(replicas));
            const auto seed = *rc::gen::arbitrary<std::uint64_t>();
            if (const auto found = each.judge(steps, replicas, seed)) {
                RC_FAIL("after\n" + laws::to_string(steps) + *found);
            }
        };
        rc::detail::TestMetadata name;
        name.description = each.name;
        const auto result = rc::detail::checkTestable(property, name, params);
        if (!result.template is<rc::detail::SuccessResult>()) {
            std::ostringstream text;
            rc::detail::printResultMessage(result, text);
            broken += "law " + each.name + " is broken (PHOENIX_TEST_SEED=" + std::to_string(random_seed()) +
                      "):\n" + text.str() + "\n";
        }
    }
    return broken;
}

} // namespace phoenix::crdt::testing
