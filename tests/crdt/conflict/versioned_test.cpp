#include <phoenix/crdt/conflict/configuration.hpp>
#include <phoenix/crdt/conflict/in_register.hpp>
#include <phoenix/crdt/conflict/manual.hpp>
#include <phoenix/crdt/conflict/vector_clock.hpp>
#include <phoenix/crdt/conflict/versioned.hpp>
#include <phoenix/crdt/conflict/writer_order.hpp>
#include <phoenix/crdt/laws/history.hpp>
#include <phoenix/crdt/mv_register.hpp>

#include "../laws_hold.hpp"
#include "any_order.hpp"

#include <string>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

using laws::random_source;
using testing::alice;
using testing::bob;
using testing::carol;

using stored = mv_register<versioned<value>>;

/// One replica of a counter kept as a plain value.
struct replica {
    replica_id id;
    stored state;

    void set(std::uint64_t at, const value& to) { (void)conflict::set(state, id, to, {at, 0}); }

    /// True when there was a conflict. `ancestor` is what the siblings were made from.
    bool resolve(const value& ancestor) {
        if (!in_conflict(state)) {
            return false;
        }
        const auto found = conflict::resolve(
            context_of(state, {.data_type = "counter", .ancestor = ancestor}), semantic<value>());
        BOOST_REQUIRE_MESSAGE(found.is_resolved(), found.why());
        BOOST_TEST(apply(state, id, found.result(), {100, 0}).has_value());
        BOOST_TEST(!in_conflict(state));
        return true;
    }
};

void sync(std::vector<replica>& all) {
    for (replica& each : all) {
        for (const replica& other : all) {
            each.state.join(other.state);
        }
    }
}

/// Alice, bob and carol, who have 5 from alice.
std::vector<replica> three_with_five() {
    std::vector<replica> all{{alice, {}}, {bob, {}}, {carol, {}}};
    all[0].set(1, 5);
    sync(all);
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conflict_versioned_test)

BOOST_AUTO_TEST_CASE(a_register_without_conflict_has_a_value) {
    stored state;
    BOOST_TEST(!in_conflict(state));
    BOOST_TEST(!value_of(state).has_value());
    (void)conflict::set(state, alice, value("tea"), {1, 0});
    BOOST_TEST((*value_of(state) == value("tea")));
    BOOST_TEST(!in_conflict(state));
    const auto about = context_of(state);
    BOOST_TEST((about.siblings.begin()->by == dot{alice, 1}));
    BOOST_TEST(about.siblings.begin()->time.wall_us == 1U);
    BOOST_TEST(about.siblings.begin()->clock.at(alice) == 1U);
}

BOOST_AUTO_TEST_CASE(two_replicas_that_resolve_at_once_come_to_one_value) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    sync(all);
    BOOST_TEST(in_conflict(all[2].state));
    BOOST_TEST(all[0].resolve(5));
    BOOST_TEST(all[1].resolve(5));
    BOOST_TEST((*value_of(all[0].state) == value(8)));
    sync(all);
    for (const replica& each : all) {
        // Both resolutions stand, and they are one.
        BOOST_TEST(each.state.size() == 2U);
        BOOST_TEST(!in_conflict(each.state));
        BOOST_TEST((*value_of(each.state) == value(8)));
        BOOST_TEST((each.state == all[0].state));
    }
    // The next write builds on it, and both are gone.
    all[2].set(3, 9);
    sync(all);
    BOOST_TEST(all[0].state.size() == 1U);
    BOOST_TEST((*value_of(all[0].state) == value(9)));
}

BOOST_AUTO_TEST_CASE(resolutions_of_overlapping_siblings_count_each_once) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    all[2].set(2, 9);
    all[0].state.join(all[1].state);
    all[2].state.join(all[1].state);
    BOOST_TEST(all[0].resolve(5));
    BOOST_TEST(all[2].resolve(5));
    BOOST_TEST((*value_of(all[0].state) == value(8)));
    BOOST_TEST((*value_of(all[2].state) == value(11)));
    sync(all);
    BOOST_TEST(all[1].resolve(5));
    BOOST_TEST((*value_of(all[1].state) == value(12)));
    sync(all);
    BOOST_TEST((*value_of(all[0].state) == value(12)));
}

BOOST_AUTO_TEST_CASE(who_resolved_more_is_right_and_nothing_is_written) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    all[2].set(2, 9);
    all[0].state.join(all[1].state);
    for (const replica& other : {all[0], all[1]}) {
        all[2].state.join(other.state);
    }
    BOOST_TEST(all[0].resolve(5));
    BOOST_TEST(all[2].resolve(5));
    sync(all);
    for (const replica& each : all) {
        BOOST_TEST(!in_conflict(each.state));
        BOOST_TEST((*value_of(each.state) == value(12)));
    }
}

BOOST_AUTO_TEST_CASE(a_write_that_saw_a_resolution_takes_its_siblings_with_it) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    all[2].set(2, 9);
    stored both = all[0].state;
    both.join(all[1].state);
    all[0].state = both;
    BOOST_TEST(all[0].resolve(5));
    all[0].set(3, 10); // 5, 1 and 2 of the siblings, and 2 of its own
    all[2].state.join(both);
    BOOST_TEST(all[2].resolve(5)); // 12
    sync(all);
    BOOST_TEST((context_of(all[1].state).siblings.size() == 2U));
    BOOST_TEST(all[1].resolve(5));
    BOOST_TEST((*value_of(all[1].state) == value(14)));
    // The ancestor came with the resolution.
    BOOST_TEST((context_of(all[2].state).ancestor == std::optional(value(5))));
}

BOOST_AUTO_TEST_CASE(replicas_with_different_rules_end_with_one_value_and_write_no_more) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    sync(all);
    const auto last = resolve(context_of(all[0].state), last_writer<value>());
    const auto first = resolve(context_of(all[1].state), first_writer<value>());
    BOOST_TEST(apply(all[0].state, alice, last.result(), {3, 0}).has_value());
    BOOST_TEST(apply(all[1].state, bob, first.result(), {3, 0}).has_value());
    sync(all);
    for (const replica& each : all) {
        BOOST_TEST(!in_conflict(each.state));
        BOOST_TEST((*value_of(each.state) == value(6)));
    }
}

BOOST_AUTO_TEST_CASE(what_was_cleared_is_not_forgotten_by_the_clock) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    all[2].state.join(all[0].state);
    all[2].state.join(all[1].state);
    BOOST_TEST(all[2].resolve(5)); // stands for alice's 6 and bob's 7
    (void)all[0].state.clear(alice);
    all[0].set(3, 1);
    sync(all);
    const auto about = context_of(all[0].state);
    BOOST_TEST((about.siblings.dots() == std::vector<dot>{{alice, 3}, {bob, 1}}));
}

BOOST_AUTO_TEST_CASE(a_resolution_of_siblings_that_have_changed_is_not_written) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    all[2].set(2, 9);
    all[0].state.join(all[1].state);
    const auto found = resolve(context_of(all[0].state), vector_clock<value>());
    const stored before = all[0].state;
    all[0].state.join(all[2].state);
    const stored changed = all[0].state;
    BOOST_TEST(!apply(all[0].state, alice, found.result(), {3, 0}).has_value());
    BOOST_TEST((all[0].state == changed));
    stored copy = before;
    const auto delta = apply(copy, alice, found.result(), {3, 0});
    BOOST_TEST((value_of(*delta) == value_of(copy)));
    BOOST_TEST(!apply(copy, alice, found.result(), {3, 0}).has_value());
}

BOOST_AUTO_TEST_CASE(different_decisions_by_hand_are_a_conflict_between_them) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    sync(all);
    for (int i : {0, 1}) {
        replica& at = all[static_cast<std::size_t>(i)];
        manual_queue<value> waiting;
        const auto said = resolve(context_of(at.state, {.object = "count"}), manual(waiting));
        BOOST_TEST(!said.is_resolved());
        const auto found =
            waiting.resolve(waiting.find("count")->ticket, i == 0 ? "ann's" : "ben's", "somebody");
        BOOST_TEST(apply(at.state, at.id, found.result(), {9, 0}).has_value());
        BOOST_TEST(!in_conflict(at.state));
    }
    sync(all);
    BOOST_TEST(in_conflict(all[2].state));
    const auto siblings = context_of(all[2].state).siblings;
    BOOST_TEST(siblings.size() == 2U);
    BOOST_TEST((siblings.begin()->value == value("ann's")));
}

BOOST_AUTO_TEST_CASE(a_decision_by_hand_supersedes_resolutions_too) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    all[2].set(2, 9);
    all[0].state.join(all[1].state);
    BOOST_TEST(all[0].resolve(5));
    sync(all);
    manual_queue<value> waiting;
    BOOST_TEST(!resolve(context_of(all[1].state, {.object = "count"}), manual(waiting)).is_resolved());
    const auto found = waiting.resolve(waiting.find("count")->ticket, 40, "ann");
    BOOST_TEST(apply(all[1].state, bob, found.result(), {9, 0}).has_value());
    sync(all);
    BOOST_TEST(all[0].state.size() == 1U);
    BOOST_TEST((*value_of(all[0].state) == value(40)));
}

BOOST_AUTO_TEST_CASE(whatever_is_resolved_where_in_the_end_everything_counts_once) {
    const std::uint64_t seed = phoenix::crdt::testing::random_seed();
    random_source random(seed);
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << seed)
    for (std::size_t round = 0; round < phoenix::crdt::testing::cases_wanted() / 5; ++round) {
        std::vector<replica> all;
        for (std::uint64_t i = 1; i <= 4; ++i) {
            all.push_back({{i, 1}, {}});
        }
        std::int64_t total = 0;
        for (std::uint64_t time = 1; time <= 3; ++time) {
            const value before = total;
            for (replica& each : all) {
                if (!random.one_in(4)) {
                    const auto more = static_cast<std::int64_t>(random.below(9)) - 2;
                    each.set(time,
                             before == value(0) ? value(more) : value(*before.as<std::int64_t>() + more));
                    total += more;
                }
            }
            for (std::uint64_t steps = random.below(12); steps > 0; --steps) {
                replica& here = all[random.below(all.size())];
                here.state.join(all[random.below(all.size())].state);
                if (random.one_in(2)) {
                    (void)here.resolve(before);
                }
            }
            // Rules that agree end at once: the first resolution of everything is everybody's.
            sync(all);
            for (replica& each : all) {
                (void)each.resolve(before);
            }
            sync(all);
            for (const replica& each : all) {
                BOOST_TEST(!in_conflict(each.state));
                BOOST_TEST((each.state == all[0].state));
                if (!each.state.empty()) {
                    BOOST_TEST(to_text(*value_of(each.state)) == std::to_string(total));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(versioned_values_have_bytes) {
    auto all = three_with_five();
    all[0].set(2, 6);
    all[1].set(2, 7);
    sync(all);
    BOOST_TEST(all[0].resolve(5));
    BOOST_TEST((decode<stored>(encode(all[0].state)) == all[0].state));
    BOOST_TEST((decode<stored>(encode(all[1].state)) == all[1].state));
}

BOOST_AUTO_TEST_CASE(a_causal_register_is_resolved_by_strategies_that_choose) {
    causal_register<int> mine;
    causal_register<int> theirs;
    theirs.join(mine.set(alice, 1, {1, 0}));
    const auto first = mine.set(alice, -3, {5, 0});
    const auto second = theirs.set(bob, 2, {4, 0});
    mine.join(second);
    theirs.join(first);
    BOOST_TEST(in_conflict(mine));
    const auto positive = configuration<int>([](const int& number) {
        return number > 0 ? std::nullopt : std::optional<std::string>("expected a positive number");
    });
    const auto found = resolve(context_of(mine), positive);
    BOOST_TEST(found.result().value == 2);
    const auto late = causal_register<int>(theirs).set(carol, 7, {9, 0});
    const auto change = apply(mine, alice, found.result(), {6, 0});
    const auto same_change = apply(theirs, bob, resolve(context_of(theirs), positive).result(), {6, 0});
    mine.join(same_change);
    theirs.join(change);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(!in_conflict(mine));
    BOOST_TEST(*mine.value() == 2);
    // What came meanwhile stays, in conflict with the resolution.
    mine.join(late);
    BOOST_TEST(in_conflict(mine));
    // What was resolved already is not resolved again.
    const auto before = mine;
    BOOST_TEST(apply(mine, alice, found.result(), {7, 0}).is_bottom());
    BOOST_TEST((mine == before));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt::conflict
