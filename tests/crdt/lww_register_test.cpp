#include <phoenix/crdt/lww_register.hpp>

#include "causal_history.hpp"
#include "colliding_values.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"

#include <limits>
#include <string>
#include <tuple>

namespace phoenix::crdt {

namespace {

using laws::random_source;
using testing::colliding_value;
using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

constexpr replica_id alice{1, 10};
constexpr replica_id bob{2, 10};
constexpr std::uint64_t noon = 1'700'000'000'000'000;
constexpr std::uint64_t second = 1'000'000;

using text = lww_register<std::string>;

static_assert(decomposable<text> && operable<text> && explainable<text>);

/// Times and values from a few, so that times, replicas and values are equal often.
laws::subject<text> writes(std::uint64_t times) {
    return {.mutate = [times](text& mine, const replica_id& here, laws::random_source& random) {
        text delta;
        do {
            const timestamp when{random.below(times), static_cast<std::uint32_t>(random.below(2))};
            delta.join(mine.set(here, std::to_string(random.below(5)), when));
        } while (random.one_in(3));
        return delta;
    }};
}

template <class Register>
bool same_either_way(const Register& a, const Register& b) {
    Register one = a;
    one.join(b);
    Register two = b;
    two.join(a);
    return one == two && encode(one) == encode(two);
}

} // namespace

BOOST_AUTO_TEST_SUITE(lww_register_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(writes(1));
    laws_hold(writes(50));
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    struct call {
        timestamp time;
        std::string value;
    };

    testing::agrees_with_model<text, call>(
        [](random_source& random) {
            return call{{random.below(4), static_cast<std::uint32_t>(random.below(2))},
                        std::to_string(random.below(5))};
        },
        [](text& mine, const replica_id& here, const call& what) {
            return mine.set(here, what.value, what.time);
        },
        [](const text& mine, const auto& history, const auto& seen) -> std::optional<std::string> {
            // Who wrote what before or after whom does not matter, only the times.
            std::tuple<timestamp, replica_id, std::uint64_t> last;
            std::optional<std::string> expected;
            history.for_each_seen(seen, [&](const auto& each) {
                const std::tuple rank(each.what.time, each.by, bytes_hash(each.what.value));
                if (!expected || last < rank) {
                    last = rank;
                    expected = each.what.value;
                }
            });
            const bool agrees =
                mine.value() == expected && (!expected || (mine.stamp()->time == std::get<0>(last) &&
                                                           mine.stamp()->by == std::get<1>(last)));
            return agrees ? std::nullopt : std::optional(to_text(explain(mine)));
        });
}

BOOST_AUTO_TEST_CASE(starts_without_a_value) {
    const text mine;
    BOOST_TEST(!mine.value().has_value());
    BOOST_TEST(mine.stamp() == nullptr);
    BOOST_TEST(mine.is_bottom());
}

BOOST_AUTO_TEST_CASE(the_last_write_stays) {
    text mine;
    text theirs;
    const auto late = mine.set(alice, "late", {noon + 1, 0});
    const auto early = theirs.set(bob, "early", {noon, 7});
    mine.join(early);
    theirs.join(late);
    BOOST_TEST(*mine.value() == "late");
    BOOST_TEST((mine == theirs));
    BOOST_TEST((mine.stamp()->time == timestamp{noon + 1, 0}));
    BOOST_TEST((mine.stamp()->by == alice));
}

BOOST_AUTO_TEST_CASE(a_write_stamped_before_what_stands_is_nothing) {
    text mine;
    (void)mine.set(alice, "tea", {noon, 0});
    BOOST_TEST(mine.set(bob, "milk", {noon - 1, 9}).is_bottom());
    BOOST_TEST(*mine.value() == "tea");
}

BOOST_AUTO_TEST_CASE(trap_lww_equal_timestamps) {
    const timestamp when{noon, 3};
    text mine;
    text theirs;
    (void)mine.set(alice, "zzz", when);
    (void)theirs.set(bob, "aaa", when);
    BOOST_TEST(same_either_way(mine, theirs));
    mine.join(theirs);
    BOOST_TEST(*mine.value() == "aaa"); // the replica decides, not the value

    // One replica, one time, two values, as after a restored backup: the hash decides.
    for (int i = 0; i < 50; ++i) {
        text one;
        text two;
        (void)one.set(alice, std::to_string(i), when);
        (void)two.set(alice, std::to_string(i + 1), when);
        BOOST_TEST_REQUIRE(same_either_way(one, two));
        const bool first = bytes_hash(*one.value()) > bytes_hash(*two.value());
        one.join(two);
        BOOST_TEST_REQUIRE(*one.value() == std::to_string(first ? i : i + 1));
    }
}

BOOST_AUTO_TEST_CASE(values_with_colliding_hashes_are_ordered_by_their_bytes) {
    const std::string low = colliding_value('a');
    const std::string high = colliding_value('b');
    BOOST_TEST_REQUIRE(bytes_hash(low) == bytes_hash(high));
    text mine;
    text theirs;
    (void)mine.set(alice, low, {noon, 0});
    (void)theirs.set(alice, high, {noon, 0});
    BOOST_TEST(same_either_way(mine, theirs));
    BOOST_TEST(!(mine == theirs));
    mine.join(theirs);
    BOOST_TEST(*mine.value() == high);
}

BOOST_AUTO_TEST_CASE(trap_lww_monotonic_clock) {
    // What is written after a value was read wins, though the writer's wall clock is half a minute behind.
    hybrid_clock ahead;
    hybrid_clock behind;
    text mine;
    text theirs;
    theirs.join(mine.set(alice, "first", ahead.now(noon + 30 * second)));
    behind.receive(theirs.stamp()->time, noon);
    mine.join(theirs.set(bob, "second", behind.now(noon + 1)));
    BOOST_TEST(*mine.value() == "second");
    BOOST_TEST(*theirs.value() == "second");
    // A write with a stamp from a clock that counts from boot is joined, and has lost.
    text booted;
    mine.join(booted.set({3, 10}, "uptime", {5 * second, 0}));
    BOOST_TEST(*mine.value() == "second");
}

BOOST_AUTO_TEST_CASE(the_far_future_is_joined_and_stays_out_of_the_clock) {
    hybrid_clock clock;
    text mine;
    text wrong;
    const timestamp before = clock.now(noon);
    mine.join(wrong.set(bob, "from 2100", {noon + 3'000'000'000 * second, 0}));
    BOOST_TEST(*mine.value() == "from 2100");
    BOOST_TEST(is_refused(errc::clock_too_far_ahead, [&] { clock.receive(mine.stamp()->time, noon); }));
    BOOST_TEST((clock.last() == before));
}

BOOST_AUTO_TEST_CASE(trap_digest_after_every_merge) {
    text mine;
    text theirs;
    auto before = mine.digest();
    mine.join(theirs.set(bob, "tea", {noon, 0}));
    BOOST_TEST((mine.digest() != before));
    before = mine.digest();
    mine.join(theirs.set(bob, "tea", {noon, 1}));
    BOOST_TEST((mine.digest() != before));
    before = mine.digest();
    text twin;
    mine.join(twin.set(bob, "milk", {noon, 2}));
    text other;
    (void)other.set(bob, "sugar", {noon, 2});
    BOOST_TEST((mine.digest() != other.digest()));
}

BOOST_AUTO_TEST_CASE(the_digest_does_not_grow_with_the_value) {
    text mine;
    (void)mine.set(alice, std::string(100'000, 'x'), {noon, 0});
    BOOST_TEST(encode(mine.digest()).size() <= 32U);
    BOOST_TEST((decode<lww_register_digest>(encode(mine.digest())) == mine.digest()));
    BOOST_TEST(mine.delta_since(mine.digest()).is_bottom());
}

BOOST_AUTO_TEST_CASE(a_nan_is_a_value_like_any_other) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    lww_register<double> mine;
    lww_register<double> theirs;
    (void)mine.set(alice, nan, {noon, 0});
    theirs.join(mine);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(mine.delta_and_merge(theirs).is_bottom());
    (void)theirs.set(alice, 1.0, {noon, 0});
    BOOST_TEST(same_either_way(mine, theirs));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    text mine;
    text theirs;
    const std::vector<text::operation> all{text::operations::set{"tea", {noon, 0}},
                                           text::operations::set{"milk", {noon, 1}},
                                           text::operations::set{"late", {noon - 1, 0}}};
    for (const auto& each : decode<std::vector<text::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST(*mine.value() == "milk");
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_when_and_by_whom) {
    text mine;
    BOOST_TEST(to_text(explain(mine)).empty());
    (void)mine.set(alice, "tea", {noon, 2});
    BOOST_TEST(to_text(explain(mine)) == "stands \"tea\" (set at 1700000000.000000+2 by 1.10, the last)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    using number = lww_register<unsigned>;
    BOOST_TEST(refusal_of<number>({1, 1, 5, 0, 1, 2, 7}).empty());
    BOOST_TEST(says(refusal_of<number>({1, 2, 5, 0, 1, 2, 7}), "at byte 1: expected a bool of at most 1"));
    BOOST_TEST(says(refusal_of<number>({1, 1, 5, 0, 1, 2}), "at byte 6: expected one more byte"));
    BOOST_TEST(says(refusal_of<number>({1, 0, 5}), "at byte 2: expected the end"));
    BOOST_TEST(
        says(refusal_of<lww_register_digest>({1, 1, 5, 0, 1, 2, 7}), "at byte 6: expected 8 more bytes"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
