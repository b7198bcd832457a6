#include <phoenix/net/event.hpp>
#include <phoenix/net/event_timer.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

task<> rings_at_its_time() {
    loop& here = co_await this_loop();
    event work;
    event_timer at(here, work);
    const monotonic_time due = here.now() + 2ms;
    at.set(due);
    at.set(due); // the same again changes nothing
    BOOST_TEST(!work.is_set());
    co_await work.wait();
    BOOST_TEST((here.now() >= due));
    // It rings once.
    work.reset();
    co_await sleep_for(3ms);
    BOOST_TEST(!work.is_set());
    // And again when it is set again, also to the same time, which has passed.
    at.set(due);
    co_await work.wait();
}

task<> is_moved_and_taken_back() {
    loop& here = co_await this_loop();
    event work;
    event_timer at(here, work);
    at.set(here.now() + 1ms);
    at.set(here.now() + 1h);
    co_await sleep_for(3ms);
    BOOST_TEST(!work.is_set());
    at.set(here.now() + 1ms);
    at.set(no_deadline);
    co_await sleep_for(3ms);
    BOOST_TEST(!work.is_set());
    // One that is set when it is destroyed rings nowhere.
    at.set(here.now() + 1ms);
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_timers)

ON_EACH_DRIVER(a_timer_sets_its_event_at_its_time) {
    loop l(options_on(driver));
    l.run(rings_at_its_time());
}

ON_EACH_DRIVER(a_timer_is_moved_and_taken_back) {
    loop l(options_on(driver));
    l.run(is_moved_and_taken_back());
}

BOOST_AUTO_TEST_SUITE_END()
