// Values and keys whose copy throws, at every point where a join or a mutator copies: what is left is a state like any
// other, and trying again completes it.
#include <phoenix/crdt/grow_set.hpp>
#include <phoenix/crdt/lww_map.hpp>
#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/two_phase_set.hpp>

#include "replicas.hpp"

#include <boost/test/unit_test.hpp>

#include <compare>
#include <cstddef>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

namespace phoenix::crdt {
namespace {

/// The copy after `copies_left` more copies throws.
struct fragile {
    static inline int copies_left = -1;

    std::string text;

    fragile() = default;

    fragile(std::string of) : text(std::move(of)) {}

    fragile(const fragile& other) : text(other.text) { count(); }

    fragile(fragile&&) noexcept = default;

    fragile& operator=(const fragile& other) {
        count();
        text = other.text;
        return *this;
    }

    fragile& operator=(fragile&&) noexcept = default;

    ~fragile() = default;

    friend auto operator<=>(const fragile&, const fragile&) = default;

    void write(byte_writer& out) const { write_value(out, text); }

    [[nodiscard]] static fragile read(byte_reader& in) { return read_value<std::string>(in); }

private:
    static void count() {
        if (copies_left == 0) {
            copies_left = -1;
            throw std::runtime_error("this copy throws");
        }
        copies_left -= copies_left > 0 ? 1 : 0;
    }
};

} // namespace
} // namespace phoenix::crdt

template <>
struct std::hash<phoenix::crdt::fragile> {
    [[nodiscard]] std::size_t operator()(const phoenix::crdt::fragile& value) const noexcept {
        return std::hash<std::string>()(value.text);
    }
};

namespace phoenix::crdt {
namespace {

using testing::alice;
using testing::bob;

fragile numbered(int number) {
    return "value " + std::to_string(number);
}

/// True when `change` threw at that copy.
template <class Change>
bool throws_at(int copy, Change&& change) {
    fragile::copies_left = copy;
    bool threw = false;
    try {
        change();
    } catch (const std::runtime_error&) {
        threw = true;
    }
    fragile::copies_left = -1;
    return threw;
}

template <class State>
void expect_whole(const State& state, int copy) {
    BOOST_TEST_CONTEXT("copy " << copy) {
        BOOST_TEST((decode<State>(encode(state)) == state));
        BOOST_TEST(state.size() == static_cast<std::size_t>(std::distance(state.begin(), state.end())));
    }
}

/// The join of `before` with `theirs`, broken off at each copy that it makes.
template <class State>
void survives_joins(const State& before, const State& theirs) {
    State expected = before;
    expected.join(theirs);
    int copy = 0;
    for (bool threw = true; threw; ++copy) {
        State mine = before;
        threw = throws_at(copy, [&] { mine.join(theirs); });
        expect_whole(mine, copy);
        BOOST_TEST(mine.leq(expected));
        mine.join(theirs);
        BOOST_TEST((mine == expected));
        State peer = theirs;
        peer.join(mine);
        BOOST_TEST((peer == expected));
    }
    BOOST_TEST(copy > 1);
}

template <class State, class Change>
void survives_changes(const State& before, Change&& change) {
    int copy = 0;
    for (bool threw = true; threw; ++copy) {
        State mine = before;
        threw = throws_at(copy, [&] { (void)change(mine); });
        expect_whole(mine, copy);
        (void)change(mine);
        expect_whole(mine, copy);
    }
    BOOST_TEST(copy > 1);
}

/// Sets of few elements and of many, which are held differently.
template <class Set>
void sets_survive(int few) {
    Set mine;
    Set theirs;
    for (int i = 0; i < few; ++i) {
        (void)mine.add(alice, numbered(i));
        (void)theirs.add(bob, numbered(i + (few + 1) / 2));
    }
    survives_joins(mine, theirs);
    survives_joins(Set(), theirs);
    const fragile added = numbered(1000);
    survives_changes(mine, [&](Set& set) { return set.add(alice, added); });
    survives_changes(Set(), [&](Set& set) { return set.add(alice, added); });
}

BOOST_AUTO_TEST_SUITE(throwing_copy_test)

BOOST_AUTO_TEST_CASE(in_observed_remove_sets) {
    for (const int few : {1, 4, 8, 9, 30}) {
        sets_survive<or_set<fragile>>(few);
    }
}

BOOST_AUTO_TEST_CASE(in_grow_sets) {
    sets_survive<grow_set<fragile>>(1);
    sets_survive<grow_set<fragile>>(20);
}

BOOST_AUTO_TEST_CASE(in_two_phase_sets) {
    sets_survive<two_phase_set<fragile>>(1);
    sets_survive<two_phase_set<fragile>>(20);
}

BOOST_AUTO_TEST_CASE(in_maps_of_registers) {
    using map = or_map<int, mv_register_store<fragile>>;
    for (const int few : {1, 4, 20}) {
        map mine;
        map theirs;
        for (int i = 0; i < few; ++i) {
            (void)mine.update(alice, i, [&](auto&& reg) { reg.set(numbered(i)); });
            (void)theirs.update(bob, i + few / 2, [&](auto&& reg) { reg.set(numbered(-i)); });
        }
        survives_joins(mine, theirs);
        map older = mine;
        for (int i = 0; i < few; ++i) {
            (void)mine.update(alice, i, [&](auto&& reg) { reg.set(numbered(i + 50)); });
        }
        survives_joins(older, mine);
    }
}

BOOST_AUTO_TEST_CASE(in_last_writer_maps) {
    using map = lww_map<int, fragile>;
    for (const int few : {1, 4, 20}) {
        map mine;
        map theirs;
        for (int i = 0; i < few; ++i) {
            (void)mine.put(alice, i, numbered(i), {1, 0});
            (void)theirs.put(bob, i, numbered(-i), {2, 0});
        }
        (void)mine.remove(alice, 0, {1, 1});
        survives_joins(mine, theirs);
        const fragile value = numbered(7);
        survives_changes(mine, [&](map& all) { return all.put(alice, 0, value, {3, 0}); });
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace phoenix::crdt
