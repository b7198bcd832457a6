// Delta synchronization under everything that goes wrong: writers on every node, faults for some seconds, then calm, in which all
// must become equal within a bound.
#include "cluster.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <string>

namespace phoenix::simulation {

namespace {

using namespace std::chrono_literals;

constexpr net::nanoseconds faulty_time = 5s;
/// A node is dialled again within 2 s, silence is noticed within 5 s, a stalled transfer within 10 s.
constexpr net::nanoseconds healing_max = 45s;
constexpr net::nanoseconds quiet_time = 6s;

net::sim::plan draw_plan(net::sim::random_source& random, bool without_faults) {
    net::sim::plan how;
    how.latency = std::chrono::microseconds(random.between(10, 20'000));
    how.jitter = std::chrono::microseconds(random.between(0, 5'000));
    how.tail_rate = static_cast<std::uint32_t>(random.below(20'000));
    how.short_rate = static_cast<std::uint32_t>(random.below(200'000));
    how.late_rate = static_cast<std::uint32_t>(random.below(300'000));
    const auto drawn = net::sim::fault_plan::drawn_from(random, faulty_time);
    if (!without_faults) {
        how.faults = drawn;
    }
    return how;
}

outcome run_delta(const run_options& how) {
    net::sim::random_source random(how.seed);
    const net::sim::plan plan = draw_plan(random, how.without_faults);
    cluster_shape shape = cluster_shape::drawn_from(random);
    shape.shows_log = how.shows_log;
    outcome found;
    found.about = shape.describe();
    cluster nodes(how.seed, plan, std::move(shape));

    nodes.world().run_for(faulty_time);
    nodes.stop_writing();
    nodes.expect_no_loss();
    nodes.world().calm();

    const net::nanoseconds calm_since = nodes.world().elapsed();
    std::string wrong = "not looked at";
    while (!wrong.empty() && nodes.world().elapsed() - calm_since < healing_max) {
        nodes.world().run_for(100ms);
        wrong = nodes.judge();
    }
    found.healing = nodes.world().elapsed() - calm_since;
    if (wrong.empty()) {
        // What is known everywhere is not sent any more.
        nodes.world().run_for(quiet_time);
        const std::uint64_t sent = nodes.batches_sent();
        nodes.world().run_for(quiet_time);
        if (nodes.batches_sent() != sent) {
            wrong = "all are equal, and batches are still sent";
        } else {
            wrong = nodes.judge();
        }
    } else {
        wrong += ", " + std::to_string(healing_max / 1s) + " s after the last fault";
    }
    if (!wrong.empty() && how.shows_log) {
        std::cerr << nodes.describe_nodes();
    }
    found.failure = wrong;
    found.trace = nodes.world().trace_hash();
    found.simulated = nodes.world().elapsed();
    found.writes = nodes.writes();
    found.counted = nodes.world().counted();
    if (found.failure.empty() && found.writes == 0) {
        found.failure = "nothing was written: the run says nothing";
    }
    return found;
}

} // namespace

std::span<const scenario> all_scenarios() noexcept {
    static constexpr std::array all{scenario{
        "delta", "3 to 7 nodes in random topologies, RESP-like writes of every type, every kind of fault",
        &run_delta}};
    return all;
}

} // namespace phoenix::simulation
