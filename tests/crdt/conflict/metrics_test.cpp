#include <phoenix/crdt/conflict/apportion.hpp>
#include <phoenix/crdt/conflict/metrics.hpp>
#include <phoenix/crdt/conflict/resource_allocation.hpp>
#include <phoenix/crdt/laws/history.hpp>

#include "../laws_hold.hpp"
#include "any_order.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

using laws::random_source;
using testing::alice;
using testing::bob;
using testing::carol;
using testing::clocked;
using testing::decided;
using testing::value_by;
using testing::written;

context<metric> measured(const std::vector<metric>& values, std::optional<metric> ancestor = std::nullopt) {
    std::vector<sibling<metric>> siblings;
    for (std::size_t i = 0; i < values.size(); ++i) {
        siblings.push_back(written<metric>({i + 1, 10}, i + 1, values[i]));
    }
    return {.siblings = siblings, .ancestor = std::move(ancestor)};
}

context<claims> claimed(const std::vector<claims>& all) {
    std::vector<sibling<claims>> siblings;
    for (std::size_t i = 0; i < all.size(); ++i) {
        siblings.push_back(written<claims>({i + 1, 10}, i + 1, all[i]));
    }
    return {.siblings = siblings};
}

std::string granted(const std::vector<claims>& all, const resource_options& options) {
    return to_text(value_by(resource_allocation(options), claimed(all)));
}

bool has_code(const std::system_error& e, errc code) {
    return e.code() == code;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conflict_metrics_test)

BOOST_AUTO_TEST_CASE(counters_add_up) {
    BOOST_TEST((value_by(metrics(), measured({metric_counter{3}, metric_counter{4}, metric_counter{4}})) ==
                metric(metric_counter{11})));
    BOOST_TEST((value_by(metrics(), measured({metric_counter{7}, metric_counter{7}}, metric_counter{5})) ==
                metric(metric_counter{9})));
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    BOOST_TEST(!decided(measured({metric_counter{most}, metric_counter{1}}), metrics()).is_resolved());
}

BOOST_AUTO_TEST_CASE(gauges_take_the_latest_by_time_not_by_place) {
    const context<metric> about{.siblings = {written<metric>(alice, 5, metric_gauge{1}),
                                             written<metric>(bob, 9, metric_gauge{2}),
                                             written<metric>(carol, 7, metric_gauge{3})}};
    BOOST_TEST((value_by(metrics(), about) == metric(metric_gauge{2})));
    BOOST_TEST(decide(metrics(), about).why() == "the last of 3 writes, 2.10:1 at 0.000009+0");
}

BOOST_AUTO_TEST_CASE(sets_unite) {
    BOOST_TEST((value_by(metrics(), measured({metric_set{{"a"}}, metric_set{{"b", "a"}}},
                                             metric_set{{"c"}})) == metric(metric_set{{"a", "b"}})));
}

BOOST_AUTO_TEST_CASE(what_another_sibling_had_seen_does_not_count_again) {
    const context<metric> counted{.siblings = {clocked<metric>(alice, 9, metric_counter{3}, {alice}),
                                               clocked<metric>(bob, 1, metric_counter{5}, {alice, bob})}};
    BOOST_TEST((value_by(metrics(), counted) == metric(metric_counter{5})));
    const context<claims> asked{.siblings = {clocked<claims>(alice, 9, {{{"web", 3}}}, {alice}),
                                             clocked<claims>(bob, 1, {{{"web", 5}}}, {alice, bob})}};
    BOOST_TEST(to_text(value_by(resource_allocation(), asked)) == "web 5");
}

BOOST_AUTO_TEST_CASE(metrics_of_several_kinds_fall_to_the_last_writer) {
    BOOST_TEST(
        (value_by(metrics(), measured({metric_counter{3}, metric_gauge{4}})) == metric(metric_gauge{4})));
}

BOOST_AUTO_TEST_CASE(histograms_with_equal_bounds_add_bucket_by_bucket) {
    const metric_histogram a{{1, 10}, {1, 2, 3}};
    const metric_histogram b{{1, 10}, {4, 0, 6}};
    BOOST_TEST((value_by(metrics(), measured({a, b, b})) == metric(metric_histogram{{1, 10}, {9, 2, 15}})));
    BOOST_TEST((value_by(metrics(), measured({a, b}, metric_histogram{{1, 10}, {1, 0, 3}})) ==
                metric(metric_histogram{{1, 10}, {4, 2, 6}})));
}

BOOST_AUTO_TEST_CASE(a_histogram_that_began_anew_counts_whole) {
    const metric_histogram before{{1, 10}, {5, 5, 5}};
    const metric_histogram grown{{1, 10}, {6, 5, 5}};
    const metric_histogram restarted{{1, 10}, {0, 7, 0}};
    const metric_histogram rebuilt{{10}, {20, 10}};
    BOOST_TEST((value_by(metrics(), measured({grown, restarted}, before)) ==
                metric(metric_histogram{{1, 10}, {6, 12, 5}})));
    BOOST_TEST((value_by(metrics(), measured({grown, rebuilt}, before)) ==
                metric(metric_histogram{{1, 10}, {26, 5, 15}})));
}

BOOST_AUTO_TEST_CASE(buckets_are_split_in_proportion_to_their_widths) {
    const metric_histogram coarse{{0, 10}, {1, 10, 4}};
    const metric_histogram fine{{0, 2, 10, 100}, {0, 1, 1, 1, 0}};
    BOOST_TEST((split(coarse, std::array{0.0, 2.0, 10.0}) == metric_histogram{{0, 2, 10}, {1, 2, 8, 4}}));
    // Open ends stay whole at the open end.
    BOOST_TEST((split(coarse, std::array{-5.0, 0.0, 10.0, 20.0}) ==
                metric_histogram{{-5, 0, 10, 20}, {1, 0, 10, 0, 4}}));
    BOOST_TEST((value_by(metrics(), measured({coarse, fine})) ==
                metric(metric_histogram{{0, 2, 10, 100}, {1, 3, 9, 1, 4}})));
    // Three equal parts of ten: the first gets the one that is left.
    BOOST_TEST((split({{0, 3}, {0, 10, 0}}, std::array{0.0, 1.0, 2.0, 3.0}) ==
                metric_histogram{{0, 1, 2, 3}, {0, 4, 3, 3, 0}}));
    BOOST_TEST((split({{}, {7}}, std::array{1.0}) == metric_histogram{{1}, {0, 7}}));
    const double most = std::numeric_limits<double>::max();
    const double least = std::numeric_limits<double>::denorm_min();
    BOOST_TEST((split({{-most, most}, {0, 10, 0}}, std::array{-most, 0.0, most}) ==
                metric_histogram{{-most, 0, most}, {0, 5, 5, 0}}));
    BOOST_TEST((split({{0, 2 * least}, {0, 10, 0}}, std::array{0.0, least, 2 * least}) ==
                metric_histogram{{0, least, 2 * least}, {0, 5, 5, 0}}));
    BOOST_CHECK_EXCEPTION((void)split(coarse, std::array{0.0}), std::system_error,
                          [](const auto& e) { return has_code(e, errc::invalid_operation); });
}

BOOST_AUTO_TEST_CASE(merging_keeps_every_total_and_ignores_the_order) {
    const std::uint64_t seed = phoenix::crdt::testing::random_seed();
    random_source random(seed);
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << seed)
    for (std::size_t round = 0; round < phoenix::crdt::testing::cases_wanted(); ++round) {
        std::vector<metric> values;
        std::uint64_t total = 0;
        std::uint64_t below_five = 0;
        for (std::uint64_t left = 1 + random.below(4); left > 0; --left) {
            std::set<double> bounds{5};
            for (std::uint64_t more = random.below(6); more > 0; --more) {
                bounds.insert(static_cast<double>(random.below(1000)) / 16);
            }
            metric_histogram made{{bounds.begin(), bounds.end()}, {}};
            for (std::size_t i = 0; i <= bounds.size(); ++i) {
                made.counts.push_back(random.below(3) == 0 ? random.below(5) : random.next() >> 8);
                total += made.counts.back();
                below_five += i > 0 && made.bounds[i - 1] >= 5 ? 0 : made.counts.back();
            }
            values.emplace_back(made);
        }
        const auto found = std::get<metric_histogram>(value_by(metrics(), measured(values)));
        BOOST_TEST(found.total() == total);
        // A bound that all have is a wall: nothing passes it.
        const auto five = std::ranges::find(found.bounds, 5.0) - found.bounds.begin();
        BOOST_TEST(std::accumulate(found.counts.begin(), found.counts.begin() + five + 1, std::uint64_t(0)) ==
                   below_five);
    }
}

BOOST_AUTO_TEST_CASE(histograms_that_are_none_are_refused) {
    const auto invalid = [](const std::system_error& e) {
        return has_code(e, errc::invalid_operation);
    };
    BOOST_CHECK_EXCEPTION((metric_histogram{{1}, {1}}.validate()), std::system_error, invalid);
    BOOST_CHECK_EXCEPTION((metric_histogram{{1, 1}, {1, 1, 1}}.validate()), std::system_error, invalid);
    BOOST_CHECK_EXCEPTION((metric_histogram{{2, 1}, {1, 1, 1}}.validate()), std::system_error, invalid);
    BOOST_CHECK_EXCEPTION((metric_histogram{{std::numeric_limits<double>::quiet_NaN()}, {1, 1}}.validate()),
                          std::system_error, invalid);
    BOOST_CHECK_EXCEPTION((metric_histogram{{std::numeric_limits<double>::infinity()}, {1, 1}}.validate()),
                          std::system_error, invalid);
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    const metric_histogram full{{1}, {most, 0}};
    BOOST_CHECK_EXCEPTION((void)merged(std::array{full, metric_histogram{{1}, {0, 1}}}), std::system_error,
                          [](const auto& e) { return has_code(e, errc::counter_overflow); });
    BOOST_TEST(!decided(measured({full, full}), metrics()).is_resolved());
    BOOST_TEST(!decided(measured({metric_histogram{{1}, {}}}), metrics()).is_resolved());
}

BOOST_AUTO_TEST_CASE(metrics_have_bytes_and_text) {
    const std::vector<metric> all{metric_counter{-3}, metric_gauge{1.5}, metric_histogram{{1, 2}, {1, 2, 3}},
                                  metric_set{{"a", "b"}}};
    BOOST_TEST((decode<std::vector<metric>>(encode(all)) == all));
    BOOST_TEST(to_text(all[0]) == "-3");
    BOOST_TEST(to_text(all[2]) == "1 up to 1.000000, 2 up to 2.000000, 3 above");
    BOOST_TEST(to_text(all[3]) == R"({"a", "b"})");
    const auto refused = [](const metric& wrong) {
        BOOST_CHECK_THROW((void)decode<metric>(encode(wrong)), decode_error);
    };
    refused(metric_histogram{{2, 1}, {1, 2, 3}});
    refused(metric_histogram{{1}, {1}});
    auto unsorted = encode(all[3]);
    std::swap(unsorted[unsorted.size() - 1], unsorted[unsorted.size() - 3]);
    BOOST_CHECK_THROW((void)decode<metric>(unsorted), decode_error);
}

BOOST_AUTO_TEST_CASE(a_whole_is_apportioned_exactly) {
    using parts = std::vector<std::uint64_t>;
    BOOST_TEST((apportion(10, parts{1, 1, 1}) == parts{4, 3, 3}));
    BOOST_TEST((apportion(7, parts{5, 0, 2}) == parts{5, 0, 2}));
    BOOST_TEST((apportion(0, parts{5, 1}) == parts{0, 0}));
    BOOST_TEST((apportion(1, parts{1, 2, 2}) == parts{0, 1, 0}));
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    BOOST_TEST((apportion(most, parts{most}) == parts{most}));
    BOOST_TEST((apportion(most, parts{1, 1}) == parts{most / 2 + 1, most / 2}));
    BOOST_CHECK_EXCEPTION((void)apportion(1, parts{0}), std::system_error,
                          [](const auto& e) { return has_code(e, errc::invalid_operation); });
    BOOST_CHECK_EXCEPTION((void)apportion(1, parts{}), std::system_error,
                          [](const auto& e) { return has_code(e, errc::invalid_operation); });
    BOOST_CHECK_EXCEPTION((void)apportion(1, parts{most, 1}), std::system_error,
                          [](const auto& e) { return has_code(e, errc::counter_overflow); });
}

BOOST_AUTO_TEST_CASE(all_claims_that_fit_are_granted) {
    BOOST_TEST(granted({{{{"web", 6}}}, {{{"batch", 3}}}}, {}) == "batch 3, web 6");
    BOOST_TEST(granted({{{{"web", 6}}}, {{{"batch", 3}}}}, {.available = 9}) == "batch 3, web 6");
    BOOST_TEST(granted({{{{"web", 6}}}, {{{"batch", 3}}}}, {.available = 100}) == "batch 3, web 6");
}

BOOST_AUTO_TEST_CASE(claims_that_do_not_fit_are_scaled_in_proportion) {
    BOOST_TEST(granted({{{{"web", 6}}}, {{{"batch", 3}}}}, {.available = 6}) == "batch 2, web 4");
    BOOST_TEST(granted({{{{"a", 1}, {"b", 1}}}, {{{"c", 1}}}}, {.available = 2}) == "a 1, b 1, c 0");
    BOOST_TEST(granted({{{{"web", 6}}}}, {.available = 0}) == "web 0");
    // Equal claims of two replicas are two claims.
    BOOST_TEST(granted({{{{"web", 5}}}, {{{"web", 5}}}, {{{"batch", 5}}}}, {.available = 9}) ==
               "batch 3, web 6");
}

BOOST_AUTO_TEST_CASE(what_is_available_may_come_with_the_conflict) {
    context<claims> about = claimed({{{{"web", 6}}}, {{{"batch", 3}}}});
    about.metadata["available"] = "3";
    BOOST_TEST(to_text(value_by(resource_allocation({.available = 6}), about)) == "batch 1, web 2");
    for (const char* const wrong : {"", "three", "3.5", "-1", "99999999999999999999"}) {
        about.metadata["available"] = wrong;
        BOOST_TEST(!decided(about, resource_allocation()).is_resolved());
    }
}

BOOST_AUTO_TEST_CASE(claims_below_one_are_refused) {
    BOOST_TEST(!decided(claimed({{{{"web", 0}}}}), resource_allocation()).is_resolved());
    BOOST_TEST(!decided(claimed({{{{"web", 5}}}, {{{"web", -4}}}}), resource_allocation()).is_resolved());
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    BOOST_TEST(!decided(claimed({{{{"web", most}}}, {{{"batch", 1}}}}), resource_allocation()).is_resolved());
    BOOST_TEST(!decided(claimed({{{{"web", most}}}, {{{"web", 1}}}}), resource_allocation()).is_resolved());
    BOOST_CHECK_EXCEPTION((void)resource_allocation({.available = -1}), std::system_error, [](const auto& e) {
        return has_code(e, errc::negative_amount) &&
               std::string(e.what()).find("available") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(grants_add_up_and_nobody_gets_more_than_asked) {
    const std::uint64_t seed = phoenix::crdt::testing::random_seed();
    random_source random(seed);
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << seed)
    for (std::size_t round = 0; round < phoenix::crdt::testing::cases_wanted(); ++round) {
        const bool large = random.one_in(2);
        std::vector<claims> all(1 + random.below(4));
        claims asked;
        std::int64_t sum = 0;
        for (claims& each : all) {
            for (std::uint64_t left = 1 + random.below(4); left > 0; --left) {
                const auto amount =
                    static_cast<std::int64_t>(1 + (large ? random.next() >> 6 : random.below(9)));
                const std::string name(1, static_cast<char>('a' + random.below(6)));
                if (each.amounts.emplace(name, amount).second) {
                    asked.amounts[name] += amount;
                    sum += amount;
                }
            }
        }
        const std::int64_t available =
            static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(sum) + 3));
        const claims found = value_by(resource_allocation({.available = available}), claimed(all));
        std::int64_t handed_out = 0;
        BOOST_TEST(found.amounts.size() == asked.amounts.size());
        for (const auto& [name, amount] : found.amounts) {
            handed_out += amount;
            BOOST_TEST(amount >= 0);
            BOOST_TEST(amount <= asked.amounts[name]);
            // Within one unit of the exact share.
            const long double exact = static_cast<long double>(std::min(available, sum)) *
                                      static_cast<long double>(asked.amounts[name]) /
                                      static_cast<long double>(sum);
            BOOST_TEST(std::abs(static_cast<double>(static_cast<long double>(amount) - exact)) < 1.001);
        }
        BOOST_TEST(handed_out == std::min(available, sum));
    }
}

BOOST_AUTO_TEST_CASE(claims_have_bytes) {
    const claims all{{{"a", 1}, {"b", -2}}};
    BOOST_TEST((decode<claims>(encode(all)) == all));
    auto twice = encode(all);
    twice[6] = twice[3];
    BOOST_CHECK_EXCEPTION((void)decode<claims>(twice), decode_error, [](const auto& e) {
        return std::string(e.what()).find("names in ascending order") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt::conflict
