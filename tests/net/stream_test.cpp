// What a stream is apart from its connection: order and bounds of its output, moved and closed objects,
// spans. How drivers carry it is for the conformance suite.
#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"
#include "random_seed.hpp"
#include "stream_pair.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

std::string text_of(std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

task<> write(stream& to, std::string text) {
    co_await to.write(text);
}

task<> flush(stream& to) {
    co_await to.flush();
}

task<> read(stream& from) {
    [[maybe_unused]] const auto data = co_await from.read_some();
}

task<std::string> read_text(stream& from, std::size_t size) {
    std::string text(size, '\0');
    co_await from.read_exactly(std::as_writable_bytes(std::span(text)));
    co_return text;
}

task<> turns(int count) {
    for (int i = 0; i < count; ++i) {
        co_await yield();
    }
}

/// Messages of a writer: its letter over and over, the length in front.
task<> write_messages(stream& to, char letter, std::vector<std::uint32_t> sizes) {
    for (const std::uint32_t size : sizes) {
        std::string message(sizeof size + size, letter);
        std::copy_n(reinterpret_cast<const char*>(&size), sizeof size, message.begin());
        co_await to.write(message);
    }
}

task<> interleave(std::uint64_t seed) {
    loop& here = co_await this_loop();
    std::mt19937_64 random(seed);
    stream_pair ends(here);
    constexpr std::size_t writers = 5;
    constexpr std::size_t messages = 60;
    // Copied into blocks, cut over two of them, sent from where they lie, and empty.
    constexpr std::array<std::uint32_t, 6> bounds{1, 100, 4000, 5000, 40'000, 200'000};
    std::vector<std::vector<std::uint32_t>> sizes(writers);
    for (auto& each : sizes) {
        for (std::size_t i = 0; i < messages; ++i) {
            each.push_back(static_cast<std::uint32_t>(random() % bounds[random() % bounds.size()]));
        }
    }
    scope children(here);
    for (std::size_t i = 0; i < writers; ++i) {
        children.spawn(write_messages(ends.left, static_cast<char>('a' + i), sizes[i]));
    }
    std::array<std::size_t, writers> next{};
    int mismatches = 0;
    std::string message;
    for (std::size_t i = 0; i < writers * messages; ++i) {
        std::uint32_t size = 0;
        co_await ends.right.read_exactly(std::as_writable_bytes(std::span(&size, 1)));
        message.resize(size);
        co_await ends.right.read_exactly(std::as_writable_bytes(std::span(message)));
        if (size == 0) {
            // Nobody knows whose it is.
            continue;
        }
        const auto writer = static_cast<std::size_t>(message.front() - 'a');
        if (writer >= writers) {
            ++mismatches;
            break;
        }
        while (next[writer] < messages && sizes[writer][next[writer]] == 0) {
            ++next[writer];
        }
        mismatches += next[writer] < messages && sizes[writer][next[writer]] == size ? 0 : 1;
        ++next[writer];
        // Nothing of another writer stands inside a message.
        mismatches += message.find_first_not_of(message.front()) == std::string::npos ? 0 : 1;
    }
    BOOST_TEST(mismatches == 0);
    co_await children.join();
    co_await ends.left.flush();
    BOOST_TEST(ends.left.queued_bytes() == 0u);
}

task<> coalesce() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    const std::uint64_t before = here.statistics().operations;
    for (int i = 0; i < 100; ++i) {
        co_await ends.left.write("0123456789");
    }
    BOOST_TEST(ends.left.queued_bytes() == 1000u);
    co_await ends.left.flush();
    BOOST_TEST(ends.left.queued_bytes() == 0u);
    BOOST_TEST(here.statistics().operations - before == 1u);
    const std::string text = co_await read_text(ends.right, 1000);
    BOOST_TEST(text.substr(990) == "0123456789");
    // Nothing to flush, nothing to send.
    co_await ends.left.flush();
    co_await ends.left.write("");
    BOOST_TEST(ends.left.queued_bytes() == 0u);
}

task<> use_closed() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    stream moved = std::move(ends.left);
    BOOST_TEST(moved.is_open());
    BOOST_TEST(!ends.left.is_open());
    co_await moved.close();
    BOOST_TEST(!moved.is_open());
    ends.right.reset();
    for (stream* const each : {&ends.left, &moved, &ends.right}) {
        BOOST_TEST(each->queued_bytes() == 0u);
        BOOST_TEST(each->native_descriptor() == -1);
        const std::error_code reading = co_await error_of(read(*each));
        BOOST_TEST((reading == errc::closed));
        const std::error_code writing = co_await error_of(write(*each, "text"));
        BOOST_TEST((writing == errc::closed));
        const std::error_code flushing = co_await error_of(flush(*each));
        BOOST_TEST((flushing == errc::closed));
        const std::error_code ending = co_await error_of(each->shutdown_send());
        BOOST_TEST((ending == errc::closed));
        const std::error_code closing = co_await error_of(each->close());
        BOOST_TEST((closing == errc::closed));
        BOOST_CHECK_THROW(static_cast<void>(each->local_endpoint()), std::system_error);
        BOOST_CHECK_THROW(static_cast<void>(each->peer_endpoint()), std::system_error);
    }
}

task<> assign() {
    loop& here = co_await this_loop();
    stream_pair first(here);
    stream_pair second(here);
    co_await first.left.write("last words");
    // The stream before is closed as its destructor would.
    first.left = std::move(second.left);
    const std::string words = co_await read_text(first.right, 10);
    BOOST_TEST(words == "last words");
    const auto end = co_await first.right.read_some();
    BOOST_TEST(end.empty());
    co_await first.left.write("new owner");
    const std::string other = co_await read_text(second.right, 9);
    BOOST_TEST(other == "new owner");
}

task<> read_piecewise() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    co_await ends.left.write("abcdefgh");
    co_await ends.left.shutdown_send();
    std::array<std::byte, 3> piece{};
    std::string all;
    for (;;) {
        const std::size_t taken = co_await ends.right.read(piece);
        if (taken == 0) {
            break;
        }
        all += text_of(std::span(piece).first(taken));
    }
    BOOST_TEST(all == "abcdefgh");
    // The end stays the end.
    const auto again = co_await ends.right.read_some();
    BOOST_TEST(again.empty());
}

task<> read_too_much() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    co_await ends.left.write("abc");
    co_await ends.left.close();
    std::string message;
    std::error_code code;
    try {
        co_await read_text(ends.right, 10);
    } catch (const std::system_error& e) {
        code = e.code();
        message = e.what();
    }
    BOOST_TEST((code == errc::end_of_stream));
    BOOST_TEST(message.find("7 bytes before") != std::string::npos, message);
    co_await ends.right.read_exactly(std::span<std::byte>());
}

/// Mixes whole reads with partial ones: what a partial one leaves comes next.
task<> read_in_turns() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    co_await ends.left.write("abcdefgh");
    std::array<std::byte, 2> piece{};
    const std::size_t taken = co_await ends.right.read(piece);
    BOOST_TEST(taken == 2u);
    const auto rest = co_await ends.right.read_some();
    BOOST_TEST(text_of(piece) == "ab");
    BOOST_TEST(text_of(rest) == "cdefgh");
}

constexpr std::size_t too_large_to_fit = std::size_t{4} << 20;

task<> cancel_queued_write() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    scope first(here);
    scope second(here);
    scope third(here);
    first.spawn(write(ends.left, std::string(too_large_to_fit, 'a')));
    co_await turns(5);
    second.spawn(write(ends.left, std::string(too_large_to_fit, 'b')));
    co_await turns(5);
    third.spawn(write(ends.left, std::string(100'000, 'c')));
    co_await turns(5);
    // The second has sent nothing: it goes without a trace.
    co_await second.close();
    const std::string text = co_await read_text(ends.right, too_large_to_fit + 100'000);
    BOOST_TEST(text.find_first_not_of('a') == too_large_to_fit);
    BOOST_TEST(text.find_first_not_of('c', too_large_to_fit) == std::string::npos);
    co_await first.join();
    co_await third.join();
}

task<> cancel_write_in_its_middle() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    std::error_code code;
    scope writer(here);
    writer.spawn(write(ends.left, std::string(too_large_to_fit, 'a')));
    const std::string head = co_await read_text(ends.right, 1000);
    BOOST_TEST(head == std::string(1000, 'a'));
    co_await writer.close();
    // The peer has a part of it: what came next would look like the rest.
    code = co_await error_of(write(ends.left, "next"));
    BOOST_TEST((code == errc::closed));
    // The other direction is whole.
    co_await ends.right.write("answer");
    const std::string answer = co_await read_text(ends.left, 6);
    BOOST_TEST(answer == "answer");
}

task<> reset_under_a_reader() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    scope reader(here);
    std::error_code code = make_error_code(errc::closed);
    reader.spawn([](stream& from, std::error_code& out) -> task<> {
        out = co_await error_of(read(from));
    }(ends.right, code));
    co_await turns(2);
    ends.right.reset();
    co_await reader.join();
    BOOST_TEST((code == errc::closed));
}

task<> read_nothing() {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    const std::span<std::byte> nothing;
    // Nothing has arrived, and nothing is waited for.
    const std::size_t before = co_await ends.right.read(nothing);
    BOOST_TEST(before == 0u);
    co_await ends.right.read_exactly(nothing);
    co_await ends.left.write("hello");
    const std::string first = co_await read_text(ends.right, 1);
    BOOST_TEST(first == "h");
    const std::size_t amid = co_await ends.right.read(nothing);
    BOOST_TEST(amid == 0u);
    const std::string rest = co_await read_text(ends.right, 4);
    BOOST_TEST(rest == "ello");
}

} // namespace

BOOST_AUTO_TEST_SUITE(stream_test)

ON_EACH_DRIVER(messages_of_all_sizes_from_many_writers_stay_whole_and_in_order) {
    const std::uint64_t seed = random_seed();
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << seed) {
        loop l(options_on(driver));
        l.run(interleave(seed));
    }
}

ON_EACH_DRIVER(writes_of_a_turn_leave_in_one_operation) {
    loop l(options_on(driver));
    l.run(coalesce());
}

ON_EACH_DRIVER(a_closed_reset_or_moved_stream_says_closed) {
    loop l(options_on(driver));
    l.run(use_closed());
}

ON_EACH_DRIVER(assigning_closes_the_stream_before) {
    loop l(options_on(driver));
    l.run(assign());
}

ON_EACH_DRIVER(read_takes_what_fits_and_keeps_the_rest) {
    loop l(options_on(driver));
    l.run(read_piecewise());
    l.run(read_in_turns());
}

ON_EACH_DRIVER(reading_into_nothing_gives_nothing_at_once) {
    loop l(options_on(driver));
    l.run(read_nothing());
}

ON_EACH_DRIVER(read_exactly_says_how_much_was_missing) {
    loop l(options_on(driver));
    l.run(read_too_much());
}

ON_EACH_DRIVER(a_queued_write_that_is_cancelled_was_not_sent) {
    loop l(options_on(driver));
    l.run(cancel_queued_write());
}

ON_EACH_DRIVER(a_write_cancelled_in_its_middle_ends_the_sending_side) {
    loop l(options_on(driver));
    l.run(cancel_write_in_its_middle());
}

ON_EACH_DRIVER(a_reset_ends_the_read_that_waits) {
    loop l(options_on(driver));
    l.run(reset_under_a_reader());
}

BOOST_AUTO_TEST_SUITE_END()
