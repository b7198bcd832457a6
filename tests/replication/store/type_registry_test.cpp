// Types under their names: what identifies one, and which registrations contradict each other.
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/store/type_registry.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <system_error>

namespace phoenix::replication {

namespace {

using text_set = crdt::or_set<std::string>;
using number_set = crdt::or_set<std::uint64_t>;

/// What adding T says when it is refused; empty when it is not.
template <class T>
std::string refusal(type_registry& types, const std::string& name) {
    try {
        types.add<T>(name);
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == errc::invalid_options));
        return e.what();
    }
    return {};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(type_registry_test)

BOOST_AUTO_TEST_CASE(a_type_is_found_by_its_cpp_type_and_by_its_id) {
    type_registry types;
    types.add<text_set>("words");
    types.add<number_set>("numbers", 3);
    const object_type& words = types.at<text_set>();
    BOOST_TEST(words.name() == "words");
    BOOST_TEST(words.version() == 1U);
    BOOST_TEST(types.at<number_set>().version() == 3U);
    BOOST_TEST(types.find(words.id()) == &words);
    BOOST_TEST(types.find<text_set>() == &words);
    BOOST_TEST(&words.create("key")->type() == &words);
}

BOOST_AUTO_TEST_CASE(what_is_not_registered_is_null_or_an_error) {
    type_registry types;
    types.add<text_set>("words");
    BOOST_TEST(types.find<number_set>() == nullptr);
    BOOST_TEST(types.find(types.at<text_set>().id() + 1) == nullptr);
    BOOST_CHECK_EXCEPTION((void)types.at<number_set>(), std::system_error,
                          [](const auto& e) { return e.code() == errc::unknown_type; });
}

BOOST_AUTO_TEST_CASE(a_name_stands_for_one_type) {
    type_registry types;
    types.add<text_set>("words");
    BOOST_TEST(contains(refusal<number_set>(types, "words"), "registered already, as words"));
    BOOST_TEST(types.all().size() == 1U);
    BOOST_TEST(types.find<number_set>() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_type_has_one_name) {
    type_registry types;
    types.add<text_set>("words");
    const std::string why = refusal<text_set>(types, "texts");
    BOOST_TEST(contains(why, "words"));
    BOOST_TEST(contains(why, "texts"));
    BOOST_TEST(types.all().size() == 1U);
}

BOOST_AUTO_TEST_CASE(names_have_1_to_200_bytes) {
    type_registry types;
    BOOST_TEST(contains(refusal<text_set>(types, ""), "1 to 200 bytes, found 0"));
    BOOST_TEST(contains(refusal<text_set>(types, std::string(201, 'x')), "found 201"));
    BOOST_TEST(types.all().empty());
    BOOST_TEST(refusal<text_set>(types, std::string(200, 'x')) == "");
    BOOST_TEST(refusal<number_set>(types, "x") == "");
}

BOOST_AUTO_TEST_CASE(an_id_depends_on_the_name_alone_and_a_fingerprint_on_the_version_too) {
    type_registry first;
    first.add<text_set>("words", 1);
    type_registry same;
    same.add<number_set>("words", 1);
    type_registry later;
    later.add<text_set>("words", 2);
    type_registry other;
    other.add<text_set>("texts", 1);
    const object_type& type = first.at<text_set>();
    BOOST_TEST(same.at<number_set>().id() == type.id());
    BOOST_TEST(same.at<number_set>().fingerprint() == type.fingerprint());
    BOOST_TEST(later.at<text_set>().id() == type.id());
    BOOST_TEST(later.at<text_set>().fingerprint() != type.fingerprint());
    BOOST_TEST(other.at<text_set>().id() != type.id());
    BOOST_TEST(other.at<text_set>().fingerprint() != type.fingerprint());
}

BOOST_AUTO_TEST_CASE(types_stand_by_id_whatever_the_order_in_which_they_came) {
    type_registry types;
    types.add<text_set>("words");
    types.add<number_set>("numbers");
    types.add<crdt::pn_counter>("counter");
    BOOST_TEST(types.all().size() == 3U);
    BOOST_TEST(std::ranges::is_sorted(types.all(), {}, [](const auto& each) { return each->id(); }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication
