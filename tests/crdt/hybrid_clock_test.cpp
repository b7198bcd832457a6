#include <phoenix/crdt/hybrid_clock.hpp>

#include "laws_hold.hpp"
#include "refusal.hpp"

#include <limits>

namespace phoenix::crdt {

namespace {

using namespace std::chrono_literals;
using laws::random_source;
using testing::is_refused;
using testing::refusal_of;
using testing::says;

constexpr std::uint64_t noon = 1'700'000'000'000'000;
constexpr std::uint64_t second = 1'000'000;
constexpr std::uint64_t minute = 60 * second;
constexpr auto last_wall = std::numeric_limits<std::uint64_t>::max();
constexpr auto last_logical = std::numeric_limits<std::uint32_t>::max();

static_assert(byte_value<timestamp>);

} // namespace

BOOST_AUTO_TEST_SUITE(hybrid_clock_test)

BOOST_AUTO_TEST_CASE(timestamps_order_by_wall_time_and_then_by_counter) {
    BOOST_TEST((timestamp{1, 9} < timestamp{2, 0}));
    BOOST_TEST((timestamp{2, 0} < timestamp{2, 1}));
    BOOST_TEST((timestamp{2, 1} == timestamp{2, 1}));
}

BOOST_AUTO_TEST_CASE(timestamps_have_bytes_and_text) {
    const timestamp when{1'700'000'000'000'123, 4};
    BOOST_TEST((decode<timestamp>(encode(when)) == when));
    BOOST_TEST(encode(when).size() == 10U);
    BOOST_TEST(to_text(when) == "1700000000.000123+4");
    const timestamp last{last_wall, last_logical};
    BOOST_TEST((decode<timestamp>(encode(last)) == last));
    BOOST_TEST(says(refusal_of<timestamp>({1, 5, 255, 255, 255, 255, 127}), "at byte 2: expected a number"));
    BOOST_TEST(says(refusal_of<timestamp>({1, 5}), "at byte 2: expected one more byte"));
}

BOOST_AUTO_TEST_CASE(now_follows_the_wall_and_counts_while_it_stands) {
    hybrid_clock clock;
    BOOST_TEST((clock.now(noon) == timestamp{noon, 0}));
    BOOST_TEST((clock.now(noon) == timestamp{noon, 1}));
    BOOST_TEST((clock.now(noon) == timestamp{noon, 2}));
    BOOST_TEST((clock.now(noon + 1) == timestamp{noon + 1, 0}));
    BOOST_TEST((clock.last() == timestamp{noon + 1, 0}));
}

BOOST_AUTO_TEST_CASE(a_wall_clock_that_goes_backwards_only_makes_the_counter_run) {
    hybrid_clock clock;
    (void)clock.now(noon);
    BOOST_TEST((clock.now(noon - 3600 * second) == timestamp{noon, 1}));
    BOOST_TEST((clock.now(0) == timestamp{noon, 2}));
    BOOST_TEST((clock.now(noon + 5) == timestamp{noon + 5, 0}));
}

BOOST_AUTO_TEST_CASE(receive_goes_beyond_both) {
    hybrid_clock clock;
    (void)clock.now(noon);
    // Theirs is later, mine is later, both are the same, the wall is later than both.
    BOOST_TEST((clock.receive({noon + 10, 7}, noon) == timestamp{noon + 10, 8}));
    BOOST_TEST((clock.receive({noon, 50}, noon) == timestamp{noon + 10, 9}));
    BOOST_TEST((clock.receive({noon + 10, 20}, noon) == timestamp{noon + 10, 21}));
    BOOST_TEST((clock.receive({noon + 10, 3}, noon + 20) == timestamp{noon + 20, 0}));
}

BOOST_AUTO_TEST_CASE(the_future_is_bounded_and_a_refusal_moves_nothing) {
    hybrid_clock clock;
    (void)clock.now(noon);
    const timestamp before = clock.last();
    BOOST_TEST(clock.accepts({noon + minute, last_logical - 1}, noon));
    BOOST_TEST(!clock.accepts({noon + minute + 1, 0}, noon));
    BOOST_TEST(is_refused(errc::clock_too_far_ahead, [&] { clock.receive({noon + minute + 1, 0}, noon); }));
    BOOST_TEST(is_refused(errc::clock_too_far_ahead, [&] { clock.receive({last_wall, 0}, noon); }));
    BOOST_TEST((clock.last() == before));
    BOOST_TEST((clock.receive({noon + minute, 0}, noon) == timestamp{noon + minute, 1}));
}

BOOST_AUTO_TEST_CASE(the_bound_is_an_option) {
    hybrid_clock clock({.future_max = 5ms});
    BOOST_TEST(clock.accepts({noon + 5000, 0}, noon));
    BOOST_TEST(!clock.accepts({noon + 5001, 0}, noon));
    for (const auto wrong : {0us, -1us}) {
        try {
            hybrid_clock made({.future_max = wrong});
            BOOST_ERROR("expected the option to be refused");
        } catch (const std::system_error& e) {
            BOOST_TEST((e.code() == errc::invalid_operation));
            BOOST_TEST(says(e.what(), "hybrid_clock_options.future_max: expected more than 0"));
        }
    }
    hybrid_clock_options().validate();
}

BOOST_AUTO_TEST_CASE(what_the_clock_has_passed_is_never_refused) {
    hybrid_clock clock;
    (void)clock.now(noon);
    // The wall was set back by an hour: what peers send lies an hour ahead of it, and moves nothing.
    const std::uint64_t wall = noon - 3600 * second;
    BOOST_TEST((clock.receive({noon - 1, 5}, wall) == timestamp{noon, 1}));
    BOOST_TEST((clock.receive({noon, 1}, wall) == timestamp{noon, 2}));
    BOOST_TEST(is_refused(errc::clock_too_far_ahead, [&] { clock.receive({noon, 3}, wall); }));
}

BOOST_AUTO_TEST_CASE(trap_lww_monotonic_clock) {
    // A machine stamps with microseconds since its boot; another with wall time, half a minute ahead.
    hybrid_clock booted;
    hybrid_clock ahead;
    std::uint64_t uptime = 5 * second;
    const timestamp first = ahead.now(noon + 30 * second);
    const timestamp early = booted.now(uptime);
    BOOST_TEST((early < first));
    // The past is not refused, however far it lies back, and does not pull the clock back.
    const timestamp heard = ahead.receive(early, noon + 30 * second);
    BOOST_TEST((heard > first));
    // What follows a message is later than the message, whatever the walls say, as long as the bound admits
    // it...
    hybrid_clock behind;
    (void)behind.now(noon);
    BOOST_TEST((behind.receive(heard, noon) > heard));
    BOOST_TEST((behind.now(noon + 1) > heard));
    // ...and a clock that counts from its boot is told so at once, by every message.
    BOOST_TEST(is_refused(errc::clock_too_far_ahead, [&] { booted.receive(heard, ++uptime); }));
}

BOOST_AUTO_TEST_CASE(a_full_counter_borrows_a_microsecond) {
    hybrid_clock clock({}, timestamp{noon, last_logical});
    BOOST_TEST((clock.now(noon - 5) == timestamp{noon + 1, 0}));
    BOOST_TEST((clock.receive({noon + 1, last_logical}, noon) == timestamp{noon + 2, 0}));
}

BOOST_AUTO_TEST_CASE(the_last_timestamp_of_all_is_refused_and_nothing_changes) {
    const timestamp end{last_wall, last_logical};
    hybrid_clock clock({}, end);
    BOOST_TEST(is_refused(errc::limit_exceeded, [&] { (void)clock.now(noon); }));
    BOOST_TEST(is_refused(errc::limit_exceeded, [&] { clock.receive({noon, 0}, noon); }));
    BOOST_TEST((clock.last() == end));
}

BOOST_AUTO_TEST_CASE(a_restart_goes_on_after_what_was_written_down) {
    hybrid_clock before;
    (void)before.now(noon);
    hybrid_clock after({}, before.last());
    BOOST_TEST((after.now(noon - minute) > before.last()));
}

BOOST_AUTO_TEST_CASE(causality_is_kept_and_the_drift_stays_within_the_bound) {
    random_source random(testing::random_seed());
    BOOST_TEST_MESSAGE("PHOENIX_TEST_SEED=" << testing::random_seed());
    for (std::size_t run = 0; run < testing::cases_wanted(); ++run) {
        constexpr std::size_t machines = 4;
        hybrid_clock clocks[machines];
        std::uint64_t walls[machines];
        for (std::uint64_t& each : walls) {
            each = noon + random.below(minute / 2);
        }
        std::vector<timestamp> sent;
        std::uint64_t wall_max = 0;
        for (int i = 0; i < 60; ++i) {
            const std::size_t here = random.below(machines);
            // It stands, advances, or is set back; now and then one is far ahead for a while.
            const std::uint64_t kind = random.below(10);
            walls[here] += kind < 4 ? 0 : kind < 9 ? random.below(1000) : 0 - random.below(2000);
            wall_max = std::max(wall_max, walls[here]);
            const timestamp before = clocks[here].last();
            if (!sent.empty() && random.one_in(2)) {
                const timestamp remote = sent[random.below(sent.size())];
                const timestamp got = clocks[here].receive(remote, walls[here]);
                BOOST_TEST_REQUIRE((got > remote));
                BOOST_TEST_REQUIRE((got > before));
                sent.push_back(got);
            } else {
                const timestamp got = clocks[here].now(walls[here]);
                BOOST_TEST_REQUIRE((got > before));
                sent.push_back(got);
            }
            BOOST_TEST_REQUIRE((clocks[here].last().wall_us <= wall_max));
            BOOST_TEST_REQUIRE((clocks[here].last().wall_us >= walls[here]));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
