#include "seed_runner.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace phoenix::simulation {

namespace {

using clock = std::chrono::steady_clock;

/// What a worker says of a seed, through a pipe.
struct report {
    std::uint64_t seed;
    bool has_ended;
    std::uint64_t trace;
    std::int64_t simulated_ns;
    std::int64_t healing_ns;
    std::uint64_t writes;
    net::sim::statistics counted;
    std::array<char, 400> failure;
    std::array<char, 600> about;
};

static_assert(sizeof(report) < PIPE_BUF, "one write is one report");

template <std::size_t Size>
void copy_text(std::array<char, Size>& to, const std::string& from) {
    const std::size_t size = std::min(from.size(), Size - 1);
    std::memcpy(to.data(), from.data(), size);
    to[size] = 0;
}

void send(int pipe, const report& said) {
    if (::write(pipe, &said, sizeof(said)) != static_cast<ssize_t>(sizeof(said))) {
        ::_exit(2);
    }
}

[[noreturn]] void work(const scenario& what, seed_range seeds, std::uint64_t step, runner_options how,
                       int pipe) {
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; seed += step) {
        report said{};
        said.seed = seed;
        send(pipe, said);
        how.run.seed = seed;
        outcome found;
        try {
            found = run_seed(what, how);
        } catch (const std::exception& e) {
            found.failure = std::string("an exception: ") + e.what();
        }
        said.has_ended = true;
        said.trace = found.trace;
        said.simulated_ns = found.simulated.count();
        said.healing_ns = found.healing.count();
        said.writes = found.writes;
        said.counted = found.counted;
        copy_text(said.failure, found.failure);
        copy_text(said.about, found.about);
        send(pipe, said);
        if (seeds.last - seed < step) {
            break;
        }
    }
    ::_exit(0);
}

/// One process at work, on every so manieth seed.
struct worker {
    seed_range seeds;
    pid_t process = -1;
    int pipe = -1;
    std::optional<std::uint64_t> seed;
    clock::time_point since;
    bool was_slow = false;
};

seed_result result_of(const report& said) {
    seed_result result;
    result.seed = said.seed;
    result.failure = said.failure.data();
    result.found.failure = result.failure;
    result.found.about = said.about.data();
    result.found.trace = said.trace;
    result.found.simulated = net::nanoseconds(said.simulated_ns);
    result.found.healing = net::nanoseconds(said.healing_ns);
    result.found.writes = said.writes;
    result.found.counted = said.counted;
    return result;
}

class runner {
public:
    runner(const scenario& what, seed_range seeds, const runner_options& how,
           const std::function<bool(const seed_result&)>& told)
        : what_(what), how_(how), told_(told) {
        const std::uint64_t count = seeds.last - seeds.first + 1;
        step_ = std::min<std::uint64_t>(std::max(how.jobs, 1U), count);
        for (std::uint64_t at = 0; at < step_; ++at) {
            worker& added = workers_.emplace_back();
            added.seeds = {seeds.first + at, seeds.last};
            start(added);
        }
    }

    runner(const runner&) = delete;
    runner& operator=(const runner&) = delete;

    ~runner() {
        for (worker& each : workers_) {
            end(each);
        }
    }

    void run() {
        while (is_going_ &&
               std::ranges::any_of(workers_, [](const worker& each) { return each.pipe >= 0; })) {
            std::vector<pollfd> asked;
            for (const worker& each : workers_) {
                asked.push_back({.fd = each.pipe, .events = POLLIN, .revents = 0});
            }
            ::poll(asked.data(), asked.size(), 200);
            for (std::size_t at = 0; at < workers_.size() && is_going_; ++at) {
                if (asked[at].revents != 0) {
                    take(workers_[at]);
                } else {
                    look_at_time(workers_[at]);
                }
            }
        }
    }

private:
    void start(worker& one) {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) {
            throw std::system_error(errno, std::generic_category(), "pipe");
        }
        std::fflush(nullptr);
        one.process = ::fork();
        if (one.process < 0) {
            throw std::system_error(errno, std::generic_category(), "fork");
        }
        if (one.process == 0) {
            ::close(ends[0]);
            work(what_, one.seeds, step_, how_, ends[1]);
        }
        ::close(ends[1]);
        one.pipe = ends[0];
        one.seed.reset();
        one.was_slow = false;
        one.since = clock::now();
    }

    /// Its exit status.
    static int end(worker& one) {
        if (one.pipe < 0) {
            return 0;
        }
        ::close(one.pipe);
        one.pipe = -1;
        ::kill(one.process, SIGKILL);
        int status = 0;
        ::waitpid(one.process, &status, 0);
        return status;
    }

    void take(worker& one) {
        report said;
        const ssize_t got = ::read(one.pipe, &said, sizeof(said));
        if (got == static_cast<ssize_t>(sizeof(said))) {
            one.since = clock::now();
            one.seed = said.has_ended ? std::nullopt : std::optional(said.seed);
            if (said.has_ended) {
                is_going_ = told_(result_of(said));
            }
            return;
        }
        died(one);
    }

    void look_at_time(worker& one) {
        if (one.pipe >= 0 && one.seed && clock::now() - one.since > how_.seed_time_max) {
            one.was_slow = true;
            ::kill(one.process, SIGKILL);
        }
    }

    /// At the end of its pipe: all its seeds are through, or the one that it was at took it along.
    void died(worker& one) {
        const std::optional<std::uint64_t> at = one.seed;
        const bool was_slow = one.was_slow;
        int status = 0;
        // It has ended by itself: not SIGKILL, which would hide how.
        ::waitpid(one.process, &status, 0);
        ::close(one.pipe);
        one.pipe = -1;
        if (!at) {
            return;
        }
        seed_result result;
        result.seed = *at;
        if (was_slow) {
            result.failure = "did not end within " + std::to_string(how_.seed_time_max.count()) + " s";
        } else if (WIFSIGNALED(status)) {
            result.failure = std::string("died: ") + ::strsignal(WTERMSIG(status));
        } else {
            result.failure = "exited with status " + std::to_string(WEXITSTATUS(status));
        }
        is_going_ = told_(result);
        if (is_going_ && one.seeds.last - *at >= step_) {
            one.seeds.first = *at + step_;
            start(one);
        }
    }

    const scenario& what_;
    const runner_options& how_;
    const std::function<bool(const seed_result&)>& told_;
    std::uint64_t step_ = 1;
    std::vector<worker> workers_;
    bool is_going_ = true;
};

} // namespace

outcome run_seed(const scenario& what, const runner_options& how) {
    outcome first = what.run(how.run);
    if (how.twice && first.failure.empty()) {
        const outcome second = what.run(how.run);
        if (second.trace != first.trace) {
            first.failure = "the same seed did something else: trace " + std::to_string(first.trace) +
                            " and " + std::to_string(second.trace);
        }
    }
    return first;
}

void run_seeds(const scenario& what, seed_range seeds, const runner_options& how,
               const std::function<bool(const seed_result&)>& told) {
    runner(what, seeds, how, told).run();
}

} // namespace phoenix::simulation
