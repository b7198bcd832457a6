// Durations count from the moment in which they are asked for, whatever was computed before in the same turn,
// and however long nothing ran.
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"
#include "stream_pair.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

/// As a task that computes does; the time of the turn is read before.
void compute(loop& here, nanoseconds duration) {
    static_cast<void>(here.now());
    const monotonic_time begun = here.backend().now();
    while (here.backend().now() - begun < duration) {
    }
}

task<> sleep_after_computing() {
    loop& here = co_await this_loop();
    compute(here, 30ms);
    const monotonic_time asked = here.backend().now();
    co_await sleep_for(20ms);
    BOOST_TEST((here.backend().now() - asked >= 20ms));
}

task<> reach(monotonic_time when) {
    co_await sleep_until(when);
}

task<> bound_after_computing() {
    loop& here = co_await this_loop();
    compute(here, 60ms);
    co_await with_deadline(reach(here.backend().now() + 5ms), 50ms);
}

task<> drop_after_computing(std::size_t size, std::string& received) {
    loop& here = co_await this_loop();
    stream_options options;
    options.close_timeout = 150ms;
    stream_pair ends(here, options);
    // The kernel takes little at a time.
    const int bytes = 4096;
    BOOST_TEST(::setsockopt(ends.left.native_descriptor(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
    const std::string text(1000, 'x');
    for (std::size_t left = size; left > 0; left -= text.size()) {
        co_await ends.left.write(text);
    }
    compute(here, 200ms);
    {
        const stream gone = std::move(ends.left);
    }
    for (;;) {
        const auto data = co_await ends.right.read_some();
        if (data.empty()) {
            break;
        }
        received.append(reinterpret_cast<const char*>(data.data()), data.size());
    }
}

task<> look_at_the_time() {
    loop& here = co_await this_loop();
    static_cast<void>(here.now());
}

void expect_time_to_move(loop& here) {
    const monotonic_time first = here.now();
    compute(here, 1us);
    BOOST_TEST((here.now() > first));
}

} // namespace

BOOST_AUTO_TEST_SUITE(fresh_time_test)

ON_EACH_DRIVER(a_sleep_lasts_its_time_from_the_call_on) {
    loop l(options_on(driver));
    l.run(sleep_after_computing());
}

ON_EACH_DRIVER(a_deadline_counts_from_the_call_on) {
    loop l(options_on(driver));
    l.run(bound_after_computing());
}

ON_EACH_DRIVER(a_stream_has_its_close_timeout_from_its_destructor_on) {
    constexpr std::size_t size = 200'000;
    loop l(options_on(driver));
    std::string received;
    l.run(drop_after_computing(size, received));
    BOOST_TEST(received.size() == size);
}

ON_EACH_DRIVER(the_time_moves_while_nothing_runs) {
    loop l(options_on(driver));
    expect_time_to_move(l);
    l.run(look_at_the_time());
    expect_time_to_move(l);
}

BOOST_AUTO_TEST_CASE(the_time_moves_while_a_host_is_idle) {
    asio::io_context context;
    loop guest(make_asio_driver(context));
    guest.spawn(look_at_the_time());
    context.run();
    context.restart();
    asio::post(context, [&guest] { expect_time_to_move(guest); });
    context.run();
}

BOOST_AUTO_TEST_SUITE_END()
