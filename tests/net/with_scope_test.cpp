#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/with_scope.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

using trace = std::vector<std::string>;

task<> wait_for(event& gate) {
    co_await gate.wait();
}

task<> wait_to_be_stopped(trace& seen, std::string name) {
    event never;
    const std::error_code code = co_await error_of(wait_for(never));
    seen.push_back(name + (code == errc::canceled ? " stopped" : " ended otherwise"));
    throw std::system_error(code);
}

task<> fail(std::string message, int turns) {
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
    throw std::runtime_error(message);
}

/// Turns its cancellation into an error of its own.
task<> fail_when_stopped(std::string message) {
    event never;
    co_await error_of(wait_for(never));
    throw std::runtime_error(message);
}

task<> note_later(trace& seen, std::string text) {
    co_await yield();
    seen.push_back(std::move(text));
}

task<int> leave_children(scope& children, trace& seen) {
    children.spawn(wait_to_be_stopped(seen, "child"));
    co_await yield();
    seen.push_back("body ends");
    co_return 7;
}

task<> wait_for_children(scope& children, trace& seen) {
    children.spawn(note_later(seen, "one"));
    children.spawn(note_later(seen, "two"));
    co_await children.join();
    seen.push_back("body ends");
}

task<std::string> take_arguments(scope& children, std::unique_ptr<std::string> owned, int& shared) {
    static_cast<void>(children.empty());
    co_await yield();
    ++shared;
    co_return *owned;
}

task<int> body_that_fails(scope& children, trace& seen) {
    children.spawn(wait_to_be_stopped(seen, "child"));
    co_await yield();
    throw std::runtime_error("the body failed");
}

task<> body_that_waits(scope& children, trace& seen) {
    children.spawn(wait_to_be_stopped(seen, "sibling"));
    children.spawn(fail("the child failed", 1));
    children.spawn(fail("another child failed", 9));
    co_await wait_to_be_stopped(seen, "body");
}

task<int> body_with_a_late_failure(scope& children) {
    children.spawn(fail_when_stopped("the child failed late"));
    co_await yield();
    co_return 1;
}

task<int> body_that_fails_first(scope& children) {
    children.spawn(fail_when_stopped("the child failed late"));
    co_await yield();
    throw std::runtime_error("the body failed first");
}

task<> body_that_is_stopped(scope& children, trace& seen) {
    children.spawn(wait_to_be_stopped(seen, "child"));
    co_await wait_to_be_stopped(seen, "body");
}

task<> inner_body(scope& children, trace& seen) {
    children.spawn(wait_to_be_stopped(seen, "inner child"));
    co_await wait_to_be_stopped(seen, "inner body");
}

task<> outer_body(scope& children, trace& seen) {
    children.spawn(wait_to_be_stopped(seen, "outer child"));
    children.spawn(fail("inner failure", 3));
    co_await with_scope(inner_body, std::ref(seen));
}

task<> expect_no_await(scope& children, trace& seen) {
    static_cast<void>(children.size());
    seen.push_back("body ran");
    co_return;
}

task<> outcomes() {
    trace seen;
    const int value = co_await with_scope(leave_children, std::ref(seen));
    BOOST_TEST(value == 7);
    BOOST_TEST(seen == trace({"body ends", "child stopped"}), boost::test_tools::per_element());
    seen.clear();
    co_await with_scope(wait_for_children, std::ref(seen));
    BOOST_TEST(seen == trace({"one", "two", "body ends"}), boost::test_tools::per_element());
    seen.clear();
    co_await with_scope(expect_no_await, std::ref(seen));
    BOOST_TEST(seen == trace({"body ran"}), boost::test_tools::per_element());
}

task<> arguments() {
    int shared = 0;
    auto owned = std::make_unique<std::string>("moved in");
    const std::string text = co_await with_scope(take_arguments, std::move(owned), std::ref(shared));
    BOOST_TEST(text == "moved in");
    BOOST_TEST(shared == 1);
}

task<> failing_body() {
    trace seen;
    const std::string message = co_await message_of(with_scope(body_that_fails, std::ref(seen)));
    BOOST_TEST(message == "the body failed");
    BOOST_TEST(seen == trace({"child stopped"}), boost::test_tools::per_element());
}

task<> failing_child() {
    trace seen;
    const std::string message = co_await message_of(with_scope(body_that_waits, std::ref(seen)));
    BOOST_TEST(message == "the child failed");
    std::sort(seen.begin(), seen.end());
    BOOST_TEST(seen == trace({"body stopped", "sibling stopped"}), boost::test_tools::per_element());
}

task<> late_failures() {
    const std::string late = co_await message_of(with_scope(body_with_a_late_failure));
    BOOST_TEST(late == "the child failed late");
    const std::string first = co_await message_of(with_scope(body_that_fails_first));
    BOOST_TEST(first == "the body failed first");
}

task<> stopped_parent() {
    loop& here = co_await this_loop();
    trace seen;
    scope parent(here);
    parent.spawn(with_scope(body_that_is_stopped, std::ref(seen)));
    co_await yield();
    co_await yield();
    BOOST_TEST(seen.empty());
    co_await parent.close();
    BOOST_TEST(seen == trace({"body stopped", "child stopped"}), boost::test_tools::per_element());
}

task<> parent_stopped_before() {
    loop& here = co_await this_loop();
    trace seen;
    scope parent(here);
    parent.cancel();
    parent.spawn(with_scope(body_that_is_stopped, std::ref(seen)));
    co_await parent.join();
    BOOST_TEST(seen == trace({"body stopped", "child stopped"}), boost::test_tools::per_element());
}

task<> nesting() {
    trace seen;
    const std::string message = co_await message_of(with_scope(outer_body, std::ref(seen)));
    BOOST_TEST(message == "inner failure");
    std::sort(seen.begin(), seen.end());
    BOOST_TEST(seen == trace({"inner body stopped", "inner child stopped", "outer child stopped"}),
               boost::test_tools::per_element());
}

/// No coroutine: it throws before there is a task.
task<> body_that_never_begins(scope& children, trace& seen) {
    children.spawn(wait_to_be_stopped(seen, "child"));
    throw std::runtime_error("no task to run");
}

task<> never_begin(trace& seen) {
    co_await with_scope(body_that_never_begins, std::ref(seen));
}

} // namespace

BOOST_AUTO_TEST_SUITE(with_scope_test)

ON_EACH_DRIVER(the_body_gives_the_result_and_its_children_end_with_it) {
    loop l(options_on(driver));
    l.run(outcomes());
}

ON_EACH_DRIVER(arguments_are_moved_in_or_shared_by_reference) {
    loop l(options_on(driver));
    l.run(arguments());
}

ON_EACH_DRIVER(a_body_that_throws_cancels_its_children) {
    loop l(options_on(driver));
    l.run(failing_body());
}

ON_EACH_DRIVER(a_body_that_throws_before_it_is_a_task_cancels_its_children_too) {
    loop l(options_on(driver));
    trace seen;
    BOOST_CHECK_EXCEPTION(l.run(never_begin(seen)), std::runtime_error, [](const std::runtime_error& e) {
        return std::string(e.what()) == "no task to run";
    });
    BOOST_TEST(seen == trace({"child stopped"}), boost::test_tools::per_element());
}

ON_EACH_DRIVER(a_child_that_throws_first_cancels_siblings_and_body_and_comes_out) {
    loop l(options_on(driver));
    l.run(failing_child());
}

ON_EACH_DRIVER(a_failure_during_cancellation_comes_out_unless_the_body_failed_before) {
    loop l(options_on(driver));
    l.run(late_failures());
}

ON_EACH_DRIVER(stopping_the_parent_ends_body_and_children) {
    loop l(options_on(driver));
    l.run(stopped_parent());
    l.run(parent_stopped_before());
}

ON_EACH_DRIVER(scopes_nest) {
    loop l(options_on(driver));
    l.run(nesting());
}

BOOST_AUTO_TEST_SUITE_END()
