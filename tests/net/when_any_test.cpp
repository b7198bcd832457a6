#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/when_any.hpp>

#include "death.hpp"
#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

task<int> number(int n, int turns) {
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
    co_return n;
}

task<> nothing(int turns) {
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
}

task<std::unique_ptr<int>> owned(int n) {
    co_await yield();
    co_return std::make_unique<int>(n);
}

task<int> fail(std::string message, int turns) {
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
    throw std::runtime_error(message);
}

task<std::string> wait_for_ever(int& canceled) {
    event never;
    try {
        co_await never.wait();
    } catch (const std::system_error& e) {
        canceled += e.code() == errc::canceled ? 1 : 0;
        throw;
    }
    co_return "never";
}

/// Loses, and then fails with something else than its cancellation.
task<int> fail_when_stopped() {
    int canceled = 0;
    co_await error_of(wait_for_ever(canceled));
    throw std::runtime_error("a loser's failure");
}

task<> winners() {
    int canceled = 0;
    const auto first = co_await when_any(number(1, 1), wait_for_ever(canceled), number(3, 9));
    static_assert(std::is_same_v<decltype(first), const std::variant<int, std::string, int>>);
    BOOST_TEST_REQUIRE(first.index() == 0u);
    BOOST_TEST(std::get<0>(first) == 1);
    BOOST_TEST(canceled == 1);
    auto second = co_await when_any(wait_for_ever(canceled), owned(2));
    BOOST_TEST_REQUIRE(second.index() == 1u);
    BOOST_TEST(*std::get<1>(second) == 2);
    BOOST_TEST(canceled == 2);
    const auto third = co_await when_any(wait_for_ever(canceled), number(4, 9), nothing(1));
    BOOST_TEST(third.index() == 2u);
    BOOST_TEST(canceled == 3);
    const auto alone = co_await when_any(number(5, 0));
    BOOST_TEST(std::get<0>(alone) == 5);
}

task<> at_once() {
    int canceled = 0;
    // Ends inside its start; those after it are stopped at their first wait.
    const auto first = co_await when_any(wait_for_ever(canceled), number(1, 0), wait_for_ever(canceled));
    BOOST_TEST(first.index() == 1u);
    BOOST_TEST(canceled == 2);
    // Two that need no wait: the first of them wins.
    const auto both = co_await when_any(number(1, 0), number(2, 0));
    BOOST_TEST(both.index() == 0u);
}

task<> vectors() {
    std::vector<task<int>> works;
    for (int i = 0; i < 50; ++i) {
        works.push_back(number(i, i == 33 ? 1 : 20));
    }
    const auto first = co_await when_any(std::move(works));
    BOOST_TEST(first.first == 33u);
    BOOST_TEST(first.second == 33);
    std::vector<task<>> voids;
    voids.push_back(nothing(3));
    voids.push_back(nothing(1));
    const auto done = co_await when_any(std::move(voids));
    BOOST_TEST(done.first == 1u);
}

task<> failures() {
    int canceled = 0;
    const std::string message =
        co_await message_of(when_any(wait_for_ever(canceled), fail("first to end", 1), number(1, 5)));
    BOOST_TEST(message == "first to end");
    BOOST_TEST(canceled == 1);
    const auto won = co_await when_any(number(1, 1), fail_when_stopped(), fail("too late", 5));
    BOOST_TEST(won.index() == 0u);
}

task<> race(int& canceled, std::error_code& code) {
    code = co_await error_of(when_any(wait_for_ever(canceled), wait_for_ever(canceled)));
}

task<> cancellation() {
    loop& here = co_await this_loop();
    int canceled = 0;
    std::error_code code;
    scope children(here);
    children.spawn(race(canceled, code));
    co_await yield();
    co_await children.close();
    BOOST_TEST(canceled == 2);
    BOOST_TEST((code == errc::canceled));
}

task<> race_of_none() {
    co_await when_any(std::vector<task<int>>());
}

} // namespace

BOOST_AUTO_TEST_SUITE(when_any_test)

ON_EACH_DRIVER(the_first_to_end_wins_and_the_others_are_cancelled) {
    loop l(options_on(driver));
    l.run(winners());
}

ON_EACH_DRIVER(a_task_that_needs_no_wait_wins_at_once) {
    loop l(options_on(driver));
    l.run(at_once());
}

ON_EACH_DRIVER(of_a_vector_the_index_of_the_winner_comes_with_its_result) {
    loop l(options_on(driver));
    l.run(vectors());
}

ON_EACH_DRIVER(a_failure_that_ends_first_comes_out_and_those_of_losers_are_dropped) {
    loop l(options_on(driver));
    l.run(failures());
}

ON_EACH_DRIVER(a_stop_cancels_every_task) {
    loop l(options_on(driver));
    l.run(cancellation());
}

ON_EACH_DRIVER(an_empty_vector_is_a_broken_precondition) {
    const std::string words = last_words([=] {
        loop l(options_on(driver));
        l.run(race_of_none());
    });
    BOOST_TEST(words.find("at least one task") != std::string::npos, words);
}

BOOST_AUTO_TEST_SUITE_END()
