#include <phoenix/crdt/bounded_counter.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"

#include <limits>
#include <map>
#include <set>

namespace phoenix::crdt {

namespace {

using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

constexpr replica_id alice{1, 10};
constexpr replica_id bob{2, 10};
constexpr replica_id carol{3, 10};
constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto least = std::numeric_limits<std::int64_t>::min();

using stock = bounded_counter<>;
using seats = bounded_counter<100, bound_side::upper>;

static_assert(decomposable<stock> && operable<stock> && explainable<stock>);
static_assert(decomposable<seats> && operable<seats> && explainable<seats>);

/// One change: a step away from the bound makes rights, one towards it spends them, a gift moves them.
struct drawn {
    enum class kind : std::uint8_t { away, towards, gift };

    kind what = kind::away;
    std::int64_t amount = 0;
};

/// Spends and gives no more than is held.
drawn draw(std::int64_t held, laws::random_source& random) {
    const auto some = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(held) + 1));
    switch (random.below(4)) {
    case 0:
        return {drawn::kind::gift, some};
    case 1:
        return {drawn::kind::towards, some};
    default:
        return {drawn::kind::away, static_cast<std::int64_t>(random.below(5))};
    }
}

template <class Counter>
Counter perform(Counter& counter, const drawn& what, const replica_id& here, const replica_id& other) {
    if (what.what == drawn::kind::gift) {
        return counter.transfer(here, other, what.amount);
    }
    const bool up = (what.what == drawn::kind::away) == (Counter::side == bound_side::lower);
    return up ? counter.increment(here, what.amount) : counter.decrement(here, what.amount);
}

template <class Counter>
laws::subject<Counter> changes() {
    return {.mutate = [](Counter& counter, const replica_id& here, laws::random_source& random) {
        Counter delta;
        do {
            const replica_id other = laws::replica_number(random.below(4));
            delta.join(perform(counter, draw(counter.rights(here), random), here, other));
        } while (random.one_in(3));
        return delta;
    }};
}

template <class Counter>
std::int64_t distance_of(const Counter& counter) {
    return Counter::side == bound_side::lower ? counter.value() - Counter::bound
                                              : Counter::bound - counter.value();
}

/// Replicas change and join whole states within partitions that come and go; with `deltas_travel` also any
/// delta and any state of long ago. A model that never looks into the counters counts what was done, and what
/// each can know of it.
template <class Counter>
void keeps_its_bound(bool deltas_travel) {
    constexpr std::size_t count = 5;
    laws::random_source random(testing::random_seed());
    BOOST_TEST_MESSAGE("PHOENIX_TEST_SEED=" << testing::random_seed());
    for (std::size_t run = 0; run < testing::cases_wanted(); ++run) {
        std::vector<Counter> replicas(count);
        std::vector<Counter> travelling;
        std::vector<std::int64_t> steps;
        std::vector<std::set<std::size_t>> known(count);
        std::int64_t expected = 0;
        std::uint64_t sides = 0;
        for (int i = 0; i < 60; ++i) {
            const std::size_t here = random.below(count);
            const std::size_t peer = random.below(count);
            const std::uint64_t kind = random.below(8);
            if (random.one_in(10)) {
                sides = random.below(1U << count);
            }
            if (kind < 2 && (sides >> here & 1) == (sides >> peer & 1)) {
                replicas[here].join(Counter(replicas[peer]));
                known[here].insert(known[peer].begin(), known[peer].end());
            } else if (kind < 4 && deltas_travel && !travelling.empty()) {
                replicas[here].join(travelling[random.below(travelling.size())]);
            } else if (kind < 5 && deltas_travel) {
                travelling.push_back(replicas[here]);
            } else {
                const replica_id me = laws::replica_number(here);
                const replica_id other = laws::replica_number(peer);
                const std::int64_t held = replicas[here].rights(me);
                const drawn what = draw(held, random);
                travelling.push_back(perform(replicas[here], what, me, other));
                steps.push_back(what.what == drawn::kind::away      ? what.amount
                                : what.what == drawn::kind::towards ? -what.amount
                                                                    : 0);
                expected += steps.back();
                known[here].insert(steps.size() - 1);
                const std::int64_t left = replicas[here].rights(me);
                for (const auto refused : {drawn::kind::towards, drawn::kind::gift}) {
                    BOOST_TEST_REQUIRE(is_refused(errc::insufficient_rights, [&] {
                        (void)perform(replicas[here], {refused, left + 1}, me, other);
                    }));
                }
            }
            BOOST_TEST_REQUIRE(expected >= 0);
            Counter all;
            std::int64_t rights = 0;
            for (std::size_t each = 0; each < count; ++each) {
                all.join(replicas[each]);
                rights += replicas[each].rights(laws::replica_number(each));
                BOOST_TEST_REQUIRE(distance_of(replicas[each]) >= 0);
                if (!deltas_travel) {
                    std::int64_t sum = 0;
                    for (const std::size_t step : known[each]) {
                        sum += steps[step];
                    }
                    BOOST_TEST_REQUIRE(distance_of(replicas[each]) == sum);
                }
            }
            BOOST_TEST_REQUIRE(distance_of(all) == expected);
            // What all of them could take at once, without another word between them.
            BOOST_TEST_REQUIRE(rights <= expected);
        }
    }
}

/// What was done, and by whom to whom: a plain ledger of rights.
struct ledger {
    struct call {
        drawn what;
        replica_id other;
    };

    using history = testing::causal_history<call>;

    /// Of the events that were seen; those that spent or gave more than their caller had are not done.
    ledger(const history& told, const history::seen_set& seen) {
        std::vector<bool> done;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            done.push_back(may_be_done(told, i, done));
            if (seen[i] && done[i]) {
                enter(told.events[i]);
            }
        }
    }

    void enter(const history::event& each) {
        const std::int64_t amount = each.what.what.amount;
        switch (each.what.what.what) {
        case drawn::kind::away:
            distance += amount;
            rights[each.by] += amount;
            break;
        case drawn::kind::towards:
            distance -= amount;
            rights[each.by] -= amount;
            break;
        default:
            rights[each.by] -= amount;
            rights[each.what.other] += amount;
        }
    }

    static bool may_be_done(const history& told, std::size_t event, const std::vector<bool>& done) {
        ledger before;
        for (std::size_t i = 0; i < event; ++i) {
            if (done[i] && told.saw(event, i)) {
                before.enter(told.events[i]);
            }
        }
        const auto& [what, by, past] = told.events[event];
        return what.what.what == drawn::kind::away || what.what.amount <= before.rights[by];
    }

    std::int64_t distance = 0;
    std::map<replica_id, std::int64_t> rights;

private:
    ledger() = default;
};

template <class Counter>
void agrees_with_a_ledger() {
    testing::agrees_with_model<Counter, ledger::call>(
        [](laws::random_source& random) {
            constexpr drawn::kind kinds[] = {drawn::kind::away, drawn::kind::towards, drawn::kind::gift};
            return ledger::call{{kinds[random.below(3)], static_cast<std::int64_t>(random.below(6))},
                                laws::replica_number(random.below(5))};
        },
        [](Counter& mine, const replica_id& here, const ledger::call& call) {
            Counter delta;
            try {
                delta = perform(mine, call.what, here, call.other);
            } catch (const std::system_error& e) {
                BOOST_TEST_REQUIRE((e.code() == errc::insufficient_rights));
            }
            return delta;
        },
        [](const Counter& mine, const auto& history, const auto& seen) -> std::optional<std::string> {
            const ledger expected(history, seen);
            bool agrees = distance_of(mine) == expected.distance;
            for (const auto& [replica, held] : expected.rights) {
                agrees = agrees && mine.rights(replica) == held;
            }
            return agrees ? std::nullopt : std::optional(to_text(explain(mine)));
        });
}

} // namespace

BOOST_AUTO_TEST_SUITE(bounded_counter_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(changes<stock>());
    laws_hold(changes<seats>());
}

BOOST_AUTO_TEST_CASE(it_starts_at_its_bound_and_increments_make_rights) {
    stock mine;
    BOOST_TEST(mine.value() == 0);
    BOOST_TEST(mine.is_bottom());
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)mine.decrement(alice, 1); }));
    (void)mine.increment(alice, 10);
    BOOST_TEST(mine.value() == 10);
    BOOST_TEST(mine.rights(alice) == 10);
    BOOST_TEST(mine.rights(bob) == 0);
    (void)mine.decrement(alice, 4);
    BOOST_TEST(mine.value() == 6);
    BOOST_TEST(mine.rights(alice) == 6);
}

BOOST_AUTO_TEST_CASE(a_replica_without_rights_is_refused_though_others_have_some) {
    stock mine;
    (void)mine.increment(alice, 10);
    const stock before = mine;
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)mine.decrement(bob, 1); }));
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)mine.decrement(alice, 11); }));
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)mine.transfer(bob, alice, 1); }));
    BOOST_TEST((mine == before));
    try {
        (void)mine.decrement(alice, 11);
    } catch (const std::system_error& e) {
        BOOST_TEST(says(e.what(), "decrement: expected at most the 10 rights of replica 1.10, found 11"));
    }
}

BOOST_AUTO_TEST_CASE(rights_move_between_replicas) {
    stock mine;
    stock theirs;
    auto delta = mine.increment(alice, 10);
    delta.join(mine.transfer(alice, bob, 4));
    BOOST_TEST(mine.value() == 10);
    BOOST_TEST(mine.rights(alice) == 6);
    BOOST_TEST(mine.rights(bob) == 4);
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)mine.decrement(alice, 7); }));
    theirs.join(delta);
    (void)theirs.transfer(bob, carol, 1);
    (void)theirs.decrement(bob, 3);
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)theirs.decrement(bob, 1); }));
    (void)theirs.transfer(carol, alice, 1);
    mine.join(theirs);
    BOOST_TEST(mine.value() == 7);
    BOOST_TEST(mine.rights(alice) == 7);
    BOOST_TEST(mine.rights(bob) == 0);
    BOOST_TEST(mine.rights(carol) == 0);
}

BOOST_AUTO_TEST_CASE(a_gift_to_oneself_is_nothing) {
    stock mine;
    (void)mine.increment(alice, 3);
    BOOST_TEST(mine.transfer(alice, alice, 2).is_bottom());
    BOOST_TEST(mine.rights(alice) == 3);
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)mine.transfer(alice, alice, 4); }));
}

BOOST_AUTO_TEST_CASE(two_sides_of_a_partition_never_take_more_than_there_is) {
    stock left;
    (void)left.increment(alice, 5);
    (void)left.transfer(alice, bob, 2);
    stock right = left;
    (void)left.decrement(alice, 3);
    (void)right.decrement(bob, 2);
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)left.decrement(alice, 1); }));
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)right.decrement(bob, 1); }));
    BOOST_TEST(left.value() == 2);
    BOOST_TEST(right.value() == 3);
    left.join(right);
    BOOST_TEST(left.value() == 0);
}

BOOST_AUTO_TEST_CASE(the_upper_bound_is_the_mirror) {
    seats taken;
    BOOST_TEST(taken.value() == 100);
    (void)taken.decrement(alice, 30);
    BOOST_TEST(taken.value() == 70);
    BOOST_TEST(taken.rights(alice) == 30);
    (void)taken.transfer(alice, bob, 10);
    (void)taken.increment(bob, 10);
    BOOST_TEST(taken.value() == 80);
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)taken.increment(bob, 1); }));
    (void)taken.increment(alice, 20);
    BOOST_TEST(taken.value() == 100);
}

BOOST_AUTO_TEST_CASE(a_bound_may_be_any_number) {
    bounded_counter<-5> low;
    BOOST_TEST(low.value() == -5);
    (void)low.increment(alice, 7);
    (void)low.decrement(alice, 7);
    BOOST_TEST(low.value() == -5);
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)low.decrement(alice, 1); }));
}

BOOST_AUTO_TEST_CASE(trap_additive_delta) {
    stock mine;
    stock theirs;
    const std::vector<stock> deltas{mine.increment(alice, 9), mine.decrement(alice, 2),
                                    mine.transfer(alice, bob, 3), mine.transfer(alice, bob, 1)};
    for (int i = 0; i < 3; ++i) {
        for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
            theirs.join(*each);
        }
    }
    BOOST_TEST((theirs == mine));
    BOOST_TEST(theirs.value() == 7);
    BOOST_TEST(theirs.rights(alice) == 3);
    BOOST_TEST(theirs.rights(bob) == 4);
}

BOOST_AUTO_TEST_CASE(a_spending_that_arrives_before_its_rights_shows_nothing_below_the_bound) {
    stock mine;
    const auto first = mine.increment(alice, 5);
    const auto second = mine.decrement(alice, 4);
    stock theirs;
    theirs.join(second);
    BOOST_TEST(theirs.value() == 0);
    BOOST_TEST(theirs.rights(alice) == 0);
    theirs.join(first);
    BOOST_TEST(theirs.value() == 1);
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(no_history_leads_beyond_the_bound) {
    keeps_its_bound<stock>(true);
    keeps_its_bound<seats>(true);
}

BOOST_AUTO_TEST_CASE(states_joined_whole_show_exactly_what_they_know) {
    keeps_its_bound<stock>(false);
    keeps_its_bound<seats>(false);
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    agrees_with_a_ledger<stock>();
    agrees_with_a_ledger<seats>();
}

BOOST_AUTO_TEST_CASE(trap_node_id_reuse) {
    // The rights of a former incarnation are not the new one's, until they are moved in its name.
    constexpr replica_id former{1, 10};
    constexpr replica_id now{1, 11};
    stock mine;
    (void)mine.increment(former, 5);
    BOOST_TEST(is_refused(errc::insufficient_rights, [&] { (void)mine.decrement(now, 1); }));
    (void)mine.transfer(former, now, mine.rights(former));
    (void)mine.decrement(now, 5);
    BOOST_TEST(mine.value() == 0);
    BOOST_TEST(mine.rights(former) == 0);
}

BOOST_AUTO_TEST_CASE(negative_amounts_are_refused_and_nothing_changes) {
    stock mine;
    (void)mine.increment(alice, 3);
    const stock before = mine;
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.increment(alice, -1); }));
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.decrement(alice, -1); }));
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.transfer(alice, bob, least); }));
    BOOST_TEST((mine == before));
}

BOOST_AUTO_TEST_CASE(amounts_of_zero_store_nothing) {
    stock mine;
    BOOST_TEST(mine.increment(alice, 0).is_bottom());
    BOOST_TEST(mine.decrement(alice, 0).is_bottom());
    BOOST_TEST(mine.transfer(alice, bob, 0).is_bottom());
    BOOST_TEST(mine.is_bottom());
}

BOOST_AUTO_TEST_CASE(overflow_is_refused_and_concurrent_overflow_reads_as_the_end) {
    stock mine;
    (void)mine.increment(alice, most);
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.increment(bob, 1); }));
    stock theirs;
    mine.join(theirs.increment(bob, most));
    BOOST_TEST(mine.value() == most);
    (void)mine.decrement(alice, most);
    BOOST_TEST(mine.value() == most);
    bounded_counter<least + 2, bound_side::upper> low;
    (void)low.decrement(alice, 2);
    BOOST_TEST(low.value() == least);
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)low.decrement(alice, 1); }));
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    stock up;
    std::vector<stock> deltas;
    for (std::uint64_t node = 0; node < 20; ++node) {
        const replica_id here{node * 7 % 20, 3};
        deltas.push_back(up.increment(here, 5));
        deltas.push_back(up.transfer(here, {node, 4}, 2));
        deltas.push_back(up.decrement(here, 1));
    }
    stock down;
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
    BOOST_TEST((decode<stock>(encode(up)) == up));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    using operations = stock::operations;
    stock mine;
    stock theirs;
    const std::vector<stock::operation> all{operations::increment{9}, operations::decrement{2},
                                            operations::transfer{bob, 3}};
    for (const auto& each : decode<std::vector<stock::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST((mine == theirs));
    BOOST_TEST(mine.value() == 7);
    BOOST_TEST(mine.rights(alice) == 4);
    BOOST_TEST(mine.rights(bob) == 3);
}

BOOST_AUTO_TEST_CASE(explains_where_the_rights_are) {
    stock mine;
    (void)mine.increment(alice, 9);
    (void)mine.transfer(alice, bob, 3);
    (void)mine.decrement(bob, 1);
    BOOST_TEST(to_text(explain(mine)) == "stands 1.10 = 6 (rights: minted 9, received 0, gave 3, spent 0)\n"
                                         "stands 2.10 = 2 (rights: minted 0, received 3, gave 0, spent 1)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    // Replicas 1.1 and 2.1, minted 5 and 0; then gifts.
    BOOST_TEST(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 1, 0, 1, 2}).empty());
    BOOST_TEST(says(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 1, 0, 2, 2}),
                    "at byte 11: expected a gift above zero between two of the replicas"));
    BOOST_TEST(
        says(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 1, 2, 0, 2}), "at byte 11: expected a gift"));
    BOOST_TEST(
        says(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 1, 0, 1, 0}), "at byte 11: expected a gift"));
    BOOST_TEST(
        says(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 1, 1, 1, 2}), "at byte 11: expected a gift"));
    BOOST_TEST(says(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 2, 1, 0, 2, 0, 1, 2}),
                    "at byte 14: expected gifts in ascending order"));
    BOOST_TEST(says(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 2, 0, 1, 2, 0, 1, 2}),
                    "at byte 14: expected gifts in ascending order"));
    BOOST_TEST(says(refusal_of<stock>({1, 2, 1, 2, 5, 0, 1, 0, 0, 0, 0}),
                    "at byte 1: expected replicas that minted, spent, gave or received"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
