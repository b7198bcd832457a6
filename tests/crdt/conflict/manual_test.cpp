#include <phoenix/crdt/conflict/manual.hpp>

#include "any_order.hpp"

#include <string>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

using testing::alice;
using testing::bob;
using testing::carol;
using testing::written;
using text_context = context<std::string>;

text_context about(const std::string& object, const sibling_set<std::string>& siblings) {
    return {.object = object, .siblings = siblings};
}

const sibling_set<std::string> two{written<std::string>(alice, 1, "a"), written<std::string>(bob, 2, "b")};
const sibling_set<std::string> three{written<std::string>(alice, 1, "a"), written<std::string>(bob, 2, "b"),
                                     written<std::string>(carol, 3, "c")};

} // namespace

BOOST_AUTO_TEST_SUITE(conflict_manual_test)

BOOST_AUTO_TEST_CASE(a_conflict_waits_until_somebody_decides) {
    manual_queue<std::string> waiting;
    const auto said = resolve(about("page", two), manual(waiting));
    BOOST_TEST(!said.is_resolved());
    BOOST_TEST(said.why() == "queued as number 1 for a decision by hand");
    BOOST_TEST(waiting.unresolved_count() == 1U);
    const auto& entry = *waiting.begin();
    BOOST_TEST(entry.about.object == "page");
    BOOST_TEST((entry.about.siblings == two));
    const auto found = waiting.resolve(entry.ticket, "ab", "ann");
    BOOST_TEST(found.result().value == "ab");
    BOOST_TEST(found.result().decided_by == "ann");
    BOOST_TEST((found.result().supersedes == two.dots()));
    BOOST_TEST(found.result().stands_for.empty());
    BOOST_TEST(waiting.unresolved_count() == 0U);
    BOOST_TEST(waiting.find("page") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_conflict_that_is_raised_again_updates_its_entry) {
    manual_queue<std::string> waiting;
    const manual_ticket first = waiting.raise(about("page", two));
    BOOST_TEST((waiting.raise(about("page", two)) == first));
    const manual_ticket second = waiting.raise(about("page", three));
    BOOST_TEST(second.number == first.number);
    BOOST_TEST(second.revision == first.revision + 1);
    BOOST_TEST(waiting.unresolved_count() == 1U);
    BOOST_TEST((waiting.find("page")->about.siblings == three));
    // A decision on what was there before is not one on these.
    const auto stale = waiting.resolve(first, "ab", "ann");
    BOOST_TEST(!stale.is_resolved());
    BOOST_TEST(stale.why().find("inspect it again") != std::string::npos);
    BOOST_TEST(waiting.unresolved_count() == 1U);
    BOOST_TEST((waiting.resolve(second, "abc", "ann").result().supersedes == three.dots()));
    BOOST_TEST(!waiting.resolve(second, "abc", "ann").is_resolved());
    BOOST_TEST(waiting.raise(about("page", two)).number == 2U);
}

BOOST_AUTO_TEST_CASE(a_full_queue_says_so_and_keeps_what_it_has) {
    manual_queue<std::string> waiting({.capacity = 2});
    (void)waiting.raise(about("a", two));
    (void)waiting.raise(about("b", two));
    BOOST_CHECK_EXCEPTION((void)waiting.raise(about("c", two)), std::system_error, [](const auto& e) {
        return e.code() == errc::limit_exceeded &&
               std::string(e.what()).find("at most 2 conflicts") != std::string::npos;
    });
    const auto said = resolve(about("c", two), manual(waiting));
    BOOST_TEST(!said.is_resolved());
    BOOST_TEST(said.why().find("at most 2 conflicts") != std::string::npos);
    BOOST_TEST(waiting.unresolved_count() == 2U);
    BOOST_TEST(waiting.raise(about("a", three)).revision == 2U);
    BOOST_TEST(waiting.withdraw("b"));
    BOOST_TEST(!waiting.withdraw("b"));
    BOOST_TEST(waiting.raise(about("c", two)).number == 3U);
}

BOOST_AUTO_TEST_CASE(entries_stand_in_the_order_in_which_they_came) {
    manual_queue<std::string> waiting;
    for (const char* const each : {"c", "a", "b"}) {
        (void)waiting.raise(about(each, two));
    }
    (void)waiting.raise(about("c", three));
    std::string order;
    for (const auto& each : waiting) {
        order += each.about.object;
    }
    BOOST_TEST(order == "cab");
}

BOOST_AUTO_TEST_CASE(options_name_the_wrong_field) {
    for (const std::size_t wrong : {std::size_t(0), std::size_t(1'000'001)}) {
        BOOST_CHECK_EXCEPTION(
            manual_queue<std::string>({.capacity = wrong}), std::system_error, [](const auto& e) {
                return std::string(e.what()).find("expected capacity of 1 to 1000000") != std::string::npos;
            });
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt::conflict
