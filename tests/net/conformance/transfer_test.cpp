// What is written arrives: all of it, once, in order, however the peer behaves.
#include <phoenix/net/event.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/with_scope.hpp>

#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>

namespace phoenix::net::conformance {

namespace {

task<> fill_from(stream& from, std::span<std::byte> out) {
    co_await from.read_exactly(out);
}

task<> echo_one_size(stream& peer, std::span<const std::byte> sent) {
    std::vector<std::byte> received(sent.size());
    // At once: a mebibyte does not fit into the sockets on the way.
    co_await when_all(write_all(peer, sent), fill_from(peer, received));
    BOOST_TEST(std::equal(sent.begin(), sent.end(), received.begin(), received.end()),
               sent.size() << " bytes came back changed");
}

task<> ask_all_sizes(stream peer) {
    std::vector<std::size_t> sizes = {1,    2,     63,    64,    65,    1023,   4096,
                                      4097, 16383, 16384, 16385, 65536, 1 << 20};
    auto random = seeded(1);
    for (int left = 20; left > 0; --left) {
        // Every order of magnitude as often.
        const std::size_t most = std::size_t{1} << (random() % 21);
        sizes.push_back(1 + random() % most);
    }
    const std::vector<std::byte> data = pattern(1 << 20, 2);
    for (const std::size_t size : sizes) {
        co_await echo_one_size(peer, std::span(data).first(size));
    }
    co_await peer.close();
}

task<> echo_all_sizes() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await when_all(echo(std::move(pair.server)), ask_all_sizes(std::move(pair.client)));
}

class transfer {
public:
    explicit transfer(std::size_t total_bytes) : total_bytes(total_bytes) {}

    const std::size_t total_bytes;
    checksum sent;
    checksum received;
    std::size_t resident_at_start = 0;
    std::size_t resident_most = 0;
    std::size_t queued_most = 0;
};

task<> send_much(stream to, transfer& progress) {
    std::vector<std::byte> chunk = pattern(256 * 1024, 3);
    auto random = seeded(4);
    while (progress.sent.size() < progress.total_bytes) {
        // Mostly large writes, which are sent from where they lie; some small ones, which are copied.
        const std::size_t wanted = random() % 8 == 0 ? 1 + random() % 2000 : chunk.size();
        const std::size_t size = std::min(wanted, progress.total_bytes - progress.sent.size());
        chunk[0] = static_cast<std::byte>(random());
        const auto piece = std::span<const std::byte>(chunk).first(size);
        progress.sent.add(piece);
        co_await to.write(piece);
        progress.queued_most = std::max(progress.queued_most, to.queued_bytes());
    }
    co_await to.close();
}

task<> receive_slowly(stream from, transfer& progress) {
    const std::size_t pause_bytes = progress.total_bytes / 64;
    std::size_t next_pause = pause_bytes;
    for (;;) {
        const auto data = co_await from.read_some();
        if (data.empty()) {
            co_return;
        }
        progress.received.add(data);
        if (progress.received.size() >= next_pause) {
            next_pause += pause_bytes;
            // Meanwhile the writer fills every buffer on the way, and must stop.
            co_await turns(200);
            if (progress.resident_at_start == 0) {
                progress.resident_at_start = resident_bytes();
            }
            progress.resident_most = std::max(progress.resident_most, resident_bytes());
        }
    }
}

task<> transfer_all(transfer& progress) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await when_all(send_much(std::move(pair.client), progress),
                      receive_slowly(std::move(pair.server), progress));
}

task<> end_one_side() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await pair.client.write("the question");
    co_await pair.client.shutdown_send();
    const std::string question = co_await read_to_end(pair.server);
    BOOST_TEST(question == "the question");
    const std::error_code late = co_await code_of(write_text(pair.client, "more"));
    check_code(late, errc::closed);
    // The other direction goes on.
    co_await pair.server.write("a long answer ");
    co_await pair.server.flush();
    const std::string first = co_await read_text(pair.client, 14);
    BOOST_TEST(first == "a long answer ");
    co_await pair.server.write("in two parts");
    co_await pair.server.close();
    const std::string second = co_await read_to_end(pair.client);
    BOOST_TEST(second == "in two parts");
    // The end stays the end.
    const std::string again = co_await read_to_end(pair.client);
    BOOST_TEST(again == "");
}

task<> write_until_refused(stream& to) {
    for (;;) {
        co_await to.write("knock");
        co_await to.flush();
        co_await next_turn();
    }
}

task<> reset_by_peer(bool while_reading) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await pair.client.write("never to be delivered");
    std::error_code found;
    if (while_reading) {
        const auto reset_soon = [](stream& which) -> task<> {
            co_await turns(3);
            which.reset();
        };
        const std::string arrived = co_await read_text(pair.server, 5);
        BOOST_TEST(arrived == "never");
        // The rest of the text is there still: it may be read before the reset is.
        const auto read_on = [](stream& from) -> task<std::error_code> {
            for (;;) {
                const std::error_code code = co_await code_of(read_once(from));
                if (code) {
                    co_return code;
                }
            }
        };
        auto both = co_await when_all(read_on(pair.server), reset_soon(pair.client));
        found = std::get<0>(both);
    } else {
        pair.client.reset();
        co_await turns(3);
        found = co_await code_of(write_until_refused(pair.server));
    }
    BOOST_TEST(!pair.client.is_open());
    BOOST_TEST((found == std::errc::connection_reset || found == std::errc::broken_pipe),
               "expected a reset, found " << found << " " << found.message());
    BOOST_TEST((retry_advice(found) == retry::later));
    // Nobody can send any more; what the kernel says to readers once it has told its error is an end.
    const std::error_code later = co_await code_of(write_until_refused(pair.server));
    BOOST_TEST(static_cast<bool>(later));
    co_await code_of(read_once(pair.server));
}

task<> let_destructor_send(std::size_t size, std::size_t piece) {
    loop& here = co_await this_loop();
    listener_options accepted = narrow_listener();
    listener door(here, endpoint::loopback_v4(0), accepted);
    stream_options options = narrow();
    options.write_limit_bytes = size;
    connection pair = co_await connect_pair(door, options);
    const std::vector<std::byte> data = pattern(size, 5);
    for (std::size_t at = 0; at < size; at += piece) {
        co_await pair.client.write(std::span(data).subspan(at, std::min(piece, size - at)));
    }
    {
        const stream gone = std::move(pair.client);
    }
    const std::string arrived = co_await read_to_end(pair.server);
    BOOST_TEST((arrived == text_of(data)), "expected " << size << " bytes, found " << arrived.size());
}

task<> write_numbers(stream& to, std::uint32_t first, std::uint32_t step, std::uint32_t end,
                     std::vector<std::uint32_t>& order) {
    auto random = seeded(first);
    for (std::uint32_t number = first; number < end; number += step) {
        order.push_back(number);
        const std::string text = std::to_string(number) + "\n";
        co_await to.write(text);
        if (random() % 4 == 0) {
            co_await yield();
        }
    }
}

task<> many_small_writes() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    std::vector<std::uint32_t> order;
    std::vector<task<>> writers;
    for (std::uint32_t first = 0; first < 4; ++first) {
        writers.push_back(write_numbers(pair.client, first, 4, 20'000, order));
    }
    const auto write_then_end = [](std::vector<task<>> all, stream& to) -> task<> {
        co_await when_all(std::move(all));
        co_await to.close();
    };
    auto both = co_await when_all(read_to_end(pair.server), write_then_end(std::move(writers), pair.client));
    std::string expected;
    for (const std::uint32_t number : order) {
        expected += std::to_string(number) + "\n";
    }
    BOOST_TEST(order.size() == 20'000u);
    BOOST_TEST((std::get<0>(both) == expected));
}

task<> write_counted(stream& to, std::size_t count, std::size_t& written, std::size_t& most_queued) {
    const std::string piece(100, 'x');
    for (std::size_t left = count; left > 0; --left) {
        co_await to.write(piece);
        written += piece.size();
        most_queued = std::max(most_queued, to.queued_bytes());
    }
    co_await to.close();
}

task<> hold_up_writer(scope& tasks) {
    constexpr std::size_t limit_bytes = 8 * 1024;
    constexpr std::size_t count = 20'000;
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    stream_options options = narrow();
    options.write_limit_bytes = limit_bytes;
    connection pair = co_await connect_pair(door, options);
    std::size_t written = 0;
    std::size_t most_queued = 0;
    tasks.spawn(write_counted(pair.client, count, written, most_queued));
    // Until the writer has come to a stop.
    std::size_t before = 0;
    do {
        before = written;
        co_await turns(100);
    } while (written != before);
    BOOST_TEST(written < 1'000'000u);
    BOOST_TEST(written > limit_bytes - 200);
    const std::string all = co_await read_to_end(pair.server);
    BOOST_TEST(all.size() == 100 * count);
    BOOST_TEST(most_queued <= limit_bytes);
    co_await tasks.join();
}

} // namespace

CONFORMANCE_CASE(echo, needs_nothing) {
    row.open(loop_options())->run(echo_all_sizes());
}

CONFORMANCE_CASE(gigabyte_through_slow_reader, needs_kernel) {
    transfer progress(is_fast_build ? std::size_t{1} << 30 : std::size_t{64} << 20);
    row.open(loop_options())->run(transfer_all(progress));
    BOOST_TEST(progress.received.size() == progress.total_bytes);
    BOOST_TEST(progress.received.value() == progress.sent.value());
    BOOST_TEST(progress.queued_most <= stream_options().write_limit_bytes);
    // Sanitizers keep what was freed.
    if (is_fast_build) {
        BOOST_TEST(progress.resident_most < progress.resident_at_start + (8U << 20),
                   "resident memory went from " << progress.resident_at_start << " to "
                                                << progress.resident_most);
    }
}

CONFORMANCE_CASE(half_close, needs_nothing) {
    row.open(loop_options())->run(end_one_side());
}

CONFORMANCE_CASE(reset_while_reading, needs_nothing) {
    row.open(loop_options())->run(reset_by_peer(true));
}

CONFORMANCE_CASE(reset_while_writing, needs_nothing) {
    row.open(loop_options())->run(reset_by_peer(false));
}

CONFORMANCE_CASE(destructor_delivers, needs_nothing) {
    const auto world = row.open(loop_options());
    world->run(let_destructor_send(100'000, 1000));
    world->run(let_destructor_send(10, 10));
}

CONFORMANCE_CASE(small_writes_leave_in_order, needs_nothing) {
    row.open(loop_options())->run(many_small_writes());
}

CONFORMANCE_CASE(writer_waits_at_its_limit, needs_nothing) {
    row.open(loop_options())->run(with_scope(hold_up_writer));
}

} // namespace phoenix::net::conformance
