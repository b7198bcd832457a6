#include <phoenix/crdt/or_set.hpp>

#include "laws_hold.hpp"
#include "replicas.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::laws_hold;

using testing::alice;
using testing::bob;
using testing::carol;

using words = or_set<std::string>;

static_assert(decomposable<words>);

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
    const std::vector<words::operation> all{store::add{"tea"}, store::add{"milk"}, store::remove{"tea"}};
    for (const auto& each : decode<std::vector<words::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST((sorted(mine) == std::vector<std::string>{"milk"}));
    BOOST_TEST((mine == theirs));
    (void)mine.apply(alice, store::clear_all{});
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
