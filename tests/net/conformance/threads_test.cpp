// What other threads may do to a loop: post, and stop it.
#include <phoenix/net/event.hpp>
#include <phoenix/net/with_scope.hpp>

#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <thread>

namespace phoenix::net::conformance {

namespace {

task<> wait_for(event& which) {
    co_await which.wait();
}

task<> wait_for_ever(std::atomic<bool>& started) {
    event never;
    started.store(true);
    started.notify_all();
    co_await never.wait();
}

task<> ask_for_ever(endpoint where, std::atomic<std::uint64_t>& answers) {
    stream peer = co_await connect(where);
    const std::vector<std::byte> question = pattern(16 * 1024, 30);
    std::vector<std::byte> answer(question.size());
    for (;;) {
        co_await peer.write(question);
        co_await peer.read_exactly(answer);
        answers.fetch_add(1, std::memory_order_relaxed);
    }
}

task<> keep_busy(scope& tasks, std::size_t count, std::atomic<std::uint64_t>& answers) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    for (std::size_t left = count; left > 0; --left) {
        tasks.spawn(ask_for_ever(door.local_endpoint(), answers));
    }
    for (;;) {
        stream peer = co_await door.accept();
        tasks.spawn(echo(std::move(peer)));
    }
}

} // namespace

CONFORMANCE_CASE(posts_arrive_in_order, needs_kernel) {
    constexpr std::uint32_t threads = 4;
    const std::uint32_t posts_each = PHOENIX_UNDER_TSAN ? 20'000 : 50'000;
    const auto world = row.open(loop_options());
    event all;
    std::array<std::uint32_t, threads> next{};
    std::uint32_t arrived = 0;
    bool in_order = true;
    {
        std::array<std::jthread, threads> posters;
        for (std::uint32_t thread = 0; thread < threads; ++thread) {
            posters[thread] = std::jthread([&, thread] {
                for (std::uint32_t number = 0; number < posts_each; ++number) {
                    world->here().post([&, thread, number] {
                        in_order = in_order && next[thread] == number;
                        ++next[thread];
                        if (++arrived == threads * posts_each) {
                            all.set();
                        }
                    });
                }
            });
        }
        world->run(wait_for(all));
    }
    BOOST_TEST(arrived == threads * posts_each);
    BOOST_TEST(in_order);
}

CONFORMANCE_CASE(post_wakes_a_sleeping_loop, needs_kernel) {
    constexpr std::uint32_t rounds = 2000;
    const auto world = row.open(loop_options());
    event done;
    std::atomic<std::uint32_t> answered = 0;
    {
        // The next post comes when the loop has nothing more to do, again and again.
        const std::jthread poster([&] {
            for (std::uint32_t round = 0; round < rounds; ++round) {
                world->here().post([&answered] {
                    answered.fetch_add(1);
                    answered.notify_one();
                });
                answered.wait(round);
            }
            world->here().post([&done] { done.set(); });
        });
        world->run(wait_for(done));
    }
    BOOST_TEST(answered.load() == rounds);
    // Nothing but posts kept it running.
    BOOST_TEST(world->here().statistics().turns < 20 * rounds);
}

CONFORMANCE_CASE(stop_wakes_a_sleeping_loop, needs_kernel) {
    const auto world = row.open(loop_options());
    for (int round = 0; round < 100; ++round) {
        std::atomic<bool> started = false;
        const std::jthread stopper([&] {
            started.wait(false);
            world->here().stop();
        });
        world->run(wait_for_ever(started));
    }
    // It can be used again.
    event set;
    set.set();
    world->run(wait_for(set));
}

CONFORMANCE_CASE(stop_while_busy, needs_kernel) {
    constexpr std::size_t streams = 100;
    raise_descriptor_limit();
    const auto world = row.open(loop_options());
    for (int round = 0; round < 5; ++round) {
        std::atomic<std::uint64_t> answers = 0;
        world->here().spawn(with_scope(keep_busy, streams, std::ref(answers)));
        {
            const std::jthread stopper([&] {
                while (answers.load(std::memory_order_relaxed) < 3 * streams) {
                    std::this_thread::yield();
                }
                world->here().stop();
            });
            world->run(with_scope(keep_busy, streams, std::ref(answers)));
        }
        BOOST_TEST(answers.load() >= 3 * streams);
    }
}

} // namespace phoenix::net::conformance
