// A loop inside somebody's asio::io_context, driven by the context and by run().
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

using trace = std::vector<std::string>;

task<> turns(int count) {
    for (int i = 0; i < count; ++i) {
        co_await yield();
    }
}

task<> wait_for(event& gate) {
    co_await gate.wait();
}

task<> note_after(trace& seen, std::string text, nanoseconds duration) {
    co_await sleep_for(duration);
    seen.push_back(std::move(text));
}

task<> wait_to_be_stopped(trace& seen) {
    event never;
    const std::error_code code = co_await error_of(wait_for(never));
    seen.push_back(code == errc::canceled ? "stopped" : "ended otherwise");
}

struct fixture {
    asio::io_context context;
    std::unique_ptr<loop> hosted = std::make_unique<loop>(make_asio_driver(context));
    trace seen;

    /// Runs the context until nothing is left to do, or gives up: what should run does not.
    void run_context() {
        context.restart();
        context.run_for(10s);
        BOOST_TEST(context.stopped());
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(hosted_loop_test, fixture)

BOOST_AUTO_TEST_CASE(the_context_runs_spawned_tasks_and_ends_with_the_last) {
    hosted->spawn(note_after(seen, "late", 2ms));
    hosted->spawn(note_after(seen, "early", 0ms));
    run_context();
    BOOST_TEST(seen == trace({"early", "late"}), boost::test_tools::per_element());
    hosted->spawn(note_after(seen, "again", 1ms));
    run_context();
    BOOST_TEST(seen.size() == 3u);
}

BOOST_AUTO_TEST_CASE(after_run_the_context_runs_what_is_left) {
    hosted->spawn(note_after(seen, "left", 3ms));
    hosted->run(turns(2));
    BOOST_TEST(seen.empty());
    run_context();
    BOOST_TEST(seen == trace({"left"}), boost::test_tools::per_element());
    // And what is spawned between.
    hosted->run(turns(2));
    hosted->spawn(note_after(seen, "spawned", 0ms));
    run_context();
    BOOST_TEST(seen == trace({"left", "spawned"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_stop_ends_what_was_spawned_and_the_next_task_runs) {
    hosted->spawn(wait_to_be_stopped(seen));
    asio::post(context, [this] { hosted->stop(); });
    run_context();
    BOOST_TEST(seen == trace({"stopped"}), boost::test_tools::per_element());
    // A stop that finds nothing to stop is over when it was seen.
    hosted->stop();
    run_context();
    hosted->spawn(note_after(seen, "runs", 1ms));
    run_context();
    BOOST_TEST(seen == trace({"stopped", "runs"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_handler_of_the_host_wakes_tasks) {
    event gate;
    hosted->spawn(wait_for(gate));
    asio::post(context, [this, &gate] {
        gate.set();
        hosted->spawn(note_after(seen, "from a handler", 0ms));
    });
    run_context();
    BOOST_TEST(seen == trace({"from a handler"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(posts_from_another_thread_are_made) {
    event gate;
    hosted->spawn(wait_for(gate));
    std::thread other([&] { hosted->post([&gate] { gate.set(); }); });
    run_context();
    other.join();
    BOOST_TEST(hosted->statistics().posts == 1u);
}

BOOST_AUTO_TEST_CASE(destroying_the_loop_ends_its_tasks_and_leaves_the_context_usable) {
    hosted->spawn(wait_to_be_stopped(seen));
    hosted->spawn(note_after(seen, "never", 1h));
    context.run_for(1ms);
    hosted.reset();
    BOOST_TEST(seen == trace({"stopped"}), boost::test_tools::per_element());
    bool ran = false;
    asio::post(context, [&ran] { ran = true; });
    run_context();
    BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(after_run_the_context_can_be_run_as_it_is) {
    hosted->run(turns(2));
    BOOST_TEST(!context.stopped());
    hosted->spawn(note_after(seen, "spawned", 1ms));
    context.run_for(10s);
    BOOST_TEST(seen == trace({"spawned"}), boost::test_tools::per_element());
    hosted->run(turns(2));
    asio::post(context, [this] { seen.push_back("posted"); });
    context.run_for(10s);
    BOOST_TEST(seen == trace({"spawned", "posted"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_a_handler_of_the_host_throws_is_logged_and_the_loop_runs_on) {
    captured_log log;
    loop_options options;
    options.log = log.options();
    loop guest(make_asio_driver(context), options);
    // In the first turn, and in a later one.
    asio::post(context, [] { throw 42; });
    asio::steady_timer timer(context, 1ms);
    timer.async_wait([](std::error_code) { throw std::string("no std::exception"); });
    asio::post(context, [] { throw std::runtime_error("spilled the tea"); });
    guest.run(note_after(seen, "first", 5ms));
    guest.run(note_after(seen, "second", 1ms));
    BOOST_TEST(seen == trace({"first", "second"}), boost::test_tools::per_element());
    // The third like it is counted, not said again.
    BOOST_TEST(log.count("a handler in the io_context threw") > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
