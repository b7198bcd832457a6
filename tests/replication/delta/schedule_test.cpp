// Random schedules of 3 to 5 delta machines: 500, or 100 where they are sanitized; PHOENIX_TEST_CASES=100000 is the long run.
// PHOENIX_TEST_SEED=seed PHOENIX_TEST_CASES=1 repeats one that failed.
#include <phoenix/config.hpp>

#include "schedule.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <string>

namespace phoenix::replication::testing {

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

BOOST_AUTO_TEST_SUITE(delta_schedules)

BOOST_AUTO_TEST_CASE(random_schedules_end_with_all_nodes_equal) {
    const std::uint64_t first = from_environment("PHOENIX_TEST_SEED", 1);
    const std::uint64_t cases = from_environment("PHOENIX_TEST_CASES", PHOENIX_UNDER_ASAN ? 100 : 500);
    schedule_counts counts;
    for (std::uint64_t seed = first; seed < first + cases; ++seed) {
        const std::string wrong = schedule(seed).run(counts);
        BOOST_TEST(wrong == "", "seed " << seed << ": " << wrong);
    }
    BOOST_TEST_MESSAGE(
        "schedules " << counts.schedules << ", writes " << counts.writes << ", batches joined "
                     << counts.batches_joined << ", redundant " << counts.batches_redundant << ", parts "
                     << counts.parts << ", cuts " << counts.cuts << ", frames lost " << counts.frames_lost
                     << ", doubled " << counts.frames_doubled << ", swapped " << counts.frames_swapped
                     << ", refusals " << counts.refusals << ", restarts " << counts.restarts << ", evictions "
                     << counts.evictions << ", transfers " << counts.transfers << ", broken "
                     << counts.transfers_broken << ", published " << counts.published);
    if (cases >= 500) {
        BOOST_TEST(counts.transfers > 0U);
        BOOST_TEST(counts.transfers_broken > 0U);
        BOOST_TEST(counts.parts > 0U);
        BOOST_TEST(counts.restarts > 0U);
        BOOST_TEST(counts.evictions > 0U);
        BOOST_TEST(counts.frames_lost > 0U);
        BOOST_TEST(counts.published > 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication::testing
