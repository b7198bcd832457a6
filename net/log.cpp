#include <phoenix/net/detail/require_option.hpp>
#include <phoenix/net/log.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <utility>

#include <unistd.h>

namespace phoenix::net {

namespace {

constexpr std::uint32_t messages_max = 1'000'000;
constexpr std::size_t keys_max = 4096;
constexpr std::chrono::nanoseconds window_min = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds window_max = std::chrono::hours(24);

/// FNV-1a. A collision only makes two keys share a limit.
std::uint64_t hash_of(std::string_view component, std::string_view key) noexcept {
    std::uint64_t hash = 14695981039346656037u;
    const auto add = [&hash](unsigned char byte) {
        hash = (hash ^ byte) * 1099511628211u;
    };
    for (const char c : component) {
        add(static_cast<unsigned char>(c));
    }
    add(0xff); // between the two, so that ("a", "bc") is not ("ab", "c")
    for (const char c : key) {
        add(static_cast<unsigned char>(c));
    }
    return hash;
}

/// One write to standard error without SIGPIPE: the signal is held back on this thread and taken away again
/// if it was ours, so that a reader who closed the pipe does not end the process.
void write_to_stderr(const char* data, std::size_t size) noexcept {
    sigset_t pipe_signal;
    sigset_t pending;
    sigset_t old_mask;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::sigemptyset(&pending);
    ::sigpending(&pending);
    const bool was_pending = ::sigismember(&pending, SIGPIPE) == 1;
    if (::pthread_sigmask(SIG_BLOCK, &pipe_signal, &old_mask) != 0) {
        return;
    }
    ssize_t written = 0;
    do {
        written = ::write(STDERR_FILENO, data, size);
    } while (written < 0 && errno == EINTR);
    if (written < 0 && errno == EPIPE && !was_pending) {
        const timespec at_once{};
        while (::sigtimedwait(&pipe_signal, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }
    ::pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
}

/// As RFC 3339 has it, in UTC.
void append_time(std::string& line, wall_time time) {
    if (time == wall_time()) {
        return;
    }
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss since(std::chrono::floor<std::chrono::microseconds>(time - day));
    std::array<char, 40> text;
    const int size = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(since.hours().count()), static_cast<int>(since.minutes().count()),
        static_cast<int>(since.seconds().count()), static_cast<int>(since.subseconds().count()));
    line.append(text.data(), static_cast<std::size_t>(size));
}

} // namespace

std::string_view to_string(log_level level) noexcept {
    switch (level) {
    case log_level::trace:
        return "trace";
    case log_level::debug:
        return "debug";
    case log_level::info:
        return "info";
    case log_level::warning:
        return "warning";
    case log_level::error:
        return "error";
    case log_level::off:
        break;
    }
    return "off";
}

void log_to_stderr(const log_record& record) noexcept {
    const int saved_errno = errno; // logging amid error handling must not change what is being handled
    try {
        std::string line;
        append_time(line, record.time);
        line.append("phoenix ")
            .append(to_string(record.level))
            .append(" ")
            .append(record.component)
            .append(": ");
        line.append(record.message);
        std::replace_if(
            line.begin(), line.end(),
            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
        line += '\n';
        write_to_stderr(line.data(), line.size());
    } catch (...) {
        static constexpr std::string_view lost =
            "phoenix error net.log: out of memory while writing a message\n";
        write_to_stderr(lost.data(), lost.size());
    }
    errno = saved_errno;
}

void log_options::validate() const {
    constexpr std::string_view owner = "log_options";
    if (level > log_level::off) {
        detail::refuse_option(owner, "level", std::to_string(static_cast<int>(level)), "trace to off");
    }
    detail::require_option_in_range(owner, "messages_per_window", messages_per_window, 1, messages_max);
    if (window < window_min || window > window_max) {
        detail::refuse_option(owner, "window", std::to_string(window.count()) + " ns", "1 ms to 24 h");
    }
    detail::require_option_in_range(owner, "max_keys", max_keys, 1, keys_max);
}

logger::logger(log_options options)
    : max_keys_(options.max_keys), window_(options.window), messages_per_window_(options.messages_per_window),
      level_(options.level) {
    options.validate();
    sink_ = std::move(options.sink);
    keys_.reserve(max_keys_);
}

logger::key_state& logger::state_of(std::uint64_t hash, monotonic_time now) noexcept {
    key_state* idle = nullptr;
    for (key_state& state : keys_) {
        if (state.hash == hash) {
            return state;
        }
        if (idle == nullptr && now - state.window_start >= window_) {
            idle = &state;
        }
    }
    if (keys_.size() < max_keys_) {
        return keys_.emplace_back(key_state{hash, now, 0, 0}); // reserved: does not allocate
    }
    if (idle == nullptr) {
        return overflow_; // taking a busy key's place would let many keys lift the limit
    }
    *idle = key_state{hash, now, 0, 0};
    return *idle;
}

void logger::log(log_level level, std::string_view component, std::string_view key, monotonic_time now,
                 std::string_view message, wall_time told) noexcept {
    if (!enabled(level) || in_sink_) {
        return;
    }
    key_state& state = state_of(hash_of(component, key), now);
    std::uint64_t unsaid = 0;
    if (now - state.window_start >= window_) {
        unsaid = std::exchange(state.suppressed, 0);
        state.window_start = now;
        state.passed = 0;
    }
    if (state.passed == messages_per_window_) {
        ++state.suppressed;
        ++suppressed_;
        return;
    }
    ++state.passed;
    if (unsaid == 0) {
        emit({level, component, message, told});
        return;
    }
    try {
        std::string longer(message);
        longer.append(" (").append(std::to_string(unsaid)).append(" similar suppressed)");
        emit({level, component, longer, told});
    } catch (...) { // out of memory: the message matters more than the count
        emit({level, component, message, told});
    }
}

void logger::emit(const log_record& record) noexcept {
    in_sink_ = true;
    try {
        sink_(record);
    } catch (const std::exception& e) {
        log_to_stderr(record);
        log_to_stderr({log_level::error, "net.log", "the log sink threw on the message above:"});
        log_to_stderr({log_level::error, "net.log", e.what()});
    } catch (...) {
        log_to_stderr(record);
        log_to_stderr({log_level::error, "net.log", "the log sink threw on the message above"});
    }
    in_sink_ = false;
}

} // namespace phoenix::net
