#include <phoenix/crdt/or_set.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "replicas.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::laws_hold;

using testing::alice;
using testing::bob;
using testing::carol;

using words = or_set<std::string>;

static_assert(decomposable<words> && std::ranges::forward_range<words>);

template <class Element>
std::vector<Element> sorted(const or_set<Element>& set) {
    std::vector<Element> elements(set.begin(), set.end());
    std::ranges::sort(elements);
    return elements;
}

/// Few elements and many, so that both the scanned and the indexed form are used.
laws::subject<or_set<std::uint64_t>> numbers(std::uint64_t range) {
    return {
        .mutate = [range](or_set<std::uint64_t>& set, const replica_id& here, laws::random_source& random) {
            const std::uint64_t element = random.below(range);
            switch (random.below(12)) {
            case 0:
                return set.clear(here);
            case 1:
            case 2:
            case 3:
                return set.remove(here, element);
            case 4: {
                or_set<std::uint64_t> batch;
                set.edit(here, batch, [&](auto&& editor) {
                    for (std::uint64_t i = 0; i < 12; ++i) {
                        editor.add(random.below(range));
                    }
                    editor.remove(random.below(range));
                });
                return batch;
            }
            default:
                return set.add(here, element);
            }
        }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(or_set_test)

BOOST_AUTO_TEST_CASE(every_law_holds) {
    laws_hold(numbers(4));
    laws_hold(numbers(40));
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    using number_set = or_set<std::uint64_t>;
    using store = number_set::store_type;
    for (const std::uint64_t range : {2, 30}) {
        testing::agrees_with_model<number_set, number_set::operation>(
            [range](laws::random_source& random) -> number_set::operation {
                const std::uint64_t element = random.below(range);
                switch (random.below(12)) {
                case 0:
                    return store::operations::clear{};
                case 1:
                case 2:
                case 3:
                case 4:
                    return store::operations::remove{element};
                default:
                    return store::operations::add{element};
                }
            },
            [](number_set& set, const replica_id& here, const number_set::operation& what) {
                return set.apply(here, what);
            },
            [range](const number_set& set, const auto& history,
                    const auto& seen) -> std::optional<std::string> {
                std::set<std::uint64_t> expected;
                for (std::uint64_t element = 0; element < range; ++element) {
                    const auto concerns = [&](const number_set::operation& each) {
                        const auto* const added = std::get_if<store::operations::add>(&each);
                        const auto* const removed = std::get_if<store::operations::remove>(&each);
                        return added != nullptr     ? added->element == element
                               : removed != nullptr ? removed->element == element
                                                    : true;
                    };
                    for (const auto* last : history.last_words(seen, concerns)) {
                        if (std::holds_alternative<store::operations::add>(last->what)) {
                            expected.insert(element);
                        }
                    }
                }
                bool agrees = std::set<std::uint64_t>(set.begin(), set.end()) == expected &&
                              set.size() == expected.size();
                for (std::uint64_t element = 0; element < range; ++element) {
                    agrees = agrees && set.contains(element) == expected.contains(element);
                }
                return agrees ? std::nullopt : std::optional(to_text(explain(set)));
            });
    }
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const words set;
    BOOST_TEST(set.empty());
    BOOST_TEST(set.size() == 0U);
    BOOST_TEST(!set.contains("tea"));
    BOOST_TEST(set.is_bottom());
    BOOST_TEST((set.begin() == set.end()));
}

BOOST_AUTO_TEST_CASE(an_element_is_there_once_however_often_it_was_added) {
    words set;
    for (int i = 0; i < 3; ++i) {
        (void)set.add(alice, "tea");
        (void)set.add(bob, "milk");
    }
    BOOST_TEST(set.size() == 2U);
    BOOST_TEST((sorted(set) == std::vector<std::string>{"milk", "tea"}));
    BOOST_TEST(set.live().count() == 2U);
}

BOOST_AUTO_TEST_CASE(an_addition_wins_over_a_concurrent_removal) {
    words mine;
    words theirs;
    theirs.join(mine.add(alice, "tea"));
    const auto removal = theirs.remove(bob, "tea");
    const auto addition = mine.add(alice, "tea");
    mine.join(removal);
    theirs.join(addition);
    BOOST_TEST(mine.contains("tea"));
    BOOST_TEST(theirs.contains("tea"));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    words set;
    const auto nothing = set.remove(alice, "tea");
    BOOST_TEST(nothing.is_bottom());
    words other;
    (void)other.add(bob, "tea");
    other.join(nothing);
    BOOST_TEST(other.contains("tea"));
}

BOOST_AUTO_TEST_CASE(trap_present_in_both_still_removed) {
    // Both hold "tea", each under a dot that the other has seen and removed: neither addition stands any more.
    words mine;
    words theirs;
    const auto first = mine.add(alice, "tea");
    const auto second = theirs.add(bob, "tea");
    words saw_first;
    saw_first.join(first);
    words saw_second;
    saw_second.join(second);
    mine.join(saw_second.remove(carol, "tea"));
    theirs.join(saw_first.remove({4, 10}, "tea"));
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
    const auto again = mine.add(alice, "tea");
    BOOST_TEST(again.context().count() == 2U);
    theirs.join(again);
    BOOST_TEST(theirs.live().count() == 1U);
}

BOOST_AUTO_TEST_CASE(trap_context_max_is_not_a_set) {
    words mine;
    std::vector<words> deltas;
    for (const char* each : {"a", "b", "c"}) {
        deltas.push_back(mine.add(alice, each));
    }
    words theirs;
    theirs.join(deltas[2]);
    BOOST_TEST(theirs.context().floor(alice) == 0U);
    BOOST_TEST(theirs.context().max(alice) == 3U);
    words third;
    third.join(deltas[0]);
    third.join(theirs);
    BOOST_TEST((sorted(third) == std::vector<std::string>{"a", "c"}));
    theirs.join(deltas[0]);
    theirs.join(deltas[1]);
    BOOST_TEST((theirs == mine));
    BOOST_TEST(theirs.context().floor(alice) == 3U);
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    words mine;
    const auto addition = mine.add(alice, "tea");
    words theirs;
    theirs.join(addition);
    theirs.join(mine.remove(alice, "tea"));
    theirs.join(addition);
    BOOST_TEST(!theirs.contains("tea"));
    // A gap: the removal is here before the addition, which a third peer sends later, with more after it.
    words third;
    third.join(addition);
    (void)third.add(carol, "milk");
    words behind;
    behind.join(mine.remove(bob, "rum"));
    behind.join(mine.delta_since(behind.digest()));
    behind.join(third);
    BOOST_TEST((sorted(behind) == std::vector<std::string>{"milk"}));
}

BOOST_AUTO_TEST_CASE(trap_partial_state_full_context) {
    // A part speaks of its own dots alone: who gets one part keeps the rest, and who gets all has all.
    words whole;
    for (const char* each : {"a", "b", "c", "d"}) {
        (void)whole.add(each[0] % 2 == 0 ? alice : bob, each);
    }
    (void)whole.remove(carol, "d");
    words together;
    for (const words& part : whole.decompose()) {
        BOOST_TEST(part.context().count() == 1U);
        words other = whole;
        other.join(part);
        BOOST_TEST((other == whole));
        together.join(part);
    }
    BOOST_TEST((together == whole));
    // What one who has a part is missing is no more than that.
    const words first = whole.decompose().front();
    const auto rest = whole.delta_since(first.digest());
    BOOST_TEST((rest.context() == whole.context().without(first.context())));
}

BOOST_AUTO_TEST_CASE(trap_chunk_forgets_removes) {
    // Parts with live dots alone would leave "tea" with who has it already.
    words mine;
    (void)mine.add(alice, "tea");
    words theirs = mine;
    (void)mine.add(alice, "milk");
    (void)mine.remove(bob, "tea");
    words by_rest = theirs;
    for (const words& part : mine.decompose()) {
        theirs.join(part);
    }
    BOOST_TEST((sorted(theirs) == std::vector<std::string>{"milk"}));
    BOOST_TEST((theirs == mine));
    by_rest.join(mine.delta_since(by_rest.digest()));
    BOOST_TEST((by_rest == mine));
}

BOOST_AUTO_TEST_CASE(trap_remote_merge_keeps_own_delta) {
    words remote;
    (void)remote.add(bob, "milk");
    (void)remote.add({0, 1}, "rum");
    words mine;
    words pending;
    mine.edit(alice, pending, [](auto&& set) { set.add("tea"); });
    const words before = pending;
    const auto fresh = mine.delta_and_merge(remote);
    BOOST_TEST((fresh == remote));
    BOOST_TEST((pending == before));
    // What is edited on goes into the same delta, with what it removes of the remote.
    mine.edit(alice, pending, [](auto&& set) {
        set.add("ale");
        set.remove("milk");
    });
    words theirs = remote;
    theirs.join(pending);
    BOOST_TEST((sorted(theirs) == std::vector<std::string>{"ale", "rum", "tea"}));
    BOOST_TEST((theirs == mine));
    words third;
    third.join(pending);
    BOOST_TEST((sorted(third) == std::vector<std::string>{"ale", "tea"}));
}

BOOST_AUTO_TEST_CASE(trap_node_id_reuse) {
    // A node goes back to its backup, under a new incarnation: what it wrote since the backup and what it
    // writes now both stand.
    constexpr replica_id restarted{alice.node, alice.incarnation + 1};
    words mine;
    (void)mine.add(alice, "tea");
    words backup = mine;
    words theirs;
    (void)mine.add(alice, "milk");
    theirs.join(mine);
    theirs.join(backup.add(restarted, "rum"));
    BOOST_TEST((sorted(theirs) == std::vector<std::string>{"milk", "rum", "tea"}));
    backup.join(theirs);
    BOOST_TEST((backup == theirs));
    BOOST_TEST(theirs.live().contains({alice, 2}));
    BOOST_TEST(theirs.live().contains({restarted, 1}));
}

BOOST_AUTO_TEST_CASE(trap_restarted_peer_first_batches) {
    // The first dots after a restart have low numbers: they are no old ones of the life before.
    constexpr replica_id restarted{alice.node, alice.incarnation + 1};
    words theirs;
    for (int i = 0; i < 10; ++i) {
        (void)theirs.add(alice, "tea");
    }
    words mine;
    const auto first = mine.add(restarted, "milk");
    BOOST_TEST(first.context().contains({restarted, 1}));
    BOOST_TEST(!theirs.context().contains({restarted, 1}));
    BOOST_TEST((mine.delta_since(theirs.digest()) == first));
    BOOST_TEST((theirs.delta_and_merge(first) == first));
    BOOST_TEST((sorted(theirs) == std::vector<std::string>{"milk", "tea"}));
}

BOOST_AUTO_TEST_CASE(trap_digest_after_every_merge) {
    words mine;
    words remote;
    const auto addition = remote.add(bob, "tea");
    const auto removal = remote.remove(carol, "tea");
    const auto changes_digest = [&mine](auto&& change) {
        const auto before = mine.digest();
        const words old = mine;
        change();
        BOOST_TEST((mine.digest() != before));
        // Whoever has the old state is brought up by what the old digest lacks.
        words behind = old;
        behind.join(mine.delta_since(before));
        BOOST_TEST((behind == mine));
        BOOST_TEST((behind.digest() == mine.digest()));
        BOOST_TEST((decode<words>(encode(mine)).digest() == mine.digest()));
    };
    changes_digest([&] { (void)mine.add(alice, "milk"); });
    changes_digest([&] { mine.join(addition); });
    changes_digest([&] { BOOST_TEST(!mine.delta_and_merge(removal).is_bottom()); });
    changes_digest([&] { mine.join(mine.remove(alice, "milk")); });
    changes_digest([&] {
        words batch;
        mine.edit(alice, batch, [](auto&& set) { set.add("rum"); });
    });
    changes_digest([&] { (void)mine.clear(alice); });
    // An empty set that has seen elements is not one that has not.
    BOOST_TEST((mine.digest() != words().digest()));
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
    or_set<int> up;
    or_set<int> down;
    std::vector<or_set<int>> deltas;
    for (int i = 0; i < 100; ++i) {
        deltas.push_back(up.add(i % 2 == 0 ? alice : bob, i));
    }
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
}

BOOST_AUTO_TEST_CASE(holes_are_closed_and_elements_stay) {
    or_set<int> set;
    for (int i = 0; i < 1000; ++i) {
        (void)set.add(alice, i);
    }
    or_set<int> other = set;
    for (int i = 0; i < 1000; ++i) {
        if (i % 10 != 0) {
            other.join(set.remove(bob, i));
        }
    }
    BOOST_TEST(set.size() == 100U);
    BOOST_TEST((set == other));
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(set.contains(i) == (i % 10 == 0));
    }
    for (int i = 2000; i < 2500; ++i) {
        other.join(set.add(bob, i));
    }
    BOOST_TEST(set.size() == 600U);
    BOOST_TEST((sorted(set) == sorted(other)));
}

BOOST_AUTO_TEST_CASE(a_nan_is_no_element) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    or_set<double> numbers;
    BOOST_CHECK_EXCEPTION((void)numbers.add(alice, nan), std::system_error,
                          [](const auto& e) { return e.code() == errc::invalid_operation; });
    BOOST_TEST(numbers.empty());
    BOOST_TEST(!numbers.contains(nan));
    // As a peer that allows it would write it.
    or_set<double> one;
    (void)one.add(alice, 1.5);
    auto bytes = encode(one);
    const auto number = encode(1.5);
    const auto not_one = encode(nan);
    const auto place = std::search(bytes.begin(), bytes.end(), number.begin(), number.end());
    BOOST_REQUIRE((place != bytes.end() && number.size() == not_one.size()));
    std::copy(not_one.begin(), not_one.end(), place);
    BOOST_CHECK_THROW((void)decode<or_set<double>>(bytes), decode_error);
}

BOOST_AUTO_TEST_CASE(clearing_what_was_read_reaches_others_whole) {
    // Dots in the order of the keys: as far from their own order as can be.
    or_set<std::uint64_t> made;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        (void)made.add(i % 2 == 0 ? alice : bob, i * 0x9e37'79b9'7f4a'7c15U);
    }
    auto read = decode<or_set<std::uint64_t>>(encode(made));
    or_set<std::uint64_t> peer = made;
    peer.join(read.clear(alice));
    BOOST_TEST(peer.empty());
    BOOST_TEST((peer == read));
    BOOST_TEST(peer.context().count() == 20'000U);
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_delta) {
    words mine;
    words batch;
    mine.edit(alice, batch, [](auto&& set) {
        set.add("tea");
        set.add("milk");
        set.add("tea");
        set.remove("milk");
    });
    BOOST_TEST((sorted(mine) == std::vector<std::string>{"tea"}));
    BOOST_TEST((batch == mine));
    words theirs;
    theirs.join(batch);
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    static_assert(operable<words>);
    using store = words::store_type;
    words mine;
    words theirs;
    const std::vector<words::operation> all{store::operations::add{"tea"}, store::operations::add{"milk"},
                                            store::operations::remove{"tea"}};
    for (const auto& each : decode<std::vector<words::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST((sorted(mine) == std::vector<std::string>{"milk"}));
    BOOST_TEST((mine == theirs));
    (void)mine.apply(alice, store::operations::clear{});
    BOOST_TEST(mine.empty());
}

BOOST_AUTO_TEST_CASE(explains_what_stands_and_what_is_gone) {
    words set;
    (void)set.add(alice, "tea");
    (void)set.add(alice, "milk");
    (void)set.remove(bob, "milk");
    BOOST_TEST(to_text(explain(set)) ==
               "stands \"tea\" by 1.10:1\ngone by 1.10:2 (1 removed or superseded)\n");
    BOOST_TEST(to_json(explain(set)).find(R"({"where":"","outcome":"stands","value":"\"tea\"","why":"")") ==
               0U);
}

BOOST_AUTO_TEST_CASE(hostile_bytes_with_one_dot_in_two_places_are_refused) {
    words first;
    (void)first.add(alice, "a");
    auto bytes = encode(first);
    // Entries: one becomes two, the second a copy under another key.
    words second;
    (void)second.add(alice, "b");
    const auto more = encode(second);
    const std::size_t entry_size = 5;
    bytes[bytes.size() - entry_size - 1] = std::byte(2);
    bytes.insert(bytes.end(), more.end() - entry_size, more.end());
    BOOST_CHECK_EXCEPTION((void)decode<words>(bytes), decode_error, [](const decode_error& e) {
        return std::string(e.what()).find("each dot in one place") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
