#include <phoenix/crdt/conflict/value.hpp>
#include <phoenix/crdt/lww_map.hpp>

#include "colliding_values.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <ranges>
#include <string>
#include <tuple>

namespace phoenix::crdt {

namespace {

using testing::colliding_value;
using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

constexpr replica_id alice{1, 10};
constexpr replica_id bob{2, 10};
constexpr replica_id carol{3, 10};
constexpr std::uint64_t noon = 1'700'000'000'000'000;

constexpr timestamp at(std::uint64_t offset) {
    return {noon + offset, 0};
}

using prices = lww_map<std::string, int>;
using careful_prices = lww_map<std::string, int, lww_bias::remove>;

static_assert(decomposable<prices> && operable<prices> && explainable<prices>);
static_assert(decomposable<careful_prices> && operable<careful_prices>);
static_assert(std::ranges::forward_range<prices>);
static_assert(prices::bias == lww_bias::add);

template <class Map>
laws::subject<Map> writes(std::uint64_t keys, std::uint64_t times) {
    return {.mutate = [keys, times](Map& mine, const replica_id& here, laws::random_source& random) {
        Map delta;
        do {
            const std::uint64_t key = random.below(keys);
            const timestamp when{random.below(times), 0};
            delta.join(random.one_in(3) ? mine.remove(here, key, when)
                                        : mine.put(here, key, static_cast<int>(random.below(4)), when));
        } while (random.one_in(2));
        return delta;
    }};
}

std::map<std::string, int> content(const prices& map) {
    std::map<std::string, int> all;
    for (const auto& [key, value] : map) {
        all.emplace(key, value);
    }
    return all;
}

template <class Map>
bool same_either_way(const Map& a, const Map& b) {
    Map one = a;
    one.join(b);
    Map two = b;
    two.join(a);
    return one == two && encode(one) == encode(two);
}

/// The plain specification: the writes that a replica knows, sorted; the last one of each key says what
/// stands.
template <lww_bias Bias>
void agrees_with_sorted_writes() {
    using map = lww_map<std::uint64_t, std::string, Bias>;

    struct written {
        std::uint64_t key;
        std::uint64_t time;
        bool put;
        replica_id by;
        std::string value;
    };

    constexpr std::size_t count = 5;
    laws::random_source random(testing::random_seed());
    BOOST_TEST_MESSAGE("PHOENIX_TEST_SEED=" << testing::random_seed());
    for (std::size_t run = 0; run < testing::cases_wanted(); ++run) {
        std::vector<map> replicas(count);
        std::vector<std::pair<map, written>> deltas;
        std::vector<std::vector<std::size_t>> known(count);
        for (int i = 0; i < 60; ++i) {
            const std::size_t here = random.below(count);
            if (random.one_in(3) && !deltas.empty()) {
                const std::size_t which = random.below(deltas.size());
                replicas[here].join(deltas[which].first);
                known[here].push_back(which);
            } else if (random.one_in(5)) {
                const std::size_t peer = random.below(count);
                replicas[here].join(map(replicas[peer]));
                const auto theirs = known[peer];
                known[here].insert(known[here].end(), theirs.begin(), theirs.end());
            } else {
                written next{random.below(6), random.below(8), !random.one_in(3), laws::replica_number(here),
                             std::to_string(random.below(3))};
                // Made on a copy of nothing, so that the delta has it, even where it loses here.
                map delta;
                (void)(next.put ? delta.put(next.by, next.key, next.value, at(next.time))
                                : delta.remove(next.by, next.key, at(next.time)));
                (void)(next.put ? replicas[here].put(next.by, next.key, next.value, at(next.time))
                                : replicas[here].remove(next.by, next.key, at(next.time)));
                known[here].push_back(deltas.size());
                deltas.emplace_back(std::move(delta), std::move(next));
            }
            std::vector<const written*> sorted;
            for (const std::size_t which : known[here]) {
                sorted.push_back(&deltas[which].second);
            }
            const auto rank = [](const written* each) {
                return std::tuple(each->key, each->time, each->put == (Bias == lww_bias::add), each->by,
                                  each->put ? bytes_hash(each->value) : 0);
            };
            std::ranges::sort(sorted, {}, rank);
            std::map<std::uint64_t, std::string> expected;
            for (const written* each : sorted) {
                expected.erase(each->key);
                if (each->put) {
                    expected.emplace(each->key, each->value);
                }
            }
            std::map<std::uint64_t, std::string> found;
            for (const auto& [key, value] : replicas[here]) {
                found.emplace(key, value);
            }
            BOOST_TEST_REQUIRE((found == expected));
            BOOST_TEST_REQUIRE(replicas[here].size() == expected.size());
        }
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(lww_map_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(writes<lww_map<std::uint64_t, int>>(3, 2));
    laws_hold(writes<lww_map<std::uint64_t, int>>(60, 50));
    laws_hold(writes<lww_map<std::uint64_t, int, lww_bias::remove>>(3, 2));
    laws_hold(writes<lww_map<std::uint64_t, int, lww_bias::remove>>(60, 50));
}

BOOST_AUTO_TEST_CASE(agrees_with_a_plain_specification) {
    agrees_with_sorted_writes<lww_bias::add>();
    agrees_with_sorted_writes<lww_bias::remove>();
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const prices map;
    BOOST_TEST(map.empty());
    BOOST_TEST(map.size() == 0U);
    BOOST_TEST(map.is_bottom());
    BOOST_TEST(map.find("tea") == nullptr);
    BOOST_TEST(map.stamp("tea") == nullptr);
    BOOST_TEST((map.begin() == map.end()));
}

BOOST_AUTO_TEST_CASE(puts_and_removals_by_time) {
    prices map;
    (void)map.put(alice, "tea", 3, at(0));
    (void)map.put(alice, "milk", 2, at(1));
    (void)map.put(bob, "tea", 4, at(2));
    BOOST_TEST(*map.find("tea") == 4);
    BOOST_TEST((map.stamp("tea")->by == bob));
    BOOST_TEST(map.size() == 2U);
    (void)map.remove(carol, "milk", at(3));
    BOOST_TEST(!map.contains("milk"));
    BOOST_TEST((map.stamp("milk")->time == at(3)));
    BOOST_TEST(map.size() == 1U);
    BOOST_TEST(map.tombstones() == 1U);
    BOOST_TEST((content(map) == std::map<std::string, int>{{"tea", 4}}));
    (void)map.put(alice, "milk", 5, at(4));
    BOOST_TEST(map.size() == 2U);
    BOOST_TEST(map.tombstones() == 0U);
}

BOOST_AUTO_TEST_CASE(a_write_stamped_before_what_stands_is_nothing) {
    prices map;
    (void)map.put(alice, "tea", 3, at(5));
    BOOST_TEST(map.put(bob, "tea", 4, at(4)).is_bottom());
    BOOST_TEST(map.remove(bob, "tea", at(4)).is_bottom());
    BOOST_TEST(*map.find("tea") == 3);
}

BOOST_AUTO_TEST_CASE(a_removal_holds_off_an_older_put_that_it_never_saw) {
    prices map;
    prices other;
    const auto put = other.put(bob, "tea", 3, at(1));
    (void)map.remove(alice, "tea", at(2));
    BOOST_TEST(map.tombstones() == 1U);
    map.join(put);
    BOOST_TEST(!map.contains("tea"));
    map.join(other.put(bob, "tea", 4, at(3)));
    BOOST_TEST(*map.find("tea") == 4);
}

BOOST_AUTO_TEST_CASE(at_equal_times_the_bias_decides) {
    // Whatever the replicas and the order.
    for (const auto& [putter, remover] :
         {std::pair(alice, bob), std::pair(bob, alice), std::pair(alice, alice)}) {
        prices put;
        prices removed;
        (void)put.put(putter, "tea", 3, at(0));
        (void)removed.remove(remover, "tea", at(0));
        BOOST_TEST(same_either_way(put, removed));
        put.join(removed);
        BOOST_TEST(put.contains("tea"));
        careful_prices careful_put;
        careful_prices careful_removed;
        (void)careful_put.put(putter, "tea", 3, at(0));
        (void)careful_removed.remove(remover, "tea", at(0));
        BOOST_TEST(same_either_way(careful_put, careful_removed));
        careful_put.join(careful_removed);
        BOOST_TEST(!careful_put.contains("tea"));
    }
}

BOOST_AUTO_TEST_CASE(trap_lww_equal_timestamps) {
    prices mine;
    prices theirs;
    (void)mine.put(alice, "tea", 9, at(0));
    (void)theirs.put(bob, "tea", 1, at(0));
    BOOST_TEST(same_either_way(mine, theirs));
    mine.join(theirs);
    BOOST_TEST(*mine.find("tea") == 1);
    for (int i = 0; i < 50; ++i) {
        prices one;
        prices two;
        (void)one.put(alice, "tea", i, at(0));
        (void)two.put(alice, "tea", i + 1, at(0));
        BOOST_TEST_REQUIRE(same_either_way(one, two));
    }
    lww_map<int, std::string> low;
    lww_map<int, std::string> high;
    (void)low.put(alice, 1, colliding_value('a'), at(0));
    (void)high.put(alice, 1, colliding_value('b'), at(0));
    BOOST_TEST(same_either_way(low, high));
    low.join(high);
    BOOST_TEST(*low.find(1) == colliding_value('b'));
}

BOOST_AUTO_TEST_CASE(trap_map_type_conflict) {
    // Two peers create one key with values of two types at once.
    using conflict::value;
    lww_map<std::string, value> mine;
    lww_map<std::string, value> theirs;
    (void)mine.put(alice, "tea", value(3), at(0));
    (void)theirs.put(bob, "tea", value(value::set{value("green")}), at(0));
    BOOST_TEST(same_either_way(mine, theirs));
    mine.join(theirs);
    BOOST_TEST((*mine.find("tea") == value(value::set{value("green")})));
}

BOOST_AUTO_TEST_CASE(trap_timed_tombstone_gc) {
    // "tea" is removed while carol sleeps with it. Years later the tombstone is old, and must still be there:
    // what may be forgotten is what all have acknowledged, and carol has not.
    prices mine;
    prices theirs;
    prices asleep;
    const auto put = mine.put(alice, "tea", 3, at(1));
    theirs.join(put);
    asleep.join(put);
    theirs.join(mine.remove(alice, "tea", at(2)));
    theirs.join(mine.put(alice, "milk", 1, at(1'000'000'000'000'000)));
    std::map<replica_id, timestamp> acknowledged{
        {alice, at(1'000'000'000'000'000)}, {bob, at(1'000'000'000'000'000)}, {carol, at(1)}};
    const auto stable = [&] {
        return std::ranges::min(acknowledged | std::views::values);
    };
    BOOST_TEST(mine.forget(stable()) == 0U);
    BOOST_TEST(theirs.forget(stable()) == 0U);
    mine.join(asleep);
    theirs.join(asleep);
    BOOST_TEST(!mine.contains("tea"));
    BOOST_TEST(!theirs.contains("tea"));
    // She wakes, catches up and says so: now nobody has what the tombstone holds off.
    asleep.join(mine);
    acknowledged[carol] = at(1'000'000'000'000'000);
    BOOST_TEST(mine.forget(stable()) == 1U);
    BOOST_TEST(mine.tombstones() == 0U);
    BOOST_TEST(asleep.forget(stable()) == 1U);
    // Who forgets later hands its tombstone out again, and it does no harm.
    mine.join(theirs);
    BOOST_TEST(mine.tombstones() == 1U);
    for (prices* const each : {&mine, &theirs, &asleep}) {
        each->forget(stable());
        BOOST_TEST((content(*each) == std::map<std::string, int>{{"milk", 1}}));
    }
    BOOST_TEST((mine == theirs));
    BOOST_TEST((mine == asleep));
}

BOOST_AUTO_TEST_CASE(forget_drops_tombstones_up_to_the_time_and_nothing_else) {
    prices map;
    (void)map.put(alice, "stays", 1, at(0));
    (void)map.remove(alice, "a", at(5));
    (void)map.remove(alice, "b", at(6));
    BOOST_TEST(map.forget(at(4)) == 0U);
    BOOST_TEST(map.forget(at(5)) == 1U);
    BOOST_TEST(map.stamp("a") == nullptr);
    BOOST_TEST(map.stamp("b") != nullptr);
    BOOST_TEST(map.forget(at(100)) == 1U);
    BOOST_TEST(map.size() == 1U);
    BOOST_TEST(map.contains("stays"));
}

BOOST_AUTO_TEST_CASE(iterates_what_is_there) {
    lww_map<int, int> map;
    for (int i = 0; i < 100; ++i) {
        (void)map.put(alice, i, i * i, at(0));
    }
    for (int i = 0; i < 100; i += 3) {
        (void)map.remove(alice, i, at(1));
    }
    BOOST_TEST(map.size() == 66U);
    BOOST_TEST(std::ranges::distance(map) == 66);
    for (const auto& [key, value] : map) {
        BOOST_TEST(key % 3 != 0);
        BOOST_TEST(value == key * key);
    }
    BOOST_TEST(std::ranges::count_if(map, [](const auto& each) { return each.value > 100; }) > 0);
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    lww_map<int, int> up;
    std::vector<lww_map<int, int>> deltas;
    for (int i = 0; i < 100; ++i) {
        deltas.push_back(i % 4 == 0 ? up.remove(alice, i, at(0)) : up.put(bob, i, i, at(0)));
    }
    lww_map<int, int> down;
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
    BOOST_TEST(encode(up.digest()) == encode(down.digest()));
    BOOST_TEST(to_text(explain(up)) == to_text(explain(down)));
}

BOOST_AUTO_TEST_CASE(trap_digest_after_every_merge) {
    prices mine;
    prices theirs;
    auto before = mine.digest();
    const auto changed = [&] {
        return std::exchange(before, mine.digest()) != before;
    };
    mine.join(theirs.put(bob, "tea", 3, at(0)));
    BOOST_TEST(changed());
    (void)mine.delta_and_merge(theirs.put(bob, "tea", 3, at(1)));
    BOOST_TEST(changed());
    mine.join(theirs.remove(bob, "tea", at(2)));
    BOOST_TEST(changed());
    mine.forget(at(2));
    BOOST_TEST(changed());
    using digest = prices::digest_type;
    BOOST_TEST((decode<digest>(encode(theirs.digest())) == theirs.digest()));
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    prices mine;
    (void)mine.put(alice, "tea", 3, at(0));
    const prices copy = mine;
    (void)mine.remove(alice, "tea", at(1));
    BOOST_TEST(copy.contains("tea"));
}

BOOST_AUTO_TEST_CASE(a_nan_is_no_key) {
    lww_map<double, int> map;
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_TEST(is_refused(errc::invalid_operation, [&] { (void)map.put(alice, nan, 1, at(0)); }));
    BOOST_TEST(is_refused(errc::invalid_operation, [&] { (void)map.remove(alice, nan, at(0)); }));
    BOOST_TEST(map.is_bottom());
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    using operations = prices::operations;
    prices mine;
    prices theirs;
    const std::vector<prices::operation> all{operations::put{"tea", 3, at(0)},
                                             operations::put{"milk", 2, at(0)},
                                             operations::remove{"tea", at(1)}};
    for (const auto& each : decode<std::vector<prices::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST((content(mine) == std::map<std::string, int>{{"milk", 2}}));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_when_and_by_whom) {
    prices map;
    (void)map.put(alice, "tea", 3, at(0));
    (void)map.remove(bob, "milk", at(1));
    BOOST_TEST(to_text(explain(map)) ==
               "gone \"milk\" (removed at 1700000000.000001+0 by 2.10)\n"
               "stands \"tea\" = 3 (put at 1700000000.000000+0 by 1.10, the last)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    using numbers = lww_map<unsigned, unsigned>;
    // Two keys: 3 with the value 7, and 4 removed.
    BOOST_TEST(refusal_of<numbers>({1, 2, 3, 5, 0, 1, 2, 1, 7, 4, 5, 0, 1, 2, 0}).empty());
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 4, 5, 0, 1, 2, 1, 7, 3, 5, 0, 1, 2, 0}),
                    "at byte 9: expected keys in ascending order"));
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 3, 5, 0, 1, 2, 1, 7, 3, 5, 0, 1, 2, 0}),
                    "at byte 9: expected keys in ascending order"));
    BOOST_TEST(
        says(refusal_of<numbers>({1, 1, 3, 5, 0, 1, 2, 2, 7}), "at byte 7: expected a bool of at most 1"));
    BOOST_TEST(says(refusal_of<numbers>({1, 9, 3, 5, 0, 1, 2, 0}), "at byte 1: expected as many keys"));
    BOOST_TEST(says(refusal_of<numbers::digest_type>({1, 1, 3, 5, 0, 1, 2, 1, 7}), "expected 8 more bytes"));
    BOOST_TEST(says(refusal_of<numbers::digest_type>({1, 2, 3, 5, 0, 1, 2, 0, 3, 5, 0, 1, 2, 0}),
                    "at byte 8: expected keys in ascending order"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
