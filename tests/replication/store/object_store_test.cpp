// Objects by type and key: how they come to be, what is pending in them, and who is told of a change.
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/store/object_store.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace phoenix::replication {

namespace {

using text_set = crdt::or_set<std::string>;

const crdt::replica_id self{1, 10};
const crdt::replica_id other{2, 20};

const type_registry& types() {
    static const type_registry made = [] {
        type_registry all;
        all.add<text_set>("set");
        all.add<crdt::pn_counter>("counter");
        return all;
    }();
    return made;
}

const object_type& sets() {
    return types().at<text_set>();
}

/// The bytes of a set that `other` has added these to.
std::vector<std::byte> set_of(const std::vector<std::string>& elements) {
    text_set made;
    for (const std::string& each : elements) {
        made.add(other, each);
    }
    return crdt::encode(made);
}

void add(object_store& objects, const std::string& key, const std::string& element) {
    objects.edit<text_set>(key, [&](auto&& set) { set.add(element); });
}

std::vector<std::byte> pending_of(const object_store& objects, const std::string& key) {
    crdt::byte_writer out;
    objects.find_object(sets(), key)->write_pending(out);
    return {out.bytes().begin(), out.bytes().end()};
}

template <class Call>
std::error_code refusal_of(Call&& call) {
    try {
        call();
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

/// Writes down what it is told, with what the store says at that moment.
struct listener final : change_observer {
    explicit listener(const object_store& of) : objects(of) {}

    void changed_here(const stored_object& object) noexcept override { note("here", object); }

    void changed_elsewhere(const stored_object& object) noexcept override { note("elsewhere", object); }

    void note(const char* where, const stored_object& object) {
        told.push_back(std::string(where) + " " + std::string(object.key()) + " " +
                       std::to_string(objects.read<text_set>(object.key()).size()));
    }

    const object_store& objects;
    std::vector<std::string> told;
};

} // namespace

BOOST_AUTO_TEST_SUITE(object_store_test)

BOOST_AUTO_TEST_CASE(an_object_is_there_from_its_first_change_on) {
    object_store objects(types(), self);
    BOOST_TEST(objects.find<text_set>("basket") == nullptr);
    BOOST_TEST(objects.read<text_set>("basket").empty());
    BOOST_TEST(objects.size() == 0U);
    add(objects, "basket", "tea");
    BOOST_TEST_REQUIRE(objects.find<text_set>("basket") != nullptr);
    BOOST_TEST(objects.read<text_set>("basket").contains("tea"));
    BOOST_TEST(objects.find_object(sets(), "basket") == &objects.at(0));
}

BOOST_AUTO_TEST_CASE(one_key_may_name_objects_of_several_types) {
    object_store objects(types(), self);
    add(objects, "name", "tea");
    objects.change<crdt::pn_counter>("name",
                                     [](auto& counter, auto& here) { return counter.increment(here, 3); });
    BOOST_TEST(objects.size() == 2U);
    BOOST_TEST(objects.read<text_set>("name").size() == 1U);
    BOOST_TEST(objects.read<crdt::pn_counter>("name").value() == 3);
}

BOOST_AUTO_TEST_CASE(a_type_that_is_not_registered_cannot_be_opened) {
    object_store objects(types(), self);
    BOOST_TEST(
        (refusal_of([&] { (void)objects.read<crdt::or_set<std::uint16_t>>("key"); }) == errc::unknown_type));
    BOOST_TEST(objects.size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_edit_that_throws_keeps_what_it_did_until_then_and_it_is_pending) {
    object_store objects(types(), self);
    add(objects, "basket", "tea");
    objects.settle(*objects.sorted_pending()[0]);
    objects.sweep_pending();
    const std::uint64_t before = objects.changes();
    BOOST_CHECK_THROW(objects.edit<text_set>("basket",
                                             [](auto&& set) {
                                                 set.add("milk");
                                                 throw std::runtime_error("no more");
                                             }),
                      std::runtime_error);
    BOOST_TEST(objects.read<text_set>("basket").contains("milk"));
    BOOST_TEST(objects.changes() == before + 1);
    BOOST_TEST(objects.at(0).changed() == before + 1);
    BOOST_TEST(objects.pending() == 1U);
    const auto delta = crdt::decode<text_set>(pending_of(objects, "basket"));
    BOOST_TEST(delta.contains("milk"));
    BOOST_TEST(!delta.contains("tea"));
}

BOOST_AUTO_TEST_CASE(long_keys_are_refused_and_make_no_object) {
    object_store objects(types(), self, {.key_bytes_max = 8, .clock = {}});
    add(objects, "12345678", "tea");
    BOOST_TEST((refusal_of([&] { add(objects, "123456789", "tea"); }) == errc::limit_exceeded));
    BOOST_TEST((refusal_of([&] { objects.join(sets().id(), "123456789", set_of({"tea"})); }) ==
                errc::limit_exceeded));
    BOOST_TEST(objects.size() == 1U);
    BOOST_TEST(objects.pending() == 1U);
    BOOST_TEST(objects.find<text_set>("123456789") == nullptr);
}

BOOST_AUTO_TEST_CASE(what_arrives_is_joined_and_is_not_pending) {
    object_store objects(types(), self);
    add(objects, "basket", "milk");
    BOOST_TEST(objects.join(sets().id(), "basket", set_of({"tea"})) == 0U);
    BOOST_TEST(objects.join(sets().id(), "shelf", set_of({"tea"})) == 1U);
    BOOST_TEST(objects.read<text_set>("basket").size() == 2U);
    BOOST_TEST(objects.pending() == 1U);
    BOOST_TEST(!crdt::decode<text_set>(pending_of(objects, "basket")).contains("tea"));
}

BOOST_AUTO_TEST_CASE(a_type_that_nobody_registered_is_not_joined) {
    object_store objects(types(), self);
    BOOST_TEST((refusal_of([&] { objects.join(12345, "basket", set_of({"tea"})); }) == errc::unknown_type));
    BOOST_TEST((refusal_of([&] { (void)objects.join_state(12345, "basket", set_of({"tea"})); }) ==
                errc::unknown_type));
    BOOST_TEST(objects.size() == 0U);
    BOOST_TEST(objects.changes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_failed_join_of_a_new_object_leaves_none_and_its_place_is_used_again) {
    object_store objects(types(), self);
    const std::vector<std::byte> garbage(20, std::byte{0xee});
    BOOST_CHECK_THROW(objects.join(sets().id(), "basket", garbage), crdt::decode_error);
    BOOST_TEST(objects.size() == 0U);
    BOOST_TEST(objects.find<text_set>("basket") == nullptr);
    BOOST_TEST(objects.join(sets().id(), "basket", set_of({"tea"})) == 0U);
    BOOST_TEST(objects.read<text_set>("basket").contains("tea"));
}

BOOST_AUTO_TEST_CASE(a_failed_join_of_an_object_counts_as_a_change_and_changes_nothing) {
    object_store objects(types(), self);
    add(objects, "basket", "tea");
    const std::uint64_t before = objects.changes();
    BOOST_CHECK_THROW(objects.join(sets().id(), "basket", std::vector<std::byte>(20, std::byte{0xee})),
                      crdt::decode_error);
    BOOST_TEST(objects.size() == 1U);
    BOOST_TEST(objects.changes() == before + 1);
    BOOST_TEST(objects.read<text_set>("basket").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_state_that_is_known_already_is_no_change) {
    object_store objects(types(), self);
    BOOST_TEST((objects.join_state(sets().id(), "basket", set_of({"tea", "milk"})) == 0U));
    const std::uint64_t before = objects.changes();
    BOOST_TEST((objects.join_state(sets().id(), "basket", set_of({"tea"})) == std::nullopt));
    BOOST_TEST(objects.changes() == before);
    BOOST_TEST((objects.join_state(sets().id(), "basket", set_of({"tea", "milk", "salt"})) == 0U));
    BOOST_TEST(objects.changes() == before + 1);
}

BOOST_AUTO_TEST_CASE(an_observer_is_told_once_of_each_change_and_after_it) {
    object_store objects(types(), self);
    listener hears(objects);
    objects.set_observer(&hears);
    objects.edit<text_set>("basket", [](auto&& set) {
        set.add("tea");
        set.add("milk");
    });
    objects.join(sets().id(), "basket", set_of({"salt"}));
    (void)objects.join_state(sets().id(), "shelf", set_of({"salt"}));
    (void)objects.join_state(sets().id(), "shelf", set_of({"salt"}));
    BOOST_CHECK_THROW(objects.join(sets().id(), "basket", std::vector<std::byte>(9, std::byte{0xee})),
                      crdt::decode_error);
    objects.set_observer(nullptr);
    add(objects, "basket", "bread");
    const std::vector<std::string> expected{"here basket 2", "elsewhere basket 3", "elsewhere shelf 1"};
    BOOST_TEST(hears.told == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(publishing_makes_the_whole_state_pending_and_changes_nothing) {
    object_store objects(types(), self);
    const std::size_t place = objects.join(sets().id(), "basket", set_of({"tea", "milk"}));
    const std::uint64_t before = objects.changes();
    BOOST_TEST(objects.pending() == 0U);
    objects.publish(place);
    objects.publish(place);
    BOOST_TEST(objects.pending() == 1U);
    BOOST_TEST(objects.changes() == before);
    BOOST_TEST((crdt::decode<text_set>(pending_of(objects, "basket")) == objects.read<text_set>("basket")));
}

BOOST_AUTO_TEST_CASE(what_is_pending_stands_by_type_and_key_once) {
    object_store objects(types(), self);
    for (const char* key : {"c", "a", "b", "a"}) {
        add(objects, key, "tea");
        objects.change<crdt::pn_counter>(
            key, [](auto& counter, auto& here) { return counter.increment(here, 1); });
    }
    BOOST_TEST(objects.pending() == 6U);
    std::vector<std::pair<std::uint64_t, std::string>> names;
    for (const stored_object* each : objects.sorted_pending()) {
        names.emplace_back(each->type().id(), each->key());
    }
    BOOST_TEST(names.size() == 6U);
    BOOST_TEST(std::ranges::is_sorted(names));
}

BOOST_AUTO_TEST_CASE(what_was_settled_is_pending_no_more_and_the_rest_is) {
    object_store objects(types(), self);
    add(objects, "a", "tea");
    add(objects, "b", "tea");
    objects.settle(*objects.sorted_pending()[0]);
    objects.sweep_pending();
    BOOST_TEST_REQUIRE(objects.pending() == 1U);
    BOOST_TEST(objects.sorted_pending()[0]->key() == "b");
    BOOST_TEST(crdt::decode<text_set>(pending_of(objects, "a")).is_bottom());
    add(objects, "a", "milk");
    BOOST_TEST(objects.pending() == 2U);
    BOOST_TEST(!crdt::decode<text_set>(pending_of(objects, "a")).contains("tea"));
}

BOOST_AUTO_TEST_CASE(what_changed_after_a_change_is_found_among_many) {
    object_store objects(types(), self);
    for (int i = 0; i < 300; ++i) {
        add(objects, std::to_string(i), "tea");
    }
    const std::uint64_t since = objects.changes();
    BOOST_TEST(objects.find_changed(0, 0) == 0U);
    BOOST_TEST(objects.find_changed(7, 0) == 7U);
    BOOST_TEST(objects.find_changed(0, since) >= objects.places());
    add(objects, "130", "milk");
    objects.join(sets().id(), "131", set_of({"milk"}));
    add(objects, "299", "milk");
    BOOST_TEST(objects.find_changed(0, since) == 130U);
    BOOST_TEST(objects.find_changed(131, since) == 131U);
    BOOST_TEST(objects.find_changed(132, since) == 299U);
    BOOST_TEST(objects.find_changed(0, since + 2) == 299U);
    BOOST_TEST(objects.find_changed(300, since) >= objects.places());
}

BOOST_AUTO_TEST_CASE(stamps_follow_the_wall_time_that_the_store_is_told_and_never_go_back) {
    object_store objects(types(), self);
    objects.set_wall_time(5'000'000);
    BOOST_TEST(objects.wall_time() == 5'000'000U);
    const crdt::timestamp first = objects.stamp();
    BOOST_TEST(first.wall_us == 5'000'000U);
    const crdt::timestamp second = objects.stamp();
    BOOST_TEST((second > first));
    objects.set_wall_time(4'000'000);
    const crdt::timestamp third = objects.stamp();
    BOOST_TEST((third > second));
    objects.set_wall_time(6'000'000);
    BOOST_TEST(objects.stamp().wall_us == 6'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication
