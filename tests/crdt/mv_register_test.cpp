#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "replicas.hpp"
#include "store_models.hpp"
#include "under_a_map.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;
using testing::carol;
using testing::laws_hold;

using text = mv_register<std::string>;
using texts = std::vector<std::string>;

static_assert(decomposable<text> && operable<text> && explainable<text>);

template <class Value>
std::vector<Value> values(const mv_register<Value>& reg) {
    const auto range = reg.values();
    return {range.begin(), range.end()};
}

/// Two registers that wrote without having seen each other.
struct conflict {
    text first;
    text second;
    text by_alice = first.set(alice, "a");
    text by_bob = second.set(bob, "b");
};

} // namespace

BOOST_AUTO_TEST_SUITE(mv_register_test)

BOOST_AUTO_TEST_CASE(keeps_the_laws) {
    using number = mv_register<std::uint64_t>;
    laws_hold(laws::subject<number>{
        .mutate = [](number& state, const replica_id& here, laws::random_source& random) {
            switch (random.below(6)) {
            case 0:
                return state.clear(here);
            case 1: {
                number batch;
                state.edit(here, batch, [&](auto&& editor) {
                    for (std::uint64_t left = random.below(4); left > 0; --left) {
                        if (random.one_in(3)) {
                            editor.clear();
                        } else {
                            editor.set(random.below(3));
                        }
                    }
                });
                return batch;
            }
            default:
                return state.set(here, random.below(3));
            }
        }});
}

BOOST_AUTO_TEST_CASE(keeps_the_laws_under_a_map) {
    using store = mv_register_store<std::uint64_t>;
    testing::laws_hold_under_a_map<store>([](laws::random_source& random) {
        return random.one_in(4) ? store::operation(store::operations::clear{})
                                : store::operations::set{random.below(3)};
    });
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    using number = mv_register<std::uint64_t>;
    using call = std::optional<std::uint64_t>; // a write, or clear
    testing::agrees_with_model<number, call>(
        [](laws::random_source& random) { return random.one_in(6) ? call() : call(random.below(3)); },
        [](number& state, const replica_id& here, const call& what) {
            return what ? state.set(here, *what) : state.clear(here);
        },
        [](const number& state, const auto& history, const auto& seen) -> std::optional<std::string> {
            // In the order of their writers, of whom each has one at most.
            std::vector<std::pair<replica_id, std::uint64_t>> expected;
            for (const auto* last : history.last_words(seen, [](const call&) { return true; })) {
                if (last->what) {
                    expected.emplace_back(last->by, *last->what);
                }
            }
            std::ranges::sort(expected);
            std::vector<std::pair<replica_id, std::uint64_t>> found;
            for (const auto& [by, value] : state.siblings()) {
                found.emplace_back(by.replica, value);
            }
            return found == expected ? std::nullopt : std::optional(to_text(explain(state)));
        });
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen_under_a_map) {
    testing::agrees_with_the_rules_under_a_map<mv_register_store<std::uint64_t>>();
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const text reg;
    BOOST_TEST(reg.empty());
    BOOST_TEST(reg.size() == 0U);
    BOOST_TEST(reg.values().empty());
    BOOST_TEST(reg.is_bottom());
}

BOOST_AUTO_TEST_CASE(a_write_takes_the_place_of_what_it_has_seen) {
    text reg;
    (void)reg.set(alice, "a");
    (void)reg.set(bob, "b");
    BOOST_TEST((values(reg) == texts{"b"}));
    BOOST_TEST(reg.live().count() == 1U);
}

BOOST_AUTO_TEST_CASE(concurrent_writes_stand_side_by_side_until_the_next) {
    conflict c;
    c.first.join(c.by_bob);
    c.second.join(c.by_alice);
    BOOST_TEST(c.first.size() == 2U);
    BOOST_TEST((c.first == c.second));
    (void)c.first.set(carol, "both");
    BOOST_TEST((values(c.first) == texts{"both"}));
}

BOOST_AUTO_TEST_CASE(siblings_read_in_one_order_on_all_replicas) {
    conflict c;
    c.first.join(c.by_bob);
    c.second.join(c.by_alice);
    BOOST_TEST((values(c.first) == texts{"a", "b"}));
    BOOST_TEST((values(c.second) == texts{"a", "b"}));
    std::vector<dot> dots;
    for (const auto& [by, value] : c.second.siblings()) {
        dots.push_back(by);
    }
    BOOST_TEST((dots == std::vector<dot>{{alice, 1}, {bob, 1}}));
    BOOST_TEST(c.second.values().front() == "a");
    BOOST_TEST(c.second.values()[1] == "b");
}

BOOST_AUTO_TEST_CASE(equal_values_of_two_replicas_both_count) {
    text mine;
    text theirs;
    const auto first = mine.set(alice, "tea");
    theirs.join(theirs.set(bob, "tea"));
    theirs.join(first);
    BOOST_TEST((values(theirs) == texts{"tea", "tea"}));
}

BOOST_AUTO_TEST_CASE(a_concurrent_write_survives_a_clear) {
    conflict c;
    c.first.join(c.by_bob);
    const auto cleared = c.first.clear(alice);
    BOOST_TEST(c.first.empty());
    const auto again = c.second.set(bob, "c");
    c.second.join(cleared);
    BOOST_TEST((values(c.second) == texts{"c"}));
    c.first.join(again);
    BOOST_TEST((c.first == c.second));
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    text reg;
    const auto nothing = reg.clear(alice);
    BOOST_TEST(nothing.is_bottom());
    conflict c;
    c.second.join(nothing);
    BOOST_TEST((values(c.second) == texts{"b"}));
}

BOOST_AUTO_TEST_CASE(trap_update_carries_superseded_dots) {
    text mine;
    text theirs;
    theirs.join(mine.set(alice, "a"));
    const auto again = mine.set(bob, "b");
    BOOST_TEST(again.context().count() == 2U);
    theirs.join(again);
    BOOST_TEST((values(theirs) == texts{"b"}));
}

BOOST_AUTO_TEST_CASE(trap_present_in_both_still_removed) {
    // Each holds two values, of which the other has seen one go.
    conflict c;
    text both = c.first;
    both.join(c.second);
    c.first.join(c.by_bob);
    c.second.join(c.by_alice);
    text saw_alice;
    saw_alice.join(c.by_alice);
    text saw_bob;
    saw_bob.join(c.by_bob);
    c.first.join(saw_alice.clear(carol));
    c.second.join(saw_bob.clear(carol));
    BOOST_TEST((values(c.first) == texts{"b"}));
    BOOST_TEST((values(c.second) == texts{"a"}));
    both.join(c.first);
    both.join(c.second);
    BOOST_TEST(both.empty());
    c.first.join(c.second);
    BOOST_TEST((c.first == both));
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    text mine;
    const auto old = mine.set(alice, "old");
    text theirs;
    theirs.join(mine.set(alice, "new"));
    theirs.join(old);
    BOOST_TEST((values(theirs) == texts{"new"}));
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    text mine;
    (void)mine.set(alice, "a");
    text copy = mine;
    (void)mine.set(alice, "b");
    BOOST_TEST(copy.context().count() == 1U);
    (void)copy.clear(bob);
    BOOST_TEST((values(mine) == texts{"b"}));
    copy.join(mine);
    BOOST_TEST((values(copy) == texts{"b"}));
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    conflict c;
    c.first.join(c.by_bob);
    c.second.join(c.by_alice);
    BOOST_TEST(encode(c.first) == encode(c.second));
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_delta) {
    text mine;
    text batch;
    mine.edit(alice, batch, [](auto&& reg) {
        reg.set("a");
        reg.clear();
        reg.set("b");
        reg.set("c");
    });
    BOOST_TEST((values(mine) == texts{"c"}));
    BOOST_TEST((batch == mine));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    using store = text::store_type;
    text mine;
    text theirs;
    const std::vector<text::operation> all{store::operations::set{"a"}, store::operations::clear{},
                                           store::operations::set{"b"}};
    const auto read = decode<std::vector<text::operation>>(encode(all));
    theirs.join(mine.apply(alice, read[0]));
    BOOST_TEST((values(mine) == texts{"a"}));
    theirs.join(mine.apply(alice, read[1]));
    BOOST_TEST(mine.empty());
    theirs.join(mine.apply(alice, read[2]));
    BOOST_TEST((values(mine) == texts{"b"}));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_which_values_stand) {
    conflict c;
    BOOST_TEST(to_text(explain(c.first)) == "stands \"a\" by 1.10:1\n");
    c.second.join(c.by_alice);
    BOOST_TEST(to_text(explain(c.second)) == "stands \"a\" by 1.10:1 (one of 2 concurrent writes)\n"
                                             "stands \"b\" by 2.10:1 (one of 2 concurrent writes)\n");
    (void)c.second.clear(carol);
    BOOST_TEST(to_text(explain(c.second)) == "gone by 1.10:1 (1 removed or superseded)\n"
                                             "gone by 2.10:1 (1 removed or superseded)\n");
}

BOOST_AUTO_TEST_CASE(under_the_key_of_a_map) {
    using map = or_map<std::string, text::store_type>;
    map mine;
    map theirs;
    const auto write = [](map& where, const replica_id& here, const char* value) {
        return where.update(here, "title", [&](auto&& reg) { reg.set(value); });
    };
    const auto read = [](const map& where) {
        texts all;
        if (const auto found = where.find("title")) {
            const auto range = found->values();
            all.assign(range.begin(), range.end());
        }
        return all;
    };
    const auto first = write(mine, alice, "a");
    (void)write(theirs, bob, "b");
    theirs.join(first);
    BOOST_TEST((read(theirs) == texts{"a", "b"}));
    // The removal takes the one value that it has seen.
    theirs.join(mine.remove(alice, "title"));
    BOOST_TEST(!mine.contains("title"));
    BOOST_TEST((read(theirs) == texts{"b"}));
    mine.join(theirs);
    BOOST_TEST((mine == theirs));
    BOOST_TEST((decode<map>(encode(mine)) == mine));
}

BOOST_AUTO_TEST_CASE(a_dot_that_came_and_went_in_one_update_of_a_map_leaves_no_trace) {
    // Enough keys that the map finds its dots by an index.
    using map = or_map<int, mv_register_store<int>>;
    map mine;
    for (int key = 0; key < 40; ++key) {
        (void)mine.update(alice, key, [&](auto&& reg) { reg.set(key); });
    }
    const auto twice = mine.update(bob, 20, [](auto&& reg) {
        reg.set(1);
        reg.set(2);
    });
    (void)mine.remove(bob, 20);
    const map before = mine;
    mine.join(twice);
    BOOST_TEST((mine == before));
    BOOST_TEST(mine.size() == 39U);
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    mv_register<std::uint8_t> reg;
    (void)reg.set(alice, 7);
    const auto good = encode(reg);
    // The last four bytes: one sibling, of the first replica, counter 1, the value.
    for (const auto& [place, value, expected] : std::vector<std::tuple<std::size_t, int, std::string>>{
             {2, 2, "context has seen"}, {3, 1, "context has seen"}, {4, 9, "dots with values"}}) {
        auto bytes = good;
        bytes[bytes.size() - place] = static_cast<std::byte>(value);
        BOOST_CHECK_EXCEPTION(
            (void)decode<mv_register<std::uint8_t>>(bytes), decode_error,
            [&](const decode_error& e) { return std::string(e.what()).find(expected) != std::string::npos; });
    }
    auto twice = good;
    twice[twice.size() - 4] = std::byte(2);
    twice.insert(twice.end(), good.end() - 3, good.end());
    BOOST_CHECK_EXCEPTION((void)decode<mv_register<std::uint8_t>>(twice), decode_error,
                          [](const decode_error& e) {
                              return std::string(e.what()).find("ascending order") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
