// Sets of thousands of elements, where indexes, blocks and holes work: against a plain set, and against a replica that
// knows nothing but deltas.
#include <phoenix/crdt/or_set.hpp>

#include "causal_history.hpp"
#include "replicas.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace phoenix::crdt {
namespace {

using testing::alice;
using testing::bob;

std::uint64_t element(std::uint64_t number, const std::uint64_t&) {
    return number * 0x9e37'79b9'7f4a'7c15U;
}

std::string element(std::uint64_t number, const std::string&) {
    return "element " + std::to_string(number);
}

template <class Element>
bool holds_just(const or_set<Element>& found, const std::set<Element>& expected, std::uint64_t range) {
    if (std::set<Element>(found.begin(), found.end()) != expected || found.size() != expected.size()) {
        return false;
    }
    for (std::uint64_t number = 0; number < range; ++number) {
        const Element each = element(number, Element());
        if (found.contains(each) != expected.contains(each)) {
            return false;
        }
    }
    return true;
}

/// Joins them in any order, some of them twice.
template <class Element>
void deliver(or_set<Element>& to, std::vector<or_set<Element>>& deltas, laws::random_source& random) {
    while (!deltas.empty()) {
        const auto which = static_cast<std::ptrdiff_t>(random.below(deltas.size()));
        to.join(deltas[static_cast<std::size_t>(which)]);
        if (random.below(4) != 0) {
            deltas.erase(deltas.begin() + which);
        }
    }
}

template <class Element>
void agrees_with_a_plain_set() {
    const std::uint64_t seed = testing::random_seed();
    laws::random_source random(seed);
    constexpr std::uint64_t range = 3000;
    or_set<Element> mine;
    or_set<Element> by_deltas;
    or_set<Element> by_news;
    std::set<Element> expected;
    for (int round = 0; round < 12; ++round) {
        std::vector<or_set<Element>> deltas;
        // Now mostly additions, now mostly removals, so that the set grows and shrinks.
        const std::uint64_t additions = round % 4 == 3 ? 1 : 7;
        for (int step = 0; step < 2000; ++step) {
            const Element each = element(random.below(range), Element());
            const replica_id writer = random.below(2) == 0 ? alice : bob;
            if (random.below(10) < additions) {
                deltas.push_back(mine.add(writer, each));
                expected.insert(each);
            } else {
                deltas.push_back(mine.remove(writer, each));
                expected.erase(each);
            }
        }
        if (round == 7) {
            deltas.push_back(mine.clear(alice));
            expected.clear();
        }
        deliver(by_deltas, deltas, random);
        const or_set<Element> missing = mine.delta_since(by_news.digest());
        BOOST_TEST((by_news.delta_and_merge(missing) == missing));
        BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << seed << ", round " << round) {
            BOOST_TEST(holds_just(mine, expected, range));
            BOOST_TEST(holds_just(by_deltas, expected, range));
            BOOST_TEST(holds_just(by_news, expected, range));
            BOOST_TEST((by_deltas == mine && by_news == mine));
            BOOST_TEST((or_set<Element>(mine) == mine));
            const auto bytes = encode(mine);
            BOOST_TEST((encode(by_deltas) == bytes && encode(by_news) == bytes));
            or_set<Element> read = decode<or_set<Element>>(bytes);
            BOOST_TEST(holds_just(read, expected, range));
            BOOST_TEST((read == mine));
            // What was read serves on: the next round's deltas must find its dots.
            if (round % 2 == 1) {
                by_deltas = std::move(read);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE(large_set_test)

BOOST_AUTO_TEST_CASE(of_numbers) {
    agrees_with_a_plain_set<std::uint64_t>();
}

BOOST_AUTO_TEST_CASE(of_texts) {
    agrees_with_a_plain_set<std::string>();
}

BOOST_AUTO_TEST_CASE(takes_its_own_elements_for_arguments) {
    or_set<std::string> mine;
    or_set<std::string> batch;
    mine.edit(alice, batch, [](auto&& set) {
        for (std::uint64_t number = 0; number < 100; ++number) {
            set.add(element(number, std::string()));
        }
    });
    or_set<std::string> theirs = mine;
    while (!mine.empty()) {
        theirs.join(mine.add(alice, *mine.begin()));
        mine.edit(bob, batch, [&](auto&& set) { set.remove(*mine.begin()); });
    }
    theirs.join(batch);
    BOOST_TEST(theirs.empty());
    BOOST_TEST((batch == mine));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace phoenix::crdt
