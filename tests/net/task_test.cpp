#include <phoenix/config.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "death.hpp"
#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

static_assert(!std::is_copy_constructible_v<task<>> && !std::is_copy_assignable_v<task<>>);
static_assert(std::is_nothrow_move_constructible_v<task<int>> &&
              std::is_nothrow_move_assignable_v<task<int>>);

task<> nothing() {
    co_return;
}

/// Has neither a default constructor nor a copy.
class sealed {
public:
    explicit sealed(int value) noexcept : value_(value) {}

    sealed(sealed&& other) noexcept : value_(std::exchange(other.value_, -1)) {}

    sealed& operator=(sealed&&) = delete;

    [[nodiscard]] int value() const noexcept { return value_; }

private:
    int value_;
};

task<int> number(int n) {
    co_return n;
}

task<int> later_number(int n) {
    co_await yield();
    co_return n;
}

task<> throws(std::string message) {
    throw std::runtime_error(message);
    co_return;
}

task<> throws_later(std::string message) {
    co_await yield();
    throw std::runtime_error(message);
}

task<int&> reference_to(int& n) {
    co_return n;
}

task<sealed> sealed_number(int n) {
    co_return sealed(n);
}

task<std::unique_ptr<int>> owned_number(int n) {
    auto made = std::make_unique<int>(n);
    co_await yield();
    co_return made;
}

task<std::string> text_from_literal() {
    co_return "text";
}

task<> add(int& total, int amount) {
    total += amount;
    co_return;
}

task<> keep(set_on_exit argument) {
    const set_on_exit moved = std::move(argument);
    co_return;
}

task<> body_of_values() {
    const int now = co_await number(7);
    BOOST_TEST(now == 7);
    const int later = co_await later_number(8);
    BOOST_TEST(later == 8);
    const std::string text = co_await text_from_literal();
    BOOST_TEST(text == "text");
    int target = 1;
    int& same = co_await reference_to(target);
    BOOST_TEST(&same == &target);
    const sealed only_moved = co_await sealed_number(9);
    BOOST_TEST(only_moved.value() == 9);
    const std::unique_ptr<int> owned = co_await owned_number(10);
    BOOST_TEST(*owned == 10);
    int total = 0;
    co_await add(total, 3);
    BOOST_TEST(total == 3);
}

task<> body_of_exceptions() {
    const std::string at_once = co_await message_of(throws("now"));
    BOOST_TEST(at_once == "now");
    const std::string late = co_await message_of(throws_later("later"));
    BOOST_TEST(late == "later");
}

task<> sum_of_ready_children(int count, long& total) {
    for (int i = 0; i < count; ++i) {
        const int value = co_await number(i);
        total += value;
    }
}

/// Children that finish at once and children that finish later take turns.
task<long> sum_of_mixed_children(int count) {
    long total = 0;
    for (int i = 0; i < count; ++i) {
        if (i % 3 == 0) {
            const int value = co_await later_number(i);
            total += value;
        } else {
            const int value = co_await number(i);
            total += value;
        }
    }
    co_return total;
}

task<int> nested(int depth, event& gate) {
    if (depth == 0) {
        co_await gate.wait();
        co_return 0;
    }
    const int below = co_await nested(depth - 1, gate);
    co_return below + 1;
}

task<int> nested_failure(int depth) {
    if (depth == 0) {
        co_await yield();
        throw std::runtime_error("from the bottom");
    }
    const int below = co_await nested_failure(depth - 1);
    co_return below + 1;
}

task<> set_later(event& gate) {
    co_await yield();
    gate.set();
}

task<> body_of_stored_tasks() {
    task<int> first = number(1);
    task<int> second = std::move(first);
    const int value = co_await std::move(second);
    BOOST_TEST(value == 1);
    std::vector<task<int>> many;
    for (int i = 0; i < 10; ++i) {
        many.push_back(i % 2 == 0 ? number(i) : later_number(i));
    }
    int total = 0;
    for (task<int>& each : many) {
        const int part = co_await std::move(each);
        total += part;
    }
    BOOST_TEST(total == 45);
}

task<> body_of_frame_lifetimes() {
    bool destroyed = false;
    co_await keep(set_on_exit(destroyed));
    // The frame of an awaited temporary ends with the full expression.
    BOOST_TEST(destroyed);
    destroyed = false;
    {
        task<> held = keep(set_on_exit(destroyed));
        BOOST_TEST(!destroyed);
    }
    BOOST_TEST(destroyed);
}

} // namespace

BOOST_AUTO_TEST_SUITE(task_test)

BOOST_AUTO_TEST_CASE(a_task_that_was_never_started_destroys_its_arguments) {
    bool destroyed = false;
    {
        const task<> unstarted = keep(set_on_exit(destroyed));
        BOOST_TEST(!destroyed);
    }
    BOOST_TEST(destroyed);
}

BOOST_AUTO_TEST_CASE(assigning_a_task_destroys_the_one_before) {
    bool first = false;
    bool second = false;
    {
        task<> held = keep(set_on_exit(first));
        held = keep(set_on_exit(second));
        BOOST_TEST(first);
        BOOST_TEST(!second);
        task<>& same = held;
        held = std::move(same);
        BOOST_TEST(!second);
    }
    BOOST_TEST(second);
}

BOOST_AUTO_TEST_CASE(a_task_does_nothing_before_it_is_awaited) {
    int total = 0;
    const task<> unstarted = add(total, 1);
    BOOST_TEST(total == 0);
}

ON_EACH_DRIVER(values_references_and_move_only_results_come_back) {
    loop l(options_on(driver));
    l.run(body_of_values());
}

ON_EACH_DRIVER(exceptions_come_out_of_the_await) {
    loop l(options_on(driver));
    l.run(body_of_exceptions());
    BOOST_CHECK_EXCEPTION(l.run(throws_later("out of run")), std::runtime_error,
                          [](const std::runtime_error& e) { return std::string(e.what()) == "out of run"; });
}

ON_EACH_DRIVER(children_may_finish_at_once_or_later) {
    loop l(options_on(driver));
    long total = 0;
    l.run(sum_of_ready_children(1000, total));
    BOOST_TEST(total == 999 * 1000 / 2);
    const long mixed = l.run(sum_of_mixed_children(1000));
    BOOST_TEST(mixed == 999 * 1000 / 2);
}

ON_EACH_DRIVER(a_task_may_be_moved_and_stored_before_it_is_awaited) {
    loop l(options_on(driver));
    l.run(body_of_stored_tasks());
}

ON_EACH_DRIVER(a_frame_is_destroyed_with_the_task_that_owns_it) {
    loop l(options_on(driver));
    l.run(body_of_frame_lifetimes());
}

ON_EACH_DRIVER(awaits_nest_ten_thousand_deep) {
    // What is sanitized and not optimized takes up to 4 KiB of the stack each.
    const int depth = PHOENIX_UNDER_ASAN ? 1000 : 10'000;
    loop l(options_on(driver));
    event open;
    open.set();
    BOOST_TEST(l.run(nested(depth, open)) == depth);
    event gate;
    l.spawn(set_later(gate));
    BOOST_TEST(l.run(nested(depth, gate)) == depth);
}

ON_EACH_DRIVER(an_exception_climbs_out_of_a_thousand_awaits) {
    loop l(options_on(driver));
    BOOST_CHECK_EXCEPTION(l.run(nested_failure(1000)), std::runtime_error, [](const std::runtime_error& e) {
        return std::string(e.what()) == "from the bottom";
    });
}

ON_EACH_DRIVER(starting_a_task_again_aborts_and_says_so) {
    const auto expect_words = [](const std::string& words) {
        BOOST_TEST(words.find("a task is started once") != std::string::npos, words);
    };
    expect_words(last_words([=] {
        loop l(options_on(driver));
        l.run([](loop& here) -> task<> {
            task<> work = nothing();
            co_await std::move(work);
            here.spawn(std::move(work));
            co_await yield();
        }(l));
    }));
    expect_words(last_words([=] {
        loop l(options_on(driver));
        l.run([]() -> task<> {
            task<> work = nothing();
            co_await std::move(work);
            co_await with_deadline(std::move(work), std::chrono::seconds(1));
        }());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
