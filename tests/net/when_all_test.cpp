#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/when_all.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
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

task<int&> reference(int& n) {
    co_return n;
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

task<int> wait_for_ever(bool& canceled) {
    event never;
    try {
        co_await never.wait();
    } catch (const std::system_error& e) {
        canceled = e.code() == errc::canceled;
        throw;
    }
    co_return 0;
}

task<> meet(event& mine, event& other) {
    mine.set();
    co_await other.wait();
}

task<> keep_until(event& gate, set_on_exit argument) {
    const set_on_exit held = std::move(argument);
    co_await gate.wait();
}

task<> results() {
    auto all = co_await when_all(number(1, 3), owned(2), nothing(1), number(4, 0));
    static_assert(std::is_same_v<decltype(all), std::tuple<int, std::unique_ptr<int>, std::monostate, int>>);
    BOOST_TEST(std::get<0>(all) == 1);
    BOOST_TEST(*std::get<1>(all) == 2);
    BOOST_TEST(std::get<3>(all) == 4);
    int target = 0;
    const auto references = co_await when_all(reference(target), reference(target));
    BOOST_TEST(std::get<0>(references) == &target);
    const auto one = co_await when_all(number(5, 0));
    BOOST_TEST(std::get<0>(one) == 5);
}

task<> vectors() {
    std::vector<task<int>> works;
    for (int i = 0; i < 100; ++i) {
        works.push_back(number(i, (100 - i) % 7));
    }
    const std::vector<int> all = co_await when_all(std::move(works));
    BOOST_TEST_REQUIRE(all.size() == 100u);
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(all[static_cast<std::size_t>(i)] == i);
    }
    const std::vector<int> none = co_await when_all(std::vector<task<int>>());
    BOOST_TEST(none.empty());
    std::vector<task<>> voids;
    voids.push_back(nothing(2));
    voids.push_back(nothing(0));
    const auto done = co_await when_all(std::move(voids));
    BOOST_TEST(done.size() == 2u);
}

task<> at_once() {
    event a;
    event b;
    // Neither ends unless both run.
    co_await when_all(meet(a, b), meet(b, a));
    BOOST_TEST(a.is_set());
    BOOST_TEST(b.is_set());
}

task<> failures() {
    bool first_canceled = false;
    bool last_canceled = false;
    const std::string message = co_await message_of(when_all(wait_for_ever(first_canceled), fail("second", 2),
                                                             fail("first", 1), wait_for_ever(last_canceled)));
    BOOST_TEST(message == "first");
    BOOST_TEST(first_canceled);
    BOOST_TEST(last_canceled);
    // One that fails at once: those started after it are stopped before they wait.
    first_canceled = false;
    last_canceled = false;
    const std::string at_once = co_await message_of(
        when_all(wait_for_ever(first_canceled), fail("at once", 0), wait_for_ever(last_canceled)));
    BOOST_TEST(at_once == "at once");
    BOOST_TEST(first_canceled);
    BOOST_TEST(last_canceled);
    std::vector<task<int>> works;
    works.push_back(wait_for_ever(first_canceled));
    works.push_back(fail("in a vector", 1));
    const std::string in_vector = co_await message_of(when_all(std::move(works)));
    BOOST_TEST(in_vector == "in a vector");
}

task<> both(bool& first, bool& second, std::error_code& code) {
    code = co_await error_of(when_all(wait_for_ever(first), wait_for_ever(second)));
}

task<> cancellation() {
    loop& here = co_await this_loop();
    bool first = false;
    bool second = false;
    std::error_code code;
    scope children(here);
    children.spawn(both(first, second, code));
    co_await yield();
    co_await children.close();
    BOOST_TEST(first);
    BOOST_TEST(second);
    BOOST_TEST((code == errc::canceled));
    first = false;
    second = false;
    children.spawn(both(first, second, code));
    co_await children.join();
    BOOST_TEST(first);
    BOOST_TEST(second);
}

task<> set_after(event& gate, int turns) {
    co_await nothing(turns);
    gate.set();
}

task<> lifetimes() {
    bool first_gone = false;
    bool second_gone = false;
    event gate;
    co_await when_all(keep_until(gate, set_on_exit(first_gone)), keep_until(gate, set_on_exit(second_gone)),
                      set_after(gate, 2));
    BOOST_TEST(first_gone);
    BOOST_TEST(second_gone);
}

task<> unstarted() {
    bool gone = false;
    event gate;
    {
        const auto unused = when_all(keep_until(gate, set_on_exit(gone)));
        BOOST_TEST(!gone);
    }
    BOOST_TEST(gone);
    co_return;
}

} // namespace

BOOST_AUTO_TEST_SUITE(when_all_test)

ON_EACH_DRIVER(results_come_in_the_order_of_the_tasks) {
    loop l(options_on(driver));
    l.run(results());
}

ON_EACH_DRIVER(a_vector_of_tasks_gives_a_vector_and_an_empty_one_nothing) {
    loop l(options_on(driver));
    l.run(vectors());
}

ON_EACH_DRIVER(the_tasks_run_at_once) {
    loop l(options_on(driver));
    l.run(at_once());
}

ON_EACH_DRIVER(the_first_failure_cancels_the_others_and_comes_out) {
    loop l(options_on(driver));
    l.run(failures());
}

ON_EACH_DRIVER(a_stop_cancels_every_task) {
    loop l(options_on(driver));
    l.run(cancellation());
}

ON_EACH_DRIVER(arguments_are_gone_when_the_await_returns) {
    loop l(options_on(driver));
    l.run(lifetimes());
    l.run(unstarted());
}

BOOST_AUTO_TEST_SUITE_END()
