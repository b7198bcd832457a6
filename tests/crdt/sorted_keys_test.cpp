// Sorting keys for bytes: the order is that of the keys, however many there are and whatever they begin with.
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/laws.hpp>

#include "laws_hold.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt {

namespace {

struct shuffled {
    using value_type = std::string;

    [[nodiscard]] std::size_t size() const { return all.size(); }

    [[nodiscard]] auto begin() const { return all.begin(); }

    [[nodiscard]] auto end() const { return all.end(); }

    std::vector<std::string> all;
};

/// Few letters and much alike: zeros and bytes above 127 among them.
std::string random_text(laws::random_source& random, const std::string& shared) {
    static const std::string letters("\0a\x7f\x80\xff", 5);
    std::string text = shared;
    for (std::size_t left = random.below(12); left > 0; --left) {
        text += letters[random.below(letters.size())];
    }
    return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sorted_keys)

BOOST_AUTO_TEST_CASE(strings_are_in_their_own_order) {
    laws::random_source random(testing::random_seed());
    for (int round = 0; round < 300; ++round) {
        const std::string shared = random.below(2) == 0 ? "" : "element:000000";
        std::set<std::string> sorted;
        for (std::size_t left = random.below(60); left > 0; --left) {
            sorted.insert(random_text(random, shared));
        }
        shuffled table{{sorted.begin(), sorted.end()}};
        for (std::size_t i = table.all.size(); i > 1; --i) {
            std::swap(table.all[i - 1], table.all[random.below(i)]);
        }
        std::vector<std::string> found;
        for (const std::string* each : detail::sorted_keys(table)) {
            found.push_back(*each);
        }
        BOOST_TEST_REQUIRE(std::ranges::equal(found, sorted),
                           "PHOENIX_TEST_SEED=" << testing::random_seed() << ", round " << round);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
