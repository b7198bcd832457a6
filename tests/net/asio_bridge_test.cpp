#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/asio/bridge.hpp>
#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace net = phoenix::net;

namespace {

net::task<int> answer() {
    co_await net::sleep_for(1ms);
    co_return 42;
}

net::task<> fail() {
    co_await net::yield();
    throw std::runtime_error("as expected");
}

net::task<> wait_for_ever() {
    net::event never;
    co_await never.wait();
}

net::task<std::unique_ptr<int>> give_ownership() {
    co_return std::make_unique<int>(7);
}

bool is_canceled(const std::exception_ptr& error) {
    return net::loop::is_cancellation(error);
}

struct host {
    asio::io_context context;
    net::loop guest{net::make_asio_driver(context)};
};

} // namespace

BOOST_AUTO_TEST_SUITE(asio_bridge_test)

BOOST_AUTO_TEST_CASE(a_callback_is_told_the_value_of_a_task) {
    host here;
    int seen = 0;
    net::co_spawn(here.guest, answer(), [&](std::exception_ptr error, int value) {
        BOOST_TEST(!error);
        seen = value;
    });
    here.context.run();
    BOOST_TEST(seen == 42);
}

BOOST_AUTO_TEST_CASE(a_callback_is_told_what_a_task_threw) {
    host here;
    std::exception_ptr seen;
    net::co_spawn(here.guest, fail(), [&](std::exception_ptr error) { seen = error; });
    here.context.run();
    BOOST_CHECK_THROW(std::rethrow_exception(seen), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_future_gets_a_value_that_can_only_move) {
    host here;
    std::future<std::unique_ptr<int>> result = net::co_spawn(here.guest, give_ownership(), asio::use_future);
    here.context.run();
    BOOST_TEST(*result.get() == 7);
}

BOOST_AUTO_TEST_CASE(an_asio_coroutine_awaits_a_task) {
    host here;
    int seen = 0;
    const auto run = [](net::loop& guest, int& out) -> asio::awaitable<void> {
        const int value = co_await net::co_spawn(guest, answer(), asio::use_awaitable);
        out = value;
    };
    asio::co_spawn(here.context, run(here.guest, seen), asio::detached);
    here.context.run();
    BOOST_TEST(seen == 42);
}

BOOST_AUTO_TEST_CASE(a_cancellation_slot_stops_the_task) {
    host here;
    asio::cancellation_signal signal;
    std::exception_ptr seen;
    net::co_spawn(
        here.guest, wait_for_ever(),
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) { seen = error; }));
    asio::steady_timer timer(here.context, 2ms);
    timer.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
    here.context.run();
    BOOST_TEST(is_canceled(seen));
}

BOOST_AUTO_TEST_CASE(a_cancellation_before_the_task_has_started_is_not_lost) {
    host here;
    asio::cancellation_signal signal;
    std::exception_ptr seen;
    net::co_spawn(
        here.guest, wait_for_ever(),
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) { seen = error; }));
    signal.emit(asio::cancellation_type::terminal);
    here.context.run();
    BOOST_TEST(is_canceled(seen));
}

BOOST_AUTO_TEST_CASE(a_handler_of_the_host_may_post_more_than_the_queue_holds) {
    host here;
    int seen = 0;
    asio::post(here.context, [&] {
        for (int i = 0; i < 5'000; ++i) {
            here.guest.post([&] { ++seen; });
        }
    });
    here.context.run();
    BOOST_TEST(seen == 5'000);
}

BOOST_AUTO_TEST_CASE(a_stop_of_the_loop_is_told_to_the_handler) {
    host here;
    std::exception_ptr seen;
    net::co_spawn(here.guest, wait_for_ever(), [&](std::exception_ptr error) { seen = error; });
    asio::steady_timer timer(here.context, 2ms);
    timer.async_wait([&](std::error_code) { here.guest.stop(); });
    here.context.run();
    BOOST_TEST(is_canceled(seen));
}

BOOST_AUTO_TEST_CASE(the_context_runs_until_spawned_tasks_have_ended) {
    host here;
    bool ended = false;
    const auto work = [](bool& out) -> net::task<> {
        for (int i = 0; i < 3; ++i) {
            co_await net::sleep_for(1ms);
        }
        out = true;
    };
    here.guest.spawn(work(ended));
    here.context.run();
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_loop_destroyed_before_its_context_ran_cancels_its_tasks) {
    asio::io_context context;
    bool was_canceled = false;
    {
        net::loop guest(net::make_asio_driver(context));
        net::co_spawn(guest, wait_for_ever(),
                      [&](std::exception_ptr error) { was_canceled = is_canceled(error); });
    }
    context.restart();
    context.run();
    BOOST_TEST(was_canceled);
}

BOOST_AUTO_TEST_CASE(posts_from_another_thread_reach_a_hosted_loop) {
    host here;
    const auto guard = asio::make_work_guard(here.context);
    int seen = 0;
    std::thread other([&] {
        for (int i = 0; i < 10'000; ++i) {
            here.guest.post([&] { ++seen; });
        }
        here.guest.post([&] { here.context.stop(); });
    });
    here.context.run();
    other.join();
    BOOST_TEST(seen == 10'000);
}

namespace {

net::task<> wait_with_a_timer(asio::io_context& context, bool& fired) {
    asio::steady_timer timer(context, 1ms);
    co_await timer.async_wait(net::use_task);
    fired = true;
}

net::task<> bound_a_timer(asio::io_context& context) {
    asio::steady_timer timer(context, 1h);
    co_await timer.async_wait(net::use_task);
}

net::task<std::error_code> time_out(asio::io_context& context) {
    try {
        co_await net::with_deadline(bound_a_timer(context), 2ms);
    } catch (const std::system_error& e) {
        co_return e.code();
    }
    co_return std::error_code();
}

net::task<std::string> talk_over_asio(asio::io_context& context, asio::ip::tcp::endpoint where) {
    asio::ip::tcp::socket socket(context);
    co_await socket.async_connect(where, net::use_task);
    std::string text = "over a bridge";
    const std::size_t sent = co_await socket.async_write_some(asio::buffer(text), net::use_task);
    std::string back(sent, '\0');
    const std::size_t received = co_await socket.async_read_some(asio::buffer(back), net::use_task);
    back.resize(received);
    co_return back;
}

net::task<> echo_once(net::listener& door) {
    net::stream peer = co_await door.accept();
    const auto data = co_await peer.read_some();
    co_await peer.write(data);
    co_await peer.flush();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_task_awaits_an_asio_timer) {
    host here;
    bool fired = false;
    here.guest.spawn(wait_with_a_timer(here.context, fired));
    here.context.run();
    BOOST_TEST(fired);
}

BOOST_AUTO_TEST_CASE(a_deadline_cancels_an_asio_operation) {
    host here;
    std::error_code seen;
    net::co_spawn(here.guest, time_out(here.context),
                  [&](std::exception_ptr, std::error_code code) { seen = code; });
    here.context.run();
    BOOST_TEST((seen == net::errc::timed_out));
}

BOOST_AUTO_TEST_CASE(a_task_talks_over_an_asio_socket_to_a_phoenix_listener) {
    host here;
    net::listener door(here.guest, net::endpoint::loopback_v4(0));
    here.guest.spawn(echo_once(door));
    std::string seen;
    const asio::ip::tcp::endpoint where(asio::ip::address_v4::loopback(), door.local_endpoint().port());
    net::co_spawn(here.guest, talk_over_asio(here.context, where),
                  [&](std::exception_ptr error, std::string text) {
                      BOOST_TEST(!error);
                      seen = std::move(text);
                  });
    here.context.run();
    BOOST_TEST(seen == "over a bridge");
}

BOOST_AUTO_TEST_CASE(run_drives_a_hosted_loop_as_well) {
    asio::io_context context;
    net::loop guest(net::make_asio_driver(context));
    BOOST_TEST(guest.run(answer()) == 42);
    int again = 0;
    net::co_spawn(guest, answer(), [&](std::exception_ptr, int value) { again = value; });
    context.restart();
    context.run();
    BOOST_TEST(again == 42);
}

BOOST_AUTO_TEST_CASE(asio_context_names_the_driver_it_cannot_use) {
    net::loop_options options;
    options.driver = net::driver_kind::automatic;
    net::loop other(options);
    if (other.driver_name() == "uring") {
        BOOST_CHECK_THROW(static_cast<void>(net::asio_context(other)), std::system_error);
    }
}

BOOST_AUTO_TEST_CASE(a_lookup_is_cancelled_at_once_while_its_host_is_idle) {
    host here;
    // Started, so that what is cancelled waits for the resolver's thread.
    bool other_ended = false;
    net::co_spawn(here.guest, net::resolve("localhost", 80),
                  [&](std::exception_ptr, std::vector<net::endpoint>) { other_ended = true; });
    asio::cancellation_signal signal;
    bool was_canceled = false;
    net::co_spawn(here.guest, net::resolve("localhost", 81),
                  asio::bind_cancellation_slot(signal.slot(),
                                               [&](std::exception_ptr error, std::vector<net::endpoint>) {
                                                   was_canceled = is_canceled(error);
                                               }));
    here.context.poll();
    signal.emit(asio::cancellation_type::terminal);
    here.context.poll();
    BOOST_TEST(was_canceled);
    here.context.run();
    BOOST_TEST(other_ended);
}

namespace {

/// An operation that lets go of its handler: at once, or when the host comes to it.
template <class Token>
auto async_drop(asio::io_context& context, bool at_once, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(
        [&context, at_once](auto handler) {
            if (!at_once) {
                asio::post(context, [dropped = std::move(handler)]() mutable {
                    [[maybe_unused]] const auto gone = std::move(dropped);
                });
            }
        },
        token);
}

net::task<> await_what_is_dropped(asio::io_context& context, bool at_once) {
    co_await async_drop(context, at_once, net::use_task);
}

template <class Token>
auto async_refuse(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(
        [](auto handler) {
            [[maybe_unused]] const auto gone = std::move(handler);
            throw std::runtime_error("cannot be begun");
        },
        token);
}

net::task<> await_what_is_refused() {
    co_await async_refuse(net::use_task);
}

} // namespace

BOOST_AUTO_TEST_CASE(an_operation_that_drops_its_handler_is_cancelled) {
    for (const bool at_once : {true, false}) {
        host here;
        std::exception_ptr seen;
        net::co_spawn(here.guest, await_what_is_dropped(here.context, at_once),
                      [&](std::exception_ptr error) { seen = error; });
        here.context.run_for(1s);
        BOOST_TEST(is_canceled(seen));
    }
}

BOOST_AUTO_TEST_CASE(an_operation_that_cannot_be_begun_throws) {
    host here;
    std::exception_ptr seen;
    net::co_spawn(here.guest, await_what_is_refused(), [&](std::exception_ptr error) { seen = error; });
    here.context.run_for(1s);
    BOOST_TEST_REQUIRE(static_cast<bool>(seen));
    BOOST_CHECK_THROW(std::rethrow_exception(seen), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
