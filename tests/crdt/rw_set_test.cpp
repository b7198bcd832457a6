#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/rw_set.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "replicas.hpp"
#include "store_models.hpp"
#include "under_a_map.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <set>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;
using testing::carol;
using testing::laws_hold;

using words = rw_set<std::string>;
using numbers = rw_set<std::uint64_t>;

static_assert(decomposable<words> && operable<words> && explainable<words>);
static_assert(std::ranges::forward_range<const words>);

template <class Element>
std::vector<Element> sorted(const rw_set<Element>& set) {
    std::vector<Element> elements(set.begin(), set.end());
    std::ranges::sort(elements);
    return elements;
}

/// Few elements and many, so that both the scanned and the indexed form are used.
laws::subject<numbers> subject(std::uint64_t range) {
    return {.mutate = [range](numbers& set, const replica_id& here, laws::random_source& random) {
        const std::uint64_t element = random.below(range);
        switch (random.below(14)) {
        case 0:
            return set.clear(here);
        case 1:
        case 2:
        case 3:
        case 4:
            return set.remove(here, element);
        case 5: {
            numbers batch;
            set.edit(here, batch, [&](auto&& editor) {
                for (std::uint64_t i = 0; i < 12; ++i) {
                    editor.add(random.below(range));
                }
                editor.remove(random.below(range));
                editor.compact(random.one_in(2) ? batch.context() : causal_context());
                editor.add(random.below(range));
            });
            return batch;
        }
        case 6: {
            // Also what is not stable at all: then more may come back, but to all alike.
            causal_context some;
            set.context().for_each_interval(
                [&](const replica_id& replica, std::uint64_t, std::uint64_t last) {
                    some.insert(replica, 1, 1 + random.below(last));
                });
            return set.compact(here, some);
        }
        default:
            return set.add(here, element);
        }
    }};
}

struct call {
    enum class kind : std::uint8_t { add, remove, clear } what;
    std::uint64_t element;
};

call any_call(laws::random_source& random, std::uint64_t range) {
    const std::uint64_t which = random.below(12);
    return {which == 0  ? call::kind::clear
            : which < 6 ? call::kind::remove
                        : call::kind::add,
            random.below(range)};
}

numbers make(numbers& set, const replica_id& here, const call& what) {
    switch (what.what) {
    case call::kind::add:
        return set.add(here, what.element);
    case call::kind::remove:
        return set.remove(here, what.element);
    default:
        return set.clear(here);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(rw_set_test)

BOOST_AUTO_TEST_CASE(keeps_the_laws) {
    laws_hold(subject(4));
    laws_hold(subject(40));
}

BOOST_AUTO_TEST_CASE(keeps_the_laws_under_a_map) {
    using store = numbers::store_type;
    testing::laws_hold_under_a_map<store>([](laws::random_source& random) -> store::operation {
        const call what = any_call(random, 12);
        switch (what.what) {
        case call::kind::add:
            return store::operations::add{what.element};
        case call::kind::remove:
            return store::operations::remove{what.element};
        default:
            return store::operations::clear{};
        }
    });
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    for (const std::uint64_t range : {2, 30}) {
        testing::agrees_with_model<numbers, call>(
            [range](laws::random_source& random) { return any_call(random, range); }, make,
            [range](const numbers& state, const auto& history,
                    const auto& seen) -> std::optional<std::string> {
                std::set<std::uint64_t> expected;
                for (std::uint64_t element = 0; element < range; ++element) {
                    bool added = false;
                    bool removed = false;
                    for (const auto* last : history.last_words(seen, [&](const call& each) {
                             return each.what == call::kind::clear || each.element == element;
                         })) {
                        added = added || last->what.what == call::kind::add;
                        removed = removed || last->what.what == call::kind::remove;
                    }
                    if (added && !removed) {
                        expected.insert(element);
                    }
                }
                const bool agrees =
                    std::set<std::uint64_t>(state.begin(), state.end()) == expected &&
                    state.size() == expected.size() && state.empty() == expected.empty() &&
                    std::ranges::all_of(std::views::iota(std::uint64_t(0), range), [&](std::uint64_t each) {
                        return state.contains(each) == expected.contains(each);
                    });
                return agrees ? std::nullopt : std::optional(to_text(explain(state)));
            });
    }
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen_under_a_map) {
    testing::agrees_with_the_rules_under_a_map<numbers::store_type>();
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const words set;
    BOOST_TEST(set.empty());
    BOOST_TEST(set.size() == 0U);
    BOOST_TEST(!set.contains("tea"));
    BOOST_TEST(set.is_bottom());
    BOOST_TEST((set.begin() == set.end()));
}

BOOST_AUTO_TEST_CASE(an_element_costs_one_dot_however_often_it_was_added_or_removed) {
    words set;
    for (int i = 0; i < 3; ++i) {
        (void)set.add(alice, "tea");
        (void)set.remove(bob, "tea");
        (void)set.remove(alice, "tea");
        (void)set.add(bob, "tea");
        (void)set.remove(alice, "milk");
        (void)set.remove(bob, "milk");
    }
    BOOST_TEST((sorted(set) == std::vector<std::string>{"tea"}));
    BOOST_TEST(set.size() == 1U);
    BOOST_TEST(set.removals() == 1U);
    BOOST_TEST(set.live().count() == 2U);
}

BOOST_AUTO_TEST_CASE(a_removal_wins_over_a_concurrent_addition) {
    words mine;
    words theirs;
    theirs.join(mine.add(alice, "tea"));
    const auto removal = theirs.remove(bob, "tea");
    const auto addition = mine.add(alice, "tea");
    BOOST_TEST(mine.contains("tea"));
    mine.join(removal);
    theirs.join(addition);
    BOOST_TEST(!mine.contains("tea"));
    BOOST_TEST(mine.empty());
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(an_addition_that_has_seen_the_removal_stands) {
    words set;
    (void)set.remove(alice, "tea");
    (void)set.remove(bob, "tea");
    BOOST_TEST(!set.contains("tea"));
    (void)set.add(carol, "tea");
    BOOST_TEST(set.contains("tea"));
    BOOST_TEST(set.removals() == 0U);
}

BOOST_AUTO_TEST_CASE(an_addition_that_has_seen_one_of_two_removals_does_not_stand) {
    words first;
    words second;
    const auto seen = first.remove(alice, "tea");
    const auto unseen = second.remove(bob, "tea");
    words set;
    set.join(seen);
    (void)set.add(carol, "tea");
    BOOST_TEST(set.contains("tea"));
    set.join(unseen);
    BOOST_TEST(!set.contains("tea"));
}

// The other side of trap_remove_without_context: here a removal says something about additions not yet seen.
BOOST_AUTO_TEST_CASE(removing_what_was_never_seen_wins_over_a_concurrent_addition) {
    words mine;
    const auto removal = mine.remove(alice, "tea");
    BOOST_TEST(!removal.is_bottom());
    BOOST_TEST(removal.live().count() == 1U);
    words theirs;
    (void)theirs.add(bob, "tea");
    theirs.join(removal);
    BOOST_TEST(!theirs.contains("tea"));
    BOOST_TEST(theirs.removals() == 1U);
    (void)theirs.add(bob, "tea");
    BOOST_TEST(theirs.contains("tea"));
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    // Clear is the call that takes away only what it has seen.
    words set;
    const auto nothing = set.clear(alice);
    BOOST_TEST(nothing.is_bottom());
    words other;
    (void)other.add(bob, "tea");
    other.join(nothing);
    BOOST_TEST(other.contains("tea"));
}

BOOST_AUTO_TEST_CASE(clear_takes_away_additions_and_removals_and_spares_what_is_concurrent) {
    words mine;
    (void)mine.add(alice, "tea");
    (void)mine.remove(alice, "milk");
    words theirs = mine;
    const auto cleared = mine.clear(alice);
    BOOST_TEST(mine.empty());
    BOOST_TEST(mine.removals() == 0U);
    BOOST_TEST(mine.store().empty());
    // A removal that the clear forgot no longer wins, one that it has not seen does.
    words absent;
    (void)absent.add(carol, "milk");
    (void)absent.add(carol, "rum");
    (void)theirs.remove(bob, "rum");
    (void)theirs.add(bob, "tea");
    theirs.join(absent);
    BOOST_TEST((sorted(theirs) == std::vector<std::string>{"tea"}));
    theirs.join(cleared);
    BOOST_TEST((sorted(theirs) == std::vector<std::string>{"milk", "tea"}));
    mine.join(theirs);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(iteration_passes_over_what_was_removed) {
    numbers set;
    for (std::uint64_t each = 0; each < 100; ++each) {
        (void)set.add(alice, each);
    }
    numbers other = set;
    for (std::uint64_t each = 0; each < 100; ++each) {
        if (each % 10 != 5) {
            other.join(set.remove(bob, each));
        }
    }
    BOOST_TEST((sorted(set) == std::vector<std::uint64_t>{5, 15, 25, 35, 45, 55, 65, 75, 85, 95}));
    BOOST_TEST(set.size() == 10U);
    BOOST_TEST(set.removals() == 90U);
    BOOST_TEST(std::ranges::distance(set.begin(), set.end()) == 10);
    BOOST_TEST((set == other));
    BOOST_TEST((sorted(other) == sorted(set)));
    auto it = set.begin();
    const auto before = it++;
    BOOST_TEST((before == set.begin()));
    BOOST_TEST((it != before));
    BOOST_TEST(*it.operator->() == *it);
}

BOOST_AUTO_TEST_CASE(trap_present_in_both_still_removed) {
    words mine;
    words theirs;
    const auto first = mine.add(alice, "tea");
    const auto second = theirs.add(bob, "tea");
    words saw_first;
    saw_first.join(first);
    words saw_second;
    saw_second.join(second);
    // By clears, which leave no removal that would win anyhow.
    mine.join(saw_second.clear(carol));
    theirs.join(saw_first.clear(carol));
    BOOST_TEST(mine.contains("tea"));
    BOOST_TEST(theirs.contains("tea"));
    mine.join(theirs);
    theirs.join(mine);
    BOOST_TEST(!mine.contains("tea"));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(trap_update_carries_superseded_dots) {
    words mine;
    words theirs;
    theirs.join(mine.add(alice, "tea"));
    const auto removal = mine.remove(bob, "tea");
    BOOST_TEST(removal.context().count() == 2U);
    theirs.join(removal);
    BOOST_TEST(theirs.live().count() == 1U);
    const auto again = mine.add(alice, "tea");
    BOOST_TEST(again.context().count() == 2U);
    theirs.join(again);
    BOOST_TEST(theirs.contains("tea"));
    BOOST_TEST(theirs.live().count() == 1U);
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    words mine;
    const auto addition = mine.add(alice, "tea");
    const auto removal = mine.remove(alice, "tea");
    words theirs;
    theirs.join(removal);
    theirs.join(addition);
    BOOST_TEST(!theirs.contains("tea"));
    (void)theirs.add(bob, "tea");
    theirs.join(removal);
    BOOST_TEST(theirs.contains("tea"));
    BOOST_TEST(theirs.live().count() == 1U);
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    words mine;
    (void)mine.add(alice, "tea");
    words copy = mine;
    (void)mine.add(alice, "milk");
    BOOST_TEST(copy.context().count() == 1U);
    (void)copy.remove(bob, "tea");
    BOOST_TEST(mine.contains("tea"));
    copy.join(mine);
    BOOST_TEST((sorted(copy) == std::vector<std::string>{"milk"}));
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    numbers up;
    numbers down;
    std::vector<numbers> deltas;
    for (std::uint64_t i = 0; i < 100; ++i) {
        deltas.push_back(i % 3 == 0 ? up.remove(i % 2 == 0 ? alice : bob, i)
                                    : up.add(i % 2 == 0 ? alice : bob, i));
    }
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
    BOOST_TEST(decode<numbers>(encode(up)).size() == up.size());
}

BOOST_AUTO_TEST_CASE(trap_timed_tombstone_gc) {
    words mine;
    words theirs;
    words asleep;
    theirs.join(mine.remove(alice, "tea"));
    // Carol was cut off before it, and added what alice forbade.
    const auto addition = asleep.add(carol, "tea");
    // However long that lasts: what carol has not acknowledged is not stable, and the removal stays.
    for (int days = 0; days < 1000; ++days) {
        (void)mine.add(alice, "milk");
        theirs.join(mine);
        const causal_context stable =
            mine.context().common_with(theirs.context()).common_with(asleep.context());
        BOOST_TEST(mine.compact(alice, stable).is_bottom());
        BOOST_TEST(theirs.compact(bob, stable).is_bottom());
    }
    BOOST_TEST(mine.removals() == 1U);
    mine.join(addition);
    theirs.join(mine);
    BOOST_TEST(!mine.contains("tea"));
    // Now she has acknowledged, and what she wrote until then is here.
    asleep.join(mine);
    const causal_context stable = mine.context().common_with(theirs.context()).common_with(asleep.context());
    const auto compacted = mine.compact(alice, stable);
    BOOST_TEST(mine.removals() == 0U);
    BOOST_TEST(mine.live().count() == 1U);
    theirs.join(compacted);
    asleep.join(addition);
    asleep.join(compacted);
    BOOST_TEST((sorted(mine) == std::vector<std::string>{"milk"}));
    BOOST_TEST((theirs == mine));
    BOOST_TEST((asleep == mine));
    (void)asleep.add(carol, "tea");
    BOOST_TEST(asleep.contains("tea"));
}

BOOST_AUTO_TEST_CASE(compacting_what_is_not_stable_brings_a_beaten_addition_back_to_all) {
    // What the condition of compact guards against.
    words mine;
    words asleep;
    (void)mine.remove(alice, "tea");
    (void)asleep.add(carol, "tea");
    BOOST_TEST(!mine.compact(alice, mine.context()).is_bottom());
    mine.join(asleep);
    asleep.join(mine);
    BOOST_TEST(mine.contains("tea"));
    BOOST_TEST((mine == asleep));
}

BOOST_AUTO_TEST_CASE(compaction_keeps_an_element_with_any_dot_that_is_not_stable) {
    words mine;
    words theirs;
    causal_context stable;
    const auto removal = mine.remove(alice, "tea");
    stable.join(removal.context());
    theirs.join(theirs.add(bob, "tea"));
    theirs.join(removal);
    BOOST_TEST(theirs.compact(bob, stable).is_bottom());
    BOOST_TEST(!theirs.contains("tea"));
    BOOST_TEST(theirs.live().count() == 2U);
    stable.join(theirs.context());
    BOOST_TEST(!theirs.compact(bob, stable).is_bottom());
    BOOST_TEST(theirs.store().empty());
}

BOOST_AUTO_TEST_CASE(compaction_leaves_elements_that_are_there) {
    numbers set;
    for (std::uint64_t each = 0; each < 50; ++each) {
        (void)set.add(alice, each);
        (void)set.remove(bob, each + 100);
    }
    numbers other = set;
    other.join(set.compact(alice, set.context()));
    BOOST_TEST(set.size() == 50U);
    BOOST_TEST(set.removals() == 0U);
    BOOST_TEST(set.live().count() == 50U);
    BOOST_TEST((other == set));
    BOOST_TEST(set.compact(alice, set.context()).is_bottom());
}

/// Replicas that compact at their watermarks read at every step as replicas that never do.
BOOST_AUTO_TEST_CASE(compaction_at_the_watermark_changes_no_answer) {
    constexpr std::size_t replicas = 3;
    constexpr std::uint64_t range = 4;
    laws::random_source random(testing::random_seed());
    std::size_t compacted = 0;
    for (std::size_t round = 0; round < testing::cases_wanted(); ++round) {
        struct node {
            numbers plain;
            numbers lean;
            /// What each replica is known to have seen: it came with that replica's state.
            std::vector<causal_context> acknowledged = std::vector<causal_context>(replicas);
        };

        std::vector<node> nodes(replicas);
        for (int step = 0; step < 40; ++step) {
            const std::size_t here = random.below(replicas);
            node& mine = nodes[here];
            const replica_id id = laws::replica_number(here);
            switch (random.below(6)) {
            case 0:
            case 1:
            case 2: {
                // A state comes whole, so that what it had seen before is joined with it.
                const node& from = nodes[random.below(replicas)];
                if (&from == &mine) {
                    break;
                }
                mine.plain.join(from.plain);
                mine.lean.join(from.lean);
                for (std::size_t each = 0; each < replicas; ++each) {
                    mine.acknowledged[each].join(from.acknowledged[each]);
                }
                break;
            }
            case 3: {
                causal_context stable = mine.lean.context();
                for (const causal_context& each : mine.acknowledged) {
                    stable = stable.common_with(each);
                }
                compacted += !mine.lean.compact(id, stable).is_bottom();
                break;
            }
            default: {
                const call what = any_call(random, range);
                (void)make(mine.plain, id, what);
                (void)make(mine.lean, id, what);
            }
            }
            mine.acknowledged[here] = mine.lean.context();
            BOOST_REQUIRE_MESSAGE(sorted(mine.plain) == sorted(mine.lean),
                                  "PHOENIX_TEST_SEED=" << testing::random_seed() << ", round " << round
                                                       << ", step " << step);
        }
    }
    BOOST_TEST(compacted > 0U);
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_delta) {
    words mine;
    words batch;
    mine.edit(alice, batch, [](auto&& set) {
        set.add("tea");
        set.remove("milk");
        set.add("milk");
        set.add("rum");
        set.remove("rum");
        set.remove("tea");
        set.add("tea");
    });
    BOOST_TEST((sorted(mine) == std::vector<std::string>{"milk", "tea"}));
    BOOST_TEST((batch == mine));
    words theirs;
    theirs.join(batch);
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    using store = words::store_type;
    words mine;
    words theirs;
    const std::vector<words::operation> all{store::operations::add{"tea"}, store::operations::add{"milk"},
                                            store::operations::remove{"tea"}};
    for (const auto& each : decode<std::vector<words::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST((sorted(mine) == std::vector<std::string>{"milk"}));
    BOOST_TEST(mine.removals() == 1U);
    BOOST_TEST((mine == theirs));
    (void)mine.apply(alice, decode<words::operation>(encode(words::operation(store::operations::clear{}))));
    BOOST_TEST(mine.store().empty());
}

BOOST_AUTO_TEST_CASE(explains_what_stands_what_lost_and_what_was_removed) {
    words set;
    (void)set.add(alice, "tea");
    (void)set.add(alice, "milk");
    words other;
    (void)other.remove(bob, "tea");
    (void)other.remove(bob, "ale");
    set.join(other);
    (void)set.add(alice, "milk");
    BOOST_TEST(to_text(explain(set)) == "gone \"ale\" by 2.10:2 (a removal stands)\n"
                                        "stands \"milk\" by 1.10:3\n"
                                        "loses \"tea\" by 1.10:1 (a concurrent removal wins)\n"
                                        "gone \"tea\" by 2.10:1 (a removal stands)\n"
                                        "gone by 1.10:2 (1 removed or superseded)\n");
}

BOOST_AUTO_TEST_CASE(under_the_key_of_a_map) {
    using map = or_map<std::string, rw_set_store<int>>;
    map mine;
    (void)mine.update(alice, "guests", [](auto&& set) {
        for (int each = 0; each < 20; ++each) {
            set.add(each);
            set.remove(each + 10);
        }
        set.remove(1);
    });
    BOOST_TEST(mine.find("guests")->size() == 19U);
    BOOST_TEST(!mine.find("guests")->contains(1));
    map theirs = mine;
    // The removal takes additions and removals that it has seen; a concurrent removal survives it.
    const auto removed = mine.remove(alice, "guests");
    BOOST_TEST(mine.empty());
    BOOST_TEST(mine.hidden() == 0U);
    (void)theirs.update(bob, "guests", [](auto&& set) { set.remove(0); });
    theirs.join(removed);
    BOOST_TEST(!theirs.contains("guests"));
    BOOST_TEST(theirs.hidden() == 1U);
    (void)mine.update(alice, "guests", [](auto&& set) {
        set.add(0);
        set.add(1);
    });
    mine.join(theirs);
    theirs.join(mine);
    BOOST_TEST((mine == theirs));
    BOOST_TEST((std::set<int>(mine.find("guests")->begin(), mine.find("guests")->end()) == std::set<int>{1}));
    BOOST_TEST((decode<map>(encode(mine)) == mine));
    (void)mine.update(alice, "guests", [&](auto&& set) { set.compact(mine.context()); });
    BOOST_TEST(mine.find("guests")->removals() == 0U);
    // A key below which only removals stand is not there, and erasing it does nothing; clear takes them.
    map marks;
    (void)marks.update(alice, "guests", [](auto&& set) { set.remove(7); });
    BOOST_TEST(marks.remove(alice, "guests").is_bottom());
    BOOST_TEST(marks.hidden() == 1U);
    (void)marks.update(alice, "guests", [](auto&& set) { set.clear(); });
    BOOST_TEST(marks.hidden() == 0U);
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    using small = rw_set<std::uint8_t>;
    small set;
    (void)set.add(alice, 7);
    const auto good = encode(set);
    const auto refused = [](const std::vector<std::byte>& bytes, const std::string& expected) {
        BOOST_CHECK_EXCEPTION((void)decode<small>(bytes), decode_error, [&](const decode_error& e) {
            return std::string(e.what()).find(expected) != std::string::npos;
        });
    };
    // The last six bytes: one element, 7, one addition (replica 0, counter 1), no removal.
    auto both = good;
    both.back() = std::byte(1);
    both.insert(both.end(), {std::byte(0), std::byte(1)});
    refused(both, "each dot in one place");
    auto none = good;
    none.erase(none.end() - 4, none.end());
    none.insert(none.end(), {std::byte(0), std::byte(0)});
    refused(none, "a key with at least one dot");
    auto unseen = good;
    unseen[unseen.size() - 2] = std::byte(2);
    refused(unseen, "context has seen");
    auto twice = good;
    twice[twice.size() - 6] = std::byte(2);
    twice.insert(twice.end(), good.end() - 5, good.end());
    refused(twice, "keys in ascending order");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
