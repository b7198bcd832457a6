#include <phoenix/crdt/sequence.hpp>

#include "laws_hold.hpp"
#include "replicas.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using laws::random_source;
using testing::alice;
using testing::bob;
using testing::carol;
using testing::laws_hold;

using page = sequence<char>;

static_assert(decomposable<page> && operable<page> && explainable<page>);
static_assert(decomposable<sequence<std::string>> && decomposable<sequence<bool>>);
static_assert(std::ranges::forward_range<page>);
static_assert(byte_value<sequence_position>);

/// Inserts and erases of up to so many elements, at random places, near the front, and where something was typed last.
laws::subject<page> edits(std::uint64_t longest) {
    return {.mutate =
                [longest](page& text, const replica_id& here, random_source& random) {
                    const std::uint64_t size = text.size();
                    if (size > 0 && random.one_in(3)) {
                        const std::uint64_t from = random.below(size);
                        return text.erase(here, from, random.below(std::min(longest, size - from)) + 1);
                    }
                    const std::uint64_t at = random.one_in(3)   ? 0
                                             : random.one_in(3) ? size
                                                                : random.below(size + 1);
                    std::string typed;
                    for (std::uint64_t left = random.below(longest) + 1; left > 0; --left) {
                        typed += static_cast<char>('a' + random.below(26));
                    }
                    if (random.one_in(5)) {
                        page batch = text.insert(here, at, typed);
                        batch.join(text.insert(here, at, 'X'));
                        batch.join(text.erase(here, at));
                        return batch;
                    }
                    return text.insert(here, at, typed);
                },
            .show =
                [](const page& text) {
                    return "\n" + to_text(crdt::explain(text));
                }};
}

laws::subject<sequence<std::string>> words() {
    return {.mutate = [](sequence<std::string>& list, const replica_id& here, random_source& random) {
        if (!list.empty() && random.one_in(3)) {
            return list.erase(here, random.below(list.size()));
        }
        return list.insert(here, random.below(list.size() + 1), std::string(random.below(30), 'w'));
    }};
}

template <class Value>
std::vector<Value> listed(const sequence<Value>& list) {
    return {list.begin(), list.end()};
}

} // namespace

BOOST_AUTO_TEST_SUITE(sequence_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(edits(1));
    laws_hold(edits(9));
}

BOOST_AUTO_TEST_CASE(laws_of_values_that_own_memory) {
    laws_hold(words());
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const page text;
    BOOST_TEST(text.empty());
    BOOST_TEST(text.size() == 0U);
    BOOST_TEST(text.is_bottom());
    BOOST_TEST((text.begin() == text.end()));
    BOOST_TEST(text.text().empty());
}

BOOST_AUTO_TEST_CASE(reads_as_a_list) {
    sequence<int> list;
    (void)list.insert(alice, 0, {1, 2, 5});
    (void)list.insert(alice, 2, std::vector<int>{3, 4});
    (void)list.insert(alice, 5, 6);
    (void)list.insert(alice, 0, std::vector<int>());
    BOOST_TEST((listed(list) == std::vector<int>{1, 2, 3, 4, 5, 6}));
    BOOST_TEST(list.size() == 6U);
    BOOST_TEST(list[3] == 4);
    BOOST_TEST(list.at(5) == 6);
    (void)list.erase(alice, 1, 3);
    BOOST_TEST((listed(list) == std::vector<int>{1, 5, 6}));
    // A value of the list itself, which moves while it is inserted.
    for (int i = 0; i < 100; ++i) {
        (void)list.insert(alice, 1, list[1]);
    }
    BOOST_TEST(list[50] == 5);
    BOOST_TEST(list.size() == 103U);
}

BOOST_AUTO_TEST_CASE(reads_as_text) {
    sequence<char32_t> text;
    (void)text.insert(alice, 0, U"nix");
    (void)text.insert(alice, 0, std::u32string(U"Ph\u0153"));
    (void)text.insert(alice, 6, U'!');
    BOOST_TEST((text.text() == U"Ph\u0153nix!"));
    sequence<bool> bits;
    (void)bits.insert(alice, 0, {true, false, true});
    (void)bits.erase(alice, 0);
    BOOST_TEST((listed(bits) == std::vector<bool>{false, true}));
}

BOOST_AUTO_TEST_CASE(refuses_what_lies_beyond_the_end) {
    page text;
    (void)text.insert(alice, 0, "abc");
    const page before = text;
    const auto refused = [](const std::system_error& e) {
        return e.code() == errc::invalid_operation &&
               std::string(e.what()).find("within its 3 elements") != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION((void)text.insert(alice, 4, 'x'), std::system_error, refused);
    BOOST_CHECK_EXCEPTION((void)text.erase(alice, 3), std::system_error, refused);
    BOOST_CHECK_EXCEPTION((void)text.erase(alice, 1, 3), std::system_error, refused);
    BOOST_CHECK_EXCEPTION((void)text.erase(alice, 1, ~std::uint64_t(0)), std::system_error, refused);
    BOOST_CHECK_EXCEPTION((void)text.at(3), std::system_error, refused);
    BOOST_CHECK_EXCEPTION((void)text.position_at(4), std::system_error, refused);
    BOOST_CHECK_EXCEPTION((void)text.apply(alice, page::operations::erase{2, 2}), std::system_error, refused);
    BOOST_TEST((text == before));
    BOOST_TEST(text.erase(alice, 3, 0).is_bottom());
}

BOOST_AUTO_TEST_CASE(concurrent_runs_typed_forwards_do_not_mix) {
    page base;
    (void)base.insert(alice, 0, "[]");
    for (const std::uint64_t at : {0U, 1U, 2U}) {
        page mine = base;
        page theirs = base;
        for (std::uint64_t i = 0; i < 5; ++i) {
            (void)mine.insert(alice, at + i, 'a');
            (void)theirs.insert(bob, at + i, 'b');
        }
        mine.join(theirs);
        theirs.join(mine);
        BOOST_TEST(mine.text() == std::string("[]").insert(at, "aaaaabbbbb"));
        BOOST_TEST((mine == theirs));
    }
}

BOOST_AUTO_TEST_CASE(concurrent_runs_typed_backwards_do_not_mix) {
    page base;
    (void)base.insert(carol, 0, "[]");
    for (const std::uint64_t at : {0U, 1U, 2U}) {
        page mine = base;
        page theirs = base;
        for (const char each : std::string("edcba")) {
            (void)mine.insert(bob, at, each);
        }
        for (const char each : std::string("54321")) {
            (void)theirs.insert(alice, at, each);
        }
        mine.join(theirs);
        theirs.join(mine);
        BOOST_TEST(mine.text() == std::string("[]").insert(at, "12345abcde"));
        BOOST_TEST((mine == theirs));
    }
}

BOOST_AUTO_TEST_CASE(three_runs_at_one_place_one_of_them_erased_in_the_middle) {
    page base;
    (void)base.insert(carol, 0, "[]");
    std::vector<page> replicas(3, base);
    const std::vector<replica_id> names{carol, alice, bob};
    for (std::size_t i = 0; i < 3; ++i) {
        (void)replicas[i].insert(names[i], 1, std::string(4, static_cast<char>('x' + i)));
    }
    (void)replicas[1].erase(alice, 2, 2);
    std::vector<std::size_t> order{0, 1, 2};
    do {
        page all;
        for (const std::size_t each : order) {
            all.join(replicas[each]);
        }
        BOOST_TEST(all.text() == "[yyzzzzxxxx]");
    } while (std::ranges::next_permutation(order).found);
}

BOOST_AUTO_TEST_CASE(a_run_keeps_what_was_typed_on_after_it) {
    page mine;
    (void)mine.insert(alice, 0, "p");
    page late = mine;
    (void)mine.insert(alice, 1, "qr");
    (void)mine.insert(carol, 3, "c");
    const auto between = late.insert(bob, 1, "b");
    mine.join(between);
    late.join(mine);
    BOOST_TEST(mine.text() == "pqrcb");
    BOOST_TEST(late.text() == "pqrcb");
}

BOOST_AUTO_TEST_CASE(an_insertion_beside_an_erased_element_stays) {
    page mine;
    (void)mine.insert(alice, 0, "abc");
    page theirs = mine;
    (void)mine.erase(alice, 0, 3);
    (void)theirs.insert(bob, 1, "12");
    mine.join(theirs);
    theirs.join(mine);
    BOOST_TEST(mine.text() == "12");
    BOOST_TEST((mine == theirs));
    // Between tombstones, as between elements.
    (void)mine.insert(alice, 1, 'x');
    BOOST_TEST(mine.text() == "1x2");
}

BOOST_AUTO_TEST_CASE(positions_survive_what_others_do) {
    using stays = sequence_position::neighbour;
    page mine;
    (void)mine.insert(alice, 0, "Phoenix");
    const auto before_e = mine.position_at(3);
    const auto after_o = mine.position_at(3, stays::previous);
    const auto front = mine.position_at(0, stays::previous);
    const auto back = mine.position_at(7);
    page theirs = mine;
    (void)theirs.insert(bob, 0, "The ");
    (void)theirs.insert(bob, 7, "*");
    (void)theirs.insert(bob, 12, "!");
    mine.join(theirs);
    BOOST_TEST(mine.text() == "The Pho*enix!");
    BOOST_TEST((mine.index_of(before_e) == 8U));
    BOOST_TEST((mine.index_of(after_o) == 7U));
    BOOST_TEST((mine.index_of(front) == 0U));
    BOOST_TEST((mine.index_of(back) == 13U));
    (void)mine.erase(alice, 6, 3);
    BOOST_TEST(mine.text() == "The Phnix!");
    BOOST_TEST((mine.index_of(before_e) == 6U));
    BOOST_TEST((mine.index_of(after_o) == 6U));
    for (std::uint64_t i = 0; i <= mine.size(); ++i) {
        BOOST_TEST((mine.index_of(mine.position_at(i)) == i));
        BOOST_TEST((mine.index_of(mine.position_at(i, stays::previous)) == i));
    }
    BOOST_TEST((decode<sequence_position>(encode(before_e)) == before_e));
    BOOST_TEST((decode<sequence_position>(encode(back)) == back));
    BOOST_TEST((!page().index_of(before_e)));
    BOOST_TEST((page().index_of(back) == 0U));
}

BOOST_AUTO_TEST_CASE(an_element_waits_for_its_parent) {
    page mine;
    const auto first = mine.insert(alice, 0, "ab");
    const auto second = mine.insert(bob, 1, "12");
    const auto third = mine.insert(carol, 2, "-");
    const auto fourth = mine.erase(alice, 1);
    BOOST_TEST(mine.text() == "a-2b");
    page theirs;
    theirs.join(third);
    theirs.join(fourth);
    BOOST_TEST(theirs.text().empty());
    BOOST_TEST(!theirs.complete());
    BOOST_TEST(!theirs.is_bottom());
    BOOST_TEST((!theirs.index_of(mine.position_at(1))));
    const auto text = to_text(explain(theirs));
    BOOST_TEST(text.find("loses \"-\" by 3.10:1 (waits for 2.10:2)") != std::string::npos, text);
    theirs.join(second);
    BOOST_TEST(theirs.text().empty());
    theirs.join(decode<page>(encode(theirs)));
    theirs.join(first);
    BOOST_TEST(theirs.text() == "a-2b");
    BOOST_TEST(theirs.complete());
    BOOST_TEST((theirs == mine));
}

BOOST_AUTO_TEST_CASE(a_run_is_held_and_written_as_one) {
    page typed;
    page heard;
    for (int i = 0; i < 10'000; ++i) {
        const auto delta = typed.insert(alice, typed.size(), 'a');
        heard.join(delta);
        // What others type elsewhere does not break the run.
        (void)heard.insert(bob, i, 'b');
    }
    BOOST_TEST(encode(typed).size() < 10'020U);
    BOOST_TEST(typed.passage_count() == 1U);
    BOOST_TEST(encode(heard).size() < 20'040U);
    BOOST_TEST(heard.passage_count() == 2U);
    // From the middle in both directions, and what is left from both ends.
    page nothing = typed;
    for (int i = 0; i < 4'000; ++i) {
        (void)nothing.erase(alice, nothing.size() / 2);
    }
    BOOST_TEST(nothing.passage_count() == 3U);
    while (!nothing.empty()) {
        (void)nothing.erase(bob, 0);
        (void)nothing.erase(bob, nothing.size() - 1);
    }
    BOOST_TEST(nothing.passage_count() == 1U);
    BOOST_TEST(encode(nothing).size() < 30U);
    BOOST_TEST(to_text(explain(nothing)) == "gone by 1.10:1 1.10:10000 (10000 removed or superseded)\n");
    typed.join(nothing);
    BOOST_TEST(typed.passage_count() == 1U);
    BOOST_TEST((typed == nothing));
}

BOOST_AUTO_TEST_CASE(runs_that_arrive_backwards_become_one) {
    page typed;
    std::vector<page> deltas;
    for (int i = 0; i < 1000; ++i) {
        deltas.push_back(typed.insert(alice, typed.size(), static_cast<char>('a' + i % 26)));
    }
    page heard;
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        heard.join(*each);
    }
    BOOST_TEST((heard == typed));
    BOOST_TEST(encode(heard) == encode(typed));
    BOOST_TEST(heard.passage_count() == 1U);
}

BOOST_AUTO_TEST_CASE(an_erased_value_is_destroyed) {
    auto held = std::make_shared<int>(1);
    // Only lifetimes matter here.
    detail::sequence_values<std::shared_ptr<int>> values;
    values.insert(0, 1, held);
    values.insert(0, 2, held);
    values.erase(0, {1, 1});
    BOOST_TEST(held.use_count() == 2);
    values.erase(0, {2, 2});
    BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    page mine;
    const auto typed = mine.insert(alice, 0, "abc");
    page theirs = mine;
    const page stale = mine;
    theirs.join(mine.erase(alice, 0, 2));
    theirs.join(typed);
    theirs.join(stale);
    BOOST_TEST(theirs.text() == "c");
    theirs.join(theirs.delta_since(stale.digest()));
    BOOST_TEST(theirs.text() == "c");
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    page mine;
    (void)mine.insert(alice, 0, "abc");
    page theirs = mine;
    const auto erasure = mine.erase(alice, 0, 3);
    (void)theirs.insert(bob, 3, "d");
    theirs.join(erasure);
    BOOST_TEST(theirs.text() == "d");
}

BOOST_AUTO_TEST_CASE(trap_context_max_is_not_a_set) {
    page mine;
    std::vector<page> deltas;
    for (const char each : std::string("abc")) {
        deltas.push_back(mine.insert(alice, mine.size(), each));
    }
    page theirs;
    theirs.join(deltas[0]);
    theirs.join(deltas[2]);
    BOOST_TEST(theirs.text() == "a");
    BOOST_TEST(theirs.context().floor(alice) == 1U);
    page third;
    third.join(deltas[1]);
    third.join(theirs);
    BOOST_TEST(third.text() == "abc");
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    page mine;
    (void)mine.insert(alice, 0, "abc");
    page copy = mine;
    (void)mine.insert(alice, 1, "x");
    (void)copy.erase(bob, 1);
    BOOST_TEST(mine.text() == "axbc");
    BOOST_TEST(copy.text() == "ac");
    page moved = std::move(copy);
    copy = page();
    (void)copy.insert(alice, 0, "new");
    BOOST_TEST(copy.text() == "new");
    BOOST_TEST(moved.text() == "ac");
    moved.join(mine);
    BOOST_TEST(moved.text() == "axc");
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    page up;
    std::vector<page> deltas;
    random_source random(7);
    for (int i = 0; i < 300; ++i) {
        const replica_id here = std::vector{alice, bob, carol}[random.below(3)];
        deltas.push_back(up.size() > 5 && random.one_in(3)
                             ? up.erase(here, random.below(up.size() - 2), 2)
                             : up.insert(here, random.below(up.size() + 1), std::string("ab")));
    }
    page down;
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
    BOOST_TEST((decode<page>(encode(up)) == up));
    BOOST_TEST(up.text() == down.text());
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    page mine;
    page theirs;
    const std::vector<page::operation> all{page::operations::insert{0, {'a', 'd'}},
                                           page::operations::insert{1, {'b', 'c'}},
                                           page::operations::erase{0, 1}};
    for (const auto& each : decode<std::vector<page::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST(mine.text() == "bcd");
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_what_stands_and_what_is_gone) {
    sequence<char32_t> text;
    (void)text.insert(alice, 0, U"t\u00e9a");
    (void)text.insert(bob, 3, U'!');
    (void)text.erase(bob, 0);
    BOOST_TEST(to_text(explain(text)) == "stands \"\u00e9a\" by 1.10:2 1.10:3\n"
                                         "stands \"!\" by 2.10:1\n"
                                         "gone by 1.10:1 (1 removed or superseded)\n");
    sequence<int> numbers;
    (void)numbers.insert(alice, 0, {7, 8});
    BOOST_TEST(to_text(explain(numbers)) == "stands 7, 8 by 1.10:1 1.10:2\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
