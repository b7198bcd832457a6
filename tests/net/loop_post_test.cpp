#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;

using numbers = std::vector<int>;

task<> turns(int count) {
    for (int i = 0; i < count; ++i) {
        co_await yield();
    }
}

task<> wait_for(event& gate) {
    co_await gate.wait();
}

task<> post_from_own_thread(numbers& seen) {
    loop& here = co_await this_loop();
    here.post([&seen] { seen.push_back(1); });
    here.post([&seen, &here] {
        seen.push_back(2);
        here.post([&seen] { seen.push_back(4); });
    });
    BOOST_TEST(here.try_post([&seen] { seen.push_back(3); }));
    // A call never runs inside post().
    BOOST_TEST(seen.empty());
    co_await turns(3);
    BOOST_TEST(seen == numbers({1, 2, 3, 4}), boost::test_tools::per_element());
}

task<> post_more_than_the_ring_holds(int count, std::shared_ptr<int> calls) {
    loop& here = co_await this_loop();
    for (int i = 0; i < count; ++i) {
        here.post([calls] { ++*calls; });
    }
}

task<> throw_from_calls(int& ran) {
    loop& here = co_await this_loop();
    here.post([] { throw std::runtime_error("from an own call"); });
    here.post([&ran] { ++ran; });
    co_await turns(3);
}

struct alignas(64) cache_line {
    char bytes[64] = {};
};

task<> post_aligned(int& misaligned, int& calls) {
    loop& here = co_await this_loop();
    for (int i = 0; i < 16; ++i) {
        // The compiler believes in the alignment of the capture: its address is asked for by the way of
        // memory.
        here.post([line = cache_line(), &misaligned, &calls] {
            const volatile auto where = reinterpret_cast<std::uintptr_t>(line.bytes);
            misaligned += where % alignof(cache_line) == 0 ? 0 : 1;
            ++calls;
        });
    }
    co_await turns(3);
}

} // namespace

BOOST_AUTO_TEST_SUITE(loop_post_test)

ON_EACH_DRIVER(captures_keep_their_alignment) {
    loop l(options_on(driver));
    int misaligned = 0;
    int calls = 0;
    l.run(post_aligned(misaligned, calls));
    BOOST_TEST(calls == 16);
    BOOST_TEST(misaligned == 0);
}

ON_EACH_DRIVER(calls_posted_before_run_are_made_in_it) {
    loop l(options_on(driver));
    numbers seen;
    for (int i = 0; i < 10; ++i) {
        l.post([&seen, i] { seen.push_back(i); });
    }
    BOOST_TEST(seen.empty());
    l.run(turns(1));
    numbers expected(10);
    std::iota(expected.begin(), expected.end(), 0);
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

ON_EACH_DRIVER(calls_from_the_loops_own_thread_keep_their_order_and_run_later) {
    loop l(options_on(driver));
    numbers seen;
    l.run(post_from_own_thread(seen));
}

ON_EACH_DRIVER(the_own_thread_never_waits_for_room) {
    loop_options options = options_on(driver);
    options.post_capacity = 2;
    const auto calls = std::make_shared<int>(0);
    {
        loop l(options);
        l.run(post_more_than_the_ring_holds(5000, calls));
        l.run(turns(10));
        BOOST_TEST(*calls == 5000);
        // Some of these are still waiting when run() returns: they are dropped with the loop.
        l.run(post_more_than_the_ring_holds(5000, calls));
    }
    BOOST_TEST(calls.use_count() == 1);
}

ON_EACH_DRIVER(a_call_that_throws_is_logged_and_the_loop_goes_on) {
    captured_log log;
    loop l(options_on(driver, log));
    int ran = 0;
    l.post([] { throw std::runtime_error("from a posted call"); });
    l.post([] { throw 1; });
    l.post([&ran] { ++ran; });
    l.run(throw_from_calls(ran));
    BOOST_TEST(ran == 2);
    BOOST_TEST(log.count("from a posted call") == 1u);
    BOOST_TEST(log.count("from an own call") == 1u);
    BOOST_TEST(log.count("no std::exception") == 1u);
}

ON_EACH_DRIVER(a_post_from_another_thread_wakes_a_loop_that_waits_for_ever) {
    loop l(options_on(driver));
    for (int round = 0; round < 100; ++round) {
        event gate;
        std::thread other([&] { l.post([&gate] { gate.set(); }); });
        l.run(wait_for(gate));
        other.join();
    }
    BOOST_TEST(l.statistics().posts == 100u);
}

ON_EACH_DRIVER(a_stop_from_another_thread_ends_the_run) {
    loop l(options_on(driver));
    for (int round = 0; round < 100; ++round) {
        event never;
        std::atomic<bool> running = false;
        l.post([&running] { running = true; });
        std::thread other([&] {
            // Half of the rounds stop the loop when it surely runs, the others perhaps before.
            while (round % 2 == 0 && !running) {
                std::this_thread::yield();
            }
            l.stop();
        });
        l.run(wait_for(never));
        other.join();
    }
}

ON_EACH_DRIVER(try_post_refuses_when_the_ring_is_full) {
    loop_options options = options_on(driver);
    options.post_capacity = 4;
    loop l(options);
    int calls = 0;
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(l.try_post([&calls] { ++calls; }));
    }
    BOOST_TEST(!l.try_post([&calls] { ++calls; }));
    l.run(turns(1));
    BOOST_TEST(calls == 4);
    BOOST_TEST(l.try_post([&calls] { ++calls; }));
}

ON_EACH_DRIVER(many_threads_through_a_small_ring_lose_nothing) {
    constexpr int producers = 3;
    constexpr int calls = 5000;
    loop_options options = options_on(driver);
    options.post_capacity = 8;
    loop l(options);
    event all;
    std::array<int, producers> next{};
    int out_of_order = 0;
    int total = 0;
    std::vector<std::thread> threads;
    for (std::size_t producer = 0; producer < producers; ++producer) {
        threads.emplace_back([&, producer] {
            for (int i = 0; i < calls; ++i) {
                // Every other call is too large to be stored in place.
                const auto note = [&, producer, i] {
                    out_of_order += next[producer] == i ? 0 : 1;
                    next[producer] = i + 1;
                    if (++total == producers * calls) {
                        all.set();
                    }
                };
                if (i % 2 == 0) {
                    l.post(note);
                } else {
                    l.post([note, padding = std::array<char, 200>()] {
                        static_cast<void>(padding);
                        note();
                    });
                }
            }
        });
    }
    l.run(wait_for(all));
    for (std::thread& each : threads) {
        each.join();
    }
    BOOST_TEST(out_of_order == 0);
    BOOST_TEST(total == producers * calls);
}

ON_EACH_DRIVER(two_loops_post_to_each_other) {
    constexpr int rounds = 2000;
    loop left(options_on(driver));
    event left_done;
    std::atomic<bool> over = false;
    int left_count = 0;
    int right_count = 0;

    struct game {
        loop& left;
        loop& right;
        event& left_done;
        event& right_done;
        int& left_count;
        int& right_count;

        void serve() {
            ++left_count;
            right.post([this] { give_back(); });
        }

        void give_back() {
            if (++right_count == rounds) {
                right_done.set();
                left.post([this] { left_done.set(); });
            } else {
                left.post([this] { serve(); });
            }
        }
    };

    std::thread other([&] {
        loop right(options_on(driver));
        event right_done;
        game played{left, right, left_done, right_done, left_count, right_count};
        left.post([&played] { played.serve(); });
        right.run(wait_for(right_done));
        // The last call to the left uses what stands here.
        while (!over) {
            std::this_thread::yield();
        }
    });
    left.run(wait_for(left_done));
    over = true;
    other.join();
    BOOST_TEST(left_count == rounds);
    BOOST_TEST(right_count == rounds);
}

BOOST_AUTO_TEST_SUITE_END()
