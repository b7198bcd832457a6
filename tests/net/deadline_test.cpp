#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

task<int> number(int n) {
    co_return n;
}

task<int> number_after(int n, nanoseconds duration) {
    co_await sleep_for(duration);
    co_return n;
}

task<int&> reference_later(int& n) {
    co_await yield();
    co_return n;
}

task<std::unique_ptr<int>> owned_later(int n) {
    co_await yield();
    co_return std::make_unique<int>(n);
}

/// Says how its wait ended, and whether its frame has gone.
task<> wait_for_ever(std::error_code& how, set_on_exit frame) {
    const set_on_exit held = std::move(frame);
    event never;
    try {
        co_await never.wait();
    } catch (const std::system_error& e) {
        how = e.code();
        throw;
    }
}

/// Swallows its cancellation.
task<int> finish_all_the_same(int n) {
    try {
        co_await sleep_for(1h);
    } catch (const std::system_error&) {
        n = -n;
    }
    co_return n;
}

task<> fail_when_stopped() {
    try {
        co_await sleep_for(1h);
    } catch (const std::system_error&) {
        throw std::runtime_error("lost the journal");
    }
}

// The same as tasks, so that error_of and message_of take them.
template <class T>
task<T> within(task<T> work, nanoseconds duration) {
    co_return co_await with_deadline(std::move(work), duration);
}

template <class T>
task<T> until(task<T> work, monotonic_time deadline) {
    co_return co_await with_deadline(std::move(work), deadline);
}

task<> in_time() {
    const int at_once = co_await with_deadline(number(1), 1h);
    BOOST_TEST(at_once == 1);
    const int later = co_await with_deadline(number_after(2, 1us), 1h);
    BOOST_TEST(later == 2);
    int target = 0;
    int& same = co_await with_deadline(reference_later(target), 1h);
    BOOST_TEST(&same == &target);
    const std::unique_ptr<int> owned = co_await with_deadline(owned_later(3), 1h);
    BOOST_TEST(*owned == 3);
    const int without_end = co_await with_deadline(number_after(4, 1us), nanoseconds::max());
    BOOST_TEST(without_end == 4);
    // More than nanoseconds can count is without end as well.
    const int hours = co_await with_deadline(number_after(5, 1us), std::chrono::hours::max());
    BOOST_TEST(hours == 5);
}

task<> sleep_longest() {
    co_await sleep_for(std::chrono::hours::max());
}

task<> too_long_to_count() {
    const std::error_code code = co_await error_of(within(sleep_longest(), 1ms));
    BOOST_TEST((code == errc::timed_out));
}

task<> too_late() {
    loop& here = co_await this_loop();
    std::error_code how;
    bool gone = false;
    const monotonic_time start = here.now();
    const std::error_code code = co_await error_of(within(wait_for_ever(how, set_on_exit(gone)), 2ms));
    BOOST_TEST((code == errc::timed_out));
    BOOST_TEST((how == errc::canceled));
    BOOST_TEST(gone);
    BOOST_TEST((here.now() - start >= 2ms));
}

task<> in_the_past() {
    loop& here = co_await this_loop();
    const std::error_code before = co_await error_of(until(number_after(1, 1h), here.now() - 1s));
    BOOST_TEST((before == errc::timed_out));
    const std::error_code now = co_await error_of(until(number_after(1, 1h), here.now()));
    BOOST_TEST((now == errc::timed_out));
    const std::error_code negative = co_await error_of(within(number_after(1, 1h), -1s));
    BOOST_TEST((negative == errc::timed_out));
    // As far in the past as can be said.
    const std::error_code first = co_await error_of(until(number_after(1, 1h), monotonic_time::min()));
    BOOST_TEST((first == errc::timed_out));
    const std::error_code second = co_await error_of(until(number_after(1, 1h), monotonic_time::min() + 1ns));
    BOOST_TEST((second == errc::timed_out));
    const std::error_code least = co_await error_of(within(number_after(1, 1h), nanoseconds::min()));
    BOOST_TEST((least == errc::timed_out));
    // What needs no wait is done before anybody looks at the clock.
    const int at_once = co_await with_deadline(number(2), here.now() - 1s);
    BOOST_TEST(at_once == 2);
}

task<> finished_all_the_same() {
    const int kept = co_await with_deadline(finish_all_the_same(5), 1ms);
    BOOST_TEST(kept == -5);
    const std::string message = co_await message_of(within(fail_when_stopped(), 1ms));
    BOOST_TEST(message == "lost the journal");
}

task<> give_up() {
    co_await yield();
    throw_error(errc::canceled, "gave up");
}

task<> gives_up_in_time() {
    const std::error_code code = co_await error_of(within(give_up(), 1h));
    BOOST_TEST((code == errc::canceled));
}

task<> throws_in_time() {
    const std::error_code code = co_await error_of(within(until(number_after(1, 1h), monotonic_time()), 1h));
    BOOST_TEST((code == errc::timed_out));
}

task<int> inner_first() {
    const std::error_code code = co_await error_of(within(number_after(1, 1h), 1ms));
    BOOST_TEST((code == errc::timed_out));
    // The outer deadline is far away: this task goes on.
    co_await yield();
    co_return 1;
}

task<> outer_first(std::error_code& inner) {
    inner = co_await error_of(within(number_after(1, 1h), 30min));
    throw std::system_error(inner);
}

task<> nested() {
    const int went_on = co_await with_deadline(inner_first(), 1h);
    BOOST_TEST(went_on == 1);
    std::error_code inner;
    const std::error_code outer = co_await error_of(within(outer_first(inner), 1ms));
    // For the inner one it was a cancellation from outside, not its own time.
    BOOST_TEST((inner == errc::canceled));
    BOOST_TEST((outer == errc::timed_out));
}

task<> note_code(std::error_code& out, nanoseconds duration) {
    out = co_await error_of(within(number_after(1, 1h), duration));
}

task<> stopped_from_outside() {
    loop& here = co_await this_loop();
    std::error_code code;
    scope children(here);
    children.spawn(note_code(code, 30min));
    co_await yield();
    co_await children.close();
    BOOST_TEST((code == errc::canceled));
    // Stopped before it was awaited.
    code = {};
    children.spawn(note_code(code, 30min));
    co_await children.join();
    BOOST_TEST((code == errc::canceled));
}

} // namespace

BOOST_AUTO_TEST_SUITE(deadline_test)

BOOST_AUTO_TEST_CASE(an_awaiter_that_is_never_awaited_destroys_its_work) {
    std::error_code how;
    bool gone = false;
    {
        const auto unused = with_deadline(wait_for_ever(how, set_on_exit(gone)), 1s);
        BOOST_TEST(!gone);
    }
    BOOST_TEST(gone);
}

ON_EACH_DRIVER(a_result_in_time_comes_back) {
    loop l(options_on(driver));
    l.run(in_time());
}

ON_EACH_DRIVER(a_duration_beyond_nanoseconds_is_without_end) {
    loop l(options_on(driver));
    l.run(too_long_to_count());
}

ON_EACH_DRIVER(the_deadline_cancels_what_the_task_waits_for) {
    loop l(options_on(driver));
    l.run(too_late());
}

ON_EACH_DRIVER(a_deadline_in_the_past_stops_the_first_wait) {
    loop l(options_on(driver));
    l.run(in_the_past());
}

ON_EACH_DRIVER(a_task_that_finished_all_the_same_keeps_its_outcome) {
    loop l(options_on(driver));
    l.run(finished_all_the_same());
    l.run(throws_in_time());
    l.run(gives_up_in_time());
}

ON_EACH_DRIVER(of_nested_deadlines_the_one_that_passed_says_timed_out) {
    loop l(options_on(driver));
    l.run(nested());
}

ON_EACH_DRIVER(a_stop_from_outside_is_a_cancellation) {
    loop l(options_on(driver));
    l.run(stopped_from_outside());
}

BOOST_AUTO_TEST_SUITE_END()
