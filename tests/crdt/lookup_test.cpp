// Keys that are strings are looked up by whatever a std::string_view is made of, and none is made for it.
#include <phoenix/crdt/grow_set.hpp>
#include <phoenix/crdt/lww_map.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/rw_set.hpp>
#include <phoenix/crdt/two_phase_set.hpp>

#include "replicas.hpp"
#include "test_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace phoenix::crdt {
namespace {

using testing::alice;
using testing::allocations_of;

constexpr const char* there = "a key that is too long to stand within a string";
constexpr const char* missing = "another that is too long to stand within a string";

/// `look(key)` says whether it is there.
template <class Look>
void finds_without_allocating(Look&& look) {
    // Proves that allocations are counted.
    BOOST_TEST(allocations_of([&] { (void)look(std::string(there)); }) == 1U);
    bool right = false;
    BOOST_TEST(allocations_of(
                   [&] { right = look(there) && look(std::string_view(there)) && !look(missing); }) == 0U);
    BOOST_TEST(right);
}

/// With one element, which stands alone, with a few, which are scanned, and with many, which are indexed.
template <class State, class Add, class Look>
void finds_without_allocating(Add&& add, Look&& look) {
    State state;
    for (const int others : {0, 5, 50}) {
        for (int i = 0; i < others; ++i) {
            add(state, "some other key of some length, number " + std::to_string(i));
        }
        add(state, there);
        finds_without_allocating([&](const auto& key) { return look(state, key); });
    }
}

const auto contains = [](const auto& state, const auto& key) {
    return state.contains(key);
};
const auto finds = [](const auto& state, const auto& key) {
    return state.contains(key) && state.find(key) != nullptr;
};
const auto add = [](auto& set, const std::string& element) {
    (void)set.add(alice, element);
};

} // namespace

BOOST_AUTO_TEST_SUITE(lookup_test)

BOOST_AUTO_TEST_CASE(sets_make_no_element_to_look_it_up) {
    finds_without_allocating<or_set<std::string>>(add, contains);
    finds_without_allocating<rw_set<std::string>>(add, contains);
    finds_without_allocating<grow_set<std::string>>(add, contains);
    finds_without_allocating<two_phase_set<std::string>>(add, contains);
    finds_without_allocating<two_phase_set<std::string>>(
        [](auto& set, const std::string& element) {
            (void)set.add(alice, element);
            (void)set.remove(alice, element);
        },
        [](const auto& set, const auto& element) { return set.was_removed(element); });
}

BOOST_AUTO_TEST_CASE(maps_make_no_key_to_look_it_up) {
    finds_without_allocating<or_map<std::string, or_set_store<int>>>(
        [](auto& map, const std::string& key) {
            (void)map.update(alice, key, [](auto&& set) { set.add(1); });
        },
        [](const auto& map, const auto& key) { return map.contains(key) && map.find(key)->contains(1); });
    using prices = lww_map<std::string, int>;
    std::uint64_t now = 0;
    const auto put = [&now](prices& map, const std::string& key) {
        (void)map.put(alice, key, 3, {++now, 0});
    };
    finds_without_allocating<prices>(put, finds);
    finds_without_allocating<prices>(
        put, [](const prices& map, const auto& key) { return map.stamp(key) != nullptr; });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
