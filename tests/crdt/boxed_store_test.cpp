#include <phoenix/crdt/boxed_store.hpp>
#include <phoenix/crdt/composite.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/register.hpp>

#include "laws_hold.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::crdt;
using namespace phoenix::crdt::testing;

using numbers = or_set_store<std::uint64_t>;
using texts = or_map_store<std::uint64_t, causal_register_store<std::string>>;

struct plain_page {
    numbers tags;
    texts notes;

    static constexpr auto fields() {
        return std::tuple(field("tags", &plain_page::tags), field("notes", &plain_page::notes));
    }
};

struct boxed_page {
    boxed_store<numbers> tags;
    boxed_store<texts> notes;

    static constexpr auto fields() {
        return std::tuple(field("tags", &boxed_page::tags), field("notes", &boxed_page::notes));
    }
};

static_assert(decomposable<composite<boxed_page>> && operable<composite<boxed_page>>);

template <class Page>
composite<Page> change(composite<Page>& state, const replica_id& here, laws::random_source& random) {
    composite<Page> delta;
    const std::uint64_t number = random.below(5);
    const timestamp now{random.below(3), 0};
    switch (random.below(8)) {
    case 0:
        state.edit(here, delta, [](auto&& page) { page.reset(); });
        return delta;
    case 1:
        return state.update(here, &Page::tags, [&](auto&& tags) { tags.remove(number); });
    case 2:
        return state.update(here, &Page::notes, [&](auto&& notes) { notes.remove(number); });
    case 3:
    case 4:
        return state.update(here, &Page::notes, [&](auto&& notes) {
            notes.update(number, [&](auto&& note) { note.set(std::to_string(number), now); });
        });
    default:
        return state.update(here, &Page::tags, [&](auto&& tags) { tags.add(number); });
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(boxed_stores)

BOOST_AUTO_TEST_CASE(laws_of_a_composite_of_boxes) {
    laws_hold(laws::subject<composite<boxed_page>>{.mutate = change<boxed_page>});
}

BOOST_AUTO_TEST_CASE(a_box_has_the_bytes_of_what_is_in_it) {
    const std::uint64_t seed = random_seed();
    laws::random_source random(seed);
    BOOST_TEST_CONTEXT("seed " << seed) {
        for (int history = 0; history < 50; ++history) {
            const std::vector<replica_id> replicas{{1, 1}, {2, 1}, {3, 1}};
            std::vector<composite<plain_page>> plain(3);
            std::vector<composite<boxed_page>> boxed(3);
            for (int step = 0; step < 30; ++step) {
                const std::size_t at = random.below(3);
                laws::random_source same = random;
                const auto delta = change(plain[at], replicas[at], random);
                const auto boxed_delta = change(boxed[at], replicas[at], same);
                BOOST_TEST((encode(delta) == encode(boxed_delta)));
                const std::size_t to = random.below(3);
                plain[to].join(delta);
                boxed[to].join(boxed_delta);
                BOOST_TEST((encode(plain[to]) == encode(boxed[to])));
                BOOST_TEST((decode<composite<boxed_page>>(encode(plain[to])) == boxed[to]));
                // The same of the elements: a copy shares no box.
                composite<boxed_page> copy = boxed[to];
                composite<boxed_page> gone;
                copy.edit(replicas[to], gone, [](auto&& page) { page.reset(); });
                BOOST_TEST((encode(plain[to]) == encode(boxed[to])));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(it_reads_as_the_store_in_it) {
    composite<boxed_page> page;
    const replica_id here{1, 1};
    BOOST_TEST(!page.at(&boxed_page::tags).contains(1));
    BOOST_TEST(!page.at(&boxed_page::notes).find(1));
    page.update(here, &boxed_page::tags, [](auto&& tags) { tags.add(1); });
    page.update(here, &boxed_page::notes,
                [](auto&& notes) { notes.update(1, [](auto&& note) { note.set("one", timestamp{1, 0}); }); });
    BOOST_TEST(page.at(&boxed_page::tags).contains(1));
    BOOST_TEST(*page.at(&boxed_page::notes).find(1)->value() == "one");
    composite<boxed_page> gone;
    page.edit(here, gone, [](auto&& open) { open.reset(); });
    BOOST_TEST(page.at(&boxed_page::tags).empty());
    BOOST_TEST(page.at(&boxed_page::notes).size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
