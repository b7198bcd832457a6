#include <phoenix/crdt/conflict/configuration.hpp>
#include <phoenix/crdt/conflict/registry.hpp>
#include <phoenix/crdt/conflict/state_machine.hpp>

#include "any_order.hpp"

#include <stdexcept>
#include <string>

namespace phoenix::crdt::conflict {

namespace {

using testing::alice;
using testing::bob;
using testing::carol;
using testing::clock_of;
using testing::clocked;
using testing::decided;
using testing::value_by;
using testing::written;
using text_context = context<std::string>;

bool is_invalid(const std::system_error& e) {
    return e.code() == errc::invalid_operation;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conflict_strategy_test)

BOOST_AUTO_TEST_CASE(siblings_are_sorted_and_unique_by_dot) {
    const sibling_set<int> set{written(carol, 1, 3), written(alice, 2, 1, 2), written(carol, 1, 3),
                               written(alice, 9, 1, 1)};
    BOOST_TEST(set.size() == 3U);
    BOOST_TEST((set.dots() == std::vector<dot>{{alice, 1}, {alice, 2}, {carol, 1}}));
    BOOST_TEST((decode<sibling_set<int>>(encode(set)) == set));
    // The last of them once more.
    auto doubled = encode(set);
    const std::vector<std::byte> last(doubled.end() - 7, doubled.end());
    doubled[1] = std::byte(4);
    doubled.insert(doubled.end(), last.begin(), last.end());
    BOOST_CHECK_EXCEPTION((void)decode<sibling_set<int>>(doubled), decode_error, [](const auto& e) {
        return std::string(e.what()).find("siblings by ascending dot") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(one_dot_with_two_contents_is_refused) {
    BOOST_CHECK_EXCEPTION((sibling_set<int>{written(alice, 1, 1), written(alice, 1, 2)}), std::system_error,
                          is_invalid);
    BOOST_CHECK_EXCEPTION((sibling_set<int>{written(alice, 2, 1), written(bob, 1, 1), written(alice, 1, 1)}),
                          std::system_error, is_invalid);
}

BOOST_AUTO_TEST_CASE(the_last_and_the_first_writer) {
    const text_context about{.siblings = {written<std::string>(alice, 5, "five"),
                                          written<std::string>(bob, 9, "nine"),
                                          written<std::string>(carol, 1, "one")}};
    BOOST_TEST(value_by(last_writer<std::string>(), about) == "nine");
    BOOST_TEST(value_by(first_writer<std::string>(), about) == "one");
    BOOST_TEST(decide(last_writer<std::string>(), about).why() ==
               "the last of 3 writes, 2.10:1 at 0.000009+0");
}

BOOST_AUTO_TEST_CASE(trap_lww_equal_timestamps) {
    // The replica decides, then the hash of the value, then the counter: never the order of arrival.
    const text_context by_replica{.siblings = {written<std::string>(alice, 5, "z"),
                                               written<std::string>(bob, 5, "a"),
                                               written<std::string>({2, 9}, 5, "b")}};
    BOOST_TEST(value_by(last_writer<std::string>(), by_replica) == "a");
    BOOST_TEST(value_by(first_writer<std::string>(), by_replica) == "z");
    const std::string higher = bytes_hash(std::string("x")) > bytes_hash(std::string("y")) ? "x" : "y";
    const std::string lower = higher == "x" ? "y" : "x";
    for (const auto& [first, second] : {std::pair(lower, higher), std::pair(higher, lower)}) {
        const text_context by_hash{.siblings = {written<std::string>(alice, 5, first, 1),
                                                written<std::string>(alice, 5, second, 2)}};
        BOOST_TEST(value_by(last_writer<std::string>(), by_hash) == higher);
    }
    const text_context by_logical{.siblings = {{{bob, 1}, {5, 0}, {}, "a"}, {{alice, 1}, {5, 1}, {}, "b"}}};
    BOOST_TEST(value_by(last_writer<std::string>(), by_logical) == "b");
}

BOOST_AUTO_TEST_CASE(the_causally_latest_write_wins_whatever_its_time) {
    const text_context about{.siblings = {clocked<std::string>(alice, 9, "old", {alice}),
                                          clocked<std::string>(bob, 5, "newer", {alice, bob}),
                                          clocked<std::string>(carol, 1, "newest", {alice, bob, carol})}};
    BOOST_TEST(value_by(vector_clock(first_writer<std::string>()), about) == "newest");
    BOOST_TEST(decide(vector_clock<std::string>(), about).why() ==
               "causally the latest, 3.10:1 at 0.000001+0");
}

BOOST_AUTO_TEST_CASE(between_concurrent_writes_the_fallback_decides_without_the_superseded) {
    const text_context about{.siblings = {clocked<std::string>(alice, 9, "superseded", {alice}),
                                          clocked<std::string>(bob, 5, "bob", {alice, bob}),
                                          clocked<std::string>(carol, 4, "carol", {carol})}};
    BOOST_TEST(value_by(vector_clock<std::string>(), about) == "bob");
    BOOST_TEST(value_by(vector_clock(last_writer<std::string>()), about) == "bob");
    BOOST_TEST(value_by(vector_clock(first_writer<std::string>()), about) == "carol");
    const context<value> counts{
        .data_type = "counter",
        .siblings = {{{alice, 1}, {1, 0}, clock_of({alice}), 6}, {{bob, 1}, {2, 0}, clock_of({bob}), 7}},
        .ancestor = 5};
    BOOST_TEST((value_by(vector_clock<value>(), counts) == value(8)));
}

BOOST_AUTO_TEST_CASE(a_sibling_without_a_clock_is_concurrent_with_all) {
    const text_context about{.siblings = {written<std::string>(alice, 9, "unknown"),
                                          clocked<std::string>(bob, 5, "known", {bob})}};
    BOOST_TEST(value_by(vector_clock<std::string>(), about) == "unknown");
    BOOST_TEST(latest(about.siblings).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_strategy_of_ones_own_sees_the_whole_context) {
    const strategy<std::string> longest{
        "longest", [](const text_context& about) {
            BOOST_TEST(about.object == "page/7");
            BOOST_TEST(about.data_type == "title");
            BOOST_TEST(about.operation_type == "rename");
            BOOST_TEST(about.metadata.at("language") == "en");
            BOOST_TEST(about.siblings.begin()->time.wall_us == 1U);
            BOOST_TEST((about.siblings.begin()->clock == clock_of({alice})));
            const auto found = std::ranges::max_element(about.siblings, {},
                                                        [](const auto& each) { return each.value.size(); });
            return outcome<std::string>::resolved(found->value, "the longest");
        }};
    const text_context about{.object = "page/7",
                             .data_type = "title",
                             .operation_type = "rename",
                             .siblings = {clocked<std::string>(alice, 1, "Tea", {alice}),
                                          clocked<std::string>(bob, 2, "Green tea", {bob})},
                             .metadata = {{"language", "en"}}};
    BOOST_TEST(value_by(longest, about) == "Green tea");
}

BOOST_AUTO_TEST_CASE(what_a_strategy_throws_leaves_the_conflict_unresolved) {
    const text_context about{.siblings = {written<std::string>(alice, 1, "a")}};
    const strategy<std::string> fails{"fails", [](const text_context&) -> outcome<std::string> {
                                          throw std::runtime_error("no idea");
                                      }};
    const auto found = resolve(about, fails);
    BOOST_TEST(!found.is_resolved());
    BOOST_TEST(found.why() == "fails failed: no idea");
    const strategy<std::string> odd{"odd", [](const text_context&) -> outcome<std::string> {
                                        throw 7;
                                    }};
    BOOST_TEST(resolve(about, odd).why() == "odd failed: it threw what is no std::exception");
    const strategy<std::string> nothing{"nothing", nullptr};
    BOOST_TEST(!resolve(about, nothing).is_resolved());
    BOOST_TEST(resolve(about, vector_clock(fails)).result().value == "a");
    const text_context two{
        .siblings = {written<std::string>(alice, 1, "a"), written<std::string>(bob, 1, "b")}};
    BOOST_TEST(resolve(two, vector_clock(fails)).why() ==
               "2 concurrent writes, fails: fails failed: no idea");
}

BOOST_AUTO_TEST_CASE(without_siblings_nothing_is_resolved) {
    BOOST_TEST(!resolve(text_context{.current = "x"}, last_writer<std::string>()).is_resolved());
}

BOOST_AUTO_TEST_CASE(a_resolution_says_what_it_supersedes_and_why) {
    const text_context about{
        .siblings = {written<std::string>(bob, 2, "b"), written<std::string>(alice, 1, "a")},
        .ancestor = "o"};
    const auto found = resolve(about, last_writer<std::string>());
    const auto& made = found.result();
    BOOST_TEST(made.value == "b");
    BOOST_TEST((made.supersedes == std::vector<dot>{{alice, 1}, {bob, 1}}));
    BOOST_TEST(made.decided_by == "last_writer");
    BOOST_TEST((made.stands_for == about.siblings));
    BOOST_TEST((made.ancestor == about.ancestor));
    BOOST_TEST((decode<resolution<std::string>>(encode(made)) == made));
    BOOST_TEST(to_text(explain(made)) ==
               "stands \"b\" (last_writer: the last of 2 writes, 2.10:1 at 0.000002+0)\n"
               "loses \"a\" by 1.10:1 (at 0.000001+0)\n"
               "stands \"b\" by 2.10:1 (at 0.000002+0)\n"
               "gone by 1.10:1 (superseded)\n"
               "gone by 2.10:1 (superseded)\n");
    auto swapped = made;
    std::ranges::reverse(swapped.supersedes);
    BOOST_CHECK_THROW((void)decode<resolution<std::string>>(encode(swapped)), decode_error);
}

BOOST_AUTO_TEST_CASE(a_registry_goes_by_data_type_and_by_name) {
    registry<value> rules;
    context<value> about{.data_type = "counter",
                         .siblings = {written<value>(alice, 2, 6), written<value>(bob, 1, 7)}};
    BOOST_TEST((rules.resolve(about).result().value == value(13)));
    about.data_type = "never heard of";
    BOOST_TEST((rules.resolve(about).result().value == value(6)));
    BOOST_TEST(rules.resolve(about).result().decided_by == "last_writer");
    rules.use("never heard of", "first_writer");
    BOOST_TEST((rules.resolve(about).result().value == value(7)));
    rules.add({"highest", [](const context<value>&) {
                   return outcome<value>::resolved(99, "by decree");
               }});
    rules.use("counter", "highest");
    about.data_type = "counter";
    BOOST_TEST((rules.resolve(about).result().value == value(99)));
    rules.add(counter_merge(), "sum");
    BOOST_TEST(rules.named("sum").name == "sum");
    BOOST_CHECK_EXCEPTION(rules.use("counter", "no such"), std::system_error, is_invalid);
    BOOST_CHECK_EXCEPTION(rules.add({"empty", nullptr}), std::system_error, is_invalid);
    BOOST_TEST((rules.resolve(about).result().value == value(99)));
    BOOST_TEST((registry<std::string>().for_data_type("counter").name == "last_writer"));
}

BOOST_AUTO_TEST_CASE(the_newest_valid_configuration_wins) {
    const auto rule =
        configuration<std::int64_t>([](const std::int64_t& workers) -> std::optional<std::string> {
            if (workers > 100) {
                throw std::runtime_error("that many do not start");
            }
            return workers > 0 ? std::nullopt : std::optional<std::string>("expected workers above 0");
        });
    context<std::int64_t> about{.siblings = {written<std::int64_t>(alice, 9, 0),
                                             written<std::int64_t>(bob, 5, 4),
                                             written<std::int64_t>(carol, 7, 500)},
                                .current = 2};
    BOOST_TEST(value_by(rule, about) == 4);
    BOOST_TEST(decide(rule, about).why() == "the newest valid one, 2.10:1 at 0.000005+0; refused 1.10:1 at "
                                            "0.000009+0: expected workers above 0; refused "
                                            "3.10:1 at 0.000007+0: that many do not start");
    about.siblings = {written<std::int64_t>(alice, 9, 0), written<std::int64_t>(bob, 5, -4)};
    BOOST_TEST(value_by(rule, about) == 2);
    BOOST_TEST(decide(rule, about).why().starts_with("the last known good one; refused 1.10:1"));
    about.current.reset();
    BOOST_TEST(!decided(about, rule).is_resolved());
    BOOST_CHECK_EXCEPTION((void)configuration<std::int64_t>(nullptr), std::system_error, is_invalid);
}

BOOST_AUTO_TEST_CASE(a_state_machine_goes_only_where_it_may) {
    const state_machine<std::string> door{
        .transitions = {{"closed", "open"}, {"closed", "locked"}, {"closed", "ajar"}, {"open", "closed"}},
        .priority = {{"locked", 1}}};
    const auto rule = legal_transition(door);
    text_context about{.siblings = {written<std::string>(alice, 9, "open"),
                                    written<std::string>(bob, 1, "locked"),
                                    written<std::string>(carol, 5, "ajar")},
                       .current = "closed"};
    BOOST_TEST(value_by(rule, about) == "locked");
    about.siblings = {written<std::string>(alice, 4, "open"), written<std::string>(carol, 5, "ajar"),
                      written<std::string>(bob, 9, "closed")};
    BOOST_TEST(value_by(rule, about) == "ajar");
    about.siblings = {written<std::string>(alice, 5, "open"), written<std::string>(carol, 5, "ajar")};
    BOOST_TEST(value_by(rule, about) == "ajar");
    about.current = "open";
    about.siblings = {written<std::string>(alice, 9, "locked"), written<std::string>(bob, 1, "ajar")};
    BOOST_TEST(value_by(rule, about) == "open");
    BOOST_TEST(decide(rule, about).why() == "stays: no sibling is legal from \"open\"");
    about.siblings = {written<std::string>(alice, 9, "locked"), written<std::string>(bob, 1, "closed")};
    BOOST_TEST(value_by(rule, about) == "closed");
    about.current = "closed";
    about.siblings = {clocked<std::string>(alice, 9, "locked", {alice}),
                      clocked<std::string>(bob, 1, "open", {alice, bob})};
    BOOST_TEST(value_by(rule, about) == "open");
    about.current.reset();
    BOOST_TEST(!decided(about, rule).is_resolved());
}

BOOST_AUTO_TEST_CASE(a_machine_that_cannot_be_meant_is_refused) {
    BOOST_CHECK_EXCEPTION((void)legal_transition(state_machine<int>{}), std::system_error, is_invalid);
    BOOST_CHECK_EXCEPTION(
        (void)legal_transition(state_machine<int>{.transitions = {{1, 2}}, .priority = {{1, 5}}}),
        std::system_error, is_invalid);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt::conflict
