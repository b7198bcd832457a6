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
#include <memory>
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

task<> accept_for_ever(listener& door, std::atomic<bool>& started) {
    started.store(true);
    started.notify_all();
    for (;;) {
        const stream dropped = co_await door.accept();
    }
}

task<> small_talk() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await pair.client.write("hello");
    const std::string heard = co_await read_text(pair.server, 5);
    BOOST_TEST(heard == "hello");
}

task<> read_for_ever(stream from) {
    for (;;) {
        co_await read_once(from);
    }
}

task<> accept_at_a_door_of_its_own(std::atomic<bool>& started) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    co_await accept_for_ever(door, started);
}

task<> look_up_for_ever() {
    for (;;) {
        const auto dropped = co_await resolve("localhost", 80);
    }
}

task<> hold_for_ever(stream held) {
    const stream mine = std::move(held);
    event never;
    co_await never.wait();
}

/// Leaves all that may be under way when a run ends: receives and an accept that wait, a lookup, output.
task<> leave_unfinished(std::unique_ptr<connection>& left, std::atomic<bool>& started) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0), narrow_listener());
    connection talked = co_await connect_pair(door);
    left = std::make_unique<connection>(std::move(talked));
    co_await left->client.write("ping");
    const std::string ping = co_await read_text(left->server, 4);
    BOOST_TEST(ping == "ping");
    connection read = co_await connect_pair(door);
    here.spawn(read_for_ever(std::move(read.client)));
    here.spawn(hold_for_ever(std::move(read.server)));
    here.spawn(accept_at_a_door_of_its_own(started));
    here.spawn(look_up_for_ever());
    connection written = co_await connect_pair(door, narrow());
    const std::string text(1000, 'x');
    for (int count = 200; count > 0; --count) {
        co_await written.client.write(text);
    }
    here.spawn(hold_for_ever(std::move(written.client)));
    here.spawn(hold_for_ever(std::move(written.server)));
    co_await turns(3);
}

void run_on_a_thread(world& where, task<> work) {
    std::thread([&where, &work] { where.run(std::move(work)); }).join();
}

} // namespace

CONFORMANCE_CASE(run_by_a_thread_and_destroyed_by_another, needs_kernel) {
    // This thread's own loop goes on, whatever becomes of the others.
    const auto own = row.open(loop_options());
    own->run(small_talk());
    const std::size_t before = open_descriptors();
    {
        // As a program makes its server: all but the running is done here.
        const auto world = row.open(loop_options());
        listener door(world->here(), endpoint::loopback_v4(0));
        std::atomic<bool> started = false;
        std::thread runner([&] { world->run(accept_for_ever(door, started)); });
        started.wait(false);
        world->here().stop();
        runner.join();
    }
    BOOST_TEST(open_descriptors() == before);
    own->run(small_talk());
    {
        const auto world = row.open(loop_options());
        run_on_a_thread(*world, turns(3));
        const listener unused(world->here(), endpoint::loopback_v4(0));
    }
    BOOST_TEST(open_descriptors() == before);
    own->run(small_talk());
    if (!row.drives_itself) {
        return;
    }
    {
        std::atomic<bool> started = false;
        const auto world = row.open(loop_options());
        std::unique_ptr<connection> left;
        run_on_a_thread(*world, leave_unfinished(left, started));
        // A receive still waits on it, which only the thread that has gone could have cancelled.
        left.reset();
    }
    BOOST_TEST(open_descriptors() == before, describe_descriptors());
    own->run(small_talk());
}

CONFORMANCE_CASE(run_by_one_thread_then_by_another, needs_kernel) {
    const auto world = row.open(loop_options());
    run_on_a_thread(*world, small_talk());
    std::error_code code;
    try {
        world->run(small_talk());
    } catch (const std::system_error& e) {
        code = e.code();
    }
    if (row.has_ring) {
        check_code(code, errc::wrong_thread);
    } else {
        BOOST_TEST(!code, code.message());
    }
}

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
