// The promise of the runtime that every long-lived coroutine stands on: awaiting what is ready costs neither
// stack nor heap, at any optimization and under every sanitizer.
#include <phoenix/net/channel.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/semaphore.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>

#include "heap_in_use.hpp"
#include "on_each_driver.hpp"
#include "stream_pair.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

constexpr int awaits = 2'000'000;

// What the depth may differ by between a coroutine that runs on and one that the loop has resumed.
constexpr std::uintptr_t stack_slack_bytes = std::size_t{32} * 1024;

// Freelists, blocks of output and the kernel's answers reach their size in the first rounds.
constexpr std::size_t heap_slack_bytes = std::size_t{256} * 1024;

/// Watches stack and heap from inside a loop of awaits.
class growth {
public:
    /// Once an await.
    [[gnu::noinline]] void note() noexcept {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        lowest_ = std::min(lowest_, here);
        highest_ = std::max(highest_, here);
        if (++count_ % 100'000 == 0) {
            const std::size_t bytes = heap_in_use_bytes();
            if (heap_at_start_ == 0) {
                heap_at_start_ = bytes;
            }
            heap_most_ = std::max(heap_most_, bytes);
        }
    }

    void check(int expected) const {
        BOOST_TEST(count_ == expected);
        BOOST_TEST(highest_ - lowest_ <= stack_slack_bytes);
        BOOST_TEST(heap_at_start_ > 0u);
        BOOST_TEST(heap_most_ - heap_at_start_ <= heap_slack_bytes);
    }

private:
    std::uintptr_t lowest_ = std::numeric_limits<std::uintptr_t>::max();
    std::uintptr_t highest_ = 0;
    int count_ = 0;
    std::size_t heap_at_start_ = 0;
    std::size_t heap_most_ = 0;
};

task<int> ready_child(growth& seen, int n) {
    seen.note();
    co_return n;
}

task<int> ready_grandchild(growth& seen, int n) {
    const int value = co_await ready_child(seen, n);
    co_return value;
}

/// Every thousandth child finishes later, so that the awaiter is resumed by its child's end as well.
task<int> mostly_ready_child(growth& seen, int n) {
    seen.note();
    if (n % 1000 == 0) {
        co_await yield();
    }
    co_return n;
}

task<std::int64_t> await_children(growth& seen) {
    std::int64_t total = 0;
    for (int i = 0; i < awaits; ++i) {
        const int value = co_await ready_grandchild(seen, i);
        total += value;
    }
    co_return total;
}

task<std::int64_t> await_mostly_ready_children(growth& seen) {
    std::int64_t total = 0;
    for (int i = 0; i < awaits; ++i) {
        const int value = co_await mostly_ready_child(seen, i);
        total += value;
    }
    co_return total;
}

task<> await_events(growth& seen) {
    event open;
    open.set();
    for (int i = 0; i < awaits; ++i) {
        co_await open.wait();
        seen.note();
    }
}

task<> await_permits(growth& seen) {
    semaphore slots(1);
    for (int i = 0; i < awaits; ++i) {
        const auto slot = co_await slots.acquire();
        seen.note();
    }
}

task<> await_channel(growth& seen) {
    channel<int> values(4);
    for (int i = 0; i < awaits / 2; ++i) {
        co_await values.send(i);
        seen.note();
        const auto received = co_await values.receive();
        seen.note();
        if (received != i) {
            throw_error(errc::closed, "a channel gave another value than was sent");
        }
    }
}

task<> write_all(stream& to, growth& seen) {
    std::array<std::byte, 64> message{};
    for (int i = 0; i < awaits; ++i) {
        co_await to.write(message);
        seen.note();
    }
    co_await to.shutdown_send();
}

task<std::size_t> read_to_end(stream& from) {
    std::size_t total = 0;
    for (;;) {
        const auto data = co_await from.read_some();
        if (data.empty()) {
            co_return total;
        }
        total += data.size();
    }
}

task<std::size_t> write_and_read(growth& seen) {
    loop& here = co_await this_loop();
    stream_pair ends(here);
    scope writer(here);
    writer.spawn(write_all(ends.left, seen));
    const std::size_t total = co_await read_to_end(ends.right);
    co_await writer.join();
    co_return total;
}

constexpr std::int64_t sum_of_all = std::int64_t{awaits} * (awaits - 1) / 2;

} // namespace

BOOST_AUTO_TEST_SUITE(two_million_awaits_of_ready_operations_grow_neither_stack_nor_heap)

ON_EACH_DRIVER(children) {
    loop l(options_on(driver));
    growth seen;
    BOOST_TEST(l.run(await_children(seen)) == sum_of_all);
    seen.check(awaits);
}

ON_EACH_DRIVER(children_of_which_some_finish_later) {
    loop l(options_on(driver));
    growth seen;
    BOOST_TEST(l.run(await_mostly_ready_children(seen)) == sum_of_all);
    seen.check(awaits);
}

ON_EACH_DRIVER(events) {
    loop l(options_on(driver));
    growth seen;
    l.run(await_events(seen));
    seen.check(awaits);
}

ON_EACH_DRIVER(permits) {
    loop l(options_on(driver));
    growth seen;
    l.run(await_permits(seen));
    seen.check(awaits);
}

ON_EACH_DRIVER(channel_values) {
    loop l(options_on(driver));
    growth seen;
    l.run(await_channel(seen));
    seen.check(awaits);
}

ON_EACH_DRIVER(stream_writes) {
    loop l(options_on(driver));
    growth seen;
    BOOST_TEST(l.run(write_and_read(seen)) == std::size_t{awaits} * 64);
    seen.check(awaits);
}

BOOST_AUTO_TEST_SUITE_END()
