#include <phoenix/net/channel.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "death.hpp"
#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

using numbers = std::vector<int>;

task<> send(channel<int>& to, int value) {
    co_await to.send(value);
}

task<> send_range(channel<int>& to, int first, int last) {
    for (int i = first; i < last; ++i) {
        co_await to.send(i);
    }
}

task<> receive(channel<int>& from) {
    co_await from.receive();
}

task<> note_send(channel<int>& to, int value, std::error_code& code) {
    code = co_await error_of(send(to, value));
}

/// -1 for an end, -2 for a cancellation.
task<> note_receive(channel<int>& from, numbers& seen) {
    int value = -2;
    try {
        const auto received = co_await from.receive();
        value = received.value_or(-1);
    } catch (const std::system_error&) {
        value = -2;
    }
    seen.push_back(value);
}

task<> receive_to_end(channel<int>& from, numbers& seen) {
    for (;;) {
        const auto value = co_await from.receive();
        if (!value) {
            co_return;
        }
        seen.push_back(*value);
    }
}

task<> order_and_bound() {
    loop& here = co_await this_loop();
    channel<int> values(3);
    BOOST_TEST(values.capacity() == 3u);
    scope children(here);
    children.spawn(send_range(values, 0, 10));
    co_await yield();
    co_await yield();
    // The sender waits with its fourth.
    BOOST_TEST(values.size() == 3u);
    for (int i = 0; i < 10; ++i) {
        const auto value = co_await values.receive();
        BOOST_TEST((value == i));
        BOOST_TEST(values.size() <= 3u);
    }
    co_await children.join();
    BOOST_TEST(values.size() == 0u);
}

task<> without_waiting() {
    channel<int> values(2);
    int one = 1;
    int two = 2;
    int three = 3;
    BOOST_TEST(!values.try_receive().has_value());
    BOOST_TEST(values.try_send(one));
    BOOST_TEST(values.try_send(two));
    BOOST_TEST(!values.try_send(three));
    BOOST_TEST((values.try_receive() == 1));
    BOOST_TEST(values.try_send(three));
    BOOST_TEST((values.try_receive() == 2));
    BOOST_TEST((values.try_receive() == 3));
    BOOST_TEST(!values.try_receive().has_value());
    values.close();
    BOOST_TEST(!values.try_send(one));
    co_return;
}

task<> fairness() {
    loop& here = co_await this_loop();
    channel<int> values(1);
    numbers seen;
    scope children(here);
    // Receivers wait first in, first out.
    std::vector<numbers> received(3);
    for (numbers& each : received) {
        children.spawn(note_receive(values, each));
    }
    co_await yield();
    co_await send_range(values, 0, 3);
    co_await children.join();
    BOOST_TEST((received == std::vector<numbers>({{0}, {1}, {2}})));
    // And so do senders; whoever comes later does not overtake them.
    for (int i = 10; i < 14; ++i) {
        children.spawn(send(values, i));
    }
    co_await yield();
    int late = 99;
    BOOST_TEST((values.try_receive() == 10));
    BOOST_TEST(!values.try_send(late));
    for (int i = 11; i < 14; ++i) {
        const auto value = co_await values.receive();
        BOOST_TEST((value == i));
    }
    co_await children.join();
}

task<> handing_over() {
    loop& here = co_await this_loop();
    channel<int> values(1);
    numbers seen;
    scope children(here);
    children.spawn(note_receive(values, seen));
    co_await yield();
    // A waiting receiver takes the value itself: the channel stays empty.
    int value = 5;
    BOOST_TEST(values.try_send(value));
    BOOST_TEST(values.size() == 0u);
    BOOST_TEST(seen.empty());
    co_await children.join();
    BOOST_TEST(seen == numbers({5}), boost::test_tools::per_element());
}

task<> closing() {
    loop& here = co_await this_loop();
    channel<int> values(2);
    std::error_code waiting_sender;
    scope children(here);
    co_await send_range(values, 0, 2);
    children.spawn(note_send(values, 2, waiting_sender));
    co_await yield();
    values.close();
    values.close();
    BOOST_TEST(values.is_closed());
    co_await children.join();
    BOOST_TEST((waiting_sender == errc::closed));
    const std::error_code late = co_await error_of(send(values, 3));
    BOOST_TEST((late == errc::closed));
    // What was queued is drained first.
    numbers seen;
    co_await receive_to_end(values, seen);
    BOOST_TEST(seen == numbers({0, 1}), boost::test_tools::per_element());
    channel<int> empty(1);
    numbers ends;
    children.spawn(note_receive(empty, ends));
    children.spawn(note_receive(empty, ends));
    co_await yield();
    empty.close();
    co_await children.join();
    BOOST_TEST(ends == numbers({-1, -1}), boost::test_tools::per_element());
}

task<> cancelled_sender() {
    loop& here = co_await this_loop();
    channel<int> values(1);
    std::error_code code;
    co_await values.send(1);
    scope first(here);
    scope second(here);
    first.spawn(note_send(values, 2, code));
    co_await yield();
    second.spawn(send(values, 3));
    co_await yield();
    co_await first.close();
    BOOST_TEST((code == errc::canceled));
    // The value of the cancelled send never came in; the sender behind it moved up.
    numbers seen;
    co_await note_receive(values, seen);
    co_await note_receive(values, seen);
    co_await second.join();
    BOOST_TEST(seen == numbers({1, 3}), boost::test_tools::per_element());
    BOOST_TEST(values.size() == 0u);
}

task<> cancelled_receiver() {
    loop& here = co_await this_loop();
    channel<int> values(1);
    numbers first_seen;
    numbers second_seen;
    scope first(here);
    scope second(here);
    first.spawn(note_receive(values, first_seen));
    co_await yield();
    second.spawn(note_receive(values, second_seen));
    co_await yield();
    co_await first.close();
    BOOST_TEST(first_seen == numbers({-2}), boost::test_tools::per_element());
    co_await values.send(7);
    co_await second.join();
    BOOST_TEST(second_seen == numbers({7}), boost::test_tools::per_element());
}

task<> woken_and_cancelled() {
    loop& here = co_await this_loop();
    channel<int> values(1);
    numbers seen;
    scope children(here);
    children.spawn(note_receive(values, seen));
    co_await yield();
    int value = 9;
    BOOST_TEST(values.try_send(value));
    // The value is the receiver's already: a stop must not lose it.
    children.cancel();
    co_await children.join();
    BOOST_TEST(seen == numbers({9}), boost::test_tools::per_element());
    // A sender whose value was taken in has sent it.
    std::error_code code = make_error_code(errc::closed);
    co_await values.send(1);
    scope senders(here);
    senders.spawn(note_send(values, 2, code));
    co_await yield();
    BOOST_TEST((values.try_receive() == 1));
    senders.cancel();
    co_await senders.join();
    BOOST_TEST(!code);
    BOOST_TEST((values.try_receive() == 2));
}

task<> stopped_before() {
    loop& here = co_await this_loop();
    channel<int> values(1);
    std::error_code code;
    numbers seen;
    scope children(here);
    children.cancel();
    children.spawn(note_send(values, 1, code));
    co_await children.join();
    BOOST_TEST((code == errc::canceled));
    BOOST_TEST(values.size() == 0u);
    co_await values.send(2);
    children.spawn(note_receive(values, seen));
    co_await children.join();
    BOOST_TEST(seen == numbers({-2}), boost::test_tools::per_element());
    BOOST_TEST(values.size() == 1u);
}

task<> send_owned(channel<std::unique_ptr<std::string>>& to, std::string text) {
    co_await to.send(std::make_unique<std::string>(std::move(text)));
}

task<> move_only_values() {
    loop& here = co_await this_loop();
    channel<std::unique_ptr<std::string>> values(1);
    scope children(here);
    children.spawn(send_owned(values, "first"));
    children.spawn(send_owned(values, "waits"));
    children.spawn(send_owned(values, "waits too"));
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        const auto value = co_await values.receive();
        seen.push_back(**value);
    }
    BOOST_TEST(seen == std::vector<std::string>({"first", "waits", "waits too"}),
               boost::test_tools::per_element());
    co_await children.join();
    // A refused value stays with its owner.
    auto kept = std::make_unique<std::string>("kept");
    values.close();
    BOOST_TEST(!values.try_send(kept));
    BOOST_TEST((kept != nullptr));
}

task<> relay(channel<int>& from, channel<int>& to) {
    for (;;) {
        const auto value = co_await from.receive();
        if (!value) {
            to.close();
            co_return;
        }
        co_await to.send(*value);
    }
}

task<> send_all_and_close(channel<int>& to, int count) {
    co_await send_range(to, 0, count);
    to.close();
}

task<> pipeline() {
    loop& here = co_await this_loop();
    channel<int> first(1);
    channel<int> second(7);
    channel<int> third(1);
    scope children(here);
    children.spawn(send_all_and_close(first, 10'000));
    children.spawn(relay(first, second));
    children.spawn(relay(second, third));
    numbers seen;
    co_await receive_to_end(third, seen);
    co_await children.join();
    BOOST_TEST_REQUIRE(seen.size() == 10'000u);
    bool in_order = true;
    for (int i = 0; i < 10'000; ++i) {
        in_order = in_order && seen[static_cast<std::size_t>(i)] == i;
    }
    BOOST_TEST(in_order);
}

task<> destroy_while_somebody_waits() {
    loop& here = co_await this_loop();
    scope children(here);
    auto values = std::make_unique<channel<int>>(1);
    children.spawn(receive(*values));
    co_await yield();
    values.reset();
}

} // namespace

BOOST_AUTO_TEST_SUITE(channel_test)

ON_EACH_DRIVER(values_come_in_order_and_senders_wait_at_the_bound) {
    loop l(options_on(driver));
    l.run(order_and_bound());
}

ON_EACH_DRIVER(try_send_and_try_receive_do_not_wait) {
    loop l(options_on(driver));
    l.run(without_waiting());
}

ON_EACH_DRIVER(senders_and_receivers_wait_first_in_first_out) {
    loop l(options_on(driver));
    l.run(fairness());
}

ON_EACH_DRIVER(a_waiting_receiver_is_handed_the_value) {
    loop l(options_on(driver));
    l.run(handing_over());
}

ON_EACH_DRIVER(a_closed_channel_refuses_senders_and_is_drained) {
    loop l(options_on(driver));
    l.run(closing());
}

ON_EACH_DRIVER(a_cancelled_send_was_not_sent) {
    loop l(options_on(driver));
    l.run(cancelled_sender());
}

ON_EACH_DRIVER(a_cancelled_receive_takes_nothing) {
    loop l(options_on(driver));
    l.run(cancelled_receiver());
}

ON_EACH_DRIVER(a_stop_after_the_wake_loses_nothing) {
    loop l(options_on(driver));
    l.run(woken_and_cancelled());
}

ON_EACH_DRIVER(a_stopped_strand_neither_sends_nor_receives) {
    loop l(options_on(driver));
    l.run(stopped_before());
}

ON_EACH_DRIVER(values_may_be_move_only) {
    loop l(options_on(driver));
    l.run(move_only_values());
}

ON_EACH_DRIVER(a_pipeline_keeps_the_order) {
    loop l(options_on(driver));
    l.run(pipeline());
}

ON_EACH_DRIVER(destroying_a_channel_that_somebody_waits_for_aborts) {
    const std::string words = last_words([=] {
        loop l(options_on(driver));
        l.run(destroy_while_somebody_waits());
    });
    BOOST_TEST(words.find("destroyed while coroutines wait for it") != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(a_channel_of_nothing_is_a_broken_precondition) {
    const std::string words = last_words([] { const channel<int> none(0); });
    BOOST_TEST(words.find("holds at least one value") != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(try_send_takes_a_value_that_has_no_name) {
    channel<std::string> words(1);
    BOOST_TEST(words.try_send("one"));
    std::string two = "two";
    BOOST_TEST(!words.try_send(std::move(two)));
    BOOST_TEST(two == "two");
    BOOST_TEST(words.try_receive().value() == "one");
}

BOOST_AUTO_TEST_SUITE_END()
