// The two clocks of a loop: monotonic time for deadlines, wall time for people and hybrid clocks.
//
//   loop& l = co_await this_loop();
//   const monotonic_time deadline = l.now() + 50ms;
//
// Neither type has a now() of its own: time comes from a loop's driver, so that a simulated node sees
// simulated time. Both count nanoseconds; a monotonic_time means nothing on another machine or after a
// restart.
#pragma once

#include <chrono>
#include <concepts>
#include <utility>

namespace phoenix::net {

using std::chrono::nanoseconds;

/// Tag of the monotonic time line of a loop. Its origin is unspecified.
struct monotonic_clock {
    using duration = nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<monotonic_clock, duration>;
    static constexpr bool is_steady = true;
};

using monotonic_time = monotonic_clock::time_point;

/// Nanoseconds since the Unix epoch, as the machine believes it to be: it may jump both ways.
using wall_time = std::chrono::sys_time<nanoseconds>;

/// "Never": the deadline of who waits without one.
inline constexpr monotonic_time no_deadline = monotonic_time::max();

/// `duration` in nanoseconds: the most or the least of them when it is more than they can count.
template <class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, nanoseconds>
[[nodiscard]] constexpr nanoseconds saturated(std::chrono::duration<Rep, Period> duration) noexcept {
    using wide = std::chrono::duration<nanoseconds::rep, Period>;
    if (std::cmp_greater(duration.count(), std::chrono::duration_cast<wide>(nanoseconds::max()).count())) {
        return nanoseconds::max();
    }
    if (std::cmp_less(duration.count(), std::chrono::duration_cast<wide>(nanoseconds::min()).count())) {
        return nanoseconds::min();
    }
    return duration;
}

/// `duration` after `now`, which is not negative; no_deadline when that is more than can be counted.
[[nodiscard]] constexpr monotonic_time later(monotonic_time now, nanoseconds duration) noexcept {
    return duration > no_deadline - now ? no_deadline : now + duration;
}

} // namespace phoenix::net
