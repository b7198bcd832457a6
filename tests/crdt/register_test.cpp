#include <phoenix/crdt/composite.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/register.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "replicas.hpp"
#include "store_models.hpp"
#include "under_a_map.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;
using testing::carol;
using testing::laws_hold;

using text = causal_register<std::string>;
using texts = std::vector<std::string>;

static_assert(decomposable<text> && operable<text> && explainable<text>);

texts values(const text& reg) {
    texts all;
    for (const auto& [by, at, value] : reg.siblings()) {
        all.push_back(value);
    }
    return all;
}

std::string visible(const text& reg) {
    return reg.value() == nullptr ? "none" : *reg.value();
}

/// Two registers that wrote without having seen each other, each of which then heard of the other.
struct conflict {
    conflict(timestamp alices, timestamp bobs)
        : by_alice(first.set(alice, "a", alices)), by_bob(second.set(bob, "b", bobs)) {
        first.join(by_bob);
        second.join(by_alice);
    }

    text first;
    text second;
    text by_alice;
    text by_bob;
};

struct person {
    causal_register_store<std::string> name;
    causal_register_store<int> age;

    static constexpr auto fields() {
        return std::tuple(field("name", &person::name), field("age", &person::age));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(register_test)

BOOST_AUTO_TEST_CASE(keeps_the_laws) {
    using number = causal_register<std::uint64_t>;
    laws_hold(laws::subject<number>{
        .mutate = [](number& state, const replica_id& here, laws::random_source& random) {
            const timestamp at{random.below(3), static_cast<std::uint32_t>(random.below(2))};
            const std::uint64_t value = random.below(3);
            switch (random.below(8)) {
            case 0:
                return state.clear(here);
            case 1:
                return state.resolve(here, value, at);
            case 2: {
                causal_context resolved;
                for (const auto& each : state.siblings()) {
                    if (random.one_in(2)) {
                        resolved.insert(each.by);
                    }
                }
                return state.resolve(here, value, at, resolved);
            }
            case 3: {
                number batch;
                const causal_context before = state.context();
                state.edit(here, batch, [&](auto&& editor) {
                    for (std::uint64_t left = random.below(4); left > 0; --left) {
                        switch (random.below(4)) {
                        case 0:
                            editor.clear();
                            break;
                        case 1:
                            editor.resolve(value, at, random.one_in(2) ? before : state.context());
                            break;
                        default:
                            editor.set(random.below(3), at);
                        }
                    }
                });
                return batch;
            }
            default:
                return state.set(here, value, at);
            }
        }});
}

BOOST_AUTO_TEST_CASE(keeps_the_laws_under_a_map) {
    using store = causal_register_store<std::uint64_t>;
    testing::laws_hold_under_a_map<store>([](laws::random_source& random) -> store::operation {
        const timestamp at{random.below(3), 0};
        switch (random.below(5)) {
        case 0:
            return store::operations::clear{};
        case 1: {
            causal_context resolved;
            resolved.insert(laws::replica_number(random.below(4)), 1, 1 + random.below(20));
            return store::operations::resolve{random.below(3), at, resolved};
        }
        default:
            return store::operations::set{random.below(3), at};
        }
    });
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    struct call {
        enum class kind : std::uint8_t { write, clear, resolve } what;
        timestamp at;
        std::uint64_t value;
        replica_id only; ///< a resolution decides on the siblings of this replica
    };

    using number = causal_register<std::uint64_t>;
    testing::agrees_with_model<number, call>(
        [](laws::random_source& random) {
            const std::uint64_t which = random.below(6);
            return call{which == 0  ? call::kind::clear
                        : which < 3 ? call::kind::resolve
                                    : call::kind::write,
                        {random.below(3), 0},
                        random.below(100),
                        laws::replica_number(random.below(3))};
        },
        [](number& state, const replica_id& here, const call& what) {
            causal_context decided;
            for (const auto& each : state.siblings()) {
                if (each.by.replica == what.only) {
                    decided.insert(each.by);
                }
            }
            return what.what == call::kind::clear     ? state.clear(here)
                   : what.what == call::kind::resolve ? state.resolve(here, what.value, what.at, decided)
                                                      : state.set(here, what.value, what.at);
        },
        [](const number& state, const auto& history, const auto& seen) -> std::optional<std::string> {
            // A resolution takes the place of what it decided on, and is nothing when that is nothing.
            std::vector<bool> is_value(seen.size());
            const auto stands = [&](std::size_t event, const auto& among) {
                bool found = is_value[event];
                for (std::size_t later = event + 1; later < seen.size(); ++later) {
                    const call& what = history.events[later].what;
                    found = found &&
                            !(among(later) && history.saw(later, event) &&
                              (what.what != call::kind::resolve || what.only == history.events[event].by));
                }
                return found;
            };
            for (std::size_t i = 0; i < seen.size(); ++i) {
                const call& what = history.events[i].what;
                is_value[i] = what.what == call::kind::write;
                for (std::size_t j = 0; j < i && what.what == call::kind::resolve; ++j) {
                    const auto before = [&](std::size_t each) {
                        return history.saw(i, each);
                    };
                    is_value[i] =
                        is_value[i] || (before(j) && history.events[j].by == what.only && stands(j, before));
                }
            }
            std::vector<std::tuple<timestamp, replica_id, std::uint64_t, std::uint64_t>> expected;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                if (seen[i] && stands(i, [&](std::size_t each) { return seen[each]; })) {
                    const call& what = history.events[i].what;
                    expected.emplace_back(what.at, history.events[i].by, bytes_hash(what.value), what.value);
                }
            }
            std::ranges::sort(expected);
            decltype(expected) found;
            for (const auto& [by, at, value] : state.siblings()) {
                found.emplace_back(at, by.replica, bytes_hash(value), value);
            }
            std::ranges::sort(found);
            const bool reads_last = expected.empty() ? state.value() == nullptr && !state.written_at()
                                                     : state.value() != nullptr &&
                                                           *state.value() == std::get<3>(expected.back()) &&
                                                           state.written_at() == std::get<0>(expected.back());
            return found == expected && reads_last ? std::nullopt : std::optional(to_text(explain(state)));
        });
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen_under_a_map) {
    testing::agrees_with_the_rules_under_a_map<causal_register_store<std::uint64_t>>();
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const text reg;
    BOOST_TEST(reg.value() == nullptr);
    BOOST_TEST(!reg.written_at());
    BOOST_TEST(reg.empty());
    BOOST_TEST(reg.siblings().empty());
    BOOST_TEST(reg.is_bottom());
}

BOOST_AUTO_TEST_CASE(a_write_takes_the_place_of_what_it_has_seen_whatever_the_times) {
    text mine;
    (void)mine.set(alice, "ahead", {100, 0});
    text theirs = mine;
    (void)mine.set(bob, "behind", {1, 0});
    BOOST_TEST(visible(mine) == "behind");
    BOOST_TEST(mine.size() == 1U);
    theirs.join(mine);
    BOOST_TEST(visible(theirs) == "behind");
    BOOST_TEST((*theirs.written_at() == timestamp{1, 0}));
}

BOOST_AUTO_TEST_CASE(of_concurrent_writes_the_later_is_seen) {
    for (const auto& [alices, bobs, expected] : std::vector<std::tuple<timestamp, timestamp, std::string>>{
             {{5, 0}, {4, 9}, "a"}, {{5, 0}, {5, 1}, "b"}, {{5, 2}, {5, 1}, "a"}, {{6, 0}, {7, 0}, "b"}}) {
        const conflict c(alices, bobs);
        BOOST_TEST(visible(c.first) == expected);
        BOOST_TEST(visible(c.second) == expected);
        BOOST_TEST((c.first.written_at() == std::max(alices, bobs)));
        BOOST_TEST((c.first == c.second));
    }
}

BOOST_AUTO_TEST_CASE(trap_lww_equal_timestamps) {
    const conflict c({5, 0}, {5, 0});
    BOOST_TEST(visible(c.first) == "b");
    BOOST_TEST(visible(c.second) == "b");
    // The higher replica wins, not the greater value or who came later.
    text low;
    text high;
    const auto z = low.set(alice, "z", {5, 0});
    const auto a = high.set(carol, "a", {5, 0});
    low.join(a);
    high.join(z);
    BOOST_TEST(visible(low) == "a");
    BOOST_TEST(visible(high) == "a");
}

BOOST_AUTO_TEST_CASE(the_hash_decides_between_writes_of_one_replica_at_one_time) {
    // A resolution of bob's value that leaves alice's own, at the same time.
    bool earlier_won = false;
    bool later_won = false;
    for (const char* decided : {"b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}) {
        conflict c({5, 0}, {5, 0});
        causal_context only_bobs;
        only_bobs.insert({bob, 1});
        (void)c.first.resolve(alice, decided, {5, 0}, only_bobs);
        BOOST_TEST((values(c.first) == texts{"a", decided}));
        const std::string greater =
            bytes_hash(std::string("a")) < bytes_hash(std::string(decided)) ? decided : "a";
        BOOST_TEST(visible(c.first) == greater);
        (greater == "a" ? earlier_won : later_won) = true;
    }
    BOOST_TEST(earlier_won);
    BOOST_TEST(later_won);
}

BOOST_AUTO_TEST_CASE(siblings_read_in_one_order_on_all_replicas_with_their_times) {
    const conflict c({7, 1}, {5, 2});
    for (const text* const each : {&c.first, &c.second}) {
        std::vector<std::tuple<dot, timestamp, std::string>> found;
        for (const auto& [by, at, value] : each->siblings()) {
            found.emplace_back(by, at, value);
        }
        BOOST_TEST((found == std::vector<std::tuple<dot, timestamp, std::string>>{{{alice, 1}, {7, 1}, "a"},
                                                                                  {{bob, 1}, {5, 2}, "b"}}));
    }
}

BOOST_AUTO_TEST_CASE(equal_values_of_two_replicas_both_count) {
    text mine;
    text theirs;
    const auto first = mine.set(alice, "tea", {1, 0});
    theirs.join(theirs.set(bob, "tea", {1, 0}));
    theirs.join(first);
    BOOST_TEST((values(theirs) == texts{"tea", "tea"}));
}

BOOST_AUTO_TEST_CASE(a_resolution_takes_the_place_of_all_siblings) {
    conflict c({5, 0}, {6, 0});
    c.second.join(c.first.resolve(alice, "both", {2, 0}));
    BOOST_TEST((values(c.first) == texts{"both"}));
    BOOST_TEST((c.first == c.second));
}

BOOST_AUTO_TEST_CASE(a_resolution_leaves_siblings_that_it_did_not_decide_on) {
    conflict c({5, 0}, {6, 0});
    causal_context inspected;
    for (const auto& each : c.first.siblings()) {
        inspected.insert(each.by);
    }
    text late;
    c.first.join(late.set(carol, "c", {4, 0}));
    const auto decided = c.first.resolve(alice, "both", {7, 0}, inspected);
    BOOST_TEST(decided.context().count() == 3U);
    BOOST_TEST((values(c.first) == texts{"both", "c"}));
    BOOST_TEST(visible(c.first) == "both");
    c.second.join(decided);
    BOOST_TEST((values(c.second) == texts{"both"}));
    c.second.join(late);
    BOOST_TEST((c.first == c.second));
}

BOOST_AUTO_TEST_CASE(a_resolution_of_what_no_longer_stands_does_nothing) {
    conflict c({5, 0}, {6, 0});
    const causal_context inspected = c.first.live();
    (void)c.first.set(carol, "c", {1, 0});
    const text before = c.first;
    BOOST_TEST(c.first.resolve(alice, "both", {9, 0}, inspected).is_bottom());
    BOOST_TEST((c.first == before));
    text empty;
    BOOST_TEST(empty.resolve(alice, "both", {9, 0}, inspected).is_bottom());
    BOOST_TEST(empty.empty());
}

BOOST_AUTO_TEST_CASE(a_concurrent_write_survives_a_clear) {
    conflict c({5, 0}, {5, 0});
    const auto cleared = c.first.clear(alice);
    BOOST_TEST(c.first.empty());
    BOOST_TEST(visible(c.first) == "none");
    const auto again = c.second.set(bob, "c", {1, 0});
    c.second.join(cleared);
    BOOST_TEST((values(c.second) == texts{"c"}));
    c.first.join(again);
    BOOST_TEST((c.first == c.second));
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    text reg;
    const auto nothing = reg.clear(alice);
    BOOST_TEST(nothing.is_bottom());
    (void)reg.set(bob, "b", {1, 0});
    reg.join(nothing);
    BOOST_TEST(visible(reg) == "b");
}

BOOST_AUTO_TEST_CASE(trap_update_carries_superseded_dots) {
    conflict c({9, 0}, {9, 0});
    const auto again = c.first.set(carol, "c", {1, 0});
    BOOST_TEST(again.context().count() == 3U);
    c.second.join(again);
    BOOST_TEST((values(c.second) == texts{"c"}));
}

BOOST_AUTO_TEST_CASE(trap_present_in_both_still_removed) {
    const conflict c({5, 0}, {6, 0});
    text mine = c.first;
    text theirs = c.first;
    text saw_alice;
    saw_alice.join(c.by_alice);
    text saw_bob;
    saw_bob.join(c.by_bob);
    mine.join(saw_alice.clear(carol));
    theirs.join(saw_bob.clear(carol));
    BOOST_TEST((values(mine) == texts{"b"}));
    BOOST_TEST((values(theirs) == texts{"a"}));
    mine.join(theirs);
    BOOST_TEST(mine.empty());
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    text mine;
    const auto old = mine.set(alice, "old", {9, 0});
    text theirs;
    theirs.join(mine.set(alice, "new", {1, 0}));
    theirs.join(old);
    BOOST_TEST((values(theirs) == texts{"new"}));
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    text mine;
    (void)mine.set(alice, "a", {1, 0});
    text copy = mine;
    (void)mine.set(alice, "b", {2, 0});
    BOOST_TEST(copy.context().count() == 1U);
    (void)copy.clear(bob);
    BOOST_TEST(visible(mine) == "b");
    copy.join(mine);
    BOOST_TEST((values(copy) == texts{"b"}));
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    const conflict c({5, 0}, {5, 0});
    BOOST_TEST(encode(c.first) == encode(c.second));
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_delta) {
    text mine;
    text batch;
    mine.edit(alice, batch, [](auto&& reg) {
        reg.set("a", {1, 0});
        reg.clear();
        reg.set("b", {2, 0});
        reg.resolve("c", {1, 0});
    });
    BOOST_TEST((values(mine) == texts{"c"}));
    BOOST_TEST((batch == mine));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    using store = text::store_type;
    causal_context resolved;
    resolved.insert({alice, 1});
    const std::vector<text::operation> all{store::operations::set{"a", {1, 0}},
                                           store::operations::resolve{"b", {2, 3}, resolved},
                                           store::operations::clear{}};
    const auto read = decode<std::vector<text::operation>>(encode(all));
    text mine;
    text theirs;
    theirs.join(mine.apply(alice, read[0]));
    BOOST_TEST(visible(mine) == "a");
    theirs.join(mine.apply(alice, read[1]));
    BOOST_TEST((values(mine) == texts{"b"}));
    BOOST_TEST((*mine.written_at() == timestamp{2, 3}));
    BOOST_TEST(mine.apply(alice, read[1]).is_bottom());
    theirs.join(mine.apply(alice, read[2]));
    BOOST_TEST(mine.empty());
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_what_won_by_which_rule) {
    text one;
    (void)one.set(alice, "a", {1'500'000, 2});
    BOOST_TEST(to_text(explain(one)) ==
               "stands \"a\" by 1.10:1 (at " + to_text(timestamp{1'500'000, 2}) + ")\n");
    const std::string five = to_text(timestamp{5, 0});
    const std::string six = to_text(timestamp{6, 0});
    BOOST_TEST(to_text(explain(conflict({6, 0}, {5, 0}).first)) ==
               "stands \"a\" by 1.10:1 (at " + six + ", the last of 2 concurrent writes)\n" +
                   "loses \"b\" by 2.10:1 (at " + five + ", earlier than 1.10:1)\n");
    conflict same({5, 0}, {5, 0});
    BOOST_TEST(to_text(explain(same.first)) ==
               "loses \"a\" by 1.10:1 (at " + five + ", at the same time as the greater 2.10:1)\n" +
                   "stands \"b\" by 2.10:1 (at " + five + ", the last of 2 concurrent writes)\n");
    (void)same.first.clear(carol);
    BOOST_TEST(to_text(explain(same.first)) == "gone by 1.10:1 (1 removed or superseded)\n"
                                               "gone by 2.10:1 (1 removed or superseded)\n");
}

BOOST_AUTO_TEST_CASE(as_a_field_under_the_key_of_a_map) {
    using map = or_map<int, composite_store<person>>;
    const auto rename = [](map& where, const replica_id& here, timestamp at, const char* name) {
        return where.update(here, 1, [&](auto&& one) { one.at(&person::name).set(name, at); });
    };
    map mine;
    map theirs;
    (void)rename(mine, alice, {5, 0}, "ann");
    (void)mine.update(alice, 1, [](auto&& one) { one.at(&person::age).set(40, {5, 0}); });
    (void)rename(theirs, bob, {6, 0}, "bea");
    mine.join(theirs);
    theirs.join(mine);
    BOOST_TEST(*mine.find(1)->at(&person::name).value() == "bea");
    BOOST_TEST(theirs.find(1)->at(&person::name).size() == 2U);
    BOOST_TEST(*theirs.find(1)->at(&person::age).value() == 40);
    // The removal clears what it has seen; a concurrent name survives it alone.
    const auto erased = mine.remove(alice, 1);
    (void)rename(theirs, bob, {1, 0}, "cat");
    theirs.join(erased);
    mine.join(theirs);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(*mine.find(1)->at(&person::name).value() == "cat");
    BOOST_TEST((mine.find(1)->at(&person::age).value() == nullptr));
    BOOST_TEST((decode<map>(encode(mine)) == mine));
}

BOOST_AUTO_TEST_CASE(a_dot_that_a_resolution_took_leaves_no_trace_in_a_map) {
    // Enough keys that the map finds its dots by an index.
    using map = or_map<int, causal_register_store<int>>;
    map mine;
    map batch;
    mine.edit(alice, batch, [](auto&& editor) {
        for (int key = 0; key < 40; ++key) {
            editor.update(key, [&](auto&& reg) { reg.set(key, {1, 0}); });
        }
    });
    const auto write = [](auto&& reg) {
        reg.set(1, {2, 0});
    };
    const auto written = map(mine).update(alice, 20, write);
    mine.edit(alice, batch, [&](auto&& editor) {
        editor.update(20, write);
        editor.update(20, [&](auto&& reg) { reg.resolve(2, {3, 0}, mine.context()); });
        editor.remove(20);
    });
    for (map* const each : {&mine, &batch}) {
        const map before = *each;
        each->join(written);
        BOOST_TEST((*each == before));
        BOOST_TEST(each->size() == 39U);
    }
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    using reg = causal_register<std::uint8_t>;
    reg small;
    (void)small.set(alice, 7, {3, 1});
    const auto good = encode(small);
    // The last six bytes: one sibling, of the first replica, counter 1, wall time, logical time, the value.
    for (const auto& [place, value, expected] : std::vector<std::tuple<std::size_t, int, std::string>>{
             {4, 2, "context has seen"}, {5, 1, "context has seen"}, {6, 9, "dots with values"}}) {
        auto bytes = good;
        bytes[bytes.size() - place] = static_cast<std::byte>(value);
        BOOST_CHECK_EXCEPTION((void)decode<reg>(bytes), decode_error, [&](const decode_error& e) {
            return std::string(e.what()).find(expected) != std::string::npos;
        });
    }
    auto twice = good;
    twice[twice.size() - 6] = std::byte(2);
    twice.insert(twice.end(), good.end() - 5, good.end());
    BOOST_CHECK_EXCEPTION((void)decode<reg>(twice), decode_error, [](const decode_error& e) {
        return std::string(e.what()).find("ascending order") != std::string::npos;
    });
    // A counter of more than 32 bits within the timestamp.
    byte_writer out;
    out.write_raw(std::span(good).first(good.size() - 2));
    out.write_varint(std::uint64_t(1) << 32);
    out.write_byte(7);
    BOOST_CHECK_THROW((void)decode<reg>(out.bytes()), decode_error);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
