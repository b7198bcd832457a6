#include <phoenix/crdt/pn_counter.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"

#include <cstdlib>
#include <limits>
#include <map>
#include <utility>

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
constexpr auto least = std::numeric_limits<std::int64_t>::min();

static_assert(decomposable<pn_counter> && operable<pn_counter> && explainable<pn_counter>);

laws::subject<pn_counter> changes(std::uint64_t lives) {
    return {.mutate = [lives](pn_counter& counter, const replica_id& here, laws::random_source& random) {
        const replica_id life{here.node, here.incarnation + random.below(lives)};
        pn_counter delta;
        do {
            const auto amount = static_cast<std::int64_t>(random.below(4));
            delta.join(random.one_in(2) ? counter.increment(life, amount) : counter.decrement(life, amount));
        } while (random.one_in(3));
        return delta;
    }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(pn_counter_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(changes(1));
    laws_hold(changes(8));
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    // A call is its amount, below zero for a decrement.
    testing::agrees_with_model<pn_counter, std::int64_t>(
        [](random_source& random) { return static_cast<std::int64_t>(random.below(9)) - 4; },
        [](pn_counter& mine, const replica_id& here, std::int64_t amount) {
            return amount < 0 ? mine.decrement(here, -amount) : mine.increment(here, amount);
        },
        [](const pn_counter& mine, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::int64_t sum = 0;
            std::map<replica_id, std::pair<std::int64_t, std::int64_t>> shares;
            history.for_each_seen(seen, [&](const auto& each) {
                sum += each.what;
                (each.what < 0 ? shares[each.by].second : shares[each.by].first) += std::abs(each.what);
            });
            bool agrees = mine.value() == sum;
            for (const auto& [replica, share] : shares) {
                agrees = agrees && mine.added(replica) == static_cast<std::uint64_t>(share.first) &&
                         mine.taken(replica) == static_cast<std::uint64_t>(share.second);
            }
            return agrees ? std::nullopt : std::optional(to_text(explain(mine)));
        });
}

BOOST_AUTO_TEST_CASE(the_value_is_what_was_added_less_what_was_taken) {
    pn_counter mine;
    BOOST_TEST(mine.value() == 0);
    (void)mine.increment(alice, 10);
    (void)mine.decrement(alice, 3);
    (void)mine.decrement(bob, 9);
    BOOST_TEST(mine.value() == -2);
    BOOST_TEST(mine.added(alice) == 10U);
    BOOST_TEST(mine.taken(alice) == 3U);
    BOOST_TEST(mine.added(bob) == 0U);
}

BOOST_AUTO_TEST_CASE(concurrent_changes_all_count) {
    pn_counter mine;
    pn_counter theirs;
    const auto one = mine.increment(alice);
    const auto two = theirs.decrement(bob, 4);
    mine.join(two);
    theirs.join(one);
    BOOST_TEST(mine.value() == -3);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(trap_additive_delta) {
    pn_counter mine;
    pn_counter theirs;
    const std::vector<pn_counter> deltas{mine.increment(alice, 3), mine.decrement(alice, 5),
                                         mine.decrement(alice, 1), mine.increment(alice, 4)};
    for (int i = 0; i < 3; ++i) {
        for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
            theirs.join(*each);
        }
    }
    BOOST_TEST(theirs.value() == 1);
    // A delta carries the total that it changed and no other.
    BOOST_TEST(deltas[3].added(alice) == 7U);
    BOOST_TEST(deltas[3].taken(alice) == 0U);
}

BOOST_AUTO_TEST_CASE(negative_amounts_are_refused_and_nothing_changes) {
    pn_counter mine;
    (void)mine.increment(alice, 3);
    const pn_counter before = mine;
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.increment(alice, -1); }));
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.decrement(alice, -1); }));
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.increment(alice, least); }));
    BOOST_TEST((mine == before));
}

BOOST_AUTO_TEST_CASE(a_change_by_zero_stores_nothing) {
    pn_counter mine;
    BOOST_TEST(mine.increment(alice, 0).is_bottom());
    BOOST_TEST(mine.decrement(alice, 0).is_bottom());
    BOOST_TEST(mine.is_bottom());
}

BOOST_AUTO_TEST_CASE(overflow_is_refused_and_concurrent_overflow_reads_as_the_end) {
    pn_counter mine;
    (void)mine.increment(alice, most);
    const pn_counter before = mine;
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.increment(alice, 1); }));
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.increment(bob, 1); }));
    BOOST_TEST((mine == before));
    pn_counter theirs;
    mine.join(theirs.increment(bob, most));
    BOOST_TEST(mine.value() == most);
    // The way back is open, also where it does not lead back into the range at once.
    BOOST_TEST(!mine.decrement(alice, 1).is_bottom());
    BOOST_TEST(!mine.decrement(alice, most - 1).is_bottom());
    BOOST_TEST(mine.value() == most);
    (void)mine.decrement(alice, 1);
    BOOST_TEST(mine.value() == most - 1);
    pn_counter low;
    (void)low.decrement(alice, most);
    (void)low.decrement(alice, 1);
    BOOST_TEST(low.value() == least);
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)low.decrement(bob, 1); }));
    BOOST_TEST(low.increment(bob, 1).value() == 1);
}

BOOST_AUTO_TEST_CASE(a_total_at_its_end_is_refused_though_the_value_is_small) {
    pn_counter mine;
    for (int i = 0; i < 2; ++i) {
        (void)mine.increment(alice, most);
        (void)mine.decrement(bob, most);
    }
    (void)mine.increment(alice, 1);
    BOOST_TEST(mine.value() == 1);
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.increment(alice, 1); }));
    BOOST_TEST(mine.increment({3, 10}, 1).value() == 1);
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    pn_counter up;
    std::vector<pn_counter> deltas;
    for (std::uint64_t node = 0; node < 40; ++node) {
        deltas.push_back(node % 3 == 0 ? up.decrement({node * 7 % 40, node})
                                       : up.increment({node * 7 % 40, node}));
    }
    pn_counter down;
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    pn_counter mine;
    pn_counter theirs;
    using operations = pn_counter::operations;
    const std::vector<pn_counter::operation> all{operations::increment{7}, operations::decrement{},
                                                 operations::decrement{2}};
    for (const auto& each : decode<std::vector<pn_counter::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST(mine.value() == 4);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(
        is_refused(errc::negative_amount, [&] { (void)mine.apply(alice, operations::decrement{-2}); }));
}

BOOST_AUTO_TEST_CASE(explains_who_changed_it) {
    pn_counter mine;
    (void)mine.increment(alice, 5);
    (void)mine.decrement(alice, 7);
    BOOST_TEST(to_text(explain(mine)) == "stands 1.10 = -2 (added 5, took 7)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    BOOST_TEST(refusal_of<pn_counter>({1, 1, 1, 2, 0, 1}).empty());
    BOOST_TEST(says(refusal_of<pn_counter>({1, 1, 1, 2, 0, 0}), "at byte 4: expected a total above zero"));
    BOOST_TEST(says(refusal_of<pn_counter>({1, 2, 1, 2, 0, 1}), "at byte 1: expected as many totals"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
