// Closing while others wait: they get errc::closed, at once.
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/with_scope.hpp>

#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>

namespace phoenix::net::conformance {

namespace {

using namespace std::chrono_literals;

task<> accept_and_drop(listener& door) {
    const stream dropped = co_await door.accept();
}

task<> flush_all(stream& to) {
    co_await to.flush();
}

task<> close_later(stream& which) {
    co_await turns(3);
    co_await which.close();
}

task<> reset_later(stream& which) {
    co_await turns(3);
    which.reset();
}

task<> close_door_later(listener& door) {
    co_await turns(3);
    door.close();
}

task<> destroy_later(stream& which) {
    co_await turns(3);
    const stream gone = std::move(which);
}

task<> expect_closed(task<> waiting, task<> closing, const char* what) {
    auto both = co_await when_all(code_of(std::move(waiting)), std::move(closing));
    const std::error_code code = std::get<0>(both);
    BOOST_TEST((code == errc::closed),
               what << ": expected errc::closed, found " << code << " " << code.message());
}

task<> close_under_accept() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    co_await expect_closed(accept_and_drop(door), close_door_later(door), "accept");
    const std::error_code again = co_await code_of(accept_and_drop(door));
    check_code(again, errc::closed);
}

task<> close_under_read() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection closed = co_await connect_pair(door);
    co_await expect_closed(read_once(closed.client), close_later(closed.client), "read and close");
    connection reset = co_await connect_pair(door);
    co_await expect_closed(read_once(reset.client), reset_later(reset.client), "read and reset");
    connection destroyed = co_await connect_pair(door);
    co_await expect_closed(read_once(destroyed.client), destroy_later(destroyed.client),
                           "read and destructor");
    const std::string rest = co_await read_to_end(destroyed.server);
    BOOST_TEST(rest == "");

    const std::error_code read = co_await code_of(read_once(closed.client));
    check_code(read, errc::closed);
    const std::error_code write = co_await code_of(write_text(closed.client, "late"));
    check_code(write, errc::closed);
    const std::error_code flush = co_await code_of(flush_all(closed.client));
    check_code(flush, errc::closed);
    const std::error_code shutdown = co_await code_of(closed.client.shutdown_send());
    check_code(shutdown, errc::closed);
    const std::error_code close = co_await code_of(closed.client.close());
    check_code(close, errc::closed);
}

task<> close_under_write() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    const std::vector<std::byte> large = pattern(1 << 20, 20);
    connection reset = co_await connect_pair(door, narrow());
    co_await expect_closed(write_all(reset.client, large), reset_later(reset.client), "write and reset");

    connection flushed = co_await connect_pair(door, narrow());
    for (int left = 10; left > 0; --left) {
        co_await flushed.client.write(std::span(large).first(3000));
    }
    co_await expect_closed(flush_all(flushed.client), reset_later(flushed.client), "flush and reset");

    // A destructor sends on for a while only.
    stream_options impatient = narrow();
    impatient.close_timeout = 1ms;
    connection timed = co_await connect_pair(door, impatient);
    co_await expect_closed(write_all(timed.client, large), destroy_later(timed.client),
                           "write and close_timeout");
    stream_options abrupt = narrow();
    abrupt.close_timeout = 0ms;
    connection dropped = co_await connect_pair(door, abrupt);
    co_await expect_closed(write_all(dropped.client, large), destroy_later(dropped.client),
                           "write and no close_timeout");
}

enum class ending { reset, destroy, close };

task<> ignore_failure(task<> work) {
    co_await code_of(std::move(work));
}

task<> read_all(stream& from) {
    co_await read_to_end(from);
}

task<> write_some_of_each(stream& to) {
    const std::vector<std::byte> data = pattern(32 * 1024, 21);
    for (int left = 4; left > 0; --left) {
        co_await to.write(std::span(data).first(100));
        co_await to.write(data);
        co_await to.flush();
    }
    co_await to.shutdown_send();
}

task<> chat(stream& peer, bool& has_ended) {
    co_await when_all(read_all(peer), write_some_of_each(peer));
    has_ended = true;
}

task<> end_in_mid_chat(scope& tasks, unsigned after_turns, ending how, bool& has_ended) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    connection pair = co_await connect_pair(door, narrow());
    tasks.spawn(ignore_failure(echo(std::move(pair.server))));
    tasks.spawn(ignore_failure(chat(pair.client, has_ended)));
    for (unsigned left = after_turns; left > 0 && !has_ended; --left) {
        co_await next_turn();
    }
    // Now, before what completed in this turn has been looked at.
    if (how == ending::close) {
        co_await ignore_failure(pair.client.close());
    } else if (how == ending::reset) {
        pair.client.reset();
    } else {
        const stream gone = std::move(pair.client);
    }
    co_await tasks.join();
}

} // namespace

CONFORMANCE_CASE(closed_at_every_point, needs_nothing) {
    const auto world = row.open(loop_options());
    for (const ending how : {ending::reset, ending::destroy, ending::close}) {
        bool has_ended = false;
        for (unsigned after_turns = 0; !has_ended; ++after_turns) {
            BOOST_REQUIRE_MESSAGE(after_turns < 5000, "the chat never ended");
            world->run(with_scope(end_in_mid_chat, after_turns, how, std::ref(has_ended)));
        }
    }
}

CONFORMANCE_CASE(close_while_accept_pending, needs_nothing) {
    row.open(loop_options())->run(close_under_accept());
}

CONFORMANCE_CASE(close_while_read_pending, needs_nothing) {
    row.open(loop_options())->run(close_under_read());
}

CONFORMANCE_CASE(close_while_write_pending, needs_nothing) {
    row.open(loop_options())->run(close_under_write());
}

} // namespace phoenix::net::conformance
