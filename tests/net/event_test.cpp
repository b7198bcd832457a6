#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <system_error>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

using numbers = std::vector<int>;

task<> wait_for(event& gate) {
    co_await gate.wait();
}

/// The name when the event came, its negative when the wait was cancelled.
task<> note(event& gate, int name, numbers& seen) {
    const std::error_code code = co_await error_of(wait_for(gate));
    seen.push_back(code ? -name : name);
}

task<> waking() {
    loop& here = co_await this_loop();
    event gate;
    BOOST_TEST(!gate.is_set());
    numbers seen;
    scope children(here);
    for (int i = 1; i <= 5; ++i) {
        children.spawn(note(gate, i, seen));
    }
    co_await yield();
    BOOST_TEST(seen.empty());
    gate.set();
    gate.set();
    BOOST_TEST(gate.is_set());
    // Waiters resume from the ready queue, not from inside set().
    BOOST_TEST(seen.empty());
    co_await children.join();
    BOOST_TEST(seen == numbers({1, 2, 3, 4, 5}), boost::test_tools::per_element());
    // Set, it lets everybody pass.
    co_await gate.wait();
}

task<> resetting() {
    loop& here = co_await this_loop();
    event gate;
    numbers seen;
    scope children(here);
    children.spawn(note(gate, 1, seen));
    co_await yield();
    gate.set();
    gate.reset();
    BOOST_TEST(!gate.is_set());
    // Who waited at the time of set() has been woken; who comes now waits.
    children.spawn(note(gate, 2, seen));
    co_await yield();
    co_await yield();
    BOOST_TEST(seen == numbers({1}), boost::test_tools::per_element());
    gate.set();
    co_await children.join();
    BOOST_TEST(seen == numbers({1, 2}), boost::test_tools::per_element());
}

task<> cancelling() {
    loop& here = co_await this_loop();
    event gate;
    numbers seen;
    scope first(here);
    scope second(here);
    scope third(here);
    first.spawn(note(gate, 1, seen));
    second.spawn(note(gate, 2, seen));
    third.spawn(note(gate, 3, seen));
    co_await yield();
    // From the middle, the front and the back of the list.
    co_await second.close();
    co_await first.close();
    co_await third.close();
    BOOST_TEST(seen == numbers({-2, -1, -3}), boost::test_tools::per_element());
    // Nobody is left to be woken.
    gate.set();
}

task<> woken_and_cancelled() {
    loop& here = co_await this_loop();
    event gate;
    numbers seen;
    scope children(here);
    children.spawn(note(gate, 1, seen));
    co_await yield();
    gate.set();
    children.cancel();
    co_await children.join();
    BOOST_TEST(seen == numbers({1}), boost::test_tools::per_element());
    // On a stopped strand even a set event is not waited for.
    children.spawn(note(gate, 2, seen));
    co_await children.join();
    BOOST_TEST(seen == numbers({1, -2}), boost::test_tools::per_element());
}

task<> pass_many(event& open, int count) {
    for (int i = 0; i < count; ++i) {
        co_await open.wait();
    }
}

task<> count_turns(int& turns, const bool& over) {
    while (!over) {
        co_await yield();
        ++turns;
    }
}

task<> sharing_the_turn() {
    loop& here = co_await this_loop();
    event open;
    open.set();
    int turns = 0;
    bool over = false;
    scope children(here);
    children.spawn(count_turns(turns, over));
    co_await yield();
    const auto budget = static_cast<int>(here.options().inline_budget);
    co_await pass_many(open, 10 * budget);
    over = true;
    co_await children.join();
    // Every budget's worth of ready awaits gives the others a turn.
    BOOST_TEST(turns >= 9);
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_test)

ON_EACH_DRIVER(set_wakes_all_in_the_order_in_which_they_came) {
    loop l(options_on(driver));
    l.run(waking());
}

ON_EACH_DRIVER(after_a_reset_new_waiters_wait) {
    loop l(options_on(driver));
    l.run(resetting());
}

ON_EACH_DRIVER(a_cancelled_wait_leaves_the_list) {
    loop l(options_on(driver));
    l.run(cancelling());
}

ON_EACH_DRIVER(a_stop_after_the_wake_comes_too_late) {
    loop l(options_on(driver));
    l.run(woken_and_cancelled());
}

ON_EACH_DRIVER(waits_that_need_no_waiting_share_the_turn) {
    loop l(options_on(driver));
    l.run(sharing_the_turn());
}

BOOST_AUTO_TEST_SUITE_END()
