#include <phoenix/crdt/conflict/list_merge.hpp>
#include <phoenix/crdt/conflict/semantic.hpp>
#include <phoenix/crdt/laws/history.hpp>

#include "../laws_hold.hpp"
#include "any_order.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

using laws::random_source;
using testing::alice;
using testing::bob;
using testing::carol;
using testing::decided;
using testing::value_by;
using testing::written;

value list(const std::string& letters) {
    value::list items;
    for (const char each : letters) {
        items.emplace_back(std::string(1, each));
    }
    return value(std::move(items));
}

value set(const std::string& letters) {
    value::set elements;
    for (const char each : letters) {
        elements.emplace(std::string(1, each));
    }
    return value(std::move(elements));
}

/// A conflict of data of this type: alice's, bob's and carol's values, written at 1, 2 and 3.
context<value> conflict_of(const std::string& data_type, const std::vector<value>& values,
                           std::optional<value> ancestor = std::nullopt) {
    std::vector<sibling<value>> siblings;
    for (std::size_t i = 0; i < values.size(); ++i) {
        siblings.push_back(written<value>({i + 1, 10}, i + 1, values[i]));
    }
    return {.data_type = data_type, .siblings = siblings, .ancestor = std::move(ancestor)};
}

std::string merged(const std::string& data_type, const std::vector<value>& values,
                   std::optional<value> ancestor = std::nullopt) {
    return to_text(value_by(semantic<value>(), conflict_of(data_type, values, std::move(ancestor))));
}

std::string merged_list(const std::vector<std::string>& lists, const std::optional<std::string>& ancestor) {
    std::vector<value> values;
    for (const std::string& each : lists) {
        values.push_back(list(each));
    }
    const value found =
        value_by(semantic<value>(),
                 conflict_of("list", values, ancestor ? std::optional(list(*ancestor)) : std::nullopt));
    std::string letters;
    for (const value& each : *found.as<value::list>()) {
        letters += *each.as<std::string>();
    }
    return letters;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conflict_semantic_test)

BOOST_AUTO_TEST_CASE(counters_add_their_differences_to_the_ancestor) {
    BOOST_TEST(merged("counter", {8, 4, 6}, 5) == "8");
    BOOST_TEST(merged("counter", {1, 2, 3}) == "6");
    BOOST_TEST(merged("counter", {-7}, -5) == "-7");
    BOOST_TEST(merged("counter", {1.5, 2.5}, 1.0) == "3.0");
    BOOST_TEST(merged("counter", {1.5, 2.5}) == "4.0");
}

BOOST_AUTO_TEST_CASE(equal_values_of_two_replicas_both_count) {
    BOOST_TEST(merged("counter", {7, 7}, 5) == "9");
    BOOST_TEST(merged("counter", {7, 7}) == "14");
}

BOOST_AUTO_TEST_CASE(a_total_beyond_64_bits_stays_unresolved) {
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    BOOST_TEST(!decided(conflict_of("counter", {most, 1}), semantic<value>()).is_resolved());
    BOOST_TEST(!decided(conflict_of("counter", {-most, -2}), semantic<value>()).is_resolved());
    // Only the total counts, not what stands on the way.
    BOOST_TEST(merged("counter", {most, most, -most}) == std::to_string(most));
    BOOST_TEST(merged("counter", {most, most}, most) == std::to_string(most));
}

BOOST_AUTO_TEST_CASE(what_another_sibling_had_seen_does_not_count_again) {
    version_vector first;
    (void)first.tick(alice);
    version_vector second = first;
    (void)second.tick(bob);
    version_vector third;
    (void)third.tick(carol);
    const context<value> about{.data_type = "counter",
                               .siblings = {{{alice, 1}, {1, 0}, first, 6},
                                            {{bob, 1}, {2, 0}, second, 10},
                                            {{carol, 1}, {3, 0}, third, 7}},
                               .ancestor = 5};
    BOOST_TEST((value_by(semantic<value>(), about) == value(12)));
    BOOST_TEST((value_by(counter_merge(), about) == value(12)));
}

BOOST_AUTO_TEST_CASE(sets_unite_and_removals_of_the_ancestors_elements_hold) {
    BOOST_TEST((value_by(set_merge(), conflict_of("set", {set("ab"), set("bc")})) == set("abc")));
    BOOST_TEST((value_by(set_merge(), conflict_of("set", {set("ax"), set("abcy"), set("abc")}, set("abc"))) ==
                set("axy")));
    BOOST_TEST(merged("set", {set("a"), set("")}, set("a")) == "{}");
    BOOST_TEST(decide(semantic<value>(), conflict_of("set", {set("a"), set("ab")}, set("ab"))).why() ==
               "the union of 2 sets without 1 that one of them removed");
}

BOOST_AUTO_TEST_CASE(lists_merge_three_ways) {
    BOOST_TEST(merged_list({"axbc", "aby"}, "abc") == "axby");
    BOOST_TEST(merged_list({"xabc", "yabc", "zabc"}, "abc") == "xyzabc");
    BOOST_TEST(merged_list({"", "abc"}, "abc") == "");
    BOOST_TEST(merged_list({"abxc", "ac"}, "abc") == "axc");
    BOOST_TEST(merged_list({"abc", "abc"}, "abc") == "abc");
    // Runs of two writers at one place do not interleave, and equal ones stand twice.
    BOOST_TEST(merged_list({"a123b", "a456b"}, "ab") == "a123456b");
    BOOST_TEST(merged_list({"axb", "axb"}, "ab") == "axxb");
    BOOST_TEST(merged_list({"xy", "z"}, "") == "xyz");
    // A replaced item: both replacements, once each.
    BOOST_TEST(merged_list({"aXc", "aYc"}, "abc") == "aXYc");
}

BOOST_AUTO_TEST_CASE(lists_without_an_ancestor_keep_what_they_share_once) {
    BOOST_TEST(merged_list({"abc", "abcd"}, std::nullopt) == "abcd");
    BOOST_TEST(merged_list({"ab", "cd"}, std::nullopt) == "abcd");
    BOOST_TEST(merged_list({"axb", "ayb", "azb"}, std::nullopt) == "axyzb");
}

BOOST_AUTO_TEST_CASE(lists_that_differ_too_much_stay_unresolved) {
    const auto about = conflict_of("list", {list("axyzb"), list("ab")}, list("ab"));
    BOOST_TEST(!decided(about, list_merge({.edits_max = 2})).is_resolved());
    BOOST_TEST((value_by(list_merge({.edits_max = 3}), about) == list("axyzb")));
    const auto refused = [](const std::system_error& e) {
        return std::string(e.what()).find("edits_max of 1 to 10000") != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION((void)list_merge({.edits_max = 0}), std::system_error, refused);
    BOOST_CHECK_EXCEPTION((void)list_merge({.edits_max = 10'001}), std::system_error, refused);
}

BOOST_AUTO_TEST_CASE(a_common_subsequence_is_as_long_as_the_textbook_finds) {
    const std::uint64_t seed = phoenix::crdt::testing::random_seed();
    random_source random(seed);
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << seed)
    for (std::size_t round = 0; round < phoenix::crdt::testing::cases_wanted(); ++round) {
        const auto draw = [&] {
            value::list items;
            for (std::uint64_t left = random.below(12); left > 0; --left) {
                items.emplace_back(static_cast<int>(random.below(3)));
            }
            return items;
        };
        const value::list a = draw();
        const value::list b = draw();
        // Lengths of the longest, by the quadratic table.
        std::vector<std::vector<std::size_t>> longest(a.size() + 1,
                                                      std::vector<std::size_t>(b.size() + 1, 0));
        for (std::size_t i = 1; i <= a.size(); ++i) {
            for (std::size_t j = 1; j <= b.size(); ++j) {
                longest[i][j] = a[i - 1] == b[j - 1] ? longest[i - 1][j - 1] + 1
                                                     : std::max(longest[i - 1][j], longest[i][j - 1]);
            }
        }
        const auto found = common_subsequence(std::array{&a, &b}, 100);
        BOOST_TEST(found.size() == longest[a.size()][b.size()]);
        // And one sibling's changes alone are that sibling.
        BOOST_TEST((merge_lists(a, std::array{&b}, 100) == b));
        BOOST_TEST((merge_lists(a, std::array{&b, &a}, 100) == b));
    }
}

BOOST_AUTO_TEST_CASE(maps_merge_key_by_key) {
    const value before(value::map{{"count", 5}, {"name", "old"}, {"tags", set("a")}, {"unused", 1}});
    const value hers(
        value::map{{"count", 6}, {"name", "old"}, {"tags", set("ab")}, {"unused", 1}, {"hers", 1}});
    const value his(value::map{{"count", 8}, {"name", "new"}, {"tags", set("ac")}});
    const auto about = conflict_of("map", {hers, his}, before);
    BOOST_TEST(to_text(value_by(map_merge({.by_key = {{"count", counter_merge()}}}), about)) ==
               R"({"count": 9, "hers": 1, "name": "new", "tags": {"a", "b", "c"}})");
    // By default a number is a register.
    BOOST_TEST(to_text(value_by(semantic<value>(), about)) ==
               R"({"count": 8, "hers": 1, "name": "new", "tags": {"a", "b", "c"}})");
    BOOST_TEST(to_text(value_by(map_merge({.otherwise = first_writer<value>()}), about)) ==
               R"({"count": 6, "hers": 1, "name": "new", "tags": {"a", "b"}})");
    BOOST_TEST(
        decide(map_merge({.by_key = {{"count", counter_merge()}}}), about).why() ==
        R"(2 keys in conflict; "count": 5 and the differences of 2 counts; "tags": the union of 2 sets)");
}

BOOST_AUTO_TEST_CASE(who_left_a_key_as_it_was_has_no_say_in_it) {
    const value before(value::map{{"name", "old"}, {"other", 1}});
    const value earlier(value::map{{"name", "new"}, {"other", 1}});
    const value later(value::map{{"name", "old"}, {"other", 2}});
    BOOST_TEST(merged("map", {earlier, later}, before) == R"({"name": "new", "other": 2})");
    // Nobody knows without the ancestor.
    BOOST_TEST(merged("map", {earlier, later}) == R"({"name": "old", "other": 2})");
}

BOOST_AUTO_TEST_CASE(a_removed_key_stays_only_if_another_changed_it) {
    const value before(value::map{{"k", 1}});
    const value without(value::map{});
    BOOST_TEST(merged("map", {before, without}, before) == "{}");
    BOOST_TEST(merged("map", {value(value::map{{"k", 2}}), without}, before) == R"({"k": 2})");
    BOOST_TEST(merged("map", {before, without}) == R"({"k": 1})");
    BOOST_TEST(merged("map", {without, without}, before) == "{}");
}

BOOST_AUTO_TEST_CASE(maps_nest_and_keys_have_contexts_of_their_own) {
    const auto inner = [](const value& held) {
        return value(value::map{{"in", value(value::map{{"k", held}})}});
    };
    BOOST_TEST(merged("map", {inner(list("ax")), inner(list("ay"))}, inner(list("a"))) ==
               R"({"in": {"k": ["a", "x", "y"]}})");
    context<value> about = conflict_of("map", {inner(1), inner(2)}, inner(0));
    about.object = "page";
    about.current = inner(7);
    about.metadata = {{"who", "ann"}};
    std::string seen;
    const strategy<value> spy{"spy", [&](const context<value>& at) {
                                  seen = at.object + " " + at.data_type + " " + to_text(*at.ancestor) + " " +
                                         to_text(*at.current) + " " + at.metadata.at("who");
                                  return outcome<value>::resolved(3, "spied");
                              }};
    const auto rules = map_merge({.by_key = {{"in", map_merge({.by_key = {{"k", spy}}})}}});
    BOOST_TEST((value_by(rules, about) == inner(3)));
    BOOST_TEST(seen == "page/in/k register 0 7 ann");
}

BOOST_AUTO_TEST_CASE(an_unresolved_key_leaves_the_map_unresolved) {
    const strategy<value> never{"never", [](const context<value>&) {
                                    return outcome<value>::unresolved("ask");
                                }};
    const auto about = conflict_of("map", {value(value::map{{"k", 1}}), value(value::map{{"k", 2}})});
    const auto said = decided(about, map_merge({.by_key = {{"k", never}}}));
    BOOST_TEST(!said.is_resolved());
    BOOST_TEST(said.why() == R"(key "k": ask)");
    BOOST_CHECK_EXCEPTION((void)map_merge({.by_key = {{"k", {"none", nullptr}}}}), std::system_error,
                          [](const std::system_error& e) {
                              return std::string(e.what()).find(R"(by_key["k"])") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_CASE(the_reasons_of_a_map_with_many_conflicts_stay_short) {
    value::map one;
    value::map two;
    for (int i = 0; i < 1000; ++i) {
        one.emplace(std::to_string(i), 1);
        two.emplace(std::to_string(i), 2);
    }
    const auto said = decided(conflict_of("map", {value(one), value(two)}), map_merge());
    BOOST_TEST(said.why().starts_with("1000 keys in conflict"));
    BOOST_TEST(said.why().ends_with("; and 992 more"));
    BOOST_TEST(said.why().size() < 1000U);
}

BOOST_AUTO_TEST_CASE(registers_and_unknown_types_fall_to_the_last_writer) {
    BOOST_TEST(merged("register", {1, 3, 2}) == "2");
    BOOST_TEST(merged("", {1, 3, 2}) == "2");
    const auto said = decide(semantic<value>(), conflict_of("tea", {1, 3}));
    BOOST_TEST((said.result() == value(3)));
    BOOST_TEST(said.why() == R"(unknown data type "tea": the last of 2 writes, 2.10:1 at 0.000002+0)");
    BOOST_TEST(
        decide(semantic<std::string>(), context<std::string>{.data_type = "counter",
                                                             .siblings = {written<std::string>(alice, 1, "a"),
                                                                          written<std::string>(bob, 2, "b")}})
            .result() == "b");
}

BOOST_AUTO_TEST_CASE(trap_map_type_conflict) {
    // Siblings of other kinds than the data type wants: everybody falls to the same one of them.
    for (const char* const type : {"counter", "set", "map", "list"}) {
        const auto said = decided(conflict_of(type, {1, "text", set("a"), value(value::map{}), list("a")}),
                                  semantic<value>());
        BOOST_TEST((said.result() == list("a")));
        BOOST_TEST(said.why().starts_with("not all are "));
    }
    BOOST_TEST(merged("counter", {1, 2.0}) == "2.0");
    // An ancestor of another kind is none.
    BOOST_TEST(merged("counter", {1, 2}, "text") == "3");
    BOOST_TEST(merged("set", {set("a"), set("b")}, 1) == R"({"a", "b"})");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt::conflict
