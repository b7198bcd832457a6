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
#include <memory>
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

task<> nothing() {
    co_return;
}

task<> turns(int count) {
    for (int i = 0; i < count; ++i) {
        co_await yield();
    }
}

task<int> number_later(int n) {
    co_await yield();
    co_return n;
}

task<int&> reference(int& n) {
    co_return n;
}

task<std::unique_ptr<int>> owned(int n) {
    co_return std::make_unique<int>(n);
}

task<> fail_after(std::string message, int count) {
    co_await turns(count);
    throw std::runtime_error(message);
}

task<> fail_strangely() {
    throw 42;
    co_return;
}

task<> wait_for(event& gate) {
    co_await gate.wait();
}

task<int> wait_for_number(event& gate) {
    co_await gate.wait();
    co_return 1;
}

/// Waits for ever, and says how that ended.
task<> wait_to_be_stopped(trace& seen, std::string name) {
    event never;
    const std::error_code code = co_await error_of(wait_for(never));
    seen.push_back(name + (code == errc::canceled ? " stopped" : " ended otherwise"));
    throw std::system_error(code);
}

task<> note(trace& seen, std::string text, int count = 0) {
    co_await turns(count);
    seen.push_back(std::move(text));
}

task<> note_when_set(trace& seen, std::string text, event& gate) {
    co_await gate.wait();
    seen.push_back(std::move(text));
}

task<> stop_and_wait(trace& seen) {
    loop& here = co_await this_loop();
    here.stop();
    here.stop();
    co_await wait_to_be_stopped(seen, "main");
}

task<> stop_and_end() {
    loop& here = co_await this_loop();
    here.stop();
}

task<> note_sleep(trace& seen, nanoseconds duration) {
    std::string how = "slept";
    try {
        co_await sleep_for(duration);
    } catch (const std::system_error&) {
        how = "stopped";
    }
    seen.push_back(how);
}

/// Spawns when all that was spawned before has ended by the stop.
task<> stop_and_spawn(trace& seen) {
    loop& here = co_await this_loop();
    event never;
    scope children(here);
    children.spawn(wait_for(never));
    here.spawn(wait_to_be_stopped(seen, "root"));
    co_await yield();
    here.stop();
    co_await children.join();
    here.spawn(note_sleep(seen, 2s));
}

task<> same_time(event& gate) {
    loop& here = co_await this_loop();
    const monotonic_time start = here.now();
    // Busy for longer than any clock's resolution.
    volatile int spin = 0;
    for (int i = 0; i < 100'000; ++i) {
        spin = spin + 1;
    }
    BOOST_TEST((here.now() == start));
    gate.set();
    co_await gate.wait();
    BOOST_TEST((here.now() == start));
    co_await sleep_for(1us);
    BOOST_TEST((here.now() > start));
}

task<> run_inside_run() {
    loop& here = co_await this_loop();
    here.run(nothing());
}

task<> check_own_thread(loop& expected) {
    loop& here = co_await this_loop();
    BOOST_TEST(&here == &expected);
    BOOST_TEST(here.on_own_thread());
}

} // namespace

BOOST_AUTO_TEST_SUITE(loop_test)

ON_EACH_DRIVER(run_gives_the_result_of_its_task) {
    loop l(options_on(driver));
    l.run(nothing());
    BOOST_TEST(l.run(number_later(5)) == 5);
    int target = 0;
    BOOST_TEST(&l.run(reference(target)) == &target);
    BOOST_TEST(*l.run(owned(6)) == 6);
}

ON_EACH_DRIVER(run_throws_what_its_task_threw_and_the_loop_runs_again) {
    loop l(options_on(driver));
    const auto says = [](std::string text) {
        return [text = std::move(text)](const std::runtime_error& e) {
            return e.what() == text;
        };
    };
    BOOST_CHECK_EXCEPTION(l.run(fail_after("at once", 0)), std::runtime_error, says("at once"));
    BOOST_CHECK_EXCEPTION(l.run(fail_after("later", 3)), std::runtime_error, says("later"));
    BOOST_CHECK_THROW(l.run(fail_strangely()), int);
    BOOST_TEST(l.run(number_later(1)) == 1);
}

ON_EACH_DRIVER(the_loop_knows_itself_and_its_thread) {
    loop l(options_on(driver));
    BOOST_TEST(!l.on_own_thread());
    l.run(check_own_thread(l));
    BOOST_TEST(!l.on_own_thread());
}

ON_EACH_DRIVER(spawned_tasks_run_beside_main_and_go_on_in_the_next_run) {
    loop l(options_on(driver));
    trace seen;
    event gate;
    l.spawn(note(seen, "quick"));
    l.spawn(note_when_set(seen, "slow", gate));
    l.run(turns(3));
    BOOST_TEST(seen == trace({"quick"}), boost::test_tools::per_element());
    gate.set();
    l.run(turns(3));
    BOOST_TEST(seen == trace({"quick", "slow"}), boost::test_tools::per_element());
}

ON_EACH_DRIVER(a_spawned_task_that_throws_is_logged_and_the_loop_goes_on) {
    captured_log log;
    loop l(options_on(driver, log));
    trace seen;
    l.spawn(fail_after("spilled the tea", 1));
    l.spawn(fail_strangely());
    l.spawn(note(seen, "goes on", 5));
    l.run(turns(10));
    BOOST_TEST(log.count("spilled the tea") == 1u);
    BOOST_TEST(log.count("no std::exception") == 1u);
    BOOST_TEST(seen == trace({"goes on"}), boost::test_tools::per_element());
    BOOST_TEST(log.messages().size() == 2u);
}

ON_EACH_DRIVER(a_stop_before_run_stops_the_task_at_its_first_wait) {
    loop l(options_on(driver));
    trace seen;
    l.stop();
    l.run(wait_to_be_stopped(seen, "main"));
    BOOST_TEST(seen == trace({"main stopped"}), boost::test_tools::per_element());
    // It was one stop.
    BOOST_TEST(l.run(number_later(1)) == 1);
}

ON_EACH_DRIVER(a_stop_ends_main_and_all_that_was_spawned) {
    captured_log log;
    loop l(options_on(driver, log));
    trace seen;
    l.spawn(wait_to_be_stopped(seen, "spawned"));
    l.run(stop_and_wait(seen));
    BOOST_TEST_REQUIRE(seen.size() == 2u);
    BOOST_TEST((std::find(seen.begin(), seen.end(), "main stopped") != seen.end()));
    BOOST_TEST((std::find(seen.begin(), seen.end(), "spawned stopped") != seen.end()));
    // To end by a stop is no error.
    BOOST_TEST(log.messages().empty());
}

ON_EACH_DRIVER(a_stop_as_the_last_act_of_main_still_ends_what_was_spawned) {
    loop l(options_on(driver));
    trace seen;
    l.spawn(wait_to_be_stopped(seen, "spawned"));
    l.run(stop_and_end());
    BOOST_TEST(seen == trace({"spawned stopped"}), boost::test_tools::per_element());
}

ON_EACH_DRIVER(a_stopped_task_with_a_result_throws_its_cancellation) {
    loop l(options_on(driver));
    event never;
    l.stop();
    BOOST_CHECK_EXCEPTION(l.run(wait_for_number(never)), std::system_error,
                          [](const std::system_error& e) { return e.code() == errc::canceled; });
    // A cancellation that no stop asked for comes out of a task<> too.
    l.stop();
    l.run(nothing());
    BOOST_CHECK_THROW(l.run([]() -> task<> {
        throw_error(errc::canceled, "gave up");
        co_return;
    }()),
                      std::system_error);
}

ON_EACH_DRIVER(after_a_stop_the_loop_runs_again) {
    loop l(options_on(driver));
    trace seen;
    for (int round = 0; round < 3; ++round) {
        seen.clear();
        l.run(stop_and_wait(seen));
        BOOST_TEST(seen == trace({"main stopped"}), boost::test_tools::per_element());
        // Neither what is spawned between runs nor what is spawned in the next is stopped.
        seen.clear();
        l.spawn(note(seen, "between runs", 2));
        l.run(turns(5));
        BOOST_TEST(seen == trace({"between runs"}), boost::test_tools::per_element());
    }
}

ON_EACH_DRIVER(what_is_spawned_while_the_loop_stops_starts_stopped) {
    loop l(options_on(driver));
    trace seen;
    l.run(stop_and_spawn(seen));
    BOOST_TEST(seen == trace({"root stopped", "stopped"}), boost::test_tools::per_element());
}

ON_EACH_DRIVER(destroying_the_loop_cancels_what_still_runs) {
    trace seen;
    bool unstarted_gone = false;
    {
        loop l(options_on(driver));
        l.spawn(wait_to_be_stopped(seen, "running"));
        l.run(turns(2));
        l.spawn(wait_to_be_stopped(seen, "unstarted"));
        l.spawn([](set_on_exit argument) -> task<> {
            const set_on_exit held = std::move(argument);
            co_await sleep_for(1h);
        }(set_on_exit(unstarted_gone)));
        BOOST_TEST(seen.empty());
    }
    std::sort(seen.begin(), seen.end());
    BOOST_TEST(seen == trace({"running stopped", "unstarted stopped"}), boost::test_tools::per_element());
    BOOST_TEST(unstarted_gone);
}

ON_EACH_DRIVER(a_loop_that_never_ran_is_destroyed_with_what_was_spawned_and_posted) {
    const auto held = std::make_shared<int>(0);
    {
        loop l(options_on(driver));
        l.post([held] { ++*held; });
        l.spawn([](std::shared_ptr<int> argument) -> task<> {
            static_cast<void>(argument);
            co_await sleep_for(1h);
        }(held));
    }
    BOOST_TEST(held.use_count() == 1);
}

ON_EACH_DRIVER(now_stands_still_within_a_turn_and_moves_on_between) {
    loop l(options_on(driver));
    event gate;
    l.run(same_time(gate));
}

ON_EACH_DRIVER(statistics_count_turns_and_posts) {
    loop l(options_on(driver));
    const loop_statistics before = l.statistics();
    l.post([] {});
    l.post([] {});
    l.run(turns(5));
    const loop_statistics& after = l.statistics();
    BOOST_TEST(after.posts - before.posts == 2u);
    BOOST_TEST(after.turns > before.turns);
}

ON_EACH_DRIVER(running_a_loop_inside_its_own_run_aborts) {
    const std::string words = last_words([=] {
        loop l(options_on(driver));
        l.run(run_inside_run());
    });
    BOOST_TEST(words.find("await the task, or spawn it") != std::string::npos, words);
}

BOOST_AUTO_TEST_SUITE_END()
