// The loop's timers: a 4-ary heap of pinned timers, ordered by deadline and, among equals, by arming.
#pragma once

#include <phoenix/config.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace phoenix::net {

/// A pinned timer. `fire` is called once, from the loop, at or after the deadline; never from arm().
class timer {
public:
    using function = void (*)(timer&) noexcept;

    explicit timer(function fire) noexcept : fire_(fire) {}

    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;

    ~timer() { PHOENIX_ASSERT(!is_armed(), "a timer was destroyed while it was armed: disarm it first"); }

    [[nodiscard]] bool is_armed() const noexcept { return position_ != unarmed; }

private:
    friend class timer_queue;

    static constexpr std::size_t unarmed = std::numeric_limits<std::size_t>::max();

    std::size_t position_ = unarmed;
    function fire_;
};

class timer_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }

    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

    /// no_deadline when nothing is armed.
    [[nodiscard]] monotonic_time next_deadline() const noexcept {
        return heap_.empty() ? no_deadline : heap_.front().deadline;
    }

    /// Precondition: `item` is not armed.
    void arm(timer& item, monotonic_time deadline);

    /// Nothing happens when `item` is not armed.
    void disarm(timer& item) noexcept;

    /// Fires, in order, what was due at `now` and armed before the call.
    void expire(monotonic_time now) noexcept;

private:
    struct entry {
        monotonic_time deadline;
        std::uint64_t sequence;
        timer* item;
    };

    static bool before(const entry& left, const entry& right) noexcept {
        return left.deadline != right.deadline ? left.deadline < right.deadline
                                               : left.sequence < right.sequence;
    }

    void place(std::size_t position, const entry& moved) noexcept;
    void sift_up(std::size_t position, entry moved) noexcept;
    void sift_down(std::size_t position, entry moved) noexcept;
    void remove_at(std::size_t position) noexcept;

    std::vector<entry> heap_;
    std::uint64_t next_sequence_ = 0;
    // While timers fire: what they arm in the past is due now.
    monotonic_time earliest_ = monotonic_time::min();
};

} // namespace phoenix::net
