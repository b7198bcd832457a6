// Memory that ends at every point where a join or a mutator asks for some, once or from there on: what is left is a state
// like any other, and trying again completes it.
#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/rw_set.hpp>

#include "replicas.hpp"
#include "test_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt {
namespace {

using testing::alice;
using testing::bob;

/// True when memory ended: that allocation fails, or all from that one on.
template <class Change>
bool ends_at(int allocation, bool for_good, Change&& change) {
    testing::end_memory_after(allocation, for_good);
    try {
        change();
    } catch (const std::bad_alloc&) {
        // As it should; a state may also get by without.
    }
    return testing::restore_memory();
}

template <class State>
void expect_whole(const State& state) {
    BOOST_TEST((decode<State>(encode(state)) == state));
    BOOST_TEST(state.size() == static_cast<std::size_t>(std::distance(state.begin(), state.end())));
}

template <class State>
State joined(State left, const State& right) {
    left.join(right);
    return left;
}

/// Sets, whose elements have an index each way: each element is found, and leaves by the delta of a removal. A copy would
/// have indexes of its own.
template <class Set>
void expect_indexed(Set mine) {
    using element = typename Set::value_type;
    std::vector<element> all(mine.begin(), mine.end());
    // The newest first, while the indexes are as they were left: a set that has lost most is made anew.
    std::ranges::reverse(all);
    Set peer = mine;
    for (const element& each : all) {
        BOOST_TEST(mine.contains(each));
        mine.join(peer.remove(bob, each));
        BOOST_TEST(!mine.contains(each));
    }
    BOOST_TEST((mine == peer));
    BOOST_TEST(mine.size() == 0U);
}

/// A join that has copied what leaves gaps needs memory for these even when it fails: whether it gets some.
enum class gaps { none, some };

template <class State>
void survives_joins(const State& before, const State& theirs, auto&& check, gaps left = gaps::some) {
    const State expected = joined(before, theirs);
    const std::vector<bool> modes = left == gaps::some ? std::vector{false} : std::vector{false, true};
    for (const bool for_good : modes) {
        bool ended = true;
        for (int allocation = 0; ended; ++allocation) {
            BOOST_TEST_CONTEXT("allocation " << allocation << (for_good ? " and all that follow" : "")) {
                const auto broken = [&](bool& has_ended) {
                    State made = before;
                    has_ended = ends_at(allocation, for_good, [&] { made.join(theirs); });
                    return made;
                };
                check(broken(ended));
                State mine = broken(ended);
                expect_whole(mine);
                BOOST_TEST(before.leq(mine));
                BOOST_TEST(mine.leq(expected));
                BOOST_TEST((joined(theirs, mine) == expected));
                mine.join(theirs);
                BOOST_TEST((mine == expected));
                check(std::move(mine));
            }
        }
    }
}

/// change(editor) is the change; its delta also holds one made before.
template <class State, class Change>
void survives_edits(const State& before, Change&& change, auto&& check) {
    for (const bool for_good : {false, true}) {
        bool ended = true;
        for (int allocation = 0; ended; ++allocation) {
            BOOST_TEST_CONTEXT("allocation " << allocation << (for_good ? " and all that follow" : "")) {
                State delta;
                const auto broken = [&](bool& has_ended) {
                    State made = before;
                    delta = State();
                    has_ended = ends_at(allocation, for_good, [&] { made.edit(alice, delta, change); });
                    return made;
                };
                check(broken(ended));
                State mine = broken(ended);
                expect_whole(mine);
                expect_whole(delta);
                BOOST_TEST(before.leq(mine));
                BOOST_TEST((joined(mine, delta) == mine));
                mine.edit(alice, delta, change);
                expect_whole(mine);
                BOOST_TEST((joined(mine, delta) == mine));
                check(std::move(mine));
            }
        }
    }
}

template <class Set, class Element>
void set_survives(Element element) {
    for (const int size : {0, 1, 4, 7, 8, 9, 26, 31, 62}) {
        BOOST_TEST_CONTEXT("set of " << size) {
            Set mine;
            for (int i = 0; i < size; ++i) {
                (void)mine.add(i % 2 == 0 ? alice : bob, element(i));
            }
            const auto check = [](const Set& each) {
                expect_indexed(each);
            };
            // With gaps: every third addition, and the removals among all.
            Set theirs;
            Set writer = mine;
            for (int i = 0; i < size + 12; ++i) {
                Set delta = writer.add(bob, element(1000 + i));
                if (i % 4 == 1) {
                    delta = writer.remove(bob, element(i));
                }
                if (i % 3 != 2) {
                    theirs.join(delta);
                }
            }
            survives_joins(mine, theirs, check);
            survives_joins(mine, writer, check);
            survives_joins(mine, writer.add(bob, element(2000)), check, gaps::none);
            survives_edits(mine, [&](auto&& set) { set.add(element(3000)); }, check);
            survives_edits(mine, [&](auto&& set) { set.remove(element(size / 2)); }, check);
            survives_edits(mine, [&](auto&& set) { set.clear(); }, check);
            // Holes, and their closing.
            Set holed = mine;
            for (int i = 0; i < size / 2; ++i) {
                (void)holed.remove(alice, element(i));
            }
            survives_edits(holed, [&](auto&& set) { set.add(element(3000)); }, check);
            survives_edits(
                holed,
                [&](auto&& set) {
                    for (int i = size / 2; i < size - 2; ++i) {
                        set.remove(element(i));
                    }
                },
                check);
        }
    }
}

BOOST_AUTO_TEST_SUITE(end_of_memory_test)

BOOST_AUTO_TEST_CASE(in_add_wins_sets_of_numbers) {
    set_survives<or_set<int>>([](int number) { return number; });
}

BOOST_AUTO_TEST_CASE(in_add_wins_sets_of_texts) {
    set_survives<or_set<std::string>>(
        [](int number) { return "an element that is long " + std::to_string(number); });
}

BOOST_AUTO_TEST_CASE(in_maps_of_registers) {
    using map = or_map<int, mv_register_store<std::string>>;
    const auto no_more = [](const map&) {
    };
    for (const int size : {0, 1, 8, 9, 30}) {
        map mine;
        map theirs;
        for (int i = 0; i < size; ++i) {
            (void)mine.update(alice, i, [&](auto&& reg) { reg.set("by alice " + std::to_string(i)); });
            (void)theirs.update(bob, i + size / 2, [&](auto&& reg) { reg.set(std::string(40, 'b')); });
        }
        (void)theirs.remove(bob, size / 2);
        survives_joins(mine, theirs, no_more);
        survives_joins(joined(mine, theirs), theirs.update(bob, 1, [](auto&& reg) { reg.set("x"); }),
                       no_more);
        const std::string written(50, 'w');
        survives_edits(
            mine, [&](auto&& all) { all.update(99, [&](auto&& reg) { reg.set(written); }); }, no_more);
        survives_edits(
            mine, [&](auto&& all) { all.update(0, [&](auto&& reg) { reg.set(written); }); }, no_more);
        survives_edits(mine, [&](auto&& all) { all.remove(0); }, no_more);
        survives_edits(mine, [&](auto&& all) { all.clear(); }, no_more);
    }
}

BOOST_AUTO_TEST_CASE(in_remove_wins_sets) {
    using set = rw_set<int>;
    const auto no_more = [](const set&) {
    };
    for (const int size : {0, 1, 8, 9, 30}) {
        set mine;
        set theirs;
        for (int i = 0; i < size; ++i) {
            (void)mine.add(alice, i);
            (void)theirs.remove(bob, i + size / 2);
        }
        survives_joins(mine, theirs, no_more);
        survives_edits(mine, [&](auto&& all) { all.add(99); }, no_more);
        survives_edits(mine, [&](auto&& all) { all.remove(0); }, no_more);
        survives_edits(joined(mine, theirs), [&](auto&& all) { all.clear(); }, no_more);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace phoenix::crdt
