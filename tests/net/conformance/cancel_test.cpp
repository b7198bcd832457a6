// Whatever waits can be cancelled, at any point, and nothing is lost or left behind by it.
#include <phoenix/net/channel.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/semaphore.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/when_any.hpp>
#include <phoenix/net/with_scope.hpp>

#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <tuple>

namespace phoenix::net::conformance {

namespace {

using namespace std::chrono_literals;

/// How far a session has come.
class progress {
public:
    std::uint64_t steps = 0;
    bool has_ended = false;
};

task<> serve_session(listener& door, progress& so_far) {
    stream peer = co_await door.accept();
    ++so_far.steps;
    for (;;) {
        const auto data = co_await peer.read_some();
        ++so_far.steps;
        if (data.empty()) {
            break;
        }
    }
    co_await peer.write("thanks");
    ++so_far.steps;
    co_await peer.flush();
    ++so_far.steps;
    co_await peer.close();
    ++so_far.steps;
}

task<> hold_session(endpoint where, progress& so_far) {
    stream peer = co_await connect(where, narrow());
    ++so_far.steps;
    const std::vector<std::byte> data = pattern(48 * 1024, 10);
    co_await peer.write(std::span(data).first(100));
    ++so_far.steps;
    co_await peer.flush();
    ++so_far.steps;
    co_await peer.write(data);
    ++so_far.steps;
    co_await peer.shutdown_send();
    ++so_far.steps;
    const std::string answer = co_await read_text(peer, 6);
    ++so_far.steps;
    BOOST_TEST(answer == "thanks");
    co_await peer.close();
    ++so_far.steps;
    co_await sleep_for(20us);
    ++so_far.steps;
    const auto found = co_await resolve("localhost", 80);
    ++so_far.steps;
    BOOST_TEST(!found.empty());
}

/// One of everything that waits.
task<> session(progress& so_far) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    co_await when_all(serve_session(door, so_far), hold_session(door.local_endpoint(), so_far));
    so_far.has_ended = true;
}

/// Ends after `count` turns in which the session moved, or the first one after such in which it did not; then
/// lets what is ready run `passes` times.
task<> wait_for_point(const progress& so_far, unsigned count, unsigned passes) {
    loop& here = co_await this_loop();
    const auto mark = [&] {
        const loop_statistics& now = here.statistics();
        return std::tuple(now.operations, now.posts, so_far.steps);
    };
    auto last = mark();
    bool moved_before = true;
    for (unsigned seen = 0; seen < count;) {
        co_await next_turn();
        const auto now = mark();
        const bool moved = now != last;
        last = now;
        seen += moved || moved_before ? 1 : 0;
        moved_before = moved;
    }
    for (unsigned left = passes; left > 0; --left) {
        co_await yield();
    }
}

task<> end_at_point(progress& so_far, unsigned count, unsigned passes) {
    co_await when_any(session(so_far), wait_for_point(so_far, count, passes));
}

task<> stop_at_point(progress& so_far, unsigned count, unsigned passes) {
    co_await wait_for_point(so_far, count, passes);
    loop& here = co_await this_loop();
    here.stop();
}

task<> session_beside(scope& others, progress& so_far, unsigned count, unsigned passes) {
    others.spawn(stop_at_point(so_far, count, passes));
    co_await session(so_far);
}

task<> small_talk() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await pair.client.write("still there?");
    const std::string asked = co_await read_text(pair.server, 12);
    BOOST_TEST(asked == "still there?");
}

/// Turns until what was let go is closed, and the resolver's thread has closed its files.
task<> until_descriptors(std::size_t expected) {
    const auto start = std::chrono::steady_clock::now();
    std::size_t found = open_descriptors();
    while (found != expected && std::chrono::steady_clock::now() - start < 5s) {
        co_await next_turn();
        found = open_descriptors();
    }
    BOOST_TEST(found == expected);
}

constexpr unsigned most_points = 2000;

template <class Attempt>
void at_every_point(Attempt attempt) {
    std::set<std::uint64_t> stopped_at;
    for (unsigned passes = 0; passes < 3; ++passes) {
        unsigned count = 0;
        for (;; ++count) {
            progress so_far;
            attempt(so_far, count, passes);
            if (so_far.has_ended) {
                break;
            }
            stopped_at.insert(so_far.steps);
            BOOST_REQUIRE_MESSAGE(count < most_points, "the session never ended");
        }
        BOOST_TEST(count > 10u);
    }
    BOOST_TEST(stopped_at.size() > 10u);
}

loop_options few_buffers() {
    loop_options options;
    options.receive_buffers = 8;
    return options;
}

// --- Deadlines ------------------------------------------------------------------------------------------

task<> accept_and_drop(listener& door) {
    const stream dropped = co_await door.accept();
}

task<> read_into(stream& from, std::string& all) {
    const auto data = co_await from.read_some();
    all += text_of(data);
}

task<> flush_all(stream& to) {
    co_await to.flush();
}

/// Ends with `work`, or with errc::timed_out after a few milliseconds.
task<> soon(task<> work) {
    co_await with_deadline(std::move(work), 3ms);
}

task<> expect_timeout(task<> work, const char* what) {
    const std::error_code code = co_await code_of(soon(std::move(work)));
    BOOST_TEST((code == errc::timed_out),
               what << ": expected a deadline that passed, found " << code.message());
}

task<> deadlines_of_streams() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    co_await expect_timeout(accept_and_drop(door), "accept");
    connection pair = co_await connect_pair(door, narrow());
    std::string text;
    co_await expect_timeout(read_into(pair.client, text), "read_some");
    std::vector<std::byte> buffer(4);
    co_await expect_timeout(pair.client.read_exactly(buffer), "read_exactly");
    // What comes later arrives where it is read next.
    co_await pair.server.write("late");
    text = co_await read_text(pair.client, 4);
    BOOST_TEST(text == "late");

    const std::vector<std::byte> large = pattern(1 << 20, 11);
    co_await expect_timeout(write_all(pair.client, large), "write");
    // Its half is with the peer: nothing sensible can follow.
    const std::error_code after = co_await code_of(write_text(pair.client, "x"));
    BOOST_TEST(static_cast<bool>(after));

    connection second = co_await connect_pair(door, narrow());
    const std::string piece(100'000, 'x');
    for (int left = 20; left > 0; --left) {
        co_await second.client.write(std::string_view(piece).substr(0, 3000));
    }
    co_await expect_timeout(flush_all(second.client), "flush");
    co_await expect_timeout(second.client.shutdown_send(), "shutdown_send");
    co_await expect_timeout(second.client.close(), "close");
    // Closed it is, as by its destructor: what had been written is still sent.
    BOOST_TEST(!second.client.is_open());
    const std::string all = co_await read_to_end(second.server);
    BOOST_TEST(all.size() == 60'000u);
}

task<> deadline_of_connect() {
    loop& here = co_await this_loop();
    listener_options options;
    options.backlog = 1;
    listener door(here, endpoint::loopback_v4(0), options);
    // Nobody accepts: soon the kernel answers no more.
    std::vector<stream> connections;
    const auto dial_one_more = [](endpoint where, std::vector<stream>& all) -> task<> {
        stream made = co_await connect(where);
        all.push_back(std::move(made));
    };
    std::error_code code;
    while (!code && connections.size() < 10) {
        code = co_await code_of(soon(dial_one_more(door.local_endpoint(), connections)));
    }
    check_code(code, errc::timed_out);
    BOOST_TEST(connections.size() < 10u);
}

task<> deadlines_inside() {
    loop& here = co_await this_loop();
    event never;
    const auto wait = [](event& which) -> task<> {
        co_await which.wait();
    };
    const auto sleep = [](nanoseconds duration) -> task<> {
        co_await sleep_for(duration);
    };
    const auto both = [](task<> left, task<> right) -> task<> {
        co_await when_all(std::move(left), std::move(right));
    };
    co_await expect_timeout(wait(never), "event");
    co_await expect_timeout(sleep(1h), "sleep");
    co_await expect_timeout(both(wait(never), sleep(1h)), "when_all");
    channel<int> full(1);
    co_await full.send(1);
    const auto send = [](channel<int>& to) -> task<> {
        co_await to.send(2);
    };
    co_await expect_timeout(send(full), "channel send");
    channel<int> empty(1);
    const auto receive = [](channel<int>& from) -> task<> {
        co_await from.receive();
    };
    co_await expect_timeout(receive(empty), "channel receive");
    semaphore taken(0);
    const auto acquire = [](semaphore& which) -> task<> {
        const auto held = co_await which.acquire();
    };
    co_await expect_timeout(acquire(taken), "semaphore");
    listener door(here, endpoint::loopback_v4(0));
    co_await expect_timeout(both(accept_and_drop(door), wait(never)), "accept in when_all");
    // Who is in time gets the result, and an error is the task's own.
    const auto answer = [](task<> first) -> task<int> {
        co_await std::move(first);
        co_return 42;
    };
    const int found = co_await with_deadline(answer(sleep(1us)), 10s);
    BOOST_TEST(found == 42);
    const auto fail = []() -> task<> {
        co_await yield();
        throw_error(errc::queue_full, "on purpose");
    };
    const std::error_code own = co_await code_of(soon(fail()));
    check_code(own, errc::queue_full);
}

// --- Large writes, several of them cancelled at once ------------------------------------------------------

constexpr std::size_t large_write_bytes = std::size_t{2} << 20;

enum class writes_end_by : std::uint8_t { first_then_second, second_then_first, when_all, loop_stop };

/// Says how it ended. What it wrote dies with it.
task<> write_letter(stream& to, char letter, int turns_before, std::string& how) {
    const std::vector<std::byte> data(large_write_bytes, std::byte(letter));
    co_await turns(turns_before);
    const std::error_code code = co_await code_of(write_all(to, data));
    how += letter;
    how += code == errc::canceled || code == errc::closed ? " stopped " : " ended otherwise ";
}

task<> write_both(stream& to, std::string& how) {
    co_await when_all(write_letter(to, 'a', 0, how), write_letter(to, 'b', 3, how));
}

/// The first write is on its way, the second waits behind it, when both are cancelled between two turns.
task<> cancel_two_writes(stream& to, writes_end_by end, std::string& how) {
    loop& here = co_await this_loop();
    scope first(here);
    scope second(here);
    if (end == writes_end_by::when_all) {
        first.spawn(write_both(to, how));
    } else {
        first.spawn(write_letter(to, 'a', 0, how));
        second.spawn(write_letter(to, 'b', 3, how));
    }
    co_await turns(8);
    if (end == writes_end_by::loop_stop) {
        here.stop();
    } else {
        (end == writes_end_by::second_then_first ? second : first).cancel();
    }
    co_await first.close();
    co_await second.close();
}

/// In a run of its own: the one before may have been stopped.
task<> expect_letters_a(stream sender, stream& receiver) {
    // The writers' memory is free again: who still sends from it sends this.
    const std::vector<std::byte> reused(large_write_bytes, std::byte('x'));
    sender.reset();
    std::string all;
    try {
        for (;;) {
            const auto data = co_await receiver.read_some();
            if (data.empty()) {
                break;
            }
            all += text_of(data);
        }
    } catch (const std::system_error& e) {
        check_code(e.code(), std::errc::connection_reset);
    }
    BOOST_TEST((all.find_first_not_of('a') == std::string::npos), "the peer read what was not written");
    BOOST_TEST(all.size() < large_write_bytes);
}

task<> open_narrow_pair(std::unique_ptr<connection>& pair) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    connection made = co_await connect_pair(door, narrow());
    pair = std::make_unique<connection>(std::move(made));
}

// --- Cancelled reads and accepts ------------------------------------------------------------------------

task<> send_slowly(stream& to, std::span<const std::byte> data) {
    auto random = seeded(12);
    while (!data.empty()) {
        const std::size_t size = std::min<std::size_t>(1 + random() % 3000, data.size());
        co_await to.write(data.first(size));
        data = data.subspan(size);
        co_await turns(static_cast<int>(random() % 3));
    }
    co_await to.close();
}

task<> read_with_cancels(stream& from, std::size_t size, std::string& all, std::size_t& cancels) {
    auto random = seeded(13);
    while (all.size() < size) {
        const auto first = co_await when_any(read_into(from, all), turns(static_cast<int>(random() % 3)));
        cancels += first.index();
    }
}

task<> cancel_reads() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    const std::vector<std::byte> data = pattern(2'000'000, 14);
    std::string all;
    std::size_t cancels = 0;
    co_await when_all(send_slowly(pair.client, data),
                      read_with_cancels(pair.server, data.size(), all, cancels));
    BOOST_TEST((all == text_of(data)));
    BOOST_TEST(cancels > 10u);
}

task<> dial_numbered(endpoint where, std::uint32_t count, std::vector<stream>& clients) {
    auto random = seeded(15);
    for (std::uint32_t number = 0; number < count; ++number) {
        stream made = co_await connect(where);
        clients.push_back(std::move(made));
        const std::string text = std::to_string(number) + "\n";
        co_await clients.back().write(text);
        co_await turns(static_cast<int>(random() % 2));
    }
}

task<> accept_into(listener& door, std::vector<stream>& accepted) {
    stream taken = co_await door.accept();
    accepted.push_back(std::move(taken));
}

task<> accept_with_cancels(listener& door, std::uint32_t count, std::vector<stream>& accepted,
                           std::size_t& cancels) {
    auto random = seeded(16);
    while (accepted.size() < count) {
        const auto first =
            co_await when_any(accept_into(door, accepted), turns(static_cast<int>(random() % 3)));
        cancels += first.index();
    }
}

task<> cancel_accepts() {
    constexpr std::uint32_t count = 300;
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    std::vector<stream> clients;
    std::vector<stream> accepted;
    std::size_t cancels = 0;
    co_await when_all(dial_numbered(door.local_endpoint(), count, clients),
                      accept_with_cancels(door, count, accepted, cancels));
    // The kernel hands them out in the order of their connecting.
    for (std::uint32_t number = 0; number < count; ++number) {
        const std::string expected = std::to_string(number) + "\n";
        stream& each = accepted[number];
        const std::string found = co_await read_text(each, expected.size());
        BOOST_TEST(found == expected);
    }
    BOOST_TEST(cancels > 10u);
    BOOST_TEST(accepted.size() == count);
}

} // namespace

CONFORMANCE_CASE(cancel_at_every_point, needs_kernel) {
    const auto world = row.open(few_buffers());
    // The resolver's thread and what it keeps open.
    progress first;
    world->run(session(first));
    world->run(turns(3));
    const std::size_t before = open_descriptors();
    at_every_point([&](progress& so_far, unsigned count, unsigned passes) {
        world->run(end_at_point(so_far, count, passes));
        world->run(until_descriptors(before));
    });
    world->run(small_talk());
}

CONFORMANCE_CASE(stop_at_every_point, needs_kernel) {
    const auto world = row.open(few_buffers());
    progress first;
    world->run(session(first));
    world->run(turns(3));
    const std::size_t before = open_descriptors();
    at_every_point([&](progress& so_far, unsigned count, unsigned passes) {
        world->run(with_scope(session_beside, std::ref(so_far), count, passes));
        world->run(until_descriptors(before));
    });
    world->run(small_talk());
}

CONFORMANCE_CASE(destroy_loop_at_every_point, needs_kernel) {
    const std::size_t before = open_descriptors();
    at_every_point([&](progress& so_far, unsigned count, unsigned passes) {
        {
            const auto world = row.open(few_buffers());
            world->here().spawn(session(so_far));
            world->here().run(wait_for_point(so_far, count, passes));
        }
        const std::size_t after = open_descriptors();
        BOOST_REQUIRE_MESSAGE(after == before, "at point " << count << "+" << passes << ", step "
                                                           << so_far.steps << ": " << describe_descriptors());
    });
}

CONFORMANCE_CASE(deadline_over_streams, needs_nothing) {
    row.open(loop_options())->run(deadlines_of_streams());
}

CONFORMANCE_CASE(deadline_over_connect, needs_kernel) {
    row.open(loop_options())->run(deadline_of_connect());
}

CONFORMANCE_CASE(deadline_over_others, needs_nothing) {
    row.open(loop_options())->run(deadlines_inside());
}

CONFORMANCE_CASE(large_writes_cancelled_together, needs_nothing) {
    const auto world = row.open(loop_options());
    for (const writes_end_by end : {writes_end_by::first_then_second, writes_end_by::second_then_first,
                                    writes_end_by::when_all, writes_end_by::loop_stop}) {
        std::unique_ptr<connection> pair;
        world->run(open_narrow_pair(pair));
        std::string how;
        world->run(cancel_two_writes(pair->client, end, how));
        BOOST_TEST((how == "a stopped b stopped " || how == "b stopped a stopped "), how);
        world->run(expect_letters_a(std::move(pair->client), pair->server));
    }
}

CONFORMANCE_CASE(cancelled_read_loses_no_byte, needs_nothing) {
    row.open(loop_options())->run(cancel_reads());
}

CONFORMANCE_CASE(cancelled_accept_loses_no_connection, needs_nothing) {
    row.open(loop_options())->run(cancel_accepts());
}

} // namespace phoenix::net::conformance
