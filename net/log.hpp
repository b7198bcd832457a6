// Where the library's messages go, and how many of them: a sink that the user may replace, behind a limiter
// that keeps a fault that repeats a million times a second from filling a disk.
//
//   net::log_options options;
//   options.level = net::log_level::warning;
//   options.sink = [](const net::log_record& r) { spdlog::warn("{}: {}", r.component, r.message); };
//   net::logger log(options);
//   if (log.enabled(net::log_level::warning))
//       log.log(net::log_level::warning, "net.uring", "recv-enobufs", loop.now(), "out of buffers");
//
// A message has a key, usually one a call site. After `messages_per_window` messages of a key within one
// window the rest of the window is dropped and counted; the next message that passes ends in "(N similar
// suppressed)". The logger reads no clock: the caller passes the loop's cached time.
// Thread rule: one logger belongs to one loop and is used on its thread; the sink is called there.
#pragma once

#include <phoenix/net/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace phoenix::net {

enum class log_level : std::uint8_t { trace, debug, info, warning, error, off };

/// "trace" ... "error", "off".
[[nodiscard]] std::string_view to_string(log_level level) noexcept;

/// One message. The views are valid during the call of the sink only.
struct log_record {
    log_level level;
    std::string_view component; ///< which part speaks: "net.uring", "replication.raft"
    std::string_view message;   ///< one sentence; may quote what a peer sent, control characters included
    wall_time time{};           ///< the loop's wall clock; 1970 when it was not told
};

/// Takes a message. It may allocate and block (the loop waits for it). What it throws is caught and reported
/// on standard error, with the message; what it logs itself is dropped.
using log_sink = std::function<void(const log_record&)>;

/// The default sink: one line "2026-11-23T07:55:01.123456Z phoenix LEVEL COMPONENT: MESSAGE" to standard
/// error in one write, control characters replaced by '?', the time left out when it was not told. Raises no
/// SIGPIPE and ignores every failure. Any thread.
void log_to_stderr(const log_record& record) noexcept;

struct log_options {
    log_level level = log_level::info;                          ///< the least that passes; off: nothing does
    log_sink sink = log_to_stderr;                              ///< an empty sink drops everything
    std::uint32_t messages_per_window = 10;                     ///< for each key; 1 to 1'000'000
    std::chrono::nanoseconds window = std::chrono::seconds(10); ///< 1 ms to 1 day
    std::size_t max_keys = 256; ///< remembered; when all are busy, new ones share one limit; 1 to 4096

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may.
    void validate() const;
};

class logger {
public:
    /// Throws as log_options::validate does. All memory of the limiter is taken here.
    explicit logger(log_options options = {});

    [[nodiscard]] log_level level() const noexcept { return level_; }

    void set_level(log_level level) noexcept { level_ = level; }

    /// Ask before building a message that costs something.
    [[nodiscard]] bool enabled(log_level level) const noexcept {
        return level >= level_ && level != log_level::off && sink_;
    }

    /// Passes the message to the sink, unless its level is too low or its key over the limit. `component` and
    /// `key` together are what is limited. `now` is the loop's time; it may stand still, and running
    /// backwards only lengthens a window. `told` is what the record shows. Never throws.
    void log(log_level level, std::string_view component, std::string_view key, monotonic_time now,
             std::string_view message, wall_time told = {}) noexcept;

    /// Messages dropped by the limiter since the start.
    [[nodiscard]] std::uint64_t suppressed() const noexcept { return suppressed_; }

private:
    struct key_state {
        std::uint64_t hash = 0;
        monotonic_time window_start{};
        std::uint32_t passed = 0;
        std::uint64_t suppressed = 0;
    };

    key_state& state_of(std::uint64_t hash, monotonic_time now) noexcept;
    void emit(const log_record& record) noexcept;

    log_sink sink_;
    std::vector<key_state> keys_; // searched from the front: few, and only when something goes wrong
    std::size_t max_keys_;
    key_state overflow_; // shared by the keys that found no place
    std::chrono::nanoseconds window_;
    std::uint64_t suppressed_ = 0;
    std::uint32_t messages_per_window_;
    log_level level_;
    bool in_sink_ = false;
};

} // namespace phoenix::net
