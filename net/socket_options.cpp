#include <phoenix/net/detail/require_option.hpp>
#include <phoenix/net/socket_options.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace phoenix::net {

namespace {

constexpr std::int64_t buffer_min = 4096;
constexpr std::int64_t bytes_max = std::int64_t{1} << 30;
constexpr std::int64_t keepalive_time_max_s = 32767; // MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL of Linux
constexpr std::int64_t keepalive_count_max = 127;    // MAX_TCP_KEEPCNT
constexpr std::int64_t user_timeout_max_ms = std::numeric_limits<int>::max();
constexpr std::int64_t close_timeout_max_ms = 3'600'000;
constexpr std::int64_t backlog_max = 65535;

void in_range(std::string_view owner, std::string_view field, std::int64_t value, std::int64_t low,
              std::int64_t high, std::string_view unit = "") {
    if (value < low || value > high) {
        detail::refuse_option(owner, field, std::to_string(value).append(unit),
                              std::to_string(low) + " to " + std::to_string(high).append(unit));
    }
}

/// A size, where anything over the signed range is out of range as well.
void size_in_range(std::string_view owner, std::string_view field, std::size_t value, std::int64_t low,
                   std::int64_t high, bool zero_is_default) {
    if (zero_is_default && value == 0) {
        return;
    }
    if (value < static_cast<std::size_t>(low) || value > static_cast<std::size_t>(high)) {
        detail::refuse_option(owner, field, std::to_string(value) + " bytes",
                              std::string(zero_is_default ? "0 (the kernel's default) or " : "") +
                                  std::to_string(low) + " to " + std::to_string(high) + " bytes");
    }
}

void validate_stream(const stream_options& o, std::string_view owner) {
    if (o.keepalive) {
        in_range(owner, "keepalive.idle", o.keepalive->idle.count(), 1, keepalive_time_max_s, " s");
        in_range(owner, "keepalive.interval", o.keepalive->interval.count(), 1, keepalive_time_max_s, " s");
        in_range(owner, "keepalive.count", o.keepalive->count, 1, keepalive_count_max);
    }
    in_range(owner, "user_timeout", o.user_timeout.count(), 0, user_timeout_max_ms, " ms");
    size_in_range(owner, "receive_buffer_bytes", o.receive_buffer_bytes, buffer_min, bytes_max, true);
    size_in_range(owner, "send_buffer_bytes", o.send_buffer_bytes, buffer_min, bytes_max, true);
    size_in_range(owner, "write_limit_bytes", o.write_limit_bytes, 1, bytes_max, false);
    in_range(owner, "close_timeout", o.close_timeout.count(), 0, close_timeout_max_ms, " ms");
}

} // namespace

void stream_options::validate() const {
    validate_stream(*this, "stream_options");
}

void listener_options::validate() const {
    in_range("listener_options", "backlog", backlog, 1, backlog_max);
    validate_stream(accepted, "listener_options.accepted");
}

} // namespace phoenix::net
