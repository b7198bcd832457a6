#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <system_error>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

using numbers = std::vector<int>;

task<> sleep(nanoseconds duration) {
    co_await sleep_for(duration);
}

task<> note_after(nanoseconds duration, int name, numbers& seen) {
    const std::error_code code = co_await error_of(sleep(duration));
    seen.push_back(code == errc::canceled ? -name : name);
}

task<> note_at(monotonic_time when, int name, numbers& seen) {
    co_await sleep_until(when);
    seen.push_back(name);
}

task<> note_turns(int name, int turns, numbers& seen) {
    for (int i = 0; i < turns; ++i) {
        seen.push_back(name);
        co_await yield();
    }
}

task<> not_before() {
    loop& here = co_await this_loop();
    for (const nanoseconds duration : {nanoseconds(1), nanoseconds(50us), nanoseconds(3ms)}) {
        const monotonic_time start = here.now();
        co_await sleep_for(duration);
        BOOST_TEST((here.now() - start >= duration));
    }
    const monotonic_time when = here.now() + 2ms;
    co_await sleep_until(when);
    BOOST_TEST((here.now() >= when));
}

task<> past_and_zero() {
    loop& here = co_await this_loop();
    numbers seen;
    scope children(here);
    children.spawn(note_turns(7, 1, seen));
    // Each lets the others run once.
    co_await sleep_for(0ns);
    BOOST_TEST(seen.size() == 1u);
    children.spawn(note_turns(7, 1, seen));
    co_await sleep_for(-1h);
    BOOST_TEST(seen.size() == 2u);
    children.spawn(note_turns(7, 1, seen));
    co_await sleep_until(here.now());
    BOOST_TEST(seen.size() == 3u);
    children.spawn(note_turns(7, 1, seen));
    co_await sleep_until(monotonic_time::min());
    BOOST_TEST(seen.size() == 4u);
    co_await children.join();
}

task<> order() {
    loop& here = co_await this_loop();
    numbers seen;
    scope children(here);
    const monotonic_time start = here.now();
    children.spawn(note_at(start + 3ms, 5, seen));
    children.spawn(note_at(start + 2ms, 2, seen));
    children.spawn(note_at(start + 1ms, 1, seen));
    // Equal deadlines in the order in which they began to sleep.
    children.spawn(note_at(start + 2ms, 3, seen));
    children.spawn(note_at(start + 2ms, 4, seen));
    co_await children.join();
    BOOST_TEST(seen == numbers({1, 2, 3, 4, 5}), boost::test_tools::per_element());
}

task<> turns() {
    loop& here = co_await this_loop();
    numbers seen;
    scope children(here);
    children.spawn(note_turns(1, 3, seen));
    children.spawn(note_turns(2, 3, seen));
    children.spawn(note_turns(3, 2, seen));
    co_await children.join();
    BOOST_TEST(seen == numbers({1, 2, 3, 1, 2, 3, 1, 2}), boost::test_tools::per_element());
}

task<> cancelling() {
    loop& here = co_await this_loop();
    numbers seen;
    scope children(here);
    children.spawn(note_after(1h, 1, seen));
    children.spawn(note_after(nanoseconds::max(), 2, seen));
    co_await yield();
    BOOST_TEST(seen.empty());
    co_await children.close();
    BOOST_TEST((seen == numbers({-1, -2}) || seen == numbers({-2, -1})));
    seen.clear();
    // Stopped before it sleeps, and while it yields.
    children.spawn(note_after(1h, 3, seen));
    co_await children.join();
    BOOST_TEST(seen == numbers({-3}), boost::test_tools::per_element());
    scope yielding(here);
    yielding.spawn(note_after(0ns, 4, seen));
    co_await yield();
    co_await yielding.close();
    BOOST_TEST(seen == numbers({-3, -4}), boost::test_tools::per_element());
}

task<> many() {
    loop& here = co_await this_loop();
    numbers seen;
    scope children(here);
    for (int i = 0; i < 10'000; ++i) {
        children.spawn(note_after(i * 37 % 1000 * 1us, 1, seen));
    }
    co_await children.join();
    BOOST_TEST(seen.size() == 10'000u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sleep_test)

ON_EACH_DRIVER(a_sleep_does_not_end_before_its_time) {
    loop l(options_on(driver));
    l.run(not_before());
}

ON_EACH_DRIVER(a_time_that_has_come_yields_once) {
    loop l(options_on(driver));
    l.run(past_and_zero());
}

ON_EACH_DRIVER(sleeps_end_by_time_and_equal_ones_in_the_order_of_their_start) {
    loop l(options_on(driver));
    l.run(order());
}

ON_EACH_DRIVER(yield_lets_everything_that_is_ready_run_first) {
    loop l(options_on(driver));
    l.run(turns());
}

ON_EACH_DRIVER(a_stop_ends_a_sleep_at_once) {
    loop l(options_on(driver));
    l.run(cancelling());
}

ON_EACH_DRIVER(ten_thousand_sleep_at_once) {
    loop l(options_on(driver));
    l.run(many());
}

BOOST_AUTO_TEST_SUITE_END()
