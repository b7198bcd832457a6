#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/semaphore.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

using numbers = std::vector<int>;

task<> acquire(semaphore& slots) {
    const auto slot = co_await slots.acquire();
}

/// The name when it has a permit, which it holds until `release`; its negative when it was cancelled.
task<> hold(semaphore& slots, int name, numbers& seen, event& release) {
    bool canceled = false;
    try {
        const auto slot = co_await slots.acquire();
        seen.push_back(name);
        co_await release.wait();
    } catch (const std::system_error&) {
        canceled = true;
    }
    if (canceled) {
        seen.push_back(-name);
    }
}

task<> permits() {
    semaphore slots(2);
    BOOST_TEST(slots.available() == 2u);
    {
        auto first = co_await slots.acquire();
        auto second = slots.try_acquire();
        BOOST_TEST(second.has_value());
        BOOST_TEST(slots.available() == 0u);
        BOOST_TEST(!slots.try_acquire().has_value());
        // A moved permit is given back once.
        semaphore::permit moved = std::move(first);
        BOOST_TEST(slots.available() == 0u);
        second.reset();
        BOOST_TEST(slots.available() == 1u);
        auto third = co_await slots.acquire();
        // Assigning gives the permit before back.
        third = std::move(moved);
        BOOST_TEST(slots.available() == 1u);
        semaphore::permit& same = third;
        third = std::move(same);
        BOOST_TEST(slots.available() == 1u);
    }
    BOOST_TEST(slots.available() == 2u);
}

task<> order() {
    loop& here = co_await this_loop();
    semaphore slots(1);
    numbers seen;
    event release;
    release.set();
    scope children(here);
    {
        const auto slot = co_await slots.acquire();
        for (int i = 1; i <= 5; ++i) {
            children.spawn(hold(slots, i, seen, release));
        }
        co_await yield();
        BOOST_TEST(seen.empty());
    }
    // The permit went straight to who waited longest: nobody who comes now gets it.
    BOOST_TEST(slots.available() == 0u);
    BOOST_TEST(!slots.try_acquire().has_value());
    co_await children.join();
    BOOST_TEST(seen == numbers({1, 2, 3, 4, 5}), boost::test_tools::per_element());
    BOOST_TEST(slots.available() == 1u);
}

task<> cancelling() {
    loop& here = co_await this_loop();
    semaphore slots(1);
    numbers seen;
    event release;
    scope first(here);
    scope second(here);
    scope third(here);
    first.spawn(hold(slots, 1, seen, release));
    second.spawn(hold(slots, 2, seen, release));
    third.spawn(hold(slots, 3, seen, release));
    co_await yield();
    co_await second.close();
    BOOST_TEST(seen == numbers({1, -2}), boost::test_tools::per_element());
    release.set();
    co_await first.join();
    co_await third.join();
    BOOST_TEST(seen == numbers({1, -2, 3}), boost::test_tools::per_element());
    BOOST_TEST(slots.available() == 1u);
}

task<> woken_and_cancelled() {
    loop& here = co_await this_loop();
    semaphore slots(1);
    numbers seen;
    event release;
    scope children(here);
    std::optional<semaphore::permit> held = slots.try_acquire();
    children.spawn(hold(slots, 1, seen, release));
    co_await yield();
    held.reset();
    children.cancel();
    co_await children.join();
    // It had the permit already, found the strand stopped at its next wait, and gave the permit back.
    BOOST_TEST(seen == numbers({1, -1}), boost::test_tools::per_element());
    BOOST_TEST(slots.available() == 1u);
    children.spawn(acquire(slots));
    co_await children.join();
    BOOST_TEST(slots.available() == 1u);
}

task<> work(semaphore& slots, int& running, int& most, int turns) {
    const auto slot = co_await slots.acquire();
    most = std::max(most, ++running);
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
    --running;
}

task<> bound() {
    loop& here = co_await this_loop();
    semaphore slots(3);
    int running = 0;
    int most = 0;
    scope children(here);
    for (int i = 0; i < 200; ++i) {
        children.spawn(work(slots, running, most, i % 5));
    }
    co_await children.join();
    BOOST_TEST(most == 3);
    BOOST_TEST(slots.available() == 3u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(semaphore_test)

ON_EACH_DRIVER(a_permit_moves_and_is_given_back_once) {
    loop l(options_on(driver));
    l.run(permits());
}

ON_EACH_DRIVER(waiters_get_permits_first_in_first_out) {
    loop l(options_on(driver));
    l.run(order());
}

ON_EACH_DRIVER(a_cancelled_wait_takes_no_permit) {
    loop l(options_on(driver));
    l.run(cancelling());
}

ON_EACH_DRIVER(a_permit_given_before_the_stop_is_not_lost) {
    loop l(options_on(driver));
    l.run(woken_and_cancelled());
}

ON_EACH_DRIVER(no_more_run_at_once_than_there_are_permits) {
    loop l(options_on(driver));
    l.run(bound());
}

BOOST_AUTO_TEST_SUITE_END()
