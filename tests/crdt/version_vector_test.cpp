#include <phoenix/crdt/version_vector.hpp>

#include "laws_hold.hpp"
#include "refusal.hpp"

#include <limits>
#include <map>
#include <ranges>

namespace phoenix::crdt {

namespace {

using laws::random_source;
using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

constexpr replica_id alice{1, 10};
constexpr replica_id bob{2, 10};
constexpr replica_id carol{3, 10};
constexpr auto highest = std::numeric_limits<std::uint64_t>::max();

static_assert(decomposable<version_vector> && explainable<version_vector>);
static_assert(std::ranges::forward_range<version_vector>);

version_vector vector_of(std::initializer_list<version_vector::entry> entries) {
    byte_writer out;
    std::map<replica_id, std::uint64_t> sorted;
    for (const auto& each : entries) {
        sorted[each.replica] = each.counter;
    }
    out.write_varint(sorted.size());
    const replica_id* previous = nullptr;
    for (const auto& [replica, counter] : sorted) {
        detail::write_replica(out, replica, previous);
        out.write_varint(counter);
        previous = &replica;
    }
    byte_reader in(out.bytes());
    return version_vector::read(in);
}

/// A tick as a mutator: the delta is the new entry.
laws::subject<version_vector> ticks(std::uint64_t incarnations) {
    return {
        .mutate = [incarnations](version_vector& mine, const replica_id& here, laws::random_source& random) {
            const replica_id life{here.node, here.incarnation + random.below(incarnations)};
            const version_vector before = mine;
            if (random.one_in(3)) {
                version_vector other;
                other.tick({random.below(20), 5});
                mine.receive(life, other);
            } else {
                mine.tick(life);
            }
            return mine.delta_since(before);
        }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(version_vector_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(ticks(1));
    laws_hold(ticks(9));
}

BOOST_AUTO_TEST_CASE(a_tick_counts_one_event_of_one_replica) {
    version_vector mine;
    BOOST_TEST(mine.at(alice) == 0U);
    BOOST_TEST(mine.tick(alice) == 1U);
    BOOST_TEST(mine.tick(alice) == 2U);
    BOOST_TEST(mine.tick(bob) == 1U);
    BOOST_TEST(mine.at(alice) == 2U);
    BOOST_TEST(mine.size() == 2U);
}

BOOST_AUTO_TEST_CASE(advance_raises_one_counter_and_never_lowers_it) {
    version_vector mine;
    mine.advance(alice, 0);
    BOOST_TEST(mine.empty());
    mine.advance(alice, 5);
    mine.advance(alice, 3);
    BOOST_TEST(mine.at(alice) == 5U);
    BOOST_TEST(mine.tick(alice) == 6U);
}

BOOST_AUTO_TEST_CASE(merge_takes_the_higher_counter_of_each) {
    version_vector mine = vector_of({{alice, 5}, {carol, 1}});
    mine.merge(vector_of({{alice, 3}, {bob, 4}}));
    BOOST_TEST((mine == vector_of({{alice, 5}, {bob, 4}, {carol, 1}})));
}

BOOST_AUTO_TEST_CASE(receive_merges_and_then_ticks) {
    version_vector sender;
    sender.tick(alice);
    version_vector mine;
    BOOST_TEST(mine.receive(bob, sender) == 1U);
    BOOST_TEST((mine == vector_of({{alice, 1}, {bob, 1}})));
    BOOST_TEST(sender.happens_before(mine));
    // What arrives may know more of the receiver than it does itself: a restored one, say.
    BOOST_TEST(mine.receive(bob, vector_of({{bob, 7}})) == 8U);
}

BOOST_AUTO_TEST_CASE(compares_to_four_results) {
    const version_vector none;
    const auto one = vector_of({{alice, 1}});
    const auto two = vector_of({{alice, 2}});
    const auto both = vector_of({{alice, 1}, {bob, 1}});
    const auto last = vector_of({{carol, 1}});
    BOOST_TEST((none.compare(none) == clock_order::equal));
    BOOST_TEST((both.compare(both) == clock_order::equal));
    BOOST_TEST((none.compare(one) == clock_order::less));
    BOOST_TEST((one.compare(none) == clock_order::greater));
    BOOST_TEST((one.compare(two) == clock_order::less));
    BOOST_TEST((two.compare(one) == clock_order::greater));
    BOOST_TEST((one.compare(both) == clock_order::less));
    BOOST_TEST((both.compare(one) == clock_order::greater));
    BOOST_TEST((two.compare(both) == clock_order::concurrent));
    BOOST_TEST((both.compare(two) == clock_order::concurrent));
    BOOST_TEST((both.compare(last) == clock_order::concurrent));
    BOOST_TEST((last.compare(both) == clock_order::concurrent));
    BOOST_TEST(one.happens_before(two));
    BOOST_TEST(!two.happens_before(one));
    BOOST_TEST(!one.happens_before(one));
    BOOST_TEST(!one.concurrent(one));
    BOOST_TEST(two.concurrent(both));
    BOOST_TEST(!one.concurrent(both));
}

BOOST_AUTO_TEST_CASE(compare_agrees_with_a_plain_map) {
    random_source random(testing::random_seed());
    BOOST_TEST_MESSAGE("PHOENIX_TEST_SEED=" << testing::random_seed());
    for (std::size_t run = 0; run < testing::cases_wanted(); ++run) {
        std::map<replica_id, std::uint64_t> plain[2];
        version_vector vectors[2];
        for (int i = 0; i < 12; ++i) {
            const std::size_t which = random.below(2);
            const replica_id replica{random.below(4), random.below(2)};
            ++plain[which][replica];
            vectors[which].tick(replica);
            if (random.one_in(4)) {
                for (const auto& [each, counter] : plain[1 - which]) {
                    plain[which][each] = std::max(plain[which][each], counter);
                }
                vectors[which].merge(vectors[1 - which]);
            }
        }
        bool less = false;
        bool greater = false;
        for (std::uint64_t node = 0; node < 4; ++node) {
            for (std::uint64_t life = 0; life < 2; ++life) {
                const std::uint64_t mine = plain[0][{node, life}];
                const std::uint64_t theirs = plain[1][{node, life}];
                BOOST_TEST_REQUIRE(vectors[0].at({node, life}) == mine);
                less = less || mine < theirs;
                greater = greater || mine > theirs;
            }
        }
        const auto expected = less && greater ? clock_order::concurrent
                              : less          ? clock_order::less
                              : greater       ? clock_order::greater
                                              : clock_order::equal;
        BOOST_TEST_REQUIRE((vectors[0].compare(vectors[1]) == expected));
        BOOST_TEST_REQUIRE((vectors[0].leq(vectors[1]) == !greater));
    }
}

BOOST_AUTO_TEST_CASE(entries_come_in_the_order_of_replicas) {
    version_vector mine;
    for (const std::uint64_t node : {7U, 3U, 9U, 1U, 5U, 8U}) {
        mine.tick({node, 2});
        mine.tick({node, 1});
    }
    std::vector<replica_id> seen;
    for (const auto& [replica, counter] : mine) {
        BOOST_TEST(counter == 1U);
        seen.push_back(replica);
    }
    BOOST_TEST(seen.size() == 12U);
    BOOST_TEST(std::ranges::is_sorted(seen));
}

BOOST_AUTO_TEST_CASE(many_entries_merge_in_any_pattern) {
    version_vector even;
    version_vector odd;
    version_vector all;
    for (std::uint64_t node = 0; node < 200; ++node) {
        (node % 2 == 0 ? even : odd).tick({node, 1});
        all.tick({node, 1});
    }
    version_vector mine = even;
    mine.merge(odd);
    BOOST_TEST((mine == all));
    odd.merge(all);
    BOOST_TEST((odd == all));
    all.merge(all);
    BOOST_TEST((odd == all));
}

BOOST_AUTO_TEST_CASE(a_counter_at_its_end_is_refused_and_nothing_changes) {
    version_vector mine = vector_of({{alice, highest}});
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { mine.tick(alice); }));
    version_vector fresh;
    BOOST_TEST(is_refused(errc::counter_overflow, [&] { fresh.receive(alice, mine); }));
    BOOST_TEST(fresh.empty());
    BOOST_TEST(mine.tick(bob) == 1U);
}

BOOST_AUTO_TEST_CASE(prune_keeps_what_is_named) {
    version_vector mine = vector_of({{alice, 1}, {bob, 2}, {carol, 3}});
    const std::vector<replica_id> keep{carol, {9, 9}, alice};
    BOOST_TEST(mine.prune(keep) == 1U);
    BOOST_TEST((mine == vector_of({{alice, 1}, {carol, 3}})));
    BOOST_TEST(mine.prune(keep) == 0U);
    BOOST_TEST(mine.prune({}) == 2U);
    BOOST_TEST(mine.empty());
}

BOOST_AUTO_TEST_CASE(pruning_everywhere_keeps_the_order_and_pruning_alone_does_not) {
    version_vector older = vector_of({{alice, 1}, {bob, 4}});
    version_vector newer = vector_of({{alice, 2}, {bob, 4}});
    BOOST_TEST(older.happens_before(newer));
    const std::vector<replica_id> keep{alice};
    newer.prune(keep);
    BOOST_TEST(older.concurrent(newer));
    older.prune(keep);
    BOOST_TEST(older.happens_before(newer));
}

BOOST_AUTO_TEST_CASE(incarnations_of_a_node_are_apart) {
    version_vector mine;
    mine.tick({1, 10});
    mine.tick({1, 10});
    BOOST_TEST(mine.tick({1, 11}) == 1U);
    BOOST_TEST(mine.at({1, 10}) == 2U);
}

BOOST_AUTO_TEST_CASE(the_encoding_is_compact) {
    version_vector mine;
    for (std::uint64_t node = 1; node <= 15; ++node) {
        // Started within a day of each other, in microseconds since 1970.
        const replica_id replica{node, 1'700'000'000'000'000 + (node * 7919 % 15) * 5'000'000'000};
        for (int i = 0; i < 100; ++i) {
            mine.tick(replica);
        }
    }
    const auto bytes = encode(mine);
    BOOST_TEST_MESSAGE("15 entries in " << bytes.size() << " bytes");
    BOOST_TEST(bytes.size() <= 2 + 10 + 14 * 8U);
    BOOST_TEST((decode<version_vector>(bytes) == mine));
}

BOOST_AUTO_TEST_CASE(extreme_replicas_go_there_and_back) {
    version_vector mine;
    for (const replica_id& each : {replica_id{0, 0}, replica_id{0, highest}, replica_id{highest, 0},
                                   replica_id{highest, highest}, replica_id{5, highest / 2 + 1}}) {
        mine.tick(each);
    }
    BOOST_TEST((decode<version_vector>(encode(mine)) == mine));
    BOOST_TEST(mine.size() == 5U);
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    BOOST_TEST(refusal_of<version_vector>({1, 1, 1, 2, 1}).empty());
    BOOST_TEST(says(refusal_of<version_vector>({1, 1, 1, 2, 0}), "at byte 4: expected a total above zero"));
    BOOST_TEST(says(refusal_of<version_vector>({1, 9, 1, 2, 1}), "at byte 1: expected as many totals"));
    BOOST_TEST(says(refusal_of<version_vector>({1, 1, 1, 2}), "expected as many totals"));
    // The second node lies 2^64 - 1 after node 1: no order is broken but by leaving 64 bits.
    BOOST_TEST(says(
        refusal_of<version_vector>({1, 2, 1, 2, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 1}),
        "at byte 5: expected a replica of 64-bit numbers"));
    // The same node, and an incarnation 2^64 after the one before.
    BOOST_TEST(says(
        refusal_of<version_vector>({1, 2, 1, 0, 1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1}),
        "at byte 5: expected a replica of 64-bit numbers"));
}

BOOST_AUTO_TEST_CASE(explains_each_entry) {
    BOOST_TEST(to_text(explain(vector_of({{alice, 3}}))) == "stands 1.10 = 3 (events seen)\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
