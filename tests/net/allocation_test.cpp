// Awaiting allocates nothing in steady state: everything is done once to warm up, and then counted.
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/channel.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/file.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/semaphore.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/when_any.hpp>
#include <phoenix/net/with_scope.hpp>

#include "allocation_count.hpp"
#include "on_each_driver.hpp"
#include "stream_pair.hpp"
#include "temporary_folder.hpp"

#include <asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <thread>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

constexpr int steady_count = 100'000;

boost::test_tools::assertion_result counted_here(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result here(allocations_are_counted());
    here.message() << "the sanitizer has a heap of its own";
    return here;
}

task<int> number(int n) {
    co_return n;
}

task<> nothing() {
    co_return;
}

task<> later() {
    co_await yield();
}

task<> sleep_many(int count) {
    for (int i = 0; i < count; ++i) {
        co_await sleep_for(1us);
    }
}

// What is counted: called first to warm up, then with the whole count.
using work = task<> (*)(stream_pair& ends, int count);

task<> write_messages(stream& to, int count, std::size_t bytes) {
    static const std::array<std::byte, 65'536> message{};
    for (int i = 0; i < count; ++i) {
        co_await to.write(std::span(message).first(bytes));
    }
    co_await to.flush();
}

task<> read_messages(stream& from, int count, std::size_t bytes) {
    std::array<std::byte, 64> message{};
    for (std::size_t left = static_cast<std::size_t>(count) * bytes / message.size(); left > 0; --left) {
        co_await from.read_exactly(message);
    }
}

task<> sends_and_receives(stream_pair& ends, int count) {
    loop& here = co_await this_loop();
    scope writer(here);
    writer.spawn(write_messages(ends.left, count, 64));
    co_await read_messages(ends.right, count, 64);
    co_await writer.join();
}

task<> large_sends(stream_pair& ends, int count) {
    loop& here = co_await this_loop();
    scope writer(here);
    writer.spawn(write_messages(ends.left, count / 1000, 65'536));
    co_await read_messages(ends.right, count / 1000, 65'536);
    co_await writer.join();
}

task<> ping_pong(stream_pair& ends, int count) {
    std::array<std::byte, 64> message{};
    for (int i = 0; i < count / 10; ++i) {
        co_await ends.left.write(message);
        co_await ends.right.read_exactly(message);
        co_await ends.right.write(message);
        co_await ends.left.read_exactly(message);
    }
}

task<> timers(stream_pair&, int count) {
    loop& here = co_await this_loop();
    scope sleepers(here);
    constexpr int at_once = 1000;
    for (int i = 0; i < at_once; ++i) {
        sleepers.spawn(sleep_many(count / at_once));
    }
    co_await sleepers.join();
}

task<> deadlines(stream_pair&, int count) {
    for (int i = 0; i < count; ++i) {
        co_await with_deadline(later(), 1h);
    }
}

task<> spawned_tasks(stream_pair&, int count) {
    loop& here = co_await this_loop();
    scope children(here);
    for (int i = 0; i < count; ++i) {
        children.spawn(i % 2 == 0 ? nothing() : later());
        if (i % 16 == 15) {
            co_await children.join();
        }
    }
    co_await children.join();
}

task<> root_tasks(stream_pair&, int count) {
    loop& here = co_await this_loop();
    for (int i = 0; i < count; ++i) {
        here.spawn(i % 2 == 0 ? nothing() : later());
        if (i % 16 == 15) {
            co_await yield();
            co_await yield();
        }
    }
}

task<> awaited_children(stream_pair&, int count) {
    for (int i = 0; i < count; ++i) {
        co_await number(i);
        co_await later();
    }
}

task<> body_with_a_child(scope& children) {
    children.spawn(later());
    co_await children.join();
}

task<> combinators(stream_pair&, int count) {
    for (int i = 0; i < count / 10; ++i) {
        co_await when_all(number(i), later());
        co_await with_scope(body_with_a_child);
    }
}

task<> send_numbers(channel<int>& to, int count) {
    for (int i = 0; i < count; ++i) {
        co_await to.send(i);
    }
}

task<> take_permits(semaphore& slots, int count) {
    for (int i = 0; i < count; ++i) {
        const auto slot = co_await slots.acquire();
        co_await yield();
    }
}

task<> synchronization(stream_pair&, int count) {
    loop& here = co_await this_loop();
    channel<int> values(4);
    semaphore slots(1);
    scope children(here);
    children.spawn(send_numbers(values, count));
    children.spawn(take_permits(slots, count));
    children.spawn(take_permits(slots, count));
    for (int i = 0; i < count; ++i) {
        co_await values.receive();
    }
    co_await children.join();
}

task<> own_posts(stream_pair&, int count) {
    loop& here = co_await this_loop();
    int calls = 0;
    for (int i = 0; i < count; ++i) {
        here.post([&calls] { ++calls; });
        if (i % 16 == 15) {
            co_await yield();
        }
    }
    while (calls < count) {
        co_await yield();
    }
}

task<> count_allocations(work steady, std::size_t& count, std::string& place) {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    co_await steady(ends, steady_count / 10);
    co_await steady(ends, steady_count / 10);
    allocation_count taken;
    co_await steady(ends, steady_count);
    count = taken.stop();
    place = taken.first_place();
}

task<> use_file(file& kept, int count) {
    std::array<std::byte, 512> block{};
    for (int i = 0; i < count; ++i) {
        const auto offset = static_cast<std::uint64_t>(i % 100) * block.size();
        co_await kept.write_at(offset, block);
        const std::size_t taken = co_await kept.read_at(offset, block);
        static_cast<void>(taken);
    }
    co_await kept.sync_data();
}

task<> count_file_allocations(std::size_t& count, std::string& place) {
    const temporary_folder directory;
    file_options how;
    how.access = file_access::read_write;
    how.creation = file_creation::always;
    file kept = co_await file::open(directory / "kept", how);
    co_await use_file(kept, steady_count / 100);
    allocation_count taken;
    co_await use_file(kept, steady_count / 20);
    count = taken.stop();
    place = taken.first_place();
}

void check(driver_kind driver, work steady, std::size_t most = 0) {
    loop l(options_on(driver));
    std::size_t count = 0;
    std::string place;
    l.run(count_allocations(steady, count, place));
    BOOST_TEST(count <= most, place);
}

/// The same where the context drives the loop.
void check_hosted(work steady) {
    asio::io_context context;
    loop l(make_asio_driver(context));
    std::size_t count = 1;
    std::string place;
    l.spawn(count_allocations(steady, count, place));
    context.run();
    BOOST_TEST(count == 0u, place);
}

task<> wait_for(event& gate) {
    co_await gate.wait();
}

} // namespace

BOOST_AUTO_TEST_SUITE(allocation_test, *boost::unit_test::precondition(&counted_here))

BOOST_AUTO_TEST_CASE(the_count_sees_every_way_to_take_memory) {
    // Where the optimizer must leave them alone.
    void* volatile kept = nullptr;
    allocation_count taken;
    kept = ::operator new(10);
    ::operator delete(kept);
    kept = std::malloc(10);
    kept = std::realloc(kept, 100'000);
    std::free(kept);
    kept = std::calloc(2, 10);
    std::free(kept);
    kept = std::aligned_alloc(64, 64);
    std::free(kept);
    const std::size_t count = taken.stop();
    BOOST_TEST(count == 5u);
    BOOST_TEST(taken.first_place().find("malloc") != std::string::npos, taken.first_place());
}

ON_EACH_DRIVER(a_hundred_thousand_sends_and_receives_allocate_nothing) {
    check(driver, sends_and_receives);
}

ON_EACH_DRIVER(large_sends_allocate_nothing) {
    check(driver, large_sends);
}

ON_EACH_DRIVER(round_trips_allocate_nothing) {
    check(driver, ping_pong);
}

ON_EACH_DRIVER(files_allocate_nothing) {
    loop l(options_on(driver));
    std::size_t count = 1;
    std::string place;
    l.run(count_file_allocations(count, place));
    BOOST_TEST(count == 0U, place);
}

ON_EACH_DRIVER(a_hundred_thousand_timers_allocate_nothing) {
    check(driver, timers);
}

ON_EACH_DRIVER(deadlines_allocate_nothing) {
    check(driver, deadlines);
}

ON_EACH_DRIVER(a_hundred_thousand_spawned_tasks_allocate_nothing) {
    check(driver, spawned_tasks);
}

ON_EACH_DRIVER(tasks_of_the_loop_allocate_nothing) {
    check(driver, root_tasks);
}

ON_EACH_DRIVER(awaited_tasks_allocate_nothing) {
    check(driver, awaited_children);
}

ON_EACH_DRIVER(combinators_allocate_nothing) {
    check(driver, combinators);
}

ON_EACH_DRIVER(channels_and_semaphores_allocate_nothing) {
    // The slots of the channel.
    check(driver, synchronization, 1);
}

ON_EACH_DRIVER(posts_from_the_own_thread_allocate_nothing) {
    check(driver, own_posts);
}

BOOST_AUTO_TEST_CASE(a_loop_inside_a_context_allocates_nothing) {
    for (const work each : {sends_and_receives, ping_pong, timers, spawned_tasks, own_posts}) {
        check_hosted(each);
    }
}

ON_EACH_DRIVER(posts_from_another_thread_allocate_nothing) {
    loop l(options_on(driver));
    std::size_t count = 0;
    std::string place;
    event done;
    std::thread other([&] {
        int calls = 0;
        const auto post_many = [&](int posts) {
            for (int i = 0; i < posts; ++i) {
                l.post([&calls] { ++calls; });
            }
        };
        post_many(steady_count / 10);
        {
            allocation_count taken;
            post_many(steady_count);
            count = taken.stop();
            place = taken.first_place();
        }
        l.post([&done] { done.set(); });
        // The calls use what stands here.
        while (!done.is_set()) {
            std::this_thread::yield();
        }
    });
    l.run(wait_for(done));
    other.join();
    BOOST_TEST(count == 0u, place);
}

BOOST_AUTO_TEST_SUITE_END()
