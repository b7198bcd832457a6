#include <phoenix/crdt/pure_types.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"
#include "replicas.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using laws::random_source;
using testing::alice;
using testing::bob;
using testing::carol;
using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

using words = pure_set<std::string>;
using word = words::policy::operations;
using numbers = pure_set<std::uint64_t>;
using number = numbers::policy::operations;
using name = pure_register<std::string>;
using set_name = name::policy::operations::set;
using increment = pure_counter_policy::operations::increment;
using decrement = pure_counter_policy::operations::decrement;

static_assert(decomposable<words> && operable<words> && explainable<words>);
static_assert(decomposable<name> && operable<name> && explainable<name>);
static_assert(decomposable<pure_counter> && operable<pure_counter> && explainable<pure_counter>);
static_assert(pure_counter::folds && !words::folds);

numbers::operation any_operation(random_source& random, std::uint64_t range) {
    switch (random.below(8)) {
    case 0:
        return number::clear{};
    case 1:
    case 2:
    case 3:
        return number::remove{random.below(range)};
    default:
        return number::add{random.below(range)};
    }
}

/// Some of what was seen, true or not: the lattice must not depend on it.
template <class Log>
version_vector any_stable(const Log& log, random_source& random) {
    version_vector stable;
    log.context().for_each_interval([&](const replica_id& replica, std::uint64_t, std::uint64_t last) {
        while (random.below(last + 2) > stable.at(replica)) {
            stable.tick(replica);
        }
    });
    return stable;
}

template <class Log, class Draw>
laws::subject<Log> subject_of(Draw draw) {
    return {.mutate =
                [draw](Log& log, const replica_id& here, random_source& random) {
                    if (random.one_in(4)) {
                        return log.stabilize(any_stable(log, random));
                    }
                    if (random.one_in(6)) {
                        Log batch = log.apply(here, draw(random));
                        batch.join(log.apply(here, draw(random)));
                        return batch;
                    }
                    return log.apply(here, draw(random));
                },
            .show =
                [](const Log& log) {
                    return "\n" + to_text(crdt::explain(log));
                }};
}

laws::subject<numbers> sets(std::uint64_t range) {
    return subject_of<numbers>([range](random_source& random) { return any_operation(random, range); });
}

laws::subject<pure_register<int>> registers() {
    return subject_of<pure_register<int>>([](random_source& random) {
        return pure_register_policy<int>::operations::set{static_cast<int>(random.below(10))};
    });
}

pure_counter::operation any_count(random_source& random) {
    const auto amount = static_cast<std::int64_t>(random.below(10));
    return random.one_in(3) ? pure_counter::operation(decrement{amount}) : increment{amount};
}

laws::subject<pure_counter> counters() {
    return subject_of<pure_counter>(any_count);
}

/// A policy whose relation is not transitive, and whose value looks at the order: operation n makes n - 1 obsolete.
struct ladder_policy {
    using operation = std::uint64_t;

    static bool old_is_obsolete(operation old, operation fresh) { return old + 1 == fresh; }

    static bool new_is_obsolete(operation fresh, const operation_log<ladder_policy>& log) {
        return std::ranges::any_of(log.operations(),
                                   [&](const auto& each) { return each.second.what == fresh; });
    }

    static std::size_t eval(const operation_log<ladder_policy>& log) {
        std::size_t pairs = 0;
        for (const auto& [earlier, one] : log.operations()) {
            for (const auto& [later, other] : log.operations()) {
                pairs += log.happened_before(earlier, later) ? 1 : 0;
            }
        }
        return pairs;
    }
};

laws::subject<operation_log<ladder_policy>> ladders() {
    return subject_of<operation_log<ladder_policy>>([](random_source& random) { return random.below(5); });
}

version_vector vector_of(std::initializer_list<std::pair<replica_id, int>> entries) {
    version_vector made;
    for (const auto& [replica, count] : entries) {
        for (int i = 0; i < count; ++i) {
            made.tick(replica);
        }
    }
    return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(operation_log_test)

BOOST_AUTO_TEST_CASE(laws_of_the_set) {
    laws_hold(sets(3));
    laws_hold(sets(30));
}

BOOST_AUTO_TEST_CASE(laws_of_the_register) {
    laws_hold(registers());
}

BOOST_AUTO_TEST_CASE(laws_of_the_counter) {
    laws_hold(counters());
}

BOOST_AUTO_TEST_CASE(laws_of_a_policy_that_is_not_transitive) {
    laws_hold(ladders());
}

BOOST_AUTO_TEST_CASE(the_set_agrees_with_the_calls_that_were_seen) {
    // Each replica's state beside one that is never compacted.
    struct twin {
        numbers compacted;
        numbers plain;

        void join(const twin& other) {
            compacted.join(other.compacted);
            plain.join(other.plain);
        }
    };

    random_source any(testing::random_seed());
    testing::agrees_with_model<twin, numbers::operation>(
        [](random_source& random) { return any_operation(random, 4); },
        [&any](twin& state, const replica_id& here, const numbers::operation& what) {
            twin delta{state.compacted.apply(here, what), state.plain.apply(here, what)};
            if (any.one_in(3)) {
                delta.compacted.join(state.compacted.stabilize(any_stable(state.compacted, any)));
            }
            return delta;
        },
        [](const twin& state, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::set<std::uint64_t> expected;
            for (std::uint64_t element = 0; element < 4; ++element) {
                const auto concerns = [&](const numbers::operation& each) {
                    const auto* const added = std::get_if<number::add>(&each);
                    const auto* const removed = std::get_if<number::remove>(&each);
                    return added != nullptr     ? added->element == element
                           : removed != nullptr ? removed->element == element
                                                : true;
                };
                for (const auto* last : history.last_words(seen, concerns)) {
                    if (std::holds_alternative<number::add>(last->what)) {
                        expected.insert(element);
                    }
                }
            }
            const bool agrees = state.compacted.value() == expected && state.plain.value() == expected;
            return agrees ? std::nullopt : std::optional(to_text(explain(state.compacted)));
        });
}

BOOST_AUTO_TEST_CASE(the_register_agrees_with_the_calls_that_were_seen) {
    using reg = pure_register<std::uint64_t>;
    using call = reg::operation;
    testing::agrees_with_model<reg, call>(
        [](random_source& random) { return call(reg::policy::operations::set{random.below(100)}); },
        [](reg& state, const replica_id& here, const call& what) { return state.apply(here, what); },
        [](const reg& state, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::multiset<std::uint64_t> expected;
            for (const auto* last : history.last_words(seen, [](const call&) { return true; })) {
                expected.insert(std::get<reg::policy::operations::set>(last->what).value);
            }
            const auto found = state.value();
            const bool agrees = std::multiset<std::uint64_t>(found.begin(), found.end()) == expected;
            return agrees ? std::nullopt : std::optional(to_text(explain(state)));
        });
}

BOOST_AUTO_TEST_CASE(the_counter_agrees_with_the_calls_that_were_seen) {
    using call = pure_counter::operation;
    random_source any(testing::random_seed());
    testing::agrees_with_model<pure_counter, call>(
        any_count,
        [&any](pure_counter& state, const replica_id& here, const call& what) {
            pure_counter delta = state.apply(here, what);
            if (any.one_in(3)) {
                (void)state.stabilize(any_stable(state, any));
            }
            return delta;
        },
        [](const pure_counter& state, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::int64_t expected = 0;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                if (seen[i]) {
                    const auto* const up = std::get_if<increment>(&history.events[i].what);
                    expected +=
                        up != nullptr ? up->amount : -std::get<decrement>(history.events[i].what).amount;
                }
            }
            return state.value() == expected ? std::nullopt : std::optional(to_text(explain(state)));
        });
}

BOOST_AUTO_TEST_CASE(an_addition_wins_over_a_concurrent_removal) {
    words mine;
    words theirs;
    theirs.join(mine.apply(alice, word::add{"tea"}));
    const auto removal = theirs.apply(bob, word::remove{"tea"});
    const auto addition = mine.apply(alice, word::add{"tea"});
    mine.join(removal);
    theirs.join(addition);
    BOOST_TEST(mine.value().contains("tea"));
    BOOST_TEST((mine == theirs));
    (void)mine.apply(bob, word::clear{});
    BOOST_TEST(mine.value().empty());
    BOOST_TEST(mine.operations().empty());
}

BOOST_AUTO_TEST_CASE(concurrent_writes_stand_beside_each_other) {
    name mine;
    name theirs;
    (void)mine.apply(alice, set_name{"Ann"});
    (void)theirs.apply(bob, set_name{"Bob"});
    mine.join(theirs);
    BOOST_TEST((mine.value() == std::vector<std::string>{"Ann", "Bob"}));
    BOOST_TEST(!mine.happened_before({alice, 1}, {bob, 1}));
    (void)mine.apply(alice, set_name{"Cat"});
    BOOST_TEST((mine.value() == std::vector<std::string>{"Cat"}));
    BOOST_TEST(mine.happened_before({bob, 1}, {alice, 2}));
}

BOOST_AUTO_TEST_CASE(an_operation_of_this_log_may_be_applied_again) {
    words mine;
    (void)mine.apply(alice, word::add{"a word that is long enough to need memory"});
    for (int i = 0; i < 3; ++i) {
        (void)mine.apply(alice, mine.operations().begin()->second.what);
    }
    BOOST_TEST(mine.value().size() == 1U);
    BOOST_TEST(mine.operations().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_stable_drops_its_timestamp_and_nothing_else) {
    words mine;
    words theirs;
    theirs.join(mine.apply(alice, word::add{"tea"}));
    mine.join(theirs.apply(bob, word::add{"milk"}));
    const auto delta = mine.stabilize(vector_of({{alice, 1}, {carol, 7}}));
    BOOST_TEST(!mine.operations().at({alice, 1}).timestamp.has_value());
    BOOST_TEST(mine.operations().at({bob, 1}).timestamp.has_value());
    BOOST_TEST(encode(mine).size() < encode(theirs).size());
    // Ahead, with the same value; the other catches up by the delta, by the state, or by itself.
    BOOST_TEST((mine.value() == theirs.value()));
    BOOST_TEST(theirs.leq(mine));
    BOOST_TEST(!mine.leq(theirs));
    words by_itself = theirs;
    words by_state = theirs;
    (void)by_itself.stabilize(vector_of({{alice, 1}}));
    by_state.join(mine);
    theirs.join(delta);
    BOOST_TEST((theirs == mine));
    BOOST_TEST((by_itself == mine));
    BOOST_TEST((by_state == mine));
    BOOST_TEST(encode(theirs) == encode(mine));
    BOOST_TEST(mine.stabilize(vector_of({{alice, 1}})).is_bottom());
}

BOOST_AUTO_TEST_CASE(a_compacted_and_an_uncompacted_replica_agree) {
    words compacted;
    words plain;
    plain.join(compacted.apply(alice, word::add{"tea"}));
    plain.join(compacted.apply(alice, word::add{"milk"}));
    (void)compacted.stabilize(vector_of({{alice, 2}}));
    // A removal on either side reaches the other.
    const auto here = compacted.apply(alice, word::remove{"tea"});
    const auto there = plain.apply(bob, word::remove{"milk"});
    words first = plain;
    first.join(compacted);
    words second = compacted;
    second.join(plain);
    plain.join(here);
    compacted.join(there);
    BOOST_TEST(first.value().empty());
    BOOST_TEST((first == second));
    BOOST_TEST(plain.value().empty());
    BOOST_TEST(compacted.value().empty());
}

BOOST_AUTO_TEST_CASE(the_counter_folds_up_to_the_first_gap) {
    pure_counter mine;
    std::vector<pure_counter> deltas;
    for (std::int64_t i = 1; i <= 4; ++i) {
        deltas.push_back(mine.apply(alice, increment{i}));
    }
    pure_counter theirs;
    theirs.join(deltas[0]);
    theirs.join(deltas[1]);
    theirs.join(deltas[3]);
    BOOST_TEST(theirs.value() == 7);
    (void)theirs.stabilize(vector_of({{alice, 4}}));
    BOOST_TEST(theirs.folded_prefixes().at(alice).count == 2U);
    BOOST_TEST(theirs.operations().size() == 1U);
    BOOST_TEST(theirs.value() == 7);
    theirs.join(deltas[0]);
    BOOST_TEST(theirs.value() == 7);
    (void)mine.stabilize(vector_of({{alice, 3}}));
    (void)mine.apply(alice, decrement{10});
    theirs.join(mine);
    mine.join(theirs);
    BOOST_TEST(theirs.value() == 0);
    BOOST_TEST((theirs == mine));
    BOOST_TEST(mine.folded_prefixes().at(alice).value == 6);
    BOOST_TEST(to_text(explain(mine)) == "stands 6 by 1.10:1 1.10:3 (folded)\n"
                                         "stands +4 by 1.10:4 (had seen 3)\n"
                                         "stands -10 by 1.10:5 (had seen 4)\n");
}

BOOST_AUTO_TEST_CASE(the_counter_refuses_what_it_cannot_count) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    pure_counter mine;
    (void)mine.apply(alice, increment{most});
    const pure_counter before = mine;
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.apply(alice, increment{-1}); }));
    BOOST_TEST(is_refused(errc::negative_amount, [&] { (void)mine.apply(alice, decrement{-1}); }));
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.apply(alice, increment{1}); }));
    BOOST_TEST((mine == before));
    (void)mine.stabilize(vector_of({{alice, 1}}));
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { (void)mine.apply(alice, increment{1}); }));
    // The total of all is another matter: no replica can refuse what it does not know of. It is shown as its end.
    (void)mine.apply(bob, increment{1});
    BOOST_TEST(mine.value() == most);
    (void)mine.apply(carol, decrement{2});
    BOOST_TEST(mine.value() == most - 1);
    pure_counter least;
    (void)least.apply(alice, decrement{most});
    (void)least.apply(bob, decrement{most});
    BOOST_TEST(least.value() == std::numeric_limits<std::int64_t>::min());
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    words mine;
    const auto nothing = mine.apply(alice, word::remove{"tea"});
    words theirs;
    (void)theirs.apply(bob, word::add{"tea"});
    theirs.join(nothing);
    BOOST_TEST(theirs.value().contains("tea"));
}

BOOST_AUTO_TEST_CASE(trap_update_carries_superseded_dots) {
    // A removal that comes before the addition it has seen.
    words mine;
    const auto addition = mine.apply(alice, word::add{"tea"});
    const auto removal = mine.apply(bob, word::remove{"tea"});
    words theirs;
    theirs.join(removal);
    theirs.join(addition);
    BOOST_TEST(theirs.value().empty());
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(trap_additive_delta) {
    pure_counter mine;
    pure_counter theirs;
    const auto delta = mine.apply(alice, increment{3});
    theirs.join(delta);
    theirs.join(delta);
    BOOST_TEST(theirs.value() == 3);
}

BOOST_AUTO_TEST_CASE(trap_context_max_is_not_a_set) {
    // A writer with a gap does not claim to have seen what is missing.
    words log;
    words with_gap;
    const auto one = log.apply(alice, word::add{"x"});
    const auto two = log.apply(alice, word::add{"y"});
    with_gap.join(two);
    (void)with_gap.apply(bob, word::remove{"x"});
    (void)with_gap.apply(bob, word::add{"z"});
    BOOST_TEST(with_gap.happened_before({alice, 2}, {bob, 2}));
    BOOST_TEST(!with_gap.happened_before({alice, 1}, {bob, 2}));
    with_gap.join(one);
    BOOST_TEST(with_gap.value().contains("x"));
}

BOOST_AUTO_TEST_CASE(explains_what_stands_and_what_is_gone) {
    words mine;
    (void)mine.apply(alice, word::add{"tea"});
    (void)mine.apply(alice, word::add{"milk"});
    (void)mine.apply(bob, word::remove{"tea"});
    (void)mine.apply(bob, word::add{"rum"});
    (void)mine.stabilize(vector_of({{alice, 2}}));
    BOOST_TEST(to_text(explain(mine)) == "stands \"milk\" by 1.10:2 (stable)\n"
                                         "stands \"rum\" by 2.10:2 (had seen 3)\n"
                                         "gone by 1.10:1 (1 removed or superseded)\n"
                                         "gone by 2.10:1 (1 removed or superseded)\n");
}

BOOST_AUTO_TEST_CASE(operations_travel_as_values) {
    const std::vector<words::operation> all{word::add{"tea"}, word::remove{"tea"}, word::clear{}};
    BOOST_TEST((decode<std::vector<words::operation>>(encode(all)) == all));
    const std::vector<pure_counter::operation> counts{increment{1}, decrement{2}};
    BOOST_TEST((decode<std::vector<pure_counter::operation>>(encode(counts)) == counts));
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    // Version; seen: replica 1.1, one interval from 1 to 2; then the log.
    BOOST_TEST(says(refusal_of<numbers>({1, 1, 1, 1, 1, 0, 1, 1, 0, 3, 0, 5, 0}), "a dot that was seen"));
    BOOST_TEST(
        says(refusal_of<numbers>({1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 5, 0}), "a dot that the log has seen"));
    BOOST_TEST(says(refusal_of<numbers>({1, 1, 1, 1, 1, 0, 1, 2, 0, 2, 0, 5, 0, 0, 1, 0, 6, 0}),
                    "dots in ascending order"));
    BOOST_TEST(says(refusal_of<numbers>({1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 5, 0}), "of a kind that is kept"));
    BOOST_TEST(says(refusal_of<numbers>({1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 5, 1, 1, 1, 1, 1, 0, 0}),
                    "a timestamp from before its operation"));
    // The counter: a prefix that was not seen, an operation that is folded too, one without a timestamp, one gone.
    BOOST_TEST(says(refusal_of<pure_counter>({1, 1, 1, 1, 1, 0, 1, 1, 0, 3, 4, 0}),
                    "a folded prefix that was seen"));
    BOOST_TEST(says(refusal_of<pure_counter>({1, 1, 1, 1, 1, 0, 1, 1, 0, 2, 4, 1, 0, 1, 0, 2, 1, 0}),
                    "a dot that was seen and not folded"));
    BOOST_TEST(says(refusal_of<pure_counter>({1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 4, 1, 0, 2, 0, 2, 0}),
                    "an operation with its timestamp, or folded"));
    BOOST_TEST(says(refusal_of<pure_counter>({1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 4, 0}),
                    "an operation for every dot that was seen"));
    const auto digest = encode(operation_log_digest{});
    BOOST_TEST((decode<operation_log_digest>(digest) == operation_log_digest()));
    BOOST_TEST(says(refusal_of<operation_log_digest>({1, 0, 1, 1, 1, 1, 0, 0, 0}), "dots that were seen"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
