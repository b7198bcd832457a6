#include <phoenix/crdt/extreme_register.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "refusal.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::is_refused;
using testing::laws_hold;
using testing::refusal_of;
using testing::says;

constexpr replica_id alice{1, 10};
constexpr replica_id bob{2, 10};

using highest = max_register<int>;
using lowest = min_register<int>;

static_assert(decomposable<highest> && operable<highest> && explainable<highest>);
static_assert(decomposable<lowest> && operable<lowest> && explainable<lowest>);

template <class Register>
laws::subject<Register> values(std::uint64_t range) {
    return {.mutate = [range](Register& mine, const replica_id& here, laws::random_source& random) {
        Register delta;
        do {
            delta.join(mine.set(here, static_cast<int>(random.below(range)) - static_cast<int>(range / 2)));
        } while (random.one_in(3));
        return delta;
    }};
}

/// `best(values)` is the one of them that stays.
template <class Register, class Best>
void agrees_with_the_best(Best best) {
    testing::agrees_with_model<Register, int>(
        [](laws::random_source& random) { return static_cast<int>(random.below(100)) - 50; },
        [](Register& mine, const replica_id& here, int value) { return mine.set(here, value); },
        [best](const Register& mine, const auto& history, const auto& seen) -> std::optional<std::string> {
            std::vector<int> values;
            history.for_each_seen(seen, [&](const auto& each) { values.push_back(each.what); });
            const auto expected = values.empty() ? std::nullopt : std::optional(best(values));
            return mine.value() == expected ? std::nullopt : std::optional(to_text(explain(mine)));
        });
}

} // namespace

BOOST_AUTO_TEST_SUITE(extreme_register_test)

BOOST_AUTO_TEST_CASE(laws) {
    laws_hold(values<highest>(3));
    laws_hold(values<highest>(1000));
    laws_hold(values<lowest>(3));
    laws_hold(values<lowest>(1000));
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    agrees_with_the_best<highest>([](const std::vector<int>& all) { return std::ranges::max(all); });
    agrees_with_the_best<lowest>([](const std::vector<int>& all) { return std::ranges::min(all); });
}

BOOST_AUTO_TEST_CASE(the_greatest_stays) {
    highest mine;
    BOOST_TEST(!mine.value().has_value());
    (void)mine.set(alice, -3);
    BOOST_TEST(*mine.value() == -3);
    (void)mine.set(alice, 5);
    BOOST_TEST(mine.set(alice, 4).is_bottom());
    BOOST_TEST(mine.set(alice, 5).is_bottom());
    BOOST_TEST(*mine.value() == 5);
    highest theirs;
    mine.join(theirs.set(bob, 9));
    BOOST_TEST(*mine.value() == 9);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(the_least_stays) {
    lowest mine;
    (void)mine.set(alice, 5);
    BOOST_TEST(mine.set(alice, 6).is_bottom());
    (void)mine.set(bob, -2);
    BOOST_TEST(*mine.value() == -2);
}

BOOST_AUTO_TEST_CASE(any_ordered_value_will_do) {
    max_register<std::string> mine;
    (void)mine.set(alice, "milk");
    (void)mine.set(alice, "tea");
    (void)mine.set(alice, "sugar");
    BOOST_TEST(*mine.value() == "tea");
}

BOOST_AUTO_TEST_CASE(a_nan_is_refused) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    max_register<double> mine;
    BOOST_TEST(is_refused(errc::invalid_operation, [&] { (void)mine.set(alice, nan); }));
    BOOST_TEST(mine.is_bottom());
    (void)mine.set(alice, -std::numeric_limits<double>::infinity());
    (void)mine.set(alice, 2.5);
    BOOST_TEST(*mine.value() == 2.5);
    BOOST_TEST(says(refusal_of<max_register<double>>({1, 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}),
                    "at byte 2: expected a number, found NaN"));
}

BOOST_AUTO_TEST_CASE(trap_canonical_bytes) {
    max_register<double> mine;
    max_register<double> theirs;
    (void)mine.set(alice, 0.0);
    (void)theirs.set(alice, -0.0);
    BOOST_TEST((mine == theirs));
    BOOST_TEST(encode(mine) == encode(theirs));
}

BOOST_AUTO_TEST_CASE(operations_do_what_the_mutators_do) {
    highest mine;
    highest theirs;
    const std::vector<highest::operation> all{highest::operations::set{3}, highest::operations::set{-7}};
    for (const auto& each : decode<std::vector<highest::operation>>(encode(all))) {
        theirs.join(mine.apply(alice, each));
    }
    BOOST_TEST(*mine.value() == 3);
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_what_stands) {
    highest mine;
    BOOST_TEST(to_text(explain(mine)).empty());
    (void)mine.set(alice, 3);
    BOOST_TEST(to_text(explain(mine)) == "stands 3 (the best of all that were set)\n");
}

BOOST_AUTO_TEST_CASE(hostile_bytes_are_refused) {
    BOOST_TEST(says(refusal_of<highest>({1, 2, 3}), "at byte 1: expected a bool of at most 1"));
    BOOST_TEST(says(refusal_of<highest>({1, 1}), "at byte 2: expected one more byte"));
    BOOST_TEST(says(refusal_of<highest>({1, 0, 3}), "at byte 2: expected the end"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
