#include <phoenix/crdt/laws.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <resp/redis_value.hpp>

namespace resp {

namespace {

namespace laws = crdt::laws;

const crdt::replica_id alice{1, 10};
const crdt::replica_id bob{2, 20};
const crdt::replica_id carol{3, 30};

crdt::timestamp at(std::uint64_t us) {
    return {us, 0};
}

/// One edit as a delta of its own.
template <class Edit>
redis_value change(redis_value& state, const crdt::replica_id& here, Edit&& edit) {
    redis_value delta;
    state.edit(here, delta, std::forward<Edit>(edit));
    return delta;
}

redis_value set(redis_value& state, const crdt::replica_id& here, std::string_view text,
                std::uint64_t us = 1) {
    return change(state, here, [&](auto& value) { value.set_string(text, at(us)); });
}

redis_value incr(redis_value& state, const crdt::replica_id& here, std::int64_t amount = 1) {
    return change(state, here, [&](auto& value) { BOOST_TEST_REQUIRE(value.count(amount)); });
}

redis_value del(redis_value& state, const crdt::replica_id& here) {
    return change(state, here, [](auto& value) { value.remove(); });
}

redis_value sadd(redis_value& state, const crdt::replica_id& here, const std::string& member) {
    return change(state, here, [&](auto& value) { value.add_member(member); });
}

redis_value srem(redis_value& state, const crdt::replica_id& here, const std::string& member) {
    return change(state, here, [&](auto& value) { value.remove_member(member); });
}

redis_value hset(redis_value& state, const crdt::replica_id& here, const std::string& name,
                 std::string_view text, std::uint64_t us = 1) {
    return change(state, here, [&](auto& value) { value.set_field(name, text, at(us)); });
}

redis_value hincrby(redis_value& state, const crdt::replica_id& here, const std::string& name,
                    std::int64_t amount) {
    return change(state, here, [&](auto& value) { BOOST_TEST_REQUIRE(value.count_field(name, amount)); });
}

std::string text(const redis_value& value) {
    scalar::digits room;
    return std::string(value.string().text(room));
}

std::string field(const redis_value& value, std::string_view name) {
    scalar::digits room;
    return std::string(value.field(name).text(room));
}

void exchange(redis_value& a, redis_value& b) {
    a.join(b);
    b.join(a);
    BOOST_TEST((a == b));
}

redis_value random_change(redis_value& state, const crdt::replica_id& here, laws::random_source& random) {
    const std::string name(1, static_cast<char>('a' + random.below(3)));
    const std::string number = std::to_string(random.below(5));
    const auto amount = static_cast<std::int64_t>(random.below(9)) - 4;
    return change(state, here, [&](redis_value::editor& value) {
        for (std::uint64_t left = 1 + random.below(3); left > 0; --left) {
            switch (random.below(9)) {
            case 0:
                value.set_string(number, at(random.below(4)));
                break;
            case 1:
                value.remove();
                break;
            case 2:
                value.add_member(name);
                break;
            case 3:
                value.remove_member(name);
                break;
            case 4:
                value.set_field(name, number, at(random.below(4)));
                break;
            case 5:
                (void)value.count_field(name, amount);
                break;
            case 6:
                value.remove_field(name);
                break;
            default:
                (void)value.count(amount);
                break;
            }
        }
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(value_test)

BOOST_AUTO_TEST_CASE(every_law_holds) {
    const char* const given = std::getenv("PHOENIX_TEST_SEED");
    laws::options how;
    how.cases = 200;
    how.seed = given != nullptr ? std::stoull(given) : std::random_device()();
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << how.seed) {
        const auto report = laws::check_all(laws::subject<redis_value>{.mutate = random_change}, how);
        BOOST_TEST(report.all_hold(), laws::to_string(report));
    }
}

BOOST_AUTO_TEST_CASE(set_5_then_incr_is_6) {
    redis_value value;
    set(value, alice, "5");
    incr(value, alice);
    BOOST_TEST(text(value) == "6");
}

BOOST_AUTO_TEST_CASE(concurrent_set_100_and_incr_is_101) {
    redis_value mine;
    set(mine, alice, "7");
    incr(mine, alice, 3);
    redis_value theirs = mine;
    set(mine, alice, "100");
    incr(theirs, bob);
    exchange(mine, theirs);
    BOOST_TEST(text(mine) == "101");
}

BOOST_AUTO_TEST_CASE(an_unseen_incr_survives_del_and_set_alone) {
    redis_value mine;
    incr(mine, alice, 10);
    redis_value theirs = mine;
    incr(theirs, bob, 2);
    del(mine, alice);
    BOOST_TEST((mine.visible() == redis_value::type::none));
    exchange(mine, theirs);
    BOOST_TEST(text(mine) == "2");
}

BOOST_AUTO_TEST_CASE(a_counter_of_0_exists_until_it_is_removed) {
    redis_value value;
    incr(value, alice, 1);
    incr(value, alice, -1);
    BOOST_TEST((value.visible() == redis_value::type::string));
    BOOST_TEST(text(value) == "0");
    del(value, bob);
    BOOST_TEST((value.visible() == redis_value::type::none));
}

BOOST_AUTO_TEST_CASE(a_register_that_is_no_integer_reads_as_itself) {
    redis_value mine;
    redis_value theirs;
    set(mine, alice, "tea");
    incr(theirs, bob);
    exchange(mine, theirs);
    BOOST_TEST(text(mine) == "tea");
    BOOST_TEST(!mine.string().number().has_value());
}

BOOST_AUTO_TEST_CASE(fields_are_as_strings) {
    redis_value mine;
    hset(mine, alice, "f", "5");
    hincrby(mine, alice, "f", 1);
    BOOST_TEST(field(mine, "f") == "6");
    redis_value theirs = mine;
    hset(mine, alice, "f", "100");
    hincrby(theirs, bob, "f", 1);
    hincrby(theirs, bob, "g", 4);
    exchange(mine, theirs);
    BOOST_TEST(field(mine, "f") == "101");
    BOOST_TEST(field(mine, "g") == "4");
    BOOST_TEST(mine.field_count() == 2U);
    change(mine, alice, [](auto& value) { value.remove_field("g"); });
    BOOST_TEST(mine.field_count() == 1U);
    BOOST_TEST(!mine.field("g").exists());
}

BOOST_AUTO_TEST_CASE(set_clears_what_it_has_seen_in_all_slots) {
    redis_value mine;
    sadd(mine, alice, "x");
    hset(mine, alice, "f", "1");
    hincrby(mine, alice, "g", 1);
    incr(mine, alice, 4);
    BOOST_TEST(mine.types() == 3U);
    set(mine, bob, "tea");
    BOOST_TEST(mine.types() == 1U);
    BOOST_TEST(text(mine) == "tea");
}

BOOST_AUTO_TEST_CASE(del_removes_what_it_has_seen_and_nothing_else) {
    redis_value mine;
    sadd(mine, alice, "x");
    redis_value theirs = mine;
    sadd(theirs, bob, "y");
    hincrby(theirs, bob, "g", 1);
    del(mine, alice);
    exchange(mine, theirs);
    BOOST_TEST(mine.set().size() == 1U);
    BOOST_TEST(mine.set().contains("y"));
    BOOST_TEST(field(mine, "g") == "1");
}

BOOST_AUTO_TEST_CASE(trap_additive_delta) {
    redis_value mine;
    const redis_value delta = incr(mine, alice, 3);
    redis_value theirs;
    theirs.join(delta);
    theirs.join(delta);
    BOOST_TEST(text(theirs) == "3");
}

BOOST_AUTO_TEST_CASE(trap_context_max_is_not_a_set) {
    redis_value mine;
    const redis_value first = sadd(mine, alice, "x");
    const redis_value second = sadd(mine, alice, "y");
    redis_value theirs;
    theirs.join(second);
    theirs.join(first);
    BOOST_TEST(theirs.set().size() == 2U);
}

BOOST_AUTO_TEST_CASE(trap_update_carries_superseded_dots) {
    redis_value mine;
    const redis_value first = set(mine, alice, "old", 9);
    const redis_value second = set(mine, alice, "new", 1);
    redis_value theirs;
    theirs.join(second);
    theirs.join(first);
    BOOST_TEST(text(theirs) == "new");
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    redis_value mine;
    const redis_value added = sadd(mine, alice, "x");
    srem(mine, alice, "x");
    mine.join(added);
    BOOST_TEST(mine.set().size() == 0U);
}

BOOST_AUTO_TEST_CASE(trap_remote_merge_keeps_own_delta) {
    redis_value mine;
    redis_value pending;
    mine.edit(alice, pending, [](auto& value) { (void)value.count(2); });
    redis_value elsewhere;
    mine.join(incr(elsewhere, bob, 5));
    mine.edit(alice, pending, [](auto& value) { (void)value.count(1); });
    redis_value theirs;
    theirs.join(pending);
    BOOST_TEST(text(theirs) == "3");
    BOOST_TEST(text(mine) == "8");
}

BOOST_AUTO_TEST_CASE(trap_node_id_reuse) {
    // The next life of a node counts beside what the one before left.
    redis_value mine;
    incr(mine, alice, 5);
    redis_value reborn;
    incr(reborn, {alice.node, alice.incarnation + 1}, 2);
    exchange(mine, reborn);
    BOOST_TEST(text(mine) == "7");
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    redis_value blind;
    const redis_value removal = del(blind, bob);
    BOOST_TEST(removal.is_bottom());
    redis_value mine;
    incr(mine, alice);
    sadd(mine, alice, "x");
    mine.join(removal);
    BOOST_TEST(text(mine) == "1");
    BOOST_TEST(mine.set().size() == 1U);
}

BOOST_AUTO_TEST_CASE(trap_present_in_both_still_removed) {
    redis_value mine;
    sadd(mine, alice, "x");
    redis_value theirs = mine;
    srem(mine, alice, "x");
    sadd(mine, alice, "x");
    srem(theirs, bob, "x");
    srem(mine, alice, "x");
    exchange(mine, theirs);
    BOOST_TEST(mine.set().size() == 0U);
}

BOOST_AUTO_TEST_CASE(trap_reset_remove_counter) {
    redis_value mine;
    const redis_value early = incr(mine, alice, 5);
    redis_value theirs = mine;
    mine.join(del(theirs, bob));
    mine.join(early);
    BOOST_TEST((mine.visible() == redis_value::type::none));
    const redis_value later = incr(mine, alice, 2);
    theirs.join(later);
    theirs.join(early);
    BOOST_TEST(text(theirs) == "2");
    BOOST_TEST((mine == theirs));
    // Two removals at once write off once.
    redis_value third = theirs;
    mine.join(del(theirs, bob));
    mine.join(del(third, carol));
    incr(mine, alice, 1);
    BOOST_TEST(text(mine) == "1");
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    redis_value one;
    const redis_value a = hincrby(one, alice, "g", 1);
    const redis_value b = hset(one, alice, "f", "1");
    const redis_value c = incr(one, alice, 4);
    redis_value other;
    other.join(c);
    other.join(b);
    other.join(a);
    BOOST_TEST((crdt::encode(one) == crdt::encode(other)));
    BOOST_TEST((crdt::decode<redis_value>(crdt::encode(one)) == one));
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    redis_value mine;
    sadd(mine, alice, "x");
    hincrby(mine, alice, "f", 1);
    redis_value copy = mine;
    del(mine, alice);
    BOOST_TEST(copy.set().contains("x"));
    BOOST_TEST(field(copy, "f") == "1");
    const redis_value& same = copy;
    copy = same; // a value may be assigned to itself
    BOOST_TEST(field(copy, "f") == "1");
}

BOOST_AUTO_TEST_CASE(trap_map_type_conflict) {
    redis_value mine;
    redis_value theirs;
    redis_value third;
    set(mine, alice, "tea");
    sadd(theirs, bob, "x");
    hset(third, carol, "f", "1");
    redis_value first_two = mine;
    first_two.join(theirs);
    BOOST_TEST((first_two.visible() == redis_value::type::set));
    exchange(mine, theirs);
    exchange(theirs, third);
    mine.join(theirs);
    BOOST_TEST((mine == third));
    BOOST_TEST((mine.visible() == redis_value::type::hash));
    BOOST_TEST(mine.types() == 3U);
    BOOST_TEST(text(mine) == "tea");
    change(mine, alice, [](auto& value) { value.remove_field("f"); });
    BOOST_TEST((mine.visible() == redis_value::type::set));
}

BOOST_AUTO_TEST_CASE(a_full_total_refuses_to_count) {
    redis_value value;
    incr(value, alice, INT64_MAX);
    incr(value, alice, INT64_MAX);
    BOOST_TEST(text(value) == std::to_string(INT64_MAX));
    const redis_value before = value;
    change(value, alice, [](auto& editor) { BOOST_TEST(!editor.count(INT64_MAX)); });
    BOOST_TEST((value == before));
    incr(value, bob, INT64_MIN);
    BOOST_TEST(text(value) == std::to_string(INT64_MAX - 1));
}

BOOST_AUTO_TEST_CASE(hostile_counters_are_refused) {
    const auto refused = [](const std::vector<int>& bytes) {
        std::vector<std::byte> raw;
        for (const int each : bytes) {
            raw.push_back(static_cast<std::byte>(each));
        }
        BOOST_CHECK_THROW((void)crdt::decode<counter_totals>(raw), crdt::decode_error);
    };
    refused({1, 1, 1, 1, 3, 4, 0, 0});                   // a floor above its total
    refused({1, 1, 1, 1, 0, 0, 0, 0});                   // nothing counted
    refused({1, 2, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0}); // one replica twice
    refused({1, 0x7f});                                  // more than there is
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace resp
