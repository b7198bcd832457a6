#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/session/session_options.hpp>

#include <string>

namespace phoenix::replication {

namespace {

void expect(bool holds, const char* field, const char* expected) {
    if (!holds) {
        throw_error(errc::invalid_options,
                    std::string("session_options: expected ") + field + " to be " + expected);
    }
}

} // namespace

void session_options::validate() const {
    expect(handshake_deadline.count() > 0, "handshake_deadline", "more than zero");
    expect(strangers_max > 0, "strangers_max", "at least 1");
    expect(ping_interval.count() > 0, "ping_interval", "more than zero");
    expect(silence_max > ping_interval, "silence_max", "more than ping_interval");
    expect(farewell_time.count() > 0, "farewell_time", "more than zero");
    expect(control_bytes_max > 0, "control_bytes_max", "at least 1");
    expect(connect_deadline.count() > 0, "connect_deadline", "more than zero");
    expect(first_pause.count() > 0, "first_pause", "more than zero");
    expect(longest_pause >= first_pause, "longest_pause", "at least first_pause");
    stream.validate();
}

} // namespace phoenix::replication
