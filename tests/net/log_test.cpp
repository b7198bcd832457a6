#include <phoenix/net/error.hpp>
#include <phoenix/net/log.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace phoenix::net;
using namespace std::chrono_literals;

/// A logger that keeps what passed, at a time that the test sets.
struct fixture {
    std::vector<std::string> lines;
    monotonic_time now{2h};
    logger log;

    explicit fixture(std::uint32_t per_window = 3, std::size_t max_keys = 4)
        : log(options(per_window, max_keys)) {}

    log_options options(std::uint32_t per_window, std::size_t max_keys) {
        log_options o;
        o.sink = [this](const log_record& r) {
            lines.push_back(std::string(to_string(r.level)) + " " + std::string(r.component) + " " +
                            std::string(r.message));
        };
        o.messages_per_window = per_window;
        o.window = 10s;
        o.max_keys = max_keys;
        return o;
    }

    void say(std::string_view key, std::string_view message = "m") {
        log.log(log_level::info, "net", key, now, message);
    }

    std::size_t say_many(std::string_view key, int times) {
        const std::size_t before = lines.size();
        for (int i = 0; i < times; ++i) {
            say(key);
        }
        return lines.size() - before;
    }
};

/// What `work` writes to standard error.
template <typename Work>
std::string standard_error_of(Work work) {
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const int saved = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    work();
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    std::string out;
    char buffer[4096];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        out.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    return out;
}

volatile std::sig_atomic_t raised_sigpipes = 0;

/// Counts SIGPIPE instead of dying of it.
struct sigpipe_counter {
    struct sigaction old{};

    sigpipe_counter() {
        struct sigaction counting{};
        counting.sa_handler = [](int) {
            raised_sigpipes = raised_sigpipes + 1;
        };
        BOOST_TEST_REQUIRE(::sigaction(SIGPIPE, &counting, &old) == 0);
    }

    sigpipe_counter(const sigpipe_counter&) = delete;
    sigpipe_counter& operator=(const sigpipe_counter&) = delete;

    ~sigpipe_counter() { ::sigaction(SIGPIPE, &old, nullptr); }
};

void log_to_closed_pipe() {
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const int saved = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    log_to_stderr({log_level::info, "net", "nobody reads this"});
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    ::close(ends[1]);
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_test)

BOOST_AUTO_TEST_CASE(record_reaches_the_sink_with_level_component_and_message) {
    fixture f;
    f.log.log(log_level::warning, "net.uring", "key", f.now, "out of buffers");
    BOOST_TEST_REQUIRE(f.lines.size() == 1u);
    BOOST_TEST(f.lines[0] == "warning net.uring out of buffers");
}

BOOST_AUTO_TEST_CASE(level_is_the_least_that_passes) {
    fixture f;
    f.log.set_level(log_level::warning);
    BOOST_TEST(!f.log.enabled(log_level::info));
    BOOST_TEST(f.log.enabled(log_level::warning));
    BOOST_TEST(f.log.enabled(log_level::error));
    f.say("key");
    BOOST_TEST(f.lines.empty());
    f.log.set_level(log_level::trace);
    f.say("key");
    BOOST_TEST(f.lines.size() == 1u);
}

BOOST_AUTO_TEST_CASE(level_off_passes_nothing) {
    fixture f;
    f.log.set_level(log_level::off);
    f.log.log(log_level::error, "net", "key", f.now, "m");
    f.log.log(log_level::off, "net", "key", f.now, "m");
    BOOST_TEST(f.lines.empty());
    f.log.set_level(log_level::trace);
    f.log.log(log_level::off, "net", "key", f.now, "m");
    BOOST_TEST(f.lines.empty());
}

BOOST_AUTO_TEST_CASE(empty_sink_drops_everything) {
    log_options o;
    o.sink = nullptr;
    logger log(o);
    BOOST_TEST(!log.enabled(log_level::error));
    log.log(log_level::error, "net", "key", monotonic_time{}, "m");
}

BOOST_AUTO_TEST_CASE(messages_over_the_limit_of_a_window_are_dropped_and_counted) {
    fixture f;
    BOOST_TEST(f.say_many("key", 100) == 3u);
    BOOST_TEST(f.log.suppressed() == 97u);
    f.now += 10s - 1ns;
    BOOST_TEST(f.say_many("key", 1) == 0u);
    BOOST_TEST(f.log.suppressed() == 98u);
}

BOOST_AUTO_TEST_CASE(first_message_after_the_window_says_how_many_were_suppressed) {
    fixture f;
    f.say_many("key", 100);
    f.now += 10s;
    f.say("key", "again");
    BOOST_TEST(f.lines.back() == "info net again (97 similar suppressed)");
    f.say("key", "again");
    BOOST_TEST(f.lines.back() == "info net again");
    BOOST_TEST(f.say_many("key", 1) == 1u); // the new window has its own three
    f.now += 10s;
    f.say("key", "quiet since");
    BOOST_TEST(f.lines.back() == "info net quiet since");
}

BOOST_AUTO_TEST_CASE(window_without_suppression_leaves_the_message_alone) {
    fixture f;
    f.say_many("key", 3);
    f.now += 1min;
    f.say("key", "again");
    BOOST_TEST(f.lines.back() == "info net again");
}

BOOST_AUTO_TEST_CASE(keys_and_components_are_limited_apart) {
    fixture f;
    BOOST_TEST(f.say_many("one", 100) == 3u);
    BOOST_TEST(f.say_many("two", 100) == 3u);
    const std::size_t before = f.lines.size();
    for (int i = 0; i < 100; ++i) {
        f.log.log(log_level::info, "codec", "one", f.now, "m");
    }
    BOOST_TEST(f.lines.size() - before == 3u);
    f.log.log(log_level::info, "ne", "tone", f.now, "same letters, other key");
    BOOST_TEST(contains(f.lines.back(), "same letters"));
}

BOOST_AUTO_TEST_CASE(levels_below_the_limit_do_not_use_it_up) {
    fixture f;
    for (int i = 0; i < 100; ++i) {
        f.log.log(log_level::debug, "net", "key", f.now, "m");
    }
    BOOST_TEST(f.say_many("key", 100) == 3u);
    BOOST_TEST(f.log.suppressed() == 97u);
}

BOOST_AUTO_TEST_CASE(keys_beyond_the_bound_share_one_limit) {
    fixture f(3, 4);
    std::size_t passed = 0;
    for (int key = 0; key < 1000; ++key) {
        passed += f.say_many("key " + std::to_string(key), 2);
    }
    BOOST_TEST(passed == 4u * 2 + 3);
    BOOST_TEST(f.say_many("key 0", 100) == 1u); // still known
}

BOOST_AUTO_TEST_CASE(key_whose_window_has_ended_gives_its_place) {
    fixture f(3, 2);
    f.say("old");
    f.now += 5s;
    f.say("young");
    BOOST_TEST(f.say_many("no place", 100) == 3u);
    f.now += 5s;
    BOOST_TEST(f.say_many("new", 100) == 3u);
    f.now += 1ns;
    BOOST_TEST(f.say_many("young", 100) == 2u);
}

BOOST_AUTO_TEST_CASE(clock_that_runs_backwards_lengthens_the_window_only) {
    fixture f;
    f.say_many("key", 5);
    f.now -= 1h;
    BOOST_TEST(f.say_many("key", 5) == 0u);
    f.now += 1h + 10s;
    f.say("key", "again");
    BOOST_TEST(f.lines.back() == "info net again (7 similar suppressed)");
}

BOOST_AUTO_TEST_CASE(sink_that_throws_is_caught_and_reported_with_the_message) {
    log_options o;
    o.sink = [](const log_record&) {
        throw std::runtime_error("disk full");
    };
    logger log(o);
    const std::string out = standard_error_of([&log] {
        log.log(log_level::info, "net", "key", monotonic_time{}, "the message");
        log.log(log_level::info, "net", "key", monotonic_time{}, "the second");
    });
    BOOST_TEST(contains(out, "phoenix info net: the message\n"));
    BOOST_TEST(contains(out, "disk full"));
    BOOST_TEST(contains(out, "phoenix info net: the second\n"));
}

BOOST_AUTO_TEST_CASE(sink_that_throws_no_exception_type_is_caught) {
    struct not_an_exception {};

    log_options o;
    o.sink = [](const log_record&) {
        throw not_an_exception{};
    };
    logger log(o);
    const std::string out = standard_error_of(
        [&log] { log.log(log_level::info, "net", "key", monotonic_time{}, "disk is full"); });
    BOOST_TEST(contains(out, "phoenix info net: disk is full\n"));
    BOOST_TEST(contains(out, "the log sink threw"));
}

BOOST_AUTO_TEST_CASE(what_a_sink_logs_itself_is_dropped) {
    logger* itself = nullptr;
    int calls = 0;
    log_options o;
    o.sink = [&](const log_record&) {
        ++calls;
        itself->log(log_level::error, "net", "inner", monotonic_time{}, "inner");
    };
    logger log(o);
    itself = &log;
    log.log(log_level::info, "net", "key", monotonic_time{}, "m");
    log.log(log_level::info, "net", "key", monotonic_time{}, "m");
    BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(default_sink_writes_one_line_without_control_characters) {
    const std::string out = standard_error_of([] {
        log_to_stderr({log_level::error, "net.asio", "peer said \"a\nphoenix error: forged\x1b[31m\x7f\""});
    });
    BOOST_TEST(out == "phoenix error net.asio: peer said \"a?phoenix error: forged?[31m?\"\n");
}

BOOST_AUTO_TEST_CASE(default_sink_tells_the_time) {
    using namespace std::chrono;
    const wall_time leap_day =
        sys_days(year(2024) / 2 / 29) + hours(23) + minutes(5) + nanoseconds(1'000'042'999);
    const std::string out = standard_error_of([&] {
        logger log;
        log.log(log_level::info, "net", "key", monotonic_time{}, "m", leap_day);
        log_to_stderr({log_level::info, "net", "before 1970", wall_time(nanoseconds(-1))});
    });
    BOOST_TEST(out == "2024-02-29T23:05:01.000042Z phoenix info net: m\n"
                      "1969-12-31T23:59:59.999999Z phoenix info net: before 1970\n");
}

BOOST_AUTO_TEST_CASE(default_sink_keeps_errno) {
    standard_error_of([] {
        errno = ENOENT;
        ::close(STDERR_FILENO);
        log_to_stderr({log_level::info, "net", "m"});
        BOOST_TEST(errno == ENOENT);
    });
}

BOOST_AUTO_TEST_CASE(default_sink_raises_no_sigpipe) {
    raised_sigpipes = 0;
    {
        const sigpipe_counter counting;
        log_to_closed_pipe();
    }
    BOOST_TEST(raised_sigpipes == 0);
}

BOOST_AUTO_TEST_CASE(default_sink_leaves_a_sigpipe_that_was_pending_already) {
    raised_sigpipes = 0;
    {
        const sigpipe_counter counting;
        sigset_t pipe_signal;
        ::sigemptyset(&pipe_signal);
        ::sigaddset(&pipe_signal, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
        ::pthread_kill(::pthread_self(), SIGPIPE);
        log_to_closed_pipe();
        BOOST_TEST(raised_sigpipes == 0);
        ::pthread_sigmask(SIG_UNBLOCK, &pipe_signal, nullptr); // delivers it
    }
    BOOST_TEST(raised_sigpipes == 1);
}

BOOST_AUTO_TEST_CASE(validate_names_the_wrong_field) {
    const auto names = [](const char* field) {
        return [field](const std::system_error& e) {
            return e.code() == errc::invalid_options && contains(e.what(), field) &&
                   contains(e.what(), "expected");
        };
    };
    const auto with = [](auto change) {
        log_options o;
        change(o);
        o.validate();
    };
    BOOST_CHECK_NO_THROW(with([](log_options&) {}));
    BOOST_CHECK_EXCEPTION(with([](log_options& o) { o.messages_per_window = 0; }), std::system_error,
                          names("log_options.messages_per_window is 0"));
    BOOST_CHECK_EXCEPTION(with([](log_options& o) { o.window = 0ns; }), std::system_error,
                          names("log_options.window is 0 ns"));
    BOOST_CHECK_EXCEPTION(with([](log_options& o) { o.window = 25h; }), std::system_error,
                          names("log_options.window"));
    BOOST_CHECK_EXCEPTION(with([](log_options& o) { o.max_keys = 0; }), std::system_error,
                          names("log_options.max_keys is 0"));
    BOOST_CHECK_EXCEPTION(with([](log_options& o) { o.level = static_cast<log_level>(77); }),
                          std::system_error, names("log_options.level is 77"));
    log_options wrong;
    wrong.max_keys = 5000;
    BOOST_CHECK_EXCEPTION(logger{wrong}, std::system_error, names("log_options.max_keys is 5000"));
}

BOOST_AUTO_TEST_SUITE_END()
