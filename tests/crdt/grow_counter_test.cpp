#include <phoenix/crdt/grow_counter.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"

#include <limits>
#include <map>

namespace phoenix::crdt {

namespace {

using laws::random_source;
using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

constexpr replica_id alice{1, 10};
constexpr replica_id bob{2, 10};
constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto highest = std::numeric_limits<std::uint64_t>::max();

static_assert(decomposable<grow_counter> && operable<grow_counter> && explainable<grow_counter>);

/// `lives` incarnations of each replica, so that few entries and many are reached.
laws::subject<grow_counter> increments(std::uint64_t lives) {
    return {.mutate = [lives](grow_counter& counter, const replica_id& here, laws::random_source& random) {
        const replica_id life{here.node, here.incarnation + random.below(lives)};
        grow_counter delta = counter.increment(life, static_cast<std::int64_t>(random.below(4)));
        while (random.one_in(3)) {
            delta.join(counter.increment(life));
        }
        return delta;
    }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(grow_counter_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(increments(1));
    laws_hold(increments(8));
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    testing::agrees_with_model<grow_counter, std::int64_t>(
        [](random_source& random) { return static_cast<std::int64_t>(random.below(4)); },
        [](grow_counter& mine, const replica_id& here, std::int64_t amount) {
            return mine.increment(here, amount);
        },
        [](const grow_counter& mine, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::uint64_t sum = 0;
            std::map<replica_id, std::uint64_t> shares;
            history.for_each_seen(seen, [&](const auto& each) {
                sum += static_cast<std::uint64_t>(each.what);
                shares[each.by] += static_cast<std::uint64_t>(each.what);
            });
            bool agrees = mine.value() == sum;
            for (const auto& [replica, share] : shares) {
                agrees = agrees && mine.total(replica) == share;
            }
            return agrees ? std::nullopt : std::optional(to_text(explain(mine)));
        });
}

BOOST_AUTO_TEST_CASE(the_value_is_the_sum_of_all_totals) {
    grow_counter mine;
    BOOST_TEST(mine.value() == 0U);
    BOOST_TEST(mine.is_bottom());
    (void)mine.increment(alice);
    (void)mine.increment(alice, 4);
    (void)mine.increment(bob, 2);
    BOOST_TEST(mine.value() == 7U);
    BOOST_TEST(mine.total(alice) == 5U);
    BOOST_TEST(mine.total(bob) == 2U);
    BOOST_TEST(mine.total({3, 10}) == 0U);
}

BOOST_AUTO_TEST_CASE(concurrent_increments_all_count) {
    grow_counter mine;
    grow_counter theirs;
    const auto one = mine.increment(alice, 3);
    const auto two = theirs.increment(bob, 4);
    mine.join(two);
    theirs.join(one);
    BOOST_TEST(mine.value() == 7U);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(trap_additive_delta) {
    grow_counter mine;
    grow_counter theirs;
    const auto first = mine.increment(alice, 3);
    const auto second = mine.increment(alice, 2);
    for (int i = 0; i < 3; ++i) {
        theirs.join(second);
        theirs.join(first);
    }
    BOOST_TEST(theirs.value() == 5U);
    BOOST_TEST(second.value() == 5U);
}

BOOST_AUTO_TEST_CASE(trap_node_id_reuse) {
    // A node that lost its state counts in a new incarnation: what it counted before stands beside it.
    grow_counter others;
    grow_counter mine;
    others.join(mine.increment({1, 10}, 5));
    grow_counter restarted;
    others.join(restarted.increment({1, 11}, 2));
    BOOST_TEST(others.value() == 7U);
}

BOOST_AUTO_TEST_CASE(negative_amounts_are_refused_and_nothing_changes) {
    grow_counter mine;
    (void)mine.increment(alice, 3);
    const grow_counter before = mine;
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.increment(alice, -1); }));
    BOOST_TEST(is_refused(errc::negative_amount,
                          [&] { (void)mine.apply(alice, grow_counter::operations::increment{-5}); }));
    BOOST_TEST((mine == before));
}

BOOST_AUTO_TEST_CASE(an_increment_by_zero_stores_nothing) {
    grow_counter mine;
    BOOST_TEST(mine.increment(alice, 0).is_bottom());
    BOOST_TEST(mine.is_bottom());
    (void)mine.increment(alice, 3);
    BOOST_TEST(mine.increment(alice, 0).is_bottom());
    BOOST_TEST(mine.value() == 3U);
}

BOOST_AUTO_TEST_CASE(overflow_is_refused_and_concurrent_overflow_reads_as_the_end) {
    grow_counter mine;
    (void)mine.increment(alice, most);
    (void)mine.increment(alice, most);
    (void)mine.increment(alice, 1);
    BOOST_TEST(mine.value() == highest);
    const grow_counter before = mine;
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.increment(alice, 1); }));
    // Nor by another replica that knows of it, whose own total is small.
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.increment(bob, 1); }));
    BOOST_TEST((mine == before));
    BOOST_TEST(mine.increment(bob, 0).is_bottom());
    grow_counter theirs;
    mine.join(theirs.increment(bob, most));
    BOOST_TEST(mine.value() == highest);
    BOOST_TEST(mine.total(bob) == static_cast<std::uint64_t>(most));
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    std::vector<grow_counter> deltas;
    grow_counter up;
    for (std::uint64_t node = 0; node < 40; ++node) {
        deltas.push_back(up.increment({node * 7 % 40, node}, 1));
    }
    grow_counter down;
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
}

BOOST_AUTO_TEST_CASE(trap_digest_after_every_merge) {
    grow_counter mine;
    grow_counter theirs;
    auto before = mine.digest();
    mine.join(theirs.increment(bob, 2));
    BOOST_TEST((mine.digest() != before));
    before = mine.digest();
    (void)mine.delta_and_merge(theirs.increment(bob, 2));
    BOOST_TEST((mine.digest() != before));
    BOOST_TEST((mine.digest() == theirs.digest()));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    grow_counter mine;
    grow_counter theirs;
    const std::vector<grow_counter::operation> all{grow_counter::operations::increment{},
                                                   grow_counter::operations::increment{5}};
    for (const auto& each : decode<std::vector<grow_counter::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST(mine.value() == 6U);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_who_counted) {
    grow_counter mine;
    (void)mine.increment(bob, 2);
    (void)mine.increment(alice, 5);
    BOOST_TEST(to_text(explain(mine)) == "stands 1.10 = 5 (its total)\nstands 2.10 = 2 (its total)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    BOOST_TEST(says(refusal_of<grow_counter>({1, 1, 1, 2, 0}), "at byte 4: expected a total above zero"));
    BOOST_TEST(says(refusal_of<grow_counter>({1, 200, 1, 2, 1}), "expected"));
    BOOST_TEST(says(refusal_of<grow_counter>({1, 0, 0}), "at byte 2: expected the end"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
