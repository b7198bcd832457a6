#include <phoenix/crdt/lww_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/crdt/record.hpp>
#include <phoenix/crdt/sequence.hpp>

#include "laws_hold.hpp"
#include "replicas.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <tuple>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;
using testing::laws_hold;

struct account {
    pn_counter balance;
    pn_counter visits;
    lww_map<int, int> settings;
    or_set<int> tags;

    static constexpr auto fields() {
        return std::tuple(field("balance", &account::balance), field("visits", &account::visits),
                          field("settings", &account::settings), field("tags", &account::tags));
    }
};

using accounts = record<account>;

static_assert(decomposable<accounts> && operable<accounts> && explainable<accounts>);

accounts change(accounts& state, const replica_id& here, laws::random_source& random) {
    const auto number = static_cast<int>(random.below(6));
    switch (random.below(5)) {
    case 0:
        return state.update(&account::balance,
                            [&](auto& balance) { return balance.decrement(here, number + 1); });
    case 1:
        return state.update(&account::visits,
                            [&](auto& visits) { return visits.increment(here, number + 1); });
    case 2:
        return state.update(&account::settings, [&](auto& settings) {
            return settings.put(here, number, static_cast<int>(random.below(3)), {random.below(4), 0});
        });
    case 3:
        return state.update(&account::tags, [&](auto& tags) { return tags.remove(here, number); });
    default:
        return state.update(&account::tags, [&](auto& tags) { return tags.add(here, number); });
    }
}

struct page {
    sequence<char32_t> text;
    or_set<std::string> readers;

    static constexpr auto fields() {
        return std::tuple(field("text", &page::text), field("readers", &page::readers));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(record_test)

BOOST_AUTO_TEST_CASE(every_law_holds) {
    laws_hold(laws::subject<accounts>{.mutate = change});
}

BOOST_AUTO_TEST_CASE(a_delta_carries_the_field_that_changed) {
    accounts mine;
    accounts theirs;
    const accounts paid =
        mine.update(&account::balance, [](auto& balance) { return balance.increment(alice, 5); });
    BOOST_TEST(paid->visits.is_bottom());
    BOOST_TEST(paid->tags.is_bottom());
    (void)theirs.update(&account::balance, [](auto& balance) { return balance.decrement(bob, 2); });
    (void)theirs.update(&account::tags, [](auto& tags) { return tags.add(bob, 7); });
    theirs.join(paid);
    BOOST_TEST(theirs->balance.value() == 3);
    BOOST_TEST(theirs->visits.value() == 0);
    BOOST_TEST(theirs->tags.contains(7));
    mine.join(theirs);
    BOOST_TEST((mine == theirs));
    BOOST_TEST((decode<accounts>(encode(mine)) == mine));
}

BOOST_AUTO_TEST_CASE(an_operation_names_its_field) {
    // Two fields of one type: their operations differ by place alone.
    accounts mine;
    const accounts::operation visited(std::in_place_index<1>,
                                      pn_counter::operation(std::in_place_index<0>, 4));
    const accounts delta = mine.apply(alice, decode<accounts::operation>(encode(visited)));
    BOOST_TEST(mine->visits.value() == 4);
    BOOST_TEST(mine->balance.value() == 0);
    BOOST_TEST((delta == mine));
}

BOOST_AUTO_TEST_CASE(a_page_has_a_text) {
    record<page> mine;
    record<page> theirs;
    theirs.join(mine.update(&page::text, [](auto& text) { return text.insert(alice, 0, U"tea"); }));
    theirs.join(mine.update(&page::readers, [](auto& readers) { return readers.add(alice, "ann"); }));
    BOOST_TEST(theirs->text.size() == 3U);
    BOOST_TEST(theirs->readers.contains("ann"));
    BOOST_TEST(theirs.delta_since(mine.digest()).is_bottom());
}

BOOST_AUTO_TEST_CASE(explains_field_by_field) {
    accounts mine;
    (void)mine.update(&account::tags, [](auto& tags) { return tags.add(alice, 3); });
    BOOST_TEST(to_text(explain(mine)).find("tags") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
