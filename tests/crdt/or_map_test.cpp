#include <phoenix/crdt/composite.hpp>
#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/register.hpp>
#include <phoenix/crdt/resettable_counter.hpp>

#include "laws_hold.hpp"
#include "replicas.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;
using testing::laws_hold;

using set_store = or_set_store<int>;
using baskets = or_map<std::string, set_store>;
using counters = or_map<std::string, resettable_counter_store>;
using nested = or_map<int, or_map_store<int, set_store>>;

struct page {
    or_set_store<std::string> tags;
    resettable_counter_store visits;
    or_map_store<std::string, set_store> links;

    static constexpr auto fields() {
        return std::tuple(field("tags", &page::tags), field("visits", &page::visits),
                          field("links", &page::links));
    }
};

using pages = or_map<int, composite_store<page>>;

struct person {
    causal_register_store<std::string> name;
    or_map_store<std::string, mv_register_store<int>> marks;
    or_set_store<std::string> tags;

    static constexpr auto fields() {
        return std::tuple(field("name", &person::name), field("marks", &person::marks),
                          field("tags", &person::tags));
    }
};

/// What would point into a map that is gone.
template <class Map>
concept finds_in_temporary = requires(Map map) { std::move(map).find({}); };

static_assert(!finds_in_temporary<baskets> && !finds_in_temporary<nested>);

static_assert(decomposable<baskets> && operable<baskets> && explainable<baskets>);
static_assert(std::ranges::forward_range<baskets>);
static_assert(decomposable<nested> && operable<nested> && explainable<nested>);
static_assert(decomposable<composite<page>> && operable<composite<page>> && explainable<composite<page>>);
static_assert(decomposable<pages> && operable<pages> && explainable<pages>);

template <class Map>
auto keys_in_order(const Map& map) {
    std::vector<typename Map::key_type> keys;
    for (const auto& each : map) {
        keys.push_back(each.key);
    }
    std::ranges::sort(keys);
    return keys;
}

template <class Editor>
void change_page(Editor&& editor, laws::random_source& random) {
    switch (random.below(6)) {
    case 0:
        return editor.at(&page::tags).add(std::to_string(random.below(5)));
    case 1:
        return editor.at(&page::tags).remove(std::to_string(random.below(5)));
    case 2:
        return editor.at(&page::visits).decrement(1);
    case 3:
        return editor.at(&page::links).remove(std::to_string(random.below(3)));
    case 4:
        return editor.at(&page::links).update(std::to_string(random.below(3)), [&](auto&& set) {
            set.add(static_cast<int>(random.below(4)));
        });
    default:
        return editor.at(&page::visits).increment(static_cast<std::int64_t>(1 + random.below(5)));
    }
}

laws::subject<nested> nested_sets(std::uint64_t keys) {
    return {.mutate = [keys](nested& map, const replica_id& here, laws::random_source& random) {
        const auto outer = static_cast<int>(random.below(keys));
        const auto inner = static_cast<int>(random.below(keys));
        switch (random.below(10)) {
        case 0:
            return map.clear(here);
        case 1:
        case 2:
            return map.remove(here, outer);
        case 3:
            return map.update(here, outer, [&](auto&& child) { child.remove(inner); });
        case 4:
            return map.update(here, outer, [&](auto&& child) {
                for (int i = 0; i < 12; ++i) {
                    child.update(i % static_cast<int>(keys), [&](auto&& set) { set.add(i); });
                }
            });
        default:
            return map.update(here, outer, [&](auto&& child) {
                child.update(inner, [&](auto&& set) { set.add(static_cast<int>(random.below(30))); });
            });
        }
    }};
}

laws::subject<pages> random_pages() {
    return {.mutate = [](pages& map, const replica_id& here, laws::random_source& random) {
        const auto key = static_cast<int>(random.below(12));
        if (random.one_in(6)) {
            return map.remove(here, key);
        }
        return map.update(here, key, [&](auto&& editor) { change_page(editor, random); });
    }};
}

laws::subject<composite<page>> one_page() {
    return {.mutate = [](composite<page>& state, const replica_id& here, laws::random_source& random) {
        if (random.one_in(8)) {
            return state.reset(here);
        }
        composite<page> delta;
        state.edit(here, delta, [&](auto&& editor) { change_page(editor, random); });
        return delta;
    }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(or_map_test)

BOOST_AUTO_TEST_CASE(laws_of_nested_maps_with_few_keys) {
    laws_hold(nested_sets(3));
}

BOOST_AUTO_TEST_CASE(laws_of_nested_maps_with_many_keys) {
    laws_hold(nested_sets(30));
}

BOOST_AUTO_TEST_CASE(laws_of_maps_of_composites) {
    laws_hold(random_pages());
}

BOOST_AUTO_TEST_CASE(laws_of_a_composite) {
    laws_hold(one_page());
}

BOOST_AUTO_TEST_CASE(a_key_is_there_while_something_is_below_it) {
    baskets map;
    (void)map.update(alice, "ann", [](auto&& set) { set.add(1); });
    BOOST_TEST(map.contains("ann"));
    BOOST_TEST(map.size() == 1U);
    BOOST_TEST(map.find("ann")->contains(1));
    (void)map.update(alice, "ann", [](auto&& set) { set.remove(1); });
    BOOST_TEST(!map.contains("ann"));
    BOOST_TEST(map.empty());
    BOOST_TEST((map.find("ann") == nullptr));
    (void)map.update(alice, "bob", [](auto&&) {});
    BOOST_TEST(map.empty());
}

BOOST_AUTO_TEST_CASE(a_concurrent_update_survives_the_removal_with_that_alone) {
    baskets mine;
    baskets theirs;
    theirs.join(mine.update(alice, "ann", [](auto&& set) {
        set.add(1);
        set.add(2);
    }));
    const auto removed = theirs.remove(bob, "ann");
    const auto updated = mine.update(alice, "ann", [](auto&& set) { set.add(3); });
    mine.join(removed);
    theirs.join(updated);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(mine.find("ann")->size() == 1U);
    BOOST_TEST(mine.find("ann")->contains(3));
}

BOOST_AUTO_TEST_CASE(trap_reset_remove_counter) {
    counters mine;
    counters theirs;
    const auto five = mine.update(alice, "visits", [](auto&& counter) { counter.increment(5); });
    theirs.join(five);
    const auto removed = theirs.remove(bob, "visits");
    BOOST_TEST(!theirs.contains("visits"));
    BOOST_TEST(theirs.hidden() == 1U);
    const auto two = mine.update(alice, "visits", [](auto&& counter) { counter.increment(2); });
    mine.join(removed);
    theirs.join(two);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(mine.find("visits")->value() == 2);
    BOOST_TEST(mine.hidden() == 0U);
    mine.join(five);
    BOOST_TEST(mine.find("visits")->value() == 2);
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    baskets mine;
    baskets theirs;
    (void)mine.update(alice, "ann", [](auto&& set) { set.add(1); });
    const auto nothing = theirs.remove(bob, "ann");
    BOOST_TEST(nothing.is_bottom());
    mine.join(nothing);
    BOOST_TEST(mine.contains("ann"));
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    // What stands below a key has no context of its own: a copy of the map brings the right one along.
    nested mine;
    (void)mine.update(alice, 1, [](auto&& child) { child.update(2, [](auto&& set) { set.add(3); }); });
    nested copy = mine;
    (void)mine.update(alice, 1, [](auto&& child) { child.update(2, [](auto&& set) { set.add(4); }); });
    BOOST_TEST(copy.context().count() == 1U);
    (void)copy.update(bob, 1, [](auto&& child) { child.remove(2); });
    BOOST_TEST(copy.empty());
    BOOST_TEST(mine.find(1)->find(2)->size() == 2U);
    nested moved = std::move(copy);
    copy = nested();
    (void)copy.update(bob, 5, [](auto&& child) { child.update(6, [](auto&& set) { set.add(7); }); });
    BOOST_TEST(moved.context().count() == 1U);
    moved.join(mine);
    BOOST_TEST(moved.find(1)->find(2)->size() == 1U);
    BOOST_TEST(moved.find(1)->find(2)->contains(4));
}

BOOST_AUTO_TEST_CASE(trap_partial_state_full_context) {
    pages whole;
    for (int key = 0; key < 3; ++key) {
        (void)whole.update(alice, key, [](auto&& all) {
            all.at(&page::tags).add("news");
            all.at(&page::visits).increment(2);
        });
        (void)whole.update(
            bob, key, [](auto&& all) { all.at(&page::links).update("up", [](auto&& set) { set.add(1); }); });
    }
    (void)whole.remove(bob, 2);
    pages together;
    for (const pages& part : whole.decompose()) {
        pages other = whole;
        other.join(part);
        BOOST_TEST((other == whole));
        together.join(part);
    }
    BOOST_TEST((together == whole));
    BOOST_TEST((keys_in_order(together) == std::vector<int>{0, 1}));
}

BOOST_AUTO_TEST_CASE(trap_chunk_forgets_removes) {
    pages mine;
    (void)mine.update(alice, 1, [](auto&& all) { all.at(&page::tags).add("news"); });
    (void)mine.update(alice, 2, [](auto&& all) { all.at(&page::tags).add("old"); });
    pages theirs = mine;
    (void)mine.remove(bob, 2);
    for (const pages& part : mine.decompose()) {
        theirs.join(part);
    }
    BOOST_TEST((keys_in_order(theirs) == std::vector<int>{1}));
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(trap_digest_after_every_merge) {
    // A removal of sets mints no dot: only what lives below the key tells.
    baskets mine;
    baskets remote;
    const auto added = remote.update(bob, "ann", [](auto&& set) { set.add(1); });
    const auto more = remote.update(bob, "ann", [](auto&& set) { set.add(2); });
    const auto removed = remote.remove(alice, "ann");
    for (const baskets* each : {&added, &more, &removed}) {
        const auto before = mine.digest();
        baskets behind = mine;
        mine.join(*each);
        BOOST_TEST((mine.digest() != before));
        behind.join(mine.delta_since(before));
        BOOST_TEST((behind == mine));
        BOOST_TEST((behind.digest() == mine.digest()));
    }
    BOOST_TEST((mine.digest() == remote.digest()));
}

BOOST_AUTO_TEST_CASE(sizes_are_right_through_joins_and_copies) {
    counters mine;
    counters theirs;
    for (int i = 0; i < 50; ++i) {
        theirs.join(mine.update(alice, std::to_string(i), [](auto&& counter) { counter.increment(); }));
    }
    for (int i = 0; i < 50; i += 2) {
        mine.join(theirs.remove(bob, std::to_string(i)));
    }
    const counters copy = mine;
    const auto read = decode<counters>(encode(mine));
    for (const counters* each : std::vector<const counters*>{&mine, &theirs, &copy, &read}) {
        BOOST_TEST(each->size() == 25U);
        BOOST_TEST(each->hidden() == 25U);
        BOOST_TEST(keys_in_order(*each).size() == 25U);
    }
    counters moved = std::move(theirs);
    BOOST_TEST(moved.size() == 25U);
    BOOST_TEST((moved == mine));
}

BOOST_AUTO_TEST_CASE(an_update_that_throws_leaves_no_empty_key) {
    counters map;
    BOOST_CHECK_THROW((void)map.update(alice, "visits", [](auto&& counter) { counter.increment(-1); }),
                      std::system_error);
    BOOST_TEST(map.is_bottom());
    BOOST_TEST(map.hidden() == 0U);
    for (int i = 0; i < 20; ++i) {
        (void)map.update(alice, std::to_string(i), [](auto&& counter) { counter.increment(); });
    }
    counters delta;
    BOOST_CHECK_THROW(map.edit(alice, delta,
                               [](auto&& editor) {
                                   editor.update("a", [](auto&& counter) { counter.increment(); });
                                   editor.update("b", [](auto&& counter) { counter.increment(-1); });
                               }),
                      std::system_error);
    // What was done until then is in the delta, so that nobody misses it.
    BOOST_TEST(delta.contains("a"));
    BOOST_TEST(!delta.contains("b"));
    BOOST_TEST(map.size() == 21U);
}

BOOST_AUTO_TEST_CASE(a_composite_changes_field_by_field) {
    composite<page> mine;
    composite<page> theirs;
    const auto tagged = mine.update(alice, &page::tags, [](auto&& tags) { tags.add("news"); });
    const auto visited = theirs.update(bob, &page::visits, [](auto&& visits) { visits.increment(3); });
    BOOST_TEST(tagged.at(&page::visits).empty());
    mine.join(visited);
    theirs.join(tagged);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(mine.at(&page::tags).contains("news"));
    BOOST_TEST(mine.at(&page::visits).value() == 3);
    (void)mine.reset(alice);
    BOOST_TEST(mine.at(&page::tags).empty());
    BOOST_TEST(mine.at(&page::visits).value() == 0);
}

BOOST_AUTO_TEST_CASE(a_register_below_a_key_reads_like_one_that_stands_alone) {
    using names = or_map<std::string, causal_register_store<std::string>>;
    names mine;
    names theirs;
    const auto by_alice = mine.update(alice, "bag", [](auto&& owner) { owner.set("ann", {1, 0}); });
    const auto by_bob = theirs.update(bob, "bag", [](auto&& owner) { owner.set("bea", {2, 0}); });
    // Each learned of the other's replica second: the contexts number them differently.
    mine.join(by_bob);
    theirs.join(by_alice);
    for (const names* each : {&mine, &theirs}) {
        BOOST_TEST_REQUIRE((each->find("bag") != nullptr));
        const auto owner = *each->find("bag");
        BOOST_TEST(*owner.value() == "bea");
        BOOST_TEST((owner.written_at() == timestamp{2, 0}));
        BOOST_TEST(owner.size() == 2U);
        std::vector<dot> by;
        for (const auto& sibling : each->find("bag")->siblings()) {
            by.push_back(sibling.by);
        }
        BOOST_TEST((by == std::vector<dot>{{alice, 1}, {bob, 1}}));
        BOOST_TEST((each->find("box") == nullptr));
        BOOST_TEST(!each->find("box"));
    }
}

BOOST_AUTO_TEST_CASE(iteration_shows_keys_with_what_stands_below_them) {
    or_map<int, mv_register_store<std::string>> titles;
    (void)titles.update(alice, 1, [](auto&& title) { title.set("tea"); });
    (void)titles.update(bob, 2, [](auto&& title) { title.set("milk"); });
    std::map<int, std::string> found;
    for (const auto& [key, title] : titles) {
        found.emplace(key, *title.values().begin());
    }
    BOOST_TEST((found == std::map<int, std::string>{{1, "tea"}, {2, "milk"}}));
    for (auto [key, set] : baskets()) {
        static_assert(std::is_same_v<decltype(set), const set_store&>);
    }
}

BOOST_AUTO_TEST_CASE(views_reach_through_maps_and_composites) {
    using people = or_map<int, or_map_store<int, composite_store<person>>>;
    people mine;
    (void)mine.update(alice, 1, [](auto&& group) {
        group.update(2, [](auto&& one) {
            one.at(&person::name).set("Ann", {1, 0});
            one.at(&person::marks).update("x", [](auto&& mark) { mark.set(7); });
            one.at(&person::tags).add("new");
        });
    });
    const auto ann = *mine.find(1)->find(2);
    BOOST_TEST(*ann.at(&person::name).value() == "Ann");
    BOOST_TEST(*ann.at(&person::marks).find("x")->values().begin() == 7);
    BOOST_TEST(ann.at(&person::tags).contains("new"));
    BOOST_TEST((mine.find(1)->find(3) == nullptr));
    for (const auto& [number, group] : mine) {
        for (const auto& [which, one] : group) {
            for (const auto& [name, mark] : one.at(&person::marks)) {
                BOOST_TEST(mark.size() == 1U);
            }
        }
    }
    composite<person> alone;
    (void)alone.update(bob, &person::name, [](auto&& name) { name.set("Bea", {1, 0}); });
    BOOST_TEST(*alone.at(&person::name).value() == "Bea");
    BOOST_TEST(alone.at(&person::marks).empty());
}

BOOST_AUTO_TEST_CASE(a_reset_is_an_operation_of_a_composite) {
    composite<page> mine;
    (void)mine.update(alice, &page::tags, [](auto&& tags) { tags.add("news"); });
    composite<page> theirs = mine;
    const composite<page>::operation reset = composite<page>::operations::reset();
    theirs.join(mine.apply(alice, decode<composite<page>::operation>(encode(reset))));
    BOOST_TEST(mine.at(&page::tags).empty());
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(operations_reach_through_every_level) {
    using store = pages::store_type;
    using fields = composite_store<page>;
    pages mine;
    pages theirs;
    const std::vector<pages::operation> all{
        store::operations::update{
            7, fields::operation(std::in_place_index<0>, or_set_store<std::string>::operations::add{"news"})},
        store::operations::update{
            7, fields::operation(std::in_place_index<1>, resettable_counter_store::operations::increment{4})},
        store::operations::update{8,
                                  fields::operation(std::in_place_index<2>,
                                                    or_map_store<std::string, set_store>::operations::update{
                                                        "up", set_store::operations::add{1}})},
        store::operations::remove{8},
    };
    for (const auto& each : decode<std::vector<pages::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST((mine == theirs));
    BOOST_TEST(keys_in_order(mine) == std::vector<int>{7});
    BOOST_TEST(mine.find(7)->at(&page::visits).value() == 4);
}

BOOST_AUTO_TEST_CASE(explains_with_the_path_of_keys_and_fields) {
    pages map;
    (void)map.update(alice, 7, [](auto&& all) { all.at(&page::tags).add("news"); });
    BOOST_TEST(to_text(explain(map)) == "stands 7/tags = \"news\" by 1.10:1\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
