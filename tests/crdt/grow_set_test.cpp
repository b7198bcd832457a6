#include <phoenix/crdt/grow_set.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"

#include <algorithm>
#include <limits>
#include <ranges>
#include <set>
#include <string>

namespace phoenix::crdt {

namespace {

using laws::random_source;
using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

constexpr replica_id alice{1, 10};
constexpr replica_id bob{2, 10};

using words = grow_set<std::string>;

static_assert(decomposable<words> && operable<words> && explainable<words>);
static_assert(std::ranges::forward_range<words>);

laws::subject<grow_set<std::uint64_t>> additions(std::uint64_t range) {
    return {
        .mutate = [range](grow_set<std::uint64_t>& set, const replica_id& here, laws::random_source& random) {
            grow_set<std::uint64_t> delta;
            do {
                delta.join(set.add(here, random.below(range)));
            } while (random.one_in(2));
            return delta;
        }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(grow_set_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(additions(4));
    laws_hold(additions(1000));
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    using numbers = grow_set<std::uint64_t>;
    testing::agrees_with_model<numbers, std::uint64_t>(
        [](random_source& random) { return random.below(30); },
        [](numbers& set, const replica_id& here, std::uint64_t element) { return set.add(here, element); },
        [](const numbers& set, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::set<std::uint64_t> expected;
            history.for_each_seen(seen, [&](const auto& each) { expected.insert(each.what); });
            bool agrees =
                std::set<std::uint64_t>(set.begin(), set.end()) == expected && set.size() == expected.size();
            for (std::uint64_t element = 0; element < 30; ++element) {
                agrees = agrees && set.contains(element) == expected.contains(element);
            }
            return agrees ? std::nullopt : std::optional(to_text(explain(set)));
        });
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const words set;
    BOOST_TEST(set.empty());
    BOOST_TEST(set.size() == 0U);
    BOOST_TEST(set.is_bottom());
    BOOST_TEST(!set.contains("tea"));
    BOOST_TEST((set.begin() == set.end()));
}

BOOST_AUTO_TEST_CASE(the_join_is_the_union) {
    words mine;
    words theirs;
    const auto tea = mine.add(alice, "tea");
    theirs.join(theirs.add(bob, "milk"));
    theirs.join(tea);
    mine.join(theirs);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(mine.size() == 2U);
    std::vector<std::string> sorted(mine.begin(), mine.end());
    std::ranges::sort(sorted);
    BOOST_TEST((sorted == std::vector<std::string>{"milk", "tea"}));
}

BOOST_AUTO_TEST_CASE(adding_again_is_bottom) {
    words mine;
    BOOST_TEST(!mine.add(alice, "tea").is_bottom());
    BOOST_TEST(mine.add(alice, "tea").is_bottom());
    BOOST_TEST(mine.add(bob, "tea").is_bottom());
    BOOST_TEST(mine.size() == 1U);
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    grow_set<int> up;
    grow_set<int> down;
    for (int i = 0; i < 100; ++i) {
        (void)up.add(alice, i);
        (void)down.add(bob, 99 - i);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
    BOOST_TEST(to_text(explain(up)) == to_text(explain(down)));
}

BOOST_AUTO_TEST_CASE(trap_digest_after_every_merge) {
    words mine;
    const words before = mine.digest();
    words other;
    mine.join(other.add(bob, "tea"));
    BOOST_TEST((mine.digest() != before));
    BOOST_TEST((mine.digest() == other.digest()));
}

BOOST_AUTO_TEST_CASE(trap_context_alias_on_copy) {
    words mine;
    (void)mine.add(alice, "tea");
    const words copy = mine;
    (void)mine.add(alice, "milk");
    BOOST_TEST(copy.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_nan_is_no_element) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    grow_set<double> mine;
    BOOST_TEST(is_refused(errc::invalid_operation, [&] { (void)mine.add(alice, nan); }));
    BOOST_TEST(mine.empty());
    (void)mine.add(alice, 0.0);
    BOOST_TEST(mine.add(alice, -0.0).is_bottom());
    BOOST_TEST(says(refusal_of<grow_set<double>>({1, 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}),
                    "at byte 2: expected a number, found NaN"));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    words mine;
    words theirs;
    const std::vector<words::operation> all{words::operations::add{"tea"}, words::operations::add{"milk"}};
    for (const auto& each : decode<std::vector<words::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST(mine.size() == 2U);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_what_stands) {
    words mine;
    (void)mine.add(alice, "tea");
    (void)mine.add(alice, "milk");
    BOOST_TEST(to_text(explain(mine)) == "stands \"milk\" (added)\nstands \"tea\" (added)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    using numbers = grow_set<unsigned>;
    BOOST_TEST(refusal_of<numbers>({1, 2, 3, 4}).empty());
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 4, 3}), "at byte 3: expected keys in ascending order"));
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 3, 3}), "at byte 3: expected keys in ascending order"));
    BOOST_TEST(says(refusal_of<numbers>({1, 9, 3}), "at byte 1: expected as many elements"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
