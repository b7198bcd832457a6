// Hybrid logical clock: timestamps that follow causality and stay close to wall time.
//
//   hybrid_clock clock;
//   const timestamp sent = clock.now(wall_us);               // greater than all before
//   try {
//       clock.receive(message.stamp, wall_us);               // what follows here is greater than the message
//   } catch (const std::system_error& e) { ... }             // errc::clock_too_far_ahead
//
// A timestamp is a wall time and a counter for events that share it. `now` takes the wall time when that is
// later than the last timestamp, else it counts on; `receive` does the same from the later of the last and
// the remote timestamp. So if one event knows of another, its timestamp is greater, whatever the wall clocks
// say: one that stands still or goes backwards (NTP steps it, a monotonic clock of another machine started at
// its boot) only makes the counter run.
//
// A peer whose clock runs ahead would drag every clock with it, for ever: a remote timestamp further ahead of
// the local wall time than options.future_max is refused and moves nothing. One that this clock has passed
// already is never refused. Whoever refuses a timestamp still joins the data that it came with: data and
// clock are apart.
//
// No clock is read here; wall time is passed in, in microseconds since 1970 UTC. A node that restarts passes
// the last timestamp that it wrote down, or takes a new incarnation (replica_id), since a timestamp alone is
// not unique. O(1), 24 bytes. Source: S. S. Kulkarni, M. Demirbas et al., Logical Physical Clocks (2014). Any
// thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace phoenix::crdt {

struct timestamp {
    std::uint64_t wall_us = 0;
    std::uint32_t logical = 0;

    friend auto operator<=>(const timestamp&, const timestamp&) = default;

    void write(byte_writer& out) const {
        out.write_varint(wall_us);
        out.write_varint(logical);
    }

    [[nodiscard]] static timestamp read(byte_reader& in) {
        timestamp made;
        made.wall_us = in.read_varint();
        made.logical = read_value<std::uint32_t>(in);
        return made;
    }
};

/// Seconds since 1970 and the counter, as `1700000000.000123+4`.
[[nodiscard]] std::string to_text(const timestamp& when);

struct hybrid_clock_options {
    /// How far ahead of the local wall time a remote timestamp may lie. A minute: far more than NTP leaves
    /// between machines, so that a stepped clock or a machine that was suspended cuts nobody
    /// off; and little enough that a timestamp still tells a person when it was. What a wrong clock can do to
    /// order is bounded by it.
    std::chrono::microseconds future_max = std::chrono::minutes(1);

    /// Throws errc::invalid_operation and names the wrong field.
    void validate() const;
};

class hybrid_clock {
public:
    /// Starts after `last`: the latest timestamp that this node has given or accepted, if it wrote that down.
    explicit hybrid_clock(const hybrid_clock_options& options = {}, const timestamp& last = {});

    /// The timestamp of a local event, greater than all that this clock gave or accepted.
    [[nodiscard]] timestamp now(std::uint64_t wall_us) {
        last_ = after(last_, wall_us);
        return last_;
    }

    /// Folds in a timestamp that arrived, and returns that of the arrival, greater than both. Throws
    /// errc::clock_too_far_ahead, and the clock stands as before.
    timestamp receive(const timestamp& remote, std::uint64_t wall_us);

    /// True when `receive` would take it.
    [[nodiscard]] bool accepts(const timestamp& remote, std::uint64_t wall_us) const noexcept;

    /// The latest that this clock gave or accepted.
    [[nodiscard]] const timestamp& last() const noexcept { return last_; }

    [[nodiscard]] const hybrid_clock_options& options() const noexcept { return options_; }

private:
    [[nodiscard]] static timestamp after(const timestamp& latest, std::uint64_t wall_us);

    hybrid_clock_options options_;
    timestamp last_;
};

} // namespace phoenix::crdt
