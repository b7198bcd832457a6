// A strategy decides by the set of siblings: whatever their order and however often each of them arrives.
#pragma once

#include <phoenix/crdt/conflict/strategy.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <numeric>
#include <string>
#include <vector>

namespace phoenix::crdt::conflict::testing {

inline constexpr replica_id alice{1, 10};
inline constexpr replica_id bob{2, 10};
inline constexpr replica_id carol{3, 10};

/// A write number `counter` of `who`, at a time, without a clock.
template <byte_value Value>
[[nodiscard]] sibling<Value> written(const replica_id& who, std::uint64_t at, Value value,
                                     std::uint64_t counter = 1) {
    return {{who, counter}, {at, 0}, {}, std::move(value)};
}

[[nodiscard]] inline version_vector clock_of(std::initializer_list<replica_id> ticks) {
    version_vector clock;
    for (const replica_id& each : ticks) {
        (void)clock.tick(each);
    }
    return clock;
}

/// The first write of `who`, who had seen the first writes of `ticks`, this one among them.
template <byte_value Value>
[[nodiscard]] sibling<Value> clocked(const replica_id& who, std::uint64_t at, Value value,
                                     std::initializer_list<replica_id> ticks) {
    return {{who, 1}, {at, 0}, clock_of(ticks), std::move(value)};
}

template <byte_value Value>
[[nodiscard]] std::string text_of(const outcome<Value>& said) {
    return (said ? "resolved " + shown(said.result()) : "unresolved") + " (" + said.why() + ")";
}

/// What `by` says of `about`, after a look at every order of its siblings (up to 5), with the first of each
/// order twice.
template <byte_value Value>
[[nodiscard]] outcome<Value> decided(const context<Value>& about, const strategy<Value>& by) {
    const outcome<Value> expected = decide(by, about);
    const std::vector<sibling<Value>> siblings(about.siblings.begin(), about.siblings.end());
    BOOST_REQUIRE(siblings.size() <= 5U);
    std::vector<std::size_t> order(siblings.size());
    std::iota(order.begin(), order.end(), 0);
    do {
        std::vector<sibling<Value>> arrived;
        for (const std::size_t each : order) {
            arrived.push_back(siblings[each]);
        }
        if (!arrived.empty()) {
            arrived.push_back(arrived.front());
        }
        context<Value> other = about;
        other.siblings = arrived;
        const outcome<Value> found = decide(by, other);
        BOOST_TEST(text_of(found) == text_of(expected));
        BOOST_TEST(found.is_resolved() == expected.is_resolved());
        if (found && expected) {
            BOOST_TEST((encode(found.result()) == encode(expected.result())));
        }
    } while (std::ranges::next_permutation(order).found);
    return expected;
}

/// The value that it resolves to, in any order.
template <byte_value Value>
[[nodiscard]] Value value_by(const strategy<Value>& by, const context<Value>& about) {
    const outcome<Value> said = decided(about, by);
    BOOST_REQUIRE_MESSAGE(said.is_resolved(), said.why());
    return said.result();
}

} // namespace phoenix::crdt::conflict::testing
