#include <phoenix/crdt/two_phase_set.hpp>

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

using words = two_phase_set<std::string>;

static_assert(decomposable<words> && operable<words> && explainable<words>);
static_assert(std::ranges::forward_range<words>);

laws::subject<two_phase_set<std::uint64_t>> changes(std::uint64_t range) {
    return {.mutate = [range](two_phase_set<std::uint64_t>& set, const replica_id& here,
                              laws::random_source& random) {
        two_phase_set<std::uint64_t> delta;
        do {
            const std::uint64_t element = random.below(range);
            delta.join(random.one_in(3) ? set.remove(here, element) : set.add(here, element));
        } while (random.one_in(2));
        return delta;
    }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(two_phase_set_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(changes(4));
    laws_hold(changes(100));
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    struct call {
        bool add;
        std::uint64_t element;
    };

    using numbers = two_phase_set<std::uint64_t>;
    testing::agrees_with_model<numbers, call>(
        [](random_source& random) { return call{!random.one_in(3), random.below(12)}; },
        [](numbers& set, const replica_id& here, const call& what) {
            return what.add ? set.add(here, what.element) : set.remove(here, what.element);
        },
        [](const numbers& set, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::set<std::uint64_t> added;
            std::set<std::uint64_t> removed;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                const call& what = history.events[i].what;
                if (seen[i] && what.add) {
                    added.insert(what.element);
                }
                // A removal whose caller had seen no addition does nothing.
                for (std::size_t earlier = 0; earlier < i && seen[i] && !what.add; ++earlier) {
                    const call& before = history.events[earlier].what;
                    if (history.saw(i, earlier) && before.add && before.element == what.element) {
                        removed.insert(what.element);
                    }
                }
            }
            std::size_t size = 0;
            bool agrees = true;
            for (std::uint64_t element = 0; element < 12; ++element) {
                const bool there = added.contains(element) && !removed.contains(element);
                size += there ? 1 : 0;
                agrees = agrees && set.contains(element) == there &&
                         set.was_removed(element) == removed.contains(element);
            }
            agrees = agrees && set.size() == size &&
                     std::ranges::all_of(set, [&](std::uint64_t each) { return set.contains(each); });
            return agrees ? std::nullopt : std::optional(to_text(explain(set)));
        });
}

BOOST_AUTO_TEST_CASE(starts_empty) {
    const words set;
    BOOST_TEST(set.empty());
    BOOST_TEST(set.size() == 0U);
    BOOST_TEST(set.is_bottom());
    BOOST_TEST(!set.contains("tea"));
    BOOST_TEST(!set.was_removed("tea"));
    BOOST_TEST((set.begin() == set.end()));
}

BOOST_AUTO_TEST_CASE(what_was_removed_stays_removed) {
    words mine;
    (void)mine.add(alice, "tea");
    BOOST_TEST(mine.contains("tea"));
    (void)mine.remove(alice, "tea");
    BOOST_TEST(!mine.contains("tea"));
    BOOST_TEST(mine.was_removed("tea"));
    BOOST_TEST(mine.add(alice, "tea").is_bottom());
    BOOST_TEST(!mine.contains("tea"));
    BOOST_TEST(mine.size() == 0U);
    BOOST_TEST(mine.tombstones() == 1U);
    BOOST_TEST(!mine.is_bottom());
}

BOOST_AUTO_TEST_CASE(a_removal_wins_over_a_concurrent_addition) {
    words mine;
    words theirs;
    theirs.join(mine.add(alice, "tea"));
    words third;
    const auto addition = third.add({3, 10}, "tea");
    const auto removal = theirs.remove(bob, "tea");
    mine.join(removal);
    mine.join(addition);
    third.join(removal);
    BOOST_TEST(!mine.contains("tea"));
    BOOST_TEST(!third.contains("tea"));
    BOOST_TEST((mine == third));
}

BOOST_AUTO_TEST_CASE(trap_remove_without_context) {
    words mine;
    BOOST_TEST(mine.remove(alice, "tea").is_bottom());
    words other;
    mine.join(other.add(bob, "tea"));
    BOOST_TEST(mine.contains("tea"));
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    words mine;
    const auto addition = mine.add(alice, "tea");
    words theirs;
    theirs.join(addition);
    theirs.join(mine.remove(alice, "tea"));
    theirs.join(addition);
    BOOST_TEST(!theirs.contains("tea"));
    // The removal alone, without the addition before it.
    words late;
    late.join(mine.delta_since(words().digest()));
    late.join(addition);
    BOOST_TEST(!late.contains("tea"));
}

BOOST_AUTO_TEST_CASE(iterates_what_is_there) {
    two_phase_set<int> set;
    for (int i = 0; i < 100; ++i) {
        (void)set.add(alice, i);
    }
    for (int i = 0; i < 100; i += 3) {
        (void)set.remove(alice, i);
    }
    std::vector<int> found(set.begin(), set.end());
    std::ranges::sort(found);
    BOOST_TEST(found.size() == set.size());
    BOOST_TEST(set.size() == 66U);
    BOOST_TEST(std::ranges::none_of(found, [](int each) { return each % 3 == 0; }));
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    two_phase_set<int> up;
    std::vector<two_phase_set<int>> deltas;
    for (int i = 0; i < 100; ++i) {
        deltas.push_back(up.add(alice, i));
        if (i % 2 == 0) {
            deltas.push_back(up.remove(alice, i));
        }
    }
    two_phase_set<int> down;
    for (auto each = deltas.rbegin(); each != deltas.rend(); ++each) {
        down.join(*each);
    }
    BOOST_TEST((up == down));
    BOOST_TEST(encode(up) == encode(down));
    BOOST_TEST(to_text(explain(up)) == to_text(explain(down)));
}

BOOST_AUTO_TEST_CASE(trap_digest_after_every_merge) {
    words mine;
    words theirs;
    mine.join(theirs.add(bob, "tea"));
    const auto before = mine.digest();
    mine.join(theirs.remove(bob, "tea"));
    BOOST_TEST((mine.digest() != before));
    BOOST_TEST((mine.digest() == theirs.digest()));
}

BOOST_AUTO_TEST_CASE(a_nan_is_no_element) {
    two_phase_set<double> mine;
    BOOST_TEST(is_refused(errc::invalid_operation,
                          [&] { (void)mine.add(alice, std::numeric_limits<double>::quiet_NaN()); }));
    BOOST_TEST(mine.is_bottom());
    BOOST_TEST(mine.remove(alice, std::numeric_limits<double>::quiet_NaN()).is_bottom());
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    using operations = words::operations;
    words mine;
    words theirs;
    const std::vector<words::operation> all{operations::add{"tea"}, operations::add{"milk"},
                                            operations::remove{"tea"}, operations::add{"tea"}};
    for (const auto& each : decode<std::vector<words::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST(mine.size() == 1U);
    BOOST_TEST(mine.contains("milk"));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_what_stands_and_what_is_gone) {
    words mine;
    (void)mine.add(alice, "tea");
    (void)mine.add(alice, "milk");
    (void)mine.remove(alice, "milk");
    BOOST_TEST(to_text(explain(mine)) == "stands \"tea\" (added)\ngone \"milk\" (removed, and stays so)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    using numbers = two_phase_set<unsigned>;
    BOOST_TEST(refusal_of<numbers>({1, 2, 3, 4, 1, 5}).empty());
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 3, 4, 1, 4}), "at byte 4: expected removed elements"));
    BOOST_TEST(says(refusal_of<numbers>({1, 1, 3, 2, 5, 4}), "at byte 5: expected keys in ascending order"));
    BOOST_TEST(says(refusal_of<numbers>({1, 2, 3, 4}), "at byte 4: expected one more byte"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
