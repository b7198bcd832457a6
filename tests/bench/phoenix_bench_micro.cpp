// What the pieces of the runtime cost without a socket: nanoseconds and allocations per operation, a line of
// JSON each.
//
//   phoenix_bench_micro [--driver uring|asio] [--cpu N]
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/metrics.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/task.hpp>

#include "malloc_counter.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string_view>
#include <thread>

#include <sched.h>

namespace {

using namespace phoenix::net;

constexpr std::uint64_t batch = 64;

cpu_set_t other_cpus; // where the posting thread runs; empty: anywhere

task<> nothing() {
    co_return;
}

task<> spawn_and_complete(std::uint64_t count) {
    loop& here = co_await this_loop();
    scope children(here);
    for (std::uint64_t done = 0; done < count; done += batch) {
        for (std::uint64_t i = 0; i < batch; ++i) {
            children.spawn(nothing());
        }
        co_await children.join();
    }
}

task<> await_a_child(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        co_await nothing();
    }
}

task<> await_a_ready_event(std::uint64_t count) {
    event ready;
    ready.set();
    for (std::uint64_t i = 0; i < count; ++i) {
        co_await ready.wait();
    }
}

task<> yield_alone(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        co_await yield();
    }
}

// Among a thousand other timers, as a busy service has them.
task<> arm_and_disarm(std::uint64_t count) {
    loop& here = co_await this_loop();
    std::deque<timer> others;
    for (int i = 0; i < 1000; ++i) {
        here.arm(others.emplace_back([](timer&) noexcept {}), here.now() + std::chrono::seconds(60 + i));
    }
    timer mine([](timer&) noexcept {});
    for (std::uint64_t i = 0; i < count; ++i) {
        here.arm(mine, here.now() + std::chrono::seconds(60 + static_cast<int>(i % 1000)));
        here.disarm(mine);
    }
    for (timer& other : others) {
        here.disarm(other);
    }
}

task<> sleep_often(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        co_await sleep_for(std::chrono::nanoseconds(1));
    }
}

// 64 sleepers at a time: each turn of the loop, with its look at the clock and the kernel, serves them all.
task<> expire(std::uint64_t count) {
    loop& here = co_await this_loop();
    scope sleepers(here);
    for (std::uint64_t i = 0; i < batch; ++i) {
        sleepers.spawn(sleep_often(count / batch));
    }
    co_await sleepers.join();
}

task<> post_from_own_thread(std::uint64_t count) {
    loop& here = co_await this_loop();
    std::uint64_t called = 0;
    for (std::uint64_t done = 0; done < count; done += batch) {
        for (std::uint64_t i = 0; i < batch; ++i) {
            here.post([&called] { ++called; });
        }
        co_await yield();
    }
    if (called < count) {
        std::abort();
    }
}

task<> post_from_other_thread(std::uint64_t count) {
    loop& here = co_await this_loop();
    event all;
    std::uint64_t called = 0;
    std::thread poster([&] {
        if (CPU_COUNT(&other_cpus) > 0) {
            sched_setaffinity(0, sizeof other_cpus, &other_cpus);
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            here.post([&called, &all, count] {
                if (++called == count) {
                    all.set();
                }
            });
        }
    });
    co_await all.wait();
    poster.join();
}

task<> record_in_histogram(std::uint64_t count) {
    static histogram latencies;
    std::uint64_t value = 1;
    for (std::uint64_t i = 0; i < count; ++i) {
        value = value * 6364136223846793005 + 1442695040888963407;
        latencies.record(value >> 44);
    }
    co_return;
}

task<> add_to_counter(std::uint64_t count) {
    static counter messages;
    for (std::uint64_t i = 0; i < count; ++i) {
        messages.add();
        asm volatile("" ::: "memory");
    }
    co_return;
}

struct measure {
    const char* name;
    std::uint64_t operations;
    task<> (*body)(std::uint64_t count);
};

constexpr measure measures[] = {
    {"spawn and complete", 3'200'000, spawn_and_complete},
    {"await a child", 10'000'000, await_a_child},
    {"await a ready event", 10'000'000, await_a_ready_event},
    {"yield", 2'000'000, yield_alone},
    {"timer, arm and disarm among 1,000", 5'000'000, arm_and_disarm},
    {"timer, sleep until it expires, 64 at a time", 640'000, expire},
    {"post, same thread", 3'200'000, post_from_own_thread},
    {"post, other thread", 1'000'000, post_from_other_thread},
    {"histogram, record", 20'000'000, record_in_histogram},
    {"counter, add", 50'000'000, add_to_counter},
};

void print(const char* name, const char* suffix, double value, const char* unit) {
    std::printf("{\"name\": \"%s%s\", \"value\": %.4f, \"unit\": \"%s\"}\n", name, suffix, value, unit);
}

task<> measure_all() {
    for (const measure& one : measures) {
        co_await one.body(one.operations / 10); // warm: freelists are filled, pages are there
        const std::uint64_t allocations_before = malloc_count();
        const auto begun = std::chrono::steady_clock::now();
        co_await one.body(one.operations);
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
        const std::uint64_t allocations = malloc_count() - allocations_before;
        const auto operations = static_cast<double>(one.operations);
        print(one.name, "", took.count() / operations, "ns");
        print(one.name, ", allocations", static_cast<double>(allocations) / operations, "an operation");
    }
}

void pin(int cpu) {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    CPU_SET(cpu, &mine);
    sched_getaffinity(0, sizeof other_cpus, &other_cpus);
    CPU_CLR(cpu, &other_cpus);
    if (sched_setaffinity(0, sizeof mine, &mine) != 0) {
        std::perror("cannot pin to the CPU");
        std::exit(1);
    }
}

} // namespace

int main(int argc, char** argv) {
    loop_options options;
    options.driver = driver_kind::automatic;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
        if (name == "--cpu" && !value.empty()) {
            pin(std::atoi(argv[i + 1]));
        } else if (name == "--driver" && (value == "uring" || value == "asio")) {
            options.driver = value == "uring" ? driver_kind::uring : driver_kind::asio;
        } else {
            std::fprintf(stderr, "usage: %s [--driver uring|asio] [--cpu N]\n", argv[0]);
            return 2;
        }
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0); // what came out stands even if a later measure hangs
    loop here(options);
    here.run(measure_all());
    return 0;
}
