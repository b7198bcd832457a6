// Maps of sets, counters, maps and composites against the rules of store_rules.hpp; maps of other stores are
// in the tests of those.
#include <phoenix/crdt/composite.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/resettable_counter.hpp>
#include <phoenix/crdt/rw_set.hpp>

#include "store_models.hpp"

#include <tuple>

namespace phoenix::crdt {

namespace {

using testing::agrees_with_the_rules;
using testing::agrees_with_the_rules_under_a_map;
using testing::number;

struct page {
    or_set_store<number> tags;
    rw_set_store<number> guests;
    resettable_counter_store visits;
    or_map_store<number, or_set_store<number>> links;

    static constexpr auto fields() {
        return std::tuple(field("tags", &page::tags), field("guests", &page::guests),
                          field("visits", &page::visits), field("links", &page::links));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(or_map_model_test)

BOOST_AUTO_TEST_CASE(maps_of_sets_agree_with_the_calls_that_were_seen) {
    agrees_with_the_rules_under_a_map<or_set_store<number>>();
}

BOOST_AUTO_TEST_CASE(maps_of_counters_agree_with_the_calls_that_were_seen) {
    agrees_with_the_rules_under_a_map<resettable_counter_store>();
}

BOOST_AUTO_TEST_CASE(maps_of_maps_agree_with_the_calls_that_were_seen) {
    agrees_with_the_rules_under_a_map<or_map_store<number, or_set_store<number>>>();
}

BOOST_AUTO_TEST_CASE(maps_of_composites_agree_with_the_calls_that_were_seen) {
    agrees_with_the_rules<or_map<number, composite_store<page>>>(2);
}

BOOST_AUTO_TEST_CASE(composites_agree_with_the_calls_that_were_seen) {
    agrees_with_the_rules<composite<page>>(2);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
