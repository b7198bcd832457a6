// phoenix-sim: runs seeds of a simulated scenario, says how it went, and how to see a red one again.
#include "scenario.hpp"
#include "seed_runner.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace {

using namespace phoenix::simulation;
using clock_type = std::chrono::steady_clock;

double seconds(auto duration) {
    return std::chrono::duration<double>(duration).count();
}

/// "7" or "1..1000".
std::string take_range(const std::string& text, seed_range& range) {
    const auto number = [](const std::string& digits, std::uint64_t& value) {
        if (digits.empty() || digits.size() > 19 ||
            digits.find_first_not_of("0123456789") != std::string::npos) {
            return false;
        }
        value = std::strtoull(digits.c_str(), nullptr, 10);
        return true;
    };
    const std::size_t dots = text.find("..");
    const std::string first = text.substr(0, dots);
    const std::string last = dots == std::string::npos ? first : text.substr(dots + 2);
    if (!number(first, range.first) || !number(last, range.last) || range.first > range.last) {
        return "\"" + text + "\" is no range of seeds: expected 7 or 1..1000";
    }
    return {};
}

std::string replay(const scenario& what, const runner_options& how, std::uint64_t seed) {
    return "phoenix-sim --scenario " + std::string(what.name) +
           (how.run.without_faults ? " --no-faults" : "") + " --seeds " + std::to_string(seed) + " --log";
}

/// All seeds, summed up.
struct sums {
    std::uint64_t green = 0;
    std::uint64_t red = 0;
    std::uint64_t writes = 0;
    std::uint64_t faults = 0;
    phoenix::net::nanoseconds simulated{0};
    phoenix::net::nanoseconds longest_healing{0};
    std::uint64_t slowest_to_heal = 0;

    void add(const seed_result& one) {
        ++(one.failure.empty() ? green : red);
        writes += one.found.writes;
        faults += one.found.counted.faults();
        simulated += one.found.simulated;
        if (one.failure.empty() && one.found.healing > longest_healing) {
            longest_healing = one.found.healing;
            slowest_to_heal = one.seed;
        }
    }
};

void print_one(const seed_result& one) {
    const auto& counted = one.found.counted;
    std::cout << one.found.about << '\n'
              << one.found.writes << " writes; " << counted.cuts << " cuts, " << counted.clogs << " clogs, "
              << counted.resets << " resets, " << counted.silences << " silent connections, " << counted.kills
              << " kills, " << counted.power_losses << " power losses, " << counted.pauses << " pauses, "
              << counted.slow_readers << " slow readers, " << counted.clock_jumps << " clock jumps; "
              << counted.connections << " connections, " << counted.messages << " messages, " << counted.bytes
              << " bytes, " << counted.steps << " steps\n"
              << "healed after " << seconds(one.found.healing) << " s\n"
              << "trace " << one.found.trace << '\n';
}

struct shown {
    bool stops_at_red = false;
    bool traces = false;
};

int run(const scenario& what, seed_range seeds, const runner_options& how, const shown& asked) {
    const auto began = clock_type::now();
    auto shown = began;
    const bool is_one = seeds.first == seeds.last;
    const bool shows_progress = ::isatty(STDERR_FILENO) != 0 && !is_one;
    sums all;
    run_seeds(what, seeds, how, [&](const seed_result& one) {
        all.add(one);
        if (is_one) {
            print_one(one);
        } else if (asked.traces) {
            std::cout << "seed " << one.seed << " trace " << one.found.trace << '\n';
        }
        if (!one.failure.empty()) {
            std::cout << "RED seed " << one.seed << ": " << one.failure
                      << "\n    replay: " << replay(what, how, one.seed) << std::endl;
        }
        const auto now = clock_type::now();
        if (shows_progress && now - shown > std::chrono::seconds(1)) {
            shown = now;
            const double took = seconds(now - began);
            std::fprintf(stderr,
                         "%llu of %llu seeds, %llu red, %.1f seeds and %.0f simulated seconds a second\n",
                         static_cast<unsigned long long>(all.green + all.red),
                         static_cast<unsigned long long>(seeds.last - seeds.first + 1),
                         static_cast<unsigned long long>(all.red),
                         static_cast<double>(all.green + all.red) / took, seconds(all.simulated) / took);
        }
        return one.failure.empty() || !asked.stops_at_red;
    });
    const double took = seconds(clock_type::now() - began);
    std::printf("%s: %llu green, %llu red in %.1f s; %.1f seeds and %.0f simulated seconds a second; %llu "
                "writes, %llu faults; "
                "healed within %.1f s (seed %llu)\n",
                std::string(what.name).c_str(), static_cast<unsigned long long>(all.green),
                static_cast<unsigned long long>(all.red), took,
                static_cast<double>(all.green + all.red) / took, seconds(all.simulated) / took,
                static_cast<unsigned long long>(all.writes), static_cast<unsigned long long>(all.faults),
                seconds(all.longest_healing), static_cast<unsigned long long>(all.slowest_to_heal));
    if (all.red == 0 && !how.run.without_faults && all.faults == 0) {
        std::cout << "no fault came in any run: they say nothing\n";
        return 1;
    }
    return all.red == 0 && all.green > 0 ? 0 : 1;
}

} // namespace

int main(int count, char** arguments) try {
    std::string names;
    for (const scenario& each : all_scenarios()) {
        names += "\n  " + std::string(each.name) + ": " + std::string(each.about);
    }
    CLI::App app("Runs scenarios in simulated worlds, one for each seed. Scenarios:" + names);
    std::string name = "delta";
    std::string range = "1..100";
    runner_options how;
    shown asked;
    app.add_option("--scenario", name, "which one")->capture_default_str();
    app.add_option("--seeds", range, "one, or the first and the last: 1..1000")->capture_default_str();
    app.add_option("--jobs", how.jobs, "processes at once")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    app.add_flag("--twice", how.twice, "run each seed twice, and compare what it did");
    app.add_flag("--no-faults", how.run.without_faults, "nothing goes wrong");
    app.add_flag("--stop", asked.stops_at_red, "stop at the first red seed");
    app.add_flag("--traces", asked.traces,
                 "print the trace hash of each seed: equal on every machine and from every compiler");
    app.add_flag("--log", how.run.shows_log, "show what the nodes log");
    CLI11_PARSE(app, count, arguments);

    seed_range seeds;
    if (const std::string wrong = take_range(range, seeds); !wrong.empty()) {
        std::cerr << "phoenix-sim: --seeds " << wrong << '\n';
        return 2;
    }
    const auto scenarios = all_scenarios();
    const auto found = std::ranges::find(scenarios, name, &scenario::name);
    if (found == scenarios.end()) {
        std::cerr << "phoenix-sim: there is no scenario \"" << name << "\"; there are:" << names << '\n';
        return 2;
    }
    return run(*found, seeds, how, asked);
} catch (const std::exception& e) {

    std::cerr << "phoenix-sim: " << e.what() << '\n';
    return 2;
}
