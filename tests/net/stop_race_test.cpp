// Stops that come while a wait is being set up, and ends of streams that nobody waits for.
#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/when_all.hpp>

#include "on_each_driver.hpp"
#include "stream_pair.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace phoenix::net;
using namespace phoenix::net::testing;

namespace {

task<> stop_own_scope_then_sleep(scope& owner) {
    owner.cancel();
    co_await sleep_for(1h);
}

task<> wait_with_a_deadline(scope& owner) {
    co_await with_deadline(stop_own_scope_then_sleep(owner), 2h);
}

task<> wait_for_two(scope& owner) {
    co_await when_all(stop_own_scope_then_sleep(owner), stop_own_scope_then_sleep(owner));
}

task<> run_child(task<> (*work)(scope&)) {
    loop& here = co_await this_loop();
    scope children(here);
    children.spawn(work(children));
    co_await children.join();
}

task<> write_and_drop(stream peer) {
    co_await peer.write(std::string_view("hello"));
}

task<nanoseconds> time_to_end_of_stream() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    const monotonic_time start = here.backend().now();
    here.spawn(write_and_drop(std::move(ends.left)));
    std::size_t received = 0;
    for (;;) {
        const auto data = co_await ends.right.read_some();
        if (data.empty()) {
            break;
        }
        received += data.size();
    }
    BOOST_TEST(received == 5u);
    co_return here.backend().now() - start;
}

task<> write_forever(stream& peer, std::size_t bytes) {
    const std::vector<std::byte> data(bytes);
    co_await peer.write(data);
}

task<> write_until_a_deadline(stream& peer) {
    constexpr std::size_t more_than_fits = std::size_t{8} << 20;
    co_await with_deadline(write_forever(peer, more_than_fits), 10ms);
}

task<> read_to_the_end(stream& peer) {
    for (;;) {
        const auto data = co_await peer.read_some();
        if (data.empty()) {
            co_return;
        }
    }
}

task<std::error_code> end_of_a_stream_whose_output_was_dropped() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    stream_options options;
    options.close_timeout = 0ms;
    {
        stream sender = co_await connect(door.local_endpoint(), options);
        const std::vector<std::byte> some(10'000);
        for (int i = 0; i < 20; ++i) {
            co_await sender.write(some);
        }
    }
    stream receiver = co_await door.accept();
    co_return co_await error_of(read_to_the_end(receiver));
}

task<std::error_code> error_behind_a_write_cancelled_in_its_middle() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    const std::error_code first = co_await error_of(write_until_a_deadline(ends.left));
    BOOST_TEST((first == errc::timed_out));
    co_return co_await error_of(write_forever(ends.left, 10));
}

task<std::error_code> write_after_shutdown() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    co_await ends.left.shutdown_send();
    co_return co_await error_of(write_forever(ends.left, 10));
}

} // namespace

BOOST_AUTO_TEST_SUITE(stop_race_test)

ON_EACH_DRIVER(a_deadline_set_up_by_a_stopped_strand_ends_at_once) {
    loop l(options_on(driver));
    l.run(run_child(&wait_with_a_deadline));
}

ON_EACH_DRIVER(a_gathering_set_up_by_a_stopped_strand_ends_at_once) {
    loop l(options_on(driver));
    l.run(run_child(&wait_for_two));
}

ON_EACH_DRIVER(a_stream_that_is_written_and_dropped_ends_long_before_its_close_timeout) {
    loop l(options_on(driver));
    BOOST_TEST((l.run(time_to_end_of_stream()) < 2s));
}

ON_EACH_DRIVER(a_write_behind_one_that_was_cancelled_in_its_middle_is_told_that_the_stream_is_closed) {
    loop l(options_on(driver));
    BOOST_TEST((l.run(error_behind_a_write_cancelled_in_its_middle()) == errc::closed));
}

ON_EACH_DRIVER(output_that_is_dropped_does_not_look_like_a_clean_end) {
    loop l(options_on(driver));
    BOOST_TEST((l.run(end_of_a_stream_whose_output_was_dropped()) == std::errc::connection_reset));
}

ON_EACH_DRIVER(a_write_after_shutdown_send_is_refused) {
    loop l(options_on(driver));
    BOOST_TEST((l.run(write_after_shutdown()) == errc::closed));
}

BOOST_AUTO_TEST_SUITE_END()
