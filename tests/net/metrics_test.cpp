#include <phoenix/net/metrics.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace phoenix::net;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

/// Printed, and taken back from the environment.
std::uint64_t test_seed() {
    const char* given = std::getenv("PHOENIX_TEST_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    BOOST_TEST_MESSAGE("PHOENIX_TEST_SEED=" << seed);
    return seed;
}

/// Values of every magnitude: a random number of bits, then random bits.
std::uint64_t any_magnitude(std::mt19937_64& random) {
    return random() >> std::uniform_int_distribution<unsigned>(0, 63)(random);
}

/// The exact percentile: the value of rank ceil(percent / 100 * count), at least 1.
std::uint64_t oracle(const std::vector<std::uint64_t>& sorted, double percent) {
    const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()) * (1 - 1e-12));
    return sorted[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

constexpr double percents[] = {0, 0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

void expect_as_oracle(const histogram_snapshot& seen, std::vector<std::uint64_t> values) {
    std::sort(values.begin(), values.end());
    BOOST_TEST(seen.count() == values.size());
    BOOST_TEST(seen.min() == values.front());
    BOOST_TEST(seen.max() == values.back());
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values) {
        sum += value;
    }
    BOOST_TEST(seen.sum() == sum);
    for (const double percent : percents) {
        const std::uint64_t exact = oracle(values, percent);
        const std::uint64_t found = seen.percentile(percent);
        BOOST_TEST(found >= exact, "p" << percent << ": " << found << " under the exact " << exact);
        if (exact < 64) {
            BOOST_TEST(found == exact, "p" << percent << ": " << found << " is not the exact " << exact);
        } else {
            BOOST_TEST(found - exact < exact / 32 + (exact % 32 != 0),
                       "p" << percent << ": " << found << " is 1/32 or more over the exact " << exact);
        }
    }
    BOOST_TEST(seen.percentile(0) == values.front());
    BOOST_TEST(seen.percentile(100) == values.back());
}

} // namespace

BOOST_AUTO_TEST_SUITE(metrics_test)

BOOST_AUTO_TEST_CASE(counter_counts_and_wraps) {
    counter c;
    BOOST_TEST(c.value() == 0u);
    c.add();
    c.add(41);
    BOOST_TEST(c.value() == 42u);
    c.add(largest);
    BOOST_TEST(c.value() == 41u);
}

BOOST_AUTO_TEST_CASE(gauge_goes_up_and_down) {
    gauge g;
    g.add(5);
    g.subtract(7);
    BOOST_TEST(g.value() == -2);
    g.set(100);
    BOOST_TEST(g.value() == 100);
}

BOOST_AUTO_TEST_CASE(counter_is_read_from_another_thread_without_loss) {
    counter c;
    std::atomic<bool> done{false};
    std::uint64_t last = 0;
    bool fell = false;
    std::thread reader([&] {
        while (!done.load()) {
            const std::uint64_t seen = c.value();
            fell = fell || seen < last;
            last = seen;
        }
    });
    for (int i = 0; i < 1'000'000; ++i) {
        c.add();
    }
    done.store(true);
    reader.join();
    BOOST_TEST(!fell);
    BOOST_TEST(c.value() == 1'000'000u);
}

BOOST_AUTO_TEST_CASE(buckets_tile_the_range_with_relative_width_up_to_one_in_32) {
    BOOST_TEST(histogram::bucket_of(0) == 0u);
    BOOST_TEST(histogram::bucket_of(largest) == histogram::bucket_count - 1);
    BOOST_TEST(histogram::bucket_max(histogram::bucket_count - 1) == largest);
    for (std::size_t bucket = 0; bucket < histogram::bucket_count; ++bucket) {
        const std::uint64_t low = histogram::bucket_min(bucket);
        const std::uint64_t high = histogram::bucket_max(bucket);
        BOOST_TEST_REQUIRE(low <= high);
        BOOST_TEST_REQUIRE(histogram::bucket_of(low) == bucket);
        BOOST_TEST_REQUIRE(histogram::bucket_of(high) == bucket);
        BOOST_TEST_REQUIRE(high - low <= low / 32);
        if (bucket + 1 < histogram::bucket_count) {
            BOOST_TEST_REQUIRE(histogram::bucket_of(high + 1) == bucket + 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(empty_histogram_answers_zero) {
    const histogram h;
    const histogram_snapshot seen = h.snapshot();
    BOOST_TEST(seen.count() == 0u);
    BOOST_TEST(seen.sum() == 0u);
    BOOST_TEST(seen.min() == 0u);
    BOOST_TEST(seen.max() == 0u);
    BOOST_TEST(seen.mean() == 0.0);
    BOOST_TEST(seen.percentile(99) == 0u);
    BOOST_TEST((seen == histogram_snapshot{}));
}

BOOST_AUTO_TEST_CASE(small_values_are_exact) {
    histogram h;
    std::vector<std::uint64_t> values;
    for (std::uint64_t value = 0; value < 64; ++value) {
        h.record(value);
        values.push_back(value);
    }
    expect_as_oracle(h.snapshot(), values);
    BOOST_TEST(h.snapshot().percentile(50) == 31u);
    BOOST_TEST(h.snapshot().mean() == 31.5);
}

BOOST_AUTO_TEST_CASE(extreme_values_are_kept) {
    histogram h;
    h.record(0);
    h.record(largest);
    expect_as_oracle(h.snapshot(), {0, largest});
    histogram one;
    one.record(1'000'003);
    for (const double percent : percents) {
        BOOST_TEST(one.snapshot().percentile(percent) == 1'000'003u);
    }
}

BOOST_AUTO_TEST_CASE(percentile_rank_is_not_moved_by_rounding) {
    histogram h;
    for (std::uint64_t value = 1; value <= 1000; ++value) {
        h.record(value <= 999 ? 1 : 50);
    }
    BOOST_TEST(h.snapshot().percentile(99.9) == 1u);
    BOOST_TEST(h.snapshot().percentile(99.91) == 50u);
}

BOOST_AUTO_TEST_CASE(random_values_agree_with_a_sorted_vector_within_the_bound) {
    std::mt19937_64 random(test_seed());
    for (const std::size_t count : {1u, 2u, 3u, 10u, 100u, 1000u, 20000u}) {
        histogram h;
        std::vector<std::uint64_t> values;
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(any_magnitude(random));
            h.record(values.back());
        }
        expect_as_oracle(h.snapshot(), values);
    }
}

BOOST_AUTO_TEST_CASE(latencies_agree_with_a_sorted_vector_within_the_bound) {
    std::mt19937_64 random(test_seed());
    std::lognormal_distribution<double> latency_ns(10, 1);
    histogram h;
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 50000; ++i) {
        values.push_back(static_cast<std::uint64_t>(latency_ns(random)));
        h.record(values.back());
    }
    expect_as_oracle(h.snapshot(), values);
    double sum = 0;
    for (const std::uint64_t value : values) {
        sum += static_cast<double>(value);
    }
    BOOST_TEST(h.snapshot().mean() == sum / 50000, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(merge_equals_recording_everything_in_one) {
    std::mt19937_64 random(test_seed());
    histogram left;
    histogram right;
    histogram both;
    for (int i = 0; i < 5000; ++i) {
        const std::uint64_t value = any_magnitude(random);
        (i % 3 == 0 ? left : right).record(value);
        both.record(value);
    }
    histogram_snapshot joined = left.snapshot();
    joined.merge(right.snapshot());
    BOOST_TEST((joined == both.snapshot()));
    left.merge(right.snapshot());
    BOOST_TEST((left.snapshot() == both.snapshot()));
}

BOOST_AUTO_TEST_CASE(merge_keeps_the_least_and_the_largest_of_both) {
    histogram outer;
    outer.record(1001);
    outer.record(5003);
    histogram inner;
    inner.record(1003);
    inner.record(5001);
    const histogram_snapshot outer_before = outer.snapshot();
    outer.merge(inner.snapshot());
    expect_as_oracle(outer.snapshot(), {1001, 1003, 5001, 5003});
    inner.merge(outer_before);
    expect_as_oracle(inner.snapshot(), {1001, 1003, 5001, 5003});
}

BOOST_AUTO_TEST_CASE(merge_with_empty_changes_nothing) {
    histogram h;
    h.record(1000);
    const histogram_snapshot before = h.snapshot();
    h.merge(histogram_snapshot{});
    BOOST_TEST((h.snapshot() == before));
    histogram_snapshot empty;
    empty.merge(before);
    BOOST_TEST((empty == before));
    empty.merge(histogram_snapshot{});
    BOOST_TEST((empty == before));
}

BOOST_AUTO_TEST_CASE(reset_forgets_everything) {
    histogram h;
    for (const std::uint64_t value : {std::uint64_t{1}, std::uint64_t{1000}, largest}) {
        h.record(value);
    }
    h.reset();
    BOOST_TEST((h.snapshot() == histogram_snapshot{}));
    h.record(1000);
    expect_as_oracle(h.snapshot(), {1000});
}

BOOST_AUTO_TEST_CASE(snapshot_from_another_thread_is_consistent_in_itself) {
    histogram h;
    std::atomic<bool> done{false};
    std::atomic<int> snapshots{0};
    bool good = true;
    std::thread reader([&] {
        std::uint64_t last = 0;
        while (!done.load()) {
            const histogram_snapshot seen = h.snapshot();
            good = good && seen.count() >= last && seen.min() <= seen.max();
            good = good && seen.percentile(50) >= seen.min() && seen.percentile(50) <= seen.max();
            last = seen.count();
            snapshots.fetch_add(1);
        }
    });
    std::mt19937_64 random(1);
    std::uint64_t recorded = 0;
    while (snapshots.load() < 100) {
        h.record(any_magnitude(random));
        ++recorded;
    }
    done.store(true);
    reader.join();
    BOOST_TEST(good);
    BOOST_TEST(h.snapshot().count() == recorded);
}

BOOST_AUTO_TEST_CASE(snapshot_amid_merges_and_resets_has_its_percentiles_between_min_and_max) {
    histogram h;
    std::atomic<bool> done{false};
    std::atomic<int> snapshots{0};
    bool good = true;
    std::thread reader([&] {
        while (!done.load()) {
            const histogram_snapshot seen = h.snapshot();
            const std::uint64_t median = seen.percentile(50);
            good = good && seen.min() <= median && median <= seen.max();
            snapshots.fetch_add(1);
        }
    });
    histogram every_bucket;
    for (std::size_t bucket = 0; bucket < histogram::bucket_count; ++bucket) {
        every_bucket.record(histogram::bucket_max(bucket));
    }
    const histogram_snapshot added = every_bucket.snapshot();
    while (snapshots.load() < 1000) {
        h.merge(added); // for microseconds the buckets are there, and neither min nor max
        h.reset();
    }
    done.store(true);
    reader.join();
    BOOST_TEST(good);
}

BOOST_AUTO_TEST_SUITE_END()
