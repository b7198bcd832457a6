#include <phoenix/crdt/resettable_counter.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "replicas.hpp"

#include <cstdint>
#include <limits>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;
using testing::carol;
using testing::laws_hold;

static_assert(decomposable<resettable_counter> && operable<resettable_counter> &&
              explainable<resettable_counter>);

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

laws::subject<resettable_counter> counting() {
    return {.mutate = [](resettable_counter& counter, const replica_id& here, laws::random_source& random) {
        switch (random.below(6)) {
        case 0:
            return counter.reset(here);
        case 1:
            return counter.decrement(here, static_cast<std::int64_t>(random.below(4)));
        case 2: {
            resettable_counter batch;
            counter.edit(here, batch, [&](auto&& editor) {
                editor.increment(3);
                if (random.one_in(2)) {
                    editor.reset();
                }
                editor.decrement(1);
            });
            return batch;
        }
        default:
            return counter.increment(here, static_cast<std::int64_t>(random.below(10)));
        }
    }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(resettable_counter_test)

BOOST_AUTO_TEST_CASE(every_law_holds) {
    laws_hold(counting());
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    struct call {
        std::int64_t amount;
        bool resets;
    };

    testing::agrees_with_model<resettable_counter, call>(
        [](laws::random_source& random) {
            return call{static_cast<std::int64_t>(random.below(20)) - 5, random.one_in(5)};
        },
        [](resettable_counter& state, const replica_id& here, const call& what) {
            return what.resets       ? state.reset(here)
                   : what.amount < 0 ? state.decrement(here, -what.amount)
                                     : state.increment(here, what.amount);
        },
        [](const resettable_counter& state, const auto& history,
           const auto& seen) -> std::optional<std::string> {
            // The sum of the amounts that no reset has seen.
            std::int64_t expected = 0;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                bool counts = seen[i] && !history.events[i].what.resets;
                for (std::size_t later = i + 1; counts && later < seen.size(); ++later) {
                    counts = !(seen[later] && history.events[later].what.resets && history.saw(later, i));
                }
                expected += counts ? history.events[i].what.amount : 0;
            }
            return state.value() == expected ? std::nullopt : std::optional(to_text(explain(state)));
        });
}

BOOST_AUTO_TEST_CASE(counts_up_and_down) {
    resettable_counter counter;
    BOOST_TEST(counter.value() == 0);
    (void)counter.increment(alice, 5);
    (void)counter.decrement(bob, 7);
    BOOST_TEST(counter.value() == -2);
    BOOST_TEST(counter.increment(alice, 0).is_bottom());
}

BOOST_AUTO_TEST_CASE(trap_additive_delta) {
    resettable_counter counter;
    const auto delta = counter.increment(alice, 3);
    resettable_counter other;
    other.join(delta);
    other.join(delta);
    BOOST_TEST(other.value() == 3);
}

BOOST_AUTO_TEST_CASE(an_increment_that_the_reset_has_not_seen_survives_it_alone) {
    resettable_counter mine;
    resettable_counter theirs;
    theirs.join(mine.increment(alice, 5));
    const auto unseen = mine.increment(alice, 3);
    const auto reset = theirs.reset(bob);
    BOOST_TEST(theirs.value() == 0);
    mine.join(reset);
    theirs.join(unseen);
    BOOST_TEST(mine.value() == 3);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(trap_reset_remove_counter) {
    // The old total must not come back: neither by a late delta, nor by counting on after the reset.
    resettable_counter mine;
    const auto early = mine.increment(alice, 5);
    resettable_counter theirs = mine;
    mine.join(theirs.reset(bob));
    mine.join(early);
    BOOST_TEST(mine.value() == 0);
    const auto later = mine.increment(alice, 2);
    theirs.join(later);
    theirs.join(early);
    BOOST_TEST(mine.value() == 2);
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(concurrent_resets_forget_once) {
    resettable_counter mine;
    (void)mine.increment(alice, 5);
    resettable_counter theirs = mine;
    (void)mine.increment(alice, 4);
    resettable_counter third = mine;
    mine.join(theirs.reset(bob));
    mine.join(third.reset(carol));
    BOOST_TEST(mine.value() == 0);
    (void)mine.increment(alice, 1);
    BOOST_TEST(mine.value() == 1);
}

BOOST_AUTO_TEST_CASE(of_two_shares_of_one_replica_the_later_counts) {
    resettable_counter mine;
    const auto first = mine.increment(alice, 1);
    const auto second = mine.increment(alice, 1);
    const auto third = mine.increment(alice, 1);
    resettable_counter theirs;
    theirs.join(third);
    theirs.join(first);
    BOOST_TEST(theirs.value() == 3);
    theirs.join(second);
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(a_reset_keeps_the_floors_of_shares_still_to_come) {
    resettable_counter mine;
    const auto counted = mine.increment(alice, 5);
    resettable_counter theirs = mine;
    const auto first_reset = theirs.reset(bob);
    resettable_counter third;
    third.join(first_reset);
    (void)third.increment(carol, 1);
    (void)third.reset(carol);
    third.join(counted);
    BOOST_TEST(third.value() == 0);
}

BOOST_AUTO_TEST_CASE(trap_negative_increment_is_refused) {
    resettable_counter counter;
    (void)counter.increment(alice, 2);
    const resettable_counter before = counter;
    BOOST_CHECK_EXCEPTION((void)counter.increment(alice, -1), std::system_error,
                          [](const auto& e) { return e.code() == errc::negative_amount; });
    BOOST_CHECK_EXCEPTION((void)counter.decrement(alice, -1), std::system_error,
                          [](const auto& e) { return e.code() == errc::negative_amount; });
    BOOST_TEST((counter == before));
}

BOOST_AUTO_TEST_CASE(overflow_is_refused_and_sums_end_at_the_range) {
    resettable_counter counter;
    (void)counter.increment(alice, most);
    const resettable_counter before = counter;
    BOOST_CHECK_EXCEPTION((void)counter.increment(alice, 1), std::system_error,
                          [](const auto& e) { return e.code() == errc::counter_overflow; });
    BOOST_TEST((counter == before));
    (void)counter.increment(bob, 1);
    BOOST_TEST(counter.value() == most);
    (void)counter.decrement(bob, 2);
    BOOST_TEST(counter.value() == most - 1);
}

BOOST_AUTO_TEST_CASE(many_increments_leave_one_share) {
    resettable_counter counter;
    resettable_counter batch;
    for (int i = 0; i < 1000; ++i) {
        batch.join(counter.increment(alice));
    }
    BOOST_TEST(counter.live().count() == 1U);
    BOOST_TEST(encode(batch).size() < 32U);
    BOOST_TEST((batch == counter));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    resettable_counter counter;
    (void)counter.apply(alice, resettable_counter::operations::increment{5});
    (void)counter.apply(alice, resettable_counter::operations::decrement{2});
    BOOST_TEST(counter.value() == 3);
    (void)counter.apply(bob, resettable_counter::operations::reset{});
    BOOST_TEST(counter.value() == 0);
}

BOOST_AUTO_TEST_CASE(explains_what_stands) {
    resettable_counter counter;
    (void)counter.increment(alice, 5);
    (void)counter.reset(bob);
    (void)counter.increment(alice, 2);
    const std::string text = to_text(explain(counter));
    BOOST_TEST(text.find("stands +2 -0 by 1.10:2") != std::string::npos, text);
    BOOST_TEST(text.find("a reset that saw 1 shares") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
