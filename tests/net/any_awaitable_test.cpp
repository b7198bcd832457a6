// The combinators take whatever can be awaited, and tasks beside it.
#include <phoenix/net/channel.hpp>
#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/semaphore.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/when_any.hpp>

#include "on_each_driver.hpp"
#include "stream_pair.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

std::string text_of(std::span<const std::byte> data) {
    return std::string(reinterpret_cast<const char*>(data.data()), data.size());
}

/// Ready at once; counts what is made and what is destroyed.
class counted_awaiter {
public:
    explicit counted_awaiter(int& alive) noexcept : alive_(alive) { ++alive_; }

    counted_awaiter(const counted_awaiter&) = delete;
    counted_awaiter& operator=(const counted_awaiter&) = delete;

    ~counted_awaiter() { --alive_; }

    [[nodiscard]] bool await_ready() const noexcept { return true; }

    void await_suspend(std::coroutine_handle<>) const noexcept {}

    [[nodiscard]] int await_resume() const noexcept { return alive_; }

private:
    int& alive_;
};

task<int> number_later(int n) {
    co_await yield();
    co_return n;
}

task<> read_too_long(stream& peer) {
    co_await with_deadline(peer.read_some(), 1ms);
}

task<> deadlines_on_waits() {
    loop& here = co_await this_loop();
    stream_pair both(here);
    const std::error_code late = co_await error_of(read_too_long(both.left));
    BOOST_TEST((late == errc::timed_out));
    co_await with_deadline(both.right.write("still there"), 1h);
    const auto data = co_await with_deadline(both.left.read_some(), here.now() + 1h);
    BOOST_TEST(text_of(data) == "still there");
    co_await with_deadline(sleep_for(1us), 1h);
}

task<> accept_with_deadline() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    const auto ends = co_await when_all(with_deadline(door.accept(), 1h), connect(where));
    BOOST_TEST(std::get<0>(ends).is_open());
    BOOST_TEST(std::get<1>(ends).is_open());
}

task<> races_of_waits() {
    loop& here = co_await this_loop();
    stream_pair both(here);
    const auto silence = co_await when_any(both.left.read_some(), sleep_for(1ms));
    BOOST_TEST(silence.index() == 1u);
    const auto mixed = co_await when_any(both.left.read_some(), number_later(7), sleep_for(1h));
    BOOST_TEST(mixed.index() == 1u);
    BOOST_TEST(std::get<1>(mixed) == 7);
    co_await both.right.write("nothing is lost");
    const auto data = co_await with_deadline(when_any(both.left.read_some(), sleep_for(1h)), 1h);
    BOOST_TEST(text_of(std::get<0>(data)) == "nothing is lost");
}

task<> all_kinds_at_once() {
    event gate;
    gate.set();
    semaphore slots(1);
    channel<std::string> words(1);
    const auto all = co_await when_all(slots.acquire(), gate.wait(), words.send("word"), number_later(3));
    static_assert(
        std::is_same_v<std::tuple_element_t<1, std::remove_cvref_t<decltype(all)>>, std::monostate>);
    BOOST_TEST(slots.available() == 0u);
    BOOST_TEST(words.size() == 1u);
    BOOST_TEST(std::get<3>(all) == 3);
}

task<> count_lives() {
    int alive = 0;
    const int first = co_await with_deadline(counted_awaiter(alive), 1h);
    BOOST_TEST(first == 1);
    BOOST_TEST(alive == 0);
    const auto all = co_await when_all(counted_awaiter(alive), counted_awaiter(alive), number_later(1));
    BOOST_TEST(std::get<0>(all) == 2);
    BOOST_TEST(alive == 0);
    const auto any = co_await when_any(counted_awaiter(alive), sleep_for(1h));
    BOOST_TEST(std::get<0>(any) == 1);
    BOOST_TEST(alive == 0);
}

// What is kept could outlive what it refers to.
template <class T>
concept takes_lvalue = requires(T& kept) { with_deadline(kept, 1s); };
static_assert(!takes_lvalue<sleep_awaiter>);
static_assert(!std::is_move_constructible_v<decltype(when_any(sleep_for(1s), sleep_for(2s)))>);

} // namespace

BOOST_AUTO_TEST_SUITE(any_awaitable_test)

ON_EACH_DRIVER(a_deadline_bounds_a_wait) {
    loop l(options_on(driver));
    l.run(deadlines_on_waits());
    l.run(accept_with_deadline());
}

ON_EACH_DRIVER(waits_race_with_tasks_and_with_each_other) {
    loop l(options_on(driver));
    l.run(races_of_waits());
}

ON_EACH_DRIVER(waits_and_tasks_are_gathered) {
    loop l(options_on(driver));
    l.run(all_kinds_at_once());
}

ON_EACH_DRIVER(each_awaiter_is_destroyed_once) {
    loop l(options_on(driver));
    l.run(count_lives());
}

BOOST_AUTO_TEST_SUITE_END()
