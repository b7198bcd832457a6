// Each of these has cost somebody's users their data. The names are those of the list of traps.
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/when_any.hpp>
#include <phoenix/net/with_scope.hpp>

#include "child.hpp"
#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>

namespace phoenix::net::conformance {

namespace {

using namespace std::chrono_literals;

// --- cancel_race ----------------------------------------------------------------------------------------

constexpr std::byte canary{0xa5};

/// One receive below the level of streams, with memory that is watched.
class watched_receive : public recv_op {
public:
    explicit watched_receive(handle& source) : recv_op(&ended), memory(64, canary) {
        target = &source;
        buffer = memory;
    }

    std::vector<std::byte> memory;
    int ends = 0;

private:
    static void ended(runnable& self) noexcept { ++static_cast<watched_receive&>(self).ends; }
};

task<> cancel_as_data_arrives(int head_start) {
    loop& here = co_await this_loop();
    driver& backend = here.backend();
    listener door(here, endpoint::loopback_v4(0));
    // The connecting end is a bare handle: this test is its stream.
    handle& bare = backend.open_stream(door.local_endpoint(), stream_options());

    class dialling : public connect_op {
    public:
        dialling(handle& source, const endpoint& where) : connect_op(&ignore, where) { target = &source; }

    private:
        static void ignore(runnable&) noexcept {}
    };

    dialling connecting(bare, door.local_endpoint());
    static_cast<void>(here.submit(connecting));
    stream peer = co_await door.accept();
    while (!connecting.is_settled()) {
        co_await next_turn();
    }
    BOOST_TEST(connecting.result == 0);

    watched_receive first(bare);
    bool is_over = here.submit(first);
    BOOST_TEST(!is_over);
    co_await turns(head_start % 3);
    const auto send = [&peer] {
        // Behind the back of the peer's loop, so that it is there at once.
        BOOST_TEST(::send(peer.native_descriptor(), "0123456789", 10, MSG_NOSIGNAL) == 10);
    };
    if (head_start < 6) {
        send();
    }
    co_await turns(head_start / 2 % 2);
    const bool was_over = first.is_settled();
    here.cancel(first);
    if (!was_over) {
        // Only its own completion ends it.
        BOOST_TEST(!first.is_settled());
        BOOST_TEST(first.ends == 0);
    }
    while (!first.is_settled()) {
        co_await next_turn();
    }
    BOOST_TEST(first.ends == 1);
    if (head_start >= 6) {
        BOOST_TEST(first.result == -ECANCELED);
        send();
    }
    BOOST_TEST((first.result == 10 || first.result == -ECANCELED), "found " << first.result);
    const std::size_t taken = first.result > 0 ? 10 : 0;
    // Once it has ended, nobody writes into its memory any more: what comes later is for the next.
    co_await turns(3);
    BOOST_TEST(text_of(std::span(first.memory).first(taken)) == std::string("0123456789").substr(0, taken));
    BOOST_TEST(std::all_of(first.memory.begin() + static_cast<std::ptrdiff_t>(taken), first.memory.end(),
                           [](std::byte each) { return each == canary; }));
    BOOST_TEST(first.ends == 1);
    if (taken == 0) {
        watched_receive second(bare);
        is_over = here.submit(second);
        while (!is_over && !second.is_settled()) {
            co_await next_turn();
        }
        BOOST_TEST(second.result == 10);
        BOOST_TEST(text_of(std::span(second.memory).first(10)) == "0123456789");
    }
    backend.release(bare, false);
}

// --- short_send, send_order -----------------------------------------------------------------------------

task<> write_then_close(stream& to, std::span<const std::byte> data, std::size_t piece) {
    while (!data.empty()) {
        const std::size_t size = std::min(piece, data.size());
        co_await to.write(data.first(size));
        data = data.subspan(size);
    }
    co_await to.close();
}

task<> send_in_short_pieces(std::size_t piece) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    connection pair = co_await connect_pair(door, narrow());
    const std::vector<std::byte> data = pattern(600'000, 40);
    auto both = co_await when_all(read_to_end(pair.server), write_then_close(pair.client, data, piece));
    BOOST_TEST((std::get<0>(both) == text_of(data)), "pieces of " << piece << ": " << std::get<0>(both).size()
                                                                  << " bytes of " << data.size() << " came");
}

task<> write_and_rest(stream& to, std::span<const std::byte> data) {
    // Nobody waits for these: a burst that stays below the limit, and the next when the kernel has all of it.
    while (!data.empty()) {
        for (int left = 400; left > 0 && !data.empty(); --left) {
            const std::size_t size = std::min<std::size_t>(100, data.size());
            co_await to.write(data.first(size));
            data = data.subspan(size);
        }
        while (to.queued_bytes() > 0) {
            co_await next_turn();
        }
    }
    co_await to.close();
}

task<> send_shorts_that_nobody_awaits() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    connection pair = co_await connect_pair(door, narrow());
    const std::vector<std::byte> data = pattern(600'000, 42);
    auto both = co_await when_all(read_to_end(pair.server), write_and_rest(pair.client, data));
    BOOST_TEST((std::get<0>(both) == text_of(data)), std::get<0>(both).size()
                                                         << " bytes of " << data.size() << " came");
}

/// Each message says whose it is, which one, and how long.
std::string message(std::uint32_t writer, std::uint32_t number, std::size_t size) {
    std::string text = std::to_string(writer) + " " + std::to_string(number) + " ";
    text.append(size, static_cast<char>('a' + (writer + number) % 26));
    text.push_back('\n');
    return text;
}

task<> write_messages(stream& to, std::uint32_t writer, std::string& order) {
    auto random = seeded(50 + writer);
    for (std::uint32_t number = 0; number < 100; ++number) {
        // Copied ones and ones that are sent from where they lie, by turns.
        const std::size_t size = random() % 3 == 0 ? 5000 + random() % 20'000 : random() % 200;
        const std::string text = message(writer, number, size);
        order += text;
        co_await to.write(text);
        if (random() % 3 == 0) {
            co_await yield();
        }
    }
}

task<> write_from_many(stream& to, std::string& order) {
    std::vector<task<>> writers;
    for (std::uint32_t writer = 0; writer < 8; ++writer) {
        writers.push_back(write_messages(to, writer, order));
    }
    co_await when_all(std::move(writers));
    co_await to.close();
}

task<> send_in_order(stream_options options) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    connection pair = co_await connect_pair(door, options);
    std::string order;
    auto both = co_await when_all(read_to_end(pair.server), write_from_many(pair.client, order));
    BOOST_TEST((std::get<0>(both) == order),
               "found " << std::get<0>(both).size() << " bytes of " << order.size());
}

// --- slow_reader ----------------------------------------------------------------------------------------

task<> write_for_ever(stream& to, std::size_t& written, std::size_t& most_queued) {
    const std::vector<std::byte> data = pattern(3000, 41);
    for (;;) {
        co_await to.write(data);
        written += data.size();
        most_queued = std::max(most_queued, to.queued_bytes());
    }
}

task<> ask_often(stream& peer, int count) {
    for (int left = count; left > 0; --left) {
        co_await peer.write("how are you?");
        const std::string answer = co_await read_text(peer, 12);
        BOOST_TEST(answer == "how are you?");
    }
}

task<> flood_one_reader(scope& tasks) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    // Two that do not read what the others send them: one never began, one stopped in the middle.
    listener slow_door(here, endpoint::loopback_v4(0), narrow_listener());
    stream_options options = narrow();
    options.write_limit_bytes = 16 * 1024;
    connection never = co_await connect_pair(slow_door, options);
    connection stopped = co_await connect_pair(slow_door, options);
    std::size_t written = 0;
    std::size_t most_queued = 0;
    tasks.spawn(write_for_ever(never.client, written, most_queued));
    tasks.spawn(write_for_ever(stopped.client, written, most_queued));
    const auto some = co_await stopped.server.read_some();
    BOOST_TEST(!some.empty());
    co_await turns(100);
    const std::size_t resident = resident_bytes();
    // Everybody else goes on.
    std::vector<connection> others;
    std::vector<task<>> conversations;
    for (int left = 20; left > 0; --left) {
        connection pair = co_await connect_pair(door);
        others.push_back(std::move(pair));
    }
    for (connection& each : others) {
        tasks.spawn(echo(std::move(each.server)));
        conversations.push_back(ask_often(each.client, 200));
    }
    co_await when_all(std::move(conversations));
    BOOST_TEST(most_queued <= options.write_limit_bytes);
    // Two writers' queues, the sockets, and what is received ahead for a reader that will not come.
    BOOST_TEST(written < 300'000u);
    if (is_fast_build) {
        // The buffers that the loop lends become resident as they are used for the first time.
        const std::size_t lent =
            std::size_t{here.options().receive_buffers} * here.options().receive_buffer_bytes;
        BOOST_TEST(resident_bytes() < resident + lent + (4U << 20));
    }
}

// --- half_open ------------------------------------------------------------------------------------------

task<> notice_by_user_timeout() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    stream_options options;
    options.user_timeout = 500ms;
    connection pair = co_await connect_pair(door, options);
    set_loopback(false);
    co_await pair.client.write("is anybody there?");
    const std::error_code code = co_await code_of(read_once(pair.client));
    expect(code == std::errc::timed_out || code == std::errc::network_unreachable ||
               code == std::errc::host_unreachable,
           "expected the kernel to give up, found " + code.message());
    expect(retry_advice(code) == retry::later, "expected advice to retry later");
    set_loopback(true);
}

task<> notice_by_deadline() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    set_loopback(false);
    co_await pair.client.write("is anybody there?");
    const auto read = [](stream& from) -> task<> {
        co_await with_deadline(read_once(from), 50ms);
    };
    const std::error_code code = co_await code_of(read(pair.client));
    expect(code == errc::timed_out, "expected the deadline to pass, found " + code.message());
    pair.client.reset();
    set_loopback(true);
}

} // namespace

CONFORMANCE_CASE(trap_cancel_race, needs_kernel) {
    const auto world = row.open(loop_options());
    for (int round = 0; round < 200; ++round) {
        world->run(cancel_as_data_arrives(round % 9));
    }
}

CONFORMANCE_CASE(trap_short_send, needs_nothing) {
    const auto world = row.open(loop_options());
    for (const std::size_t piece : {100U, 1000U, 3999U, 10'000U, 600'000U}) {
        world->run(send_in_short_pieces(piece));
    }
    world->run(send_shorts_that_nobody_awaits());
}

CONFORMANCE_CASE(trap_send_order, needs_nothing) {
    const auto world = row.open(loop_options());
    world->run(send_in_order(narrow()));
    world->run(send_in_order(stream_options()));
}

CONFORMANCE_CASE(trap_slow_reader, needs_nothing) {
    row.open(loop_options())->run(with_scope(flood_one_reader));
    // As many lent buffers as one slow reader may hold.
    loop_options few;
    few.receive_buffers = 16;
    row.open(few)->run(with_scope(flood_one_reader));
}

CONFORMANCE_CASE(trap_half_open, needs_kernel | needs_own_network) {
    BOOST_TEST(in_child([&row] {
                   enter_own_network();
                   set_loopback(true);
                   const auto world = row.open(loop_options());
                   world->run(notice_by_user_timeout());
                   world->run(notice_by_deadline());
               }) == "");
}

} // namespace phoenix::net::conformance
