#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "death.hpp"
#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

using trace = std::vector<std::string>;

task<> note(trace& seen, std::string text) {
    seen.push_back(std::move(text));
    co_return;
}

task<> note_later(trace& seen, std::string text, int turns) {
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
    seen.push_back(std::move(text));
}

task<> wait_for(event& gate) {
    co_await gate.wait();
}

/// Waits for ever, and says how that ended.
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

task<> join(scope& children) {
    co_await children.join();
}

task<> hold(set_on_exit argument, event& gate) {
    const set_on_exit held = std::move(argument);
    co_await gate.wait();
}

task<> body_of_order() {
    loop& here = co_await this_loop();
    trace seen;
    scope children(here);
    BOOST_TEST(children.empty());
    children.spawn(note(seen, "first"));
    children.spawn(note(seen, "second"));
    children.spawn(note(seen, "third"));
    BOOST_TEST(children.size() == 3u);
    // Children start when their spawner waits.
    BOOST_TEST(seen.empty());
    co_await children.join();
    BOOST_TEST(children.empty());
    BOOST_TEST(seen == trace({"first", "second", "third"}), boost::test_tools::per_element());
    co_await children.join();
}

task<> body_of_waiting() {
    loop& here = co_await this_loop();
    trace seen;
    scope children(here);
    children.spawn(note_later(seen, "slow", 5));
    children.spawn(note_later(seen, "quick", 1));
    children.spawn(note(seen, "at once"));
    co_await children.join();
    BOOST_TEST(seen == trace({"at once", "quick", "slow"}), boost::test_tools::per_element());
}

task<> body_of_failure() {
    loop& here = co_await this_loop();
    trace seen;
    scope children(here);
    children.spawn(wait_to_be_stopped(seen, "elder"));
    children.spawn(fail("first", 1));
    children.spawn(fail("second", 3));
    children.spawn(fail_when_stopped("later"));
    children.spawn(wait_to_be_stopped(seen, "younger"));
    const std::string message = co_await message_of(join(children));
    BOOST_TEST(message == "first");
    std::sort(seen.begin(), seen.end());
    BOOST_TEST(seen == trace({"elder stopped", "younger stopped"}), boost::test_tools::per_element());
    BOOST_TEST(children.empty());
    // The scope has told it once.
    co_await children.join();
    BOOST_TEST((children.take_failure() == nullptr));
}

task<> body_of_draining() {
    loop& here = co_await this_loop();
    scope children(here);
    children.spawn(fail("kept", 0));
    co_await children.drain();
    const std::exception_ptr kept = children.take_failure();
    BOOST_TEST((kept != nullptr));
    BOOST_TEST((children.take_failure() == nullptr));
}

task<> body_of_cancel() {
    loop& here = co_await this_loop();
    trace seen;
    scope children(here);
    children.spawn(wait_to_be_stopped(seen, "running"));
    co_await yield();
    children.cancel();
    children.cancel();
    // Nobody is resumed from inside the call.
    BOOST_TEST(seen.empty());
    children.spawn(wait_to_be_stopped(seen, "late"));
    co_await children.join();
    std::sort(seen.begin(), seen.end());
    BOOST_TEST(seen == trace({"late stopped", "running stopped"}), boost::test_tools::per_element());
}

task<> body_of_close() {
    loop& here = co_await this_loop();
    trace seen;
    scope children(here);
    children.spawn(wait_to_be_stopped(seen, "unstarted"));
    co_await children.close();
    BOOST_TEST(seen == trace({"unstarted stopped"}), boost::test_tools::per_element());
}

task<> give_up() {
    throw_error(errc::canceled, "gave up");
    co_return;
}

task<> body_of_own_cancellation() {
    loop& here = co_await this_loop();
    scope children(here);
    children.spawn(give_up());
    const std::error_code code = co_await error_of(join(children));
    BOOST_TEST((code == errc::canceled));
}

task<> join_within(scope& children, nanoseconds duration) {
    co_await with_deadline(join(children), duration);
}

task<> body_of_stopped_joiner() {
    loop& here = co_await this_loop();
    trace seen;
    scope children(here);
    children.spawn(wait_to_be_stopped(seen, "child"));
    const std::error_code code = co_await error_of(join_within(children, 1ms));
    // The joiner's strand was stopped, the child ended because of that, and its cancellation is no failure.
    BOOST_TEST(!code);
    BOOST_TEST(seen == trace({"child stopped"}), boost::test_tools::per_element());
    BOOST_TEST(children.empty());
}

task<> body_of_arguments() {
    loop& here = co_await this_loop();
    bool first_gone = false;
    bool second_gone = false;
    event gate;
    scope children(here);
    children.spawn(hold(set_on_exit(first_gone), gate));
    children.spawn(hold(set_on_exit(second_gone), gate));
    co_await yield();
    BOOST_TEST(!first_gone);
    gate.set();
    co_await children.join();
    BOOST_TEST(first_gone);
    BOOST_TEST(second_gone);
}

task<> spawn_more(scope& siblings, trace& seen, int generations) {
    seen.push_back("generation " + std::to_string(generations));
    co_await yield();
    if (generations > 0) {
        siblings.spawn(spawn_more(siblings, seen, generations - 1));
    }
}

task<> body_of_generations() {
    loop& here = co_await this_loop();
    trace seen;
    scope children(here);
    children.spawn(spawn_more(children, seen, 3));
    co_await children.join();
    BOOST_TEST(seen == trace({"generation 3", "generation 2", "generation 1", "generation 0"}),
               boost::test_tools::per_element());
}

/// Spawns into the scope just when the join of its last child is on its way.
task<> spawn_when_set(scope& into, event& gate, trace& seen) {
    co_await gate.wait();
    into.spawn(note_later(seen, "late child", 2));
}

task<> set_and_end(event& gate) {
    gate.set();
    co_return;
}

task<> body_of_late_spawn() {
    loop& here = co_await this_loop();
    trace seen;
    event gate;
    scope others(here);
    scope children(here);
    others.spawn(spawn_when_set(children, gate, seen));
    co_await yield();
    children.spawn(set_and_end(gate));
    co_await children.join();
    BOOST_TEST(children.empty());
    BOOST_TEST(seen == trace({"late child"}), boost::test_tools::per_element());
    co_await children.close();
    co_await others.join();
}

task<> inner_scope(trace& seen, event& inner_ended) {
    loop& here = co_await this_loop();
    scope inner(here);
    inner.spawn(wait_to_be_stopped(seen, "grandchild"));
    co_await inner.join();
    seen.push_back("inner joined");
    inner_ended.set();
}

task<> body_of_nesting() {
    loop& here = co_await this_loop();
    trace seen;
    event inner_ended;
    scope outer(here);
    outer.spawn(inner_scope(seen, inner_ended));
    co_await yield();
    co_await yield();
    co_await outer.close();
    BOOST_TEST(inner_ended.is_set());
    BOOST_TEST(seen == trace({"grandchild stopped", "inner joined"}), boost::test_tools::per_element());
}

task<> count_up(int& count, int turns) {
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
    ++count;
}

task<> body_of_many() {
    loop& here = co_await this_loop();
    int count = 0;
    scope children(here);
    for (int i = 0; i < 10'000; ++i) {
        children.spawn(count_up(count, i % 4));
    }
    co_await children.join();
    BOOST_TEST(count == 10'000);
}

task<> destroy_a_running_scope() {
    loop& here = co_await this_loop();
    event never;
    scope children(here);
    children.spawn(wait_for(never));
    co_await yield();
}

} // namespace

BOOST_AUTO_TEST_SUITE(scope_test)

ON_EACH_DRIVER(children_start_in_the_order_of_spawning_when_the_spawner_waits) {
    loop l(options_on(driver));
    l.run(body_of_order());
}

ON_EACH_DRIVER(join_waits_for_every_child) {
    loop l(options_on(driver));
    l.run(body_of_waiting());
}

ON_EACH_DRIVER(a_failure_cancels_the_siblings_and_the_first_comes_out_once) {
    loop l(options_on(driver));
    l.run(body_of_failure());
}

ON_EACH_DRIVER(drain_leaves_the_failure_in_the_scope) {
    loop l(options_on(driver));
    l.run(body_of_draining());
}

ON_EACH_DRIVER(cancel_stops_children_that_run_and_those_spawned_later) {
    loop l(options_on(driver));
    l.run(body_of_cancel());
}

ON_EACH_DRIVER(close_ends_children_that_have_not_started) {
    loop l(options_on(driver));
    l.run(body_of_close());
}

ON_EACH_DRIVER(a_cancellation_that_nobody_asked_for_is_a_failure) {
    loop l(options_on(driver));
    l.run(body_of_own_cancellation());
}

ON_EACH_DRIVER(stopping_the_joiner_cancels_the_children_and_waits_for_them) {
    loop l(options_on(driver));
    l.run(body_of_stopped_joiner());
}

ON_EACH_DRIVER(arguments_of_children_are_destroyed_before_join_returns) {
    loop l(options_on(driver));
    l.run(body_of_arguments());
}

ON_EACH_DRIVER(a_child_may_spawn_siblings) {
    loop l(options_on(driver));
    l.run(body_of_generations());
}

ON_EACH_DRIVER(a_child_spawned_while_the_join_is_on_its_way_is_waited_for) {
    loop l(options_on(driver));
    l.run(body_of_late_spawn());
}

ON_EACH_DRIVER(closing_an_outer_scope_ends_the_inner_ones_first) {
    loop l(options_on(driver));
    l.run(body_of_nesting());
}

ON_EACH_DRIVER(ten_thousand_children_end) {
    loop l(options_on(driver));
    l.run(body_of_many());
}

ON_EACH_DRIVER(destroying_a_scope_with_running_children_aborts_and_says_what_to_do) {
    const std::string words = last_words([=] {
        loop l(options_on(driver));
        l.run(destroy_a_running_scope());
    });
    BOOST_TEST(words.find("co_await close() first") != std::string::npos, words);
}

BOOST_AUTO_TEST_SUITE_END()
