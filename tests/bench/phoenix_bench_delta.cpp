// Two nodes in two processes on loopback, a line of JSON a measure:
//
//   phoenix_bench_delta [--cpu N] [--far-cpu N] [--driver auto|uring|asio] [--seconds S] [--only WORDS]
//
// - Changes applied a second: one process increments counters in turn as fast as the other reports that it has joined them,
//   up to 16 batches ahead. Increments of one counter that leave together travel as one delta.
// - From a write to its being visible at the far side: increments are due at a fixed rate and the time counts from when each
//   was due, so that a pause is charged to all that it delays. Both processes read the same clock.
// - A newcomer: from the start of its node until it has all entries of the other one.
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/replication/node.hpp>

#include "crdt/measure.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace phoenix;
using namespace std::chrono_literals;
using counter = crdt::pn_counter;
using crdt::bench::report;

constexpr std::size_t chunk = 1024; // changes between two looks at the far side
constexpr std::size_t batches_ahead = 16;
constexpr auto patience = 20s; // for anything that takes a blink
constexpr double ns_a_second = 1e9;

struct options {
    int cpu = -1;
    int far_cpu = -1;
    net::driver_kind driver = net::driver_kind::automatic;
    double seconds = 1;
    std::string only;
};

[[nodiscard]] std::uint64_t clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void pin_to(int cpu) {
    if (cpu < 0) {
        return;
    }
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<std::size_t>(cpu), &only);
    sched_setaffinity(0, sizeof only, &only);
}

/// What both processes see.
struct blackboard {
    std::atomic<std::uint16_t> port;     ///< where the near node listens: the far one may come
    std::atomic<std::uint64_t> begun_ns; ///< when the first write was due
    std::atomic<bool> is_done;           ///< the rest is written
    double p50_us = 0;
    double p99_us = 0;
    double fed_s = 0;
};

/// What is measured; `rate` writes a second are due.
struct scene {
    std::size_t keys = 1;
    std::uint64_t rate = 0;
    std::uint64_t writes = 0;
    bool is_newcomer = false;
};

[[nodiscard]] std::string key_name(std::size_t number) {
    std::string made = std::to_string(number);
    return made.insert(0, 6 - std::min<std::size_t>(6, made.size()), '0');
}

[[nodiscard]] replication::node_options node_of(std::uint64_t id) {
    replication::node_options how;
    how.id = id;
    how.cluster = "bench";
    how.secret = "the secret of a benchmark on loopback";
    return how;
}

/// Sessions that come and go are what is asked for here.
[[nodiscard]] net::loop_options quiet(net::driver_kind driver) {
    net::loop_options made;
    made.driver = driver;
    made.log.level = net::log_level::warning;
    return made;
}

[[nodiscard]] replication::type_registry types() {
    replication::type_registry made;
    made.add<counter>("counter");
    return made;
}

// --- The far side: a process of its own.

class far_side {
public:
    far_side(blackboard& board, const scene& what, net::driver_kind driver)
        : board_(board), what_(what), loop_(quiet(driver)), node_(loop_, types(), dialling(board)),
          begun_ns_(clock_ns()), visible_(what.keys, 1) {
        waits_us_.reserve(what.writes);
    }

    void run() {
        const auto watching = node_.on_change([this](const replication::change& seen) {
            const auto& object = static_cast<const replication::typed_object<counter>&>(seen.object);
            if (what_.is_newcomer) {
                count_entries();
            } else {
                note(object.key(), static_cast<std::uint64_t>(object.state().value()));
            }
        });
        loop_.run(node_.run());
    }

private:
    static replication::node_options dialling(const blackboard& board) {
        replication::node_options how = node_of(2);
        how.peers = {"127.0.0.1:" + std::to_string(board.port.load())};
        return how;
    }

    void count_entries() {
        if (!board_.is_done && node_.objects().size() == what_.keys) {
            board_.fed_s = static_cast<double>(clock_ns() - begun_ns_) / ns_a_second;
            board_.is_done = true;
        }
    }

    /// Write n goes to counter n modulo keys, so a counter's value says which writes are visible.
    void note(std::string_view key, std::uint64_t value) {
        if (what_.rate == 0 || board_.begun_ns == 0) {
            return;
        }
        std::size_t number = 0;
        std::from_chars(key.data(), key.data() + key.size(), number);
        const std::uint64_t now = clock_ns();
        for (std::uint64_t& seen = visible_[number]; seen < value; ++seen) {
            const std::uint64_t write = (seen - 1) * what_.keys + number;
            const double due = static_cast<double>(write) * ns_a_second / static_cast<double>(what_.rate);
            waits_us_.push_back((static_cast<double>(now - board_.begun_ns) - due) / 1000);
        }
        if (waits_us_.size() == what_.writes) {
            std::ranges::sort(waits_us_);
            board_.p50_us = waits_us_[waits_us_.size() / 2];
            board_.p99_us = waits_us_[waits_us_.size() * 99 / 100];
            board_.is_done = true;
        }
    }

    blackboard& board_;
    const scene what_;
    net::loop loop_;
    replication::node node_;
    const std::uint64_t begun_ns_;
    std::vector<std::uint64_t> visible_; // of each counter; each was incremented once before the clock ran
    std::vector<double> waits_us_;
};

/// A process that ends with this one, and shares the blackboard.
class far_process {
public:
    far_process(const scene& what, const options& how)
        : board_(new(mmap(nullptr, sizeof(blackboard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                          0)) blackboard{}) {
        const pid_t parent = getpid();
        pid_ = fork();
        if (pid_ != 0) {
            return;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        pin_to(how.far_cpu);
        try {
            while (board_->port == 0) {
                usleep(100);
            }
            far_side(*board_, what, how.driver).run();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "the far side: %s\n", error.what());
        }
        _exit(1);
    }

    far_process(const far_process&) = delete;
    far_process& operator=(const far_process&) = delete;

    ~far_process() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        munmap(board_, sizeof(blackboard));
    }

    [[nodiscard]] blackboard& board() noexcept { return *board_; }

private:
    blackboard* board_;
    pid_t pid_ = -1;
};

// --- The near side: this process.

class near_side {
public:
    near_side(const scene& what, const options& how)
        : what_(what), how_(how), far_(what, how), loop_(quiet(how.driver)),
          node_(loop_, types(), listening()) {
        for (std::size_t number = 0; number < what.keys; ++number) {
            objects_.push_back(node_.open<counter>(key_name(number)));
            increment(number);
        }
        far_.board().port = node_.local_endpoint()->port();
    }

    /// Gives changes a second, where they are not due at a rate.
    [[nodiscard]] double run() {
        loop_.spawn(work());
        loop_.run(node_.run());
        if (failure_) {
            std::rethrow_exception(failure_);
        }
        return changes_a_second_;
    }

    [[nodiscard]] const blackboard& board() noexcept { return far_.board(); }

private:
    static replication::node_options listening() {
        replication::node_options made = node_of(1);
        made.listen = net::endpoint::loopback_v4(0);
        return made;
    }

    void increment(std::size_t number) {
        objects_[number].change([](auto& state, auto& self) { return state.increment(self); });
    }

    net::task<> work() {
        try {
            co_await until_held();
            if (what_.is_newcomer) {
                co_await until_done();
            } else if (what_.rate == 0) {
                co_await write_at_will();
            } else {
                co_await write_as_due();
            }
        } catch (...) {
            failure_ = std::current_exception();
        }
        loop_.stop();
    }

    /// The far side has all that was written until now.
    net::task<> until_held() { co_await until_held(node_.mark()); }

    net::task<> until_held(replication::write_mark mark) {
        const std::size_t holders = co_await node_.wait_for_holders(mark, 1, patience);
        if (holders == 0) {
            throw std::runtime_error("the far side did not report what was written");
        }
    }

    net::task<> until_done() {
        const std::uint64_t begun = clock_ns();
        while (!far_.board().is_done) {
            if (clock_ns() - begun > static_cast<std::uint64_t>(std::chrono::nanoseconds(patience).count())) {
                throw std::runtime_error("the far side did not get everything");
            }
            co_await net::sleep_for(1ms);
        }
    }

    net::task<> write_at_will() {
        std::deque<replication::write_mark> under_way;
        const std::uint64_t begun = clock_ns();
        std::uint64_t written = 0;
        while (static_cast<double>(clock_ns() - begun) < how_.seconds * ns_a_second) {
            for (std::size_t i = 0; i < chunk; ++i) {
                increment(written++ % what_.keys);
            }
            under_way.push_back(node_.mark());
            if (under_way.size() > batches_ahead) {
                const replication::write_mark oldest = under_way.front();
                under_way.pop_front();
                co_await until_held(oldest);
            }
            co_await net::yield();
        }
        co_await until_held();
        changes_a_second_ =
            static_cast<double>(written) * ns_a_second / static_cast<double>(clock_ns() - begun);
    }

    net::task<> write_as_due() {
        const std::uint64_t begun = clock_ns();
        far_.board().begun_ns = begun;
        const double each_ns = ns_a_second / static_cast<double>(what_.rate);
        for (std::uint64_t written = 0; written < what_.writes;) {
            const double passed = static_cast<double>(clock_ns() - begun);
            while (written < what_.writes && static_cast<double>(written) * each_ns <= passed) {
                increment(written++ % what_.keys);
            }
            const double next = static_cast<double>(written) * each_ns;
            co_await net::sleep_for(
                std::max(50us, std::chrono::duration_cast<std::chrono::microseconds>(
                                   net::nanoseconds(static_cast<std::int64_t>(next - passed)))));
        }
        co_await until_done();
    }

    const scene what_;
    const options how_;
    far_process far_; // before there is a loop in this process
    net::loop loop_;
    replication::node node_;
    std::vector<replication::object<counter>> objects_;
    double changes_a_second_ = 0;
    std::exception_ptr failure_;
};

// --- What is measured.

[[nodiscard]] std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) {
        digits.insert(at -= 3, ",");
    }
    return digits;
}

[[nodiscard]] std::string keys_name(std::size_t keys) {
    return grouped(keys) + (keys == 1 ? " key" : " keys");
}

[[nodiscard]] bool is_wanted(const std::string& name, const options& how) {
    return how.only.empty() || name.find(how.only) != std::string::npos;
}

void measure_rate(std::size_t keys, const options& how) {
    const std::string name = "at will, " + keys_name(keys);
    if (is_wanted(name, how)) {
        report(name).line("changes applied", "/s", near_side(scene{.keys = keys}, how).run());
    }
}

void measure_visible(std::size_t keys, std::uint64_t rate, const options& how) {
    const std::string name = grouped(rate) + "/s, " + keys_name(keys);
    if (!is_wanted(name, how)) {
        return;
    }
    const auto writes = static_cast<std::uint64_t>(how.seconds * static_cast<double>(rate));
    near_side near(scene{.keys = keys, .rate = rate, .writes = writes}, how);
    static_cast<void>(near.run());
    report(name).line("write to visible, p50", "us", near.board().p50_us);
    report(name).line("write to visible, p99", "us", near.board().p99_us);
}

void measure_newcomer(std::size_t entries, const options& how) {
    const std::string name = "newcomer, " + grouped(entries) + " entries";
    if (is_wanted(name, how)) {
        near_side near(scene{.keys = entries, .is_newcomer = true}, how);
        static_cast<void>(near.run());
        report(name).line("fed", "s", near.board().fed_s);
    }
}

[[nodiscard]] std::optional<options> read_options(std::span<char*> words) {
    options made;
    for (std::size_t at = 1; at < words.size(); at += 2) {
        const std::string_view name = words[at];
        if (at + 1 == words.size()) {
            return std::nullopt;
        }
        const std::string value = words[at + 1];
        if (name == "--cpu") {
            made.cpu = std::atoi(value.c_str());
        } else if (name == "--far-cpu") {
            made.far_cpu = std::atoi(value.c_str());
        } else if (name == "--seconds") {
            made.seconds = std::atof(value.c_str());
        } else if (name == "--only") {
            made.only = value;
        } else if (name == "--driver" && (value == "auto" || value == "uring" || value == "asio")) {
            made.driver = value == "auto"    ? net::driver_kind::automatic
                          : value == "uring" ? net::driver_kind::uring
                                             : net::driver_kind::asio;
        } else {
            return std::nullopt;
        }
    }
    return made;
}

} // namespace

int main(int count, char** words) try {
    const std::optional<options> how = read_options(std::span(words, static_cast<std::size_t>(count)));
    if (!how) {
        std::fprintf(
            stderr,
            "usage: phoenix_bench_delta [--cpu N] [--far-cpu N] [--driver auto|uring|asio] [--seconds S] "
            "[--only WORDS]\n");
        return 2;
    }
    pin_to(how->cpu);
    for (const std::size_t keys : {1, 100, 100'000}) {
        measure_rate(keys, *how);
    }
    for (const std::size_t keys : {1, 100, 100'000}) {
        for (const std::uint64_t rate : {1'000, 10'000, 100'000}) {
            measure_visible(keys, rate, *how);
        }
    }
    measure_newcomer(100'000, *how);
    return 0;
} catch (const std::exception& error) {

    std::fprintf(stderr, "phoenix_bench_delta: %s\n", error.what());
    return 1;
}
