#include <phoenix/net/core/timer_queue.hpp>

#include <algorithm>

namespace phoenix::net {

namespace {

constexpr std::size_t arity = 4;

} // namespace

void timer_queue::arm(timer& item, monotonic_time deadline) {
    PHOENIX_ASSERT(!item.is_armed(), "a timer is armed once at a time: disarm it first");
    const entry added{std::max(deadline, earliest_), next_sequence_++, &item};
    heap_.push_back(added);
    sift_up(heap_.size() - 1, added);
}

void timer_queue::disarm(timer& item) noexcept {
    if (item.is_armed()) {
        remove_at(item.position_);
    }
}

void timer_queue::expire(monotonic_time now) noexcept {
    // A timer that fires may arm others; those wait for the next call, so that none starves the sockets. None
    // of them comes before what was due already, so that none starves other timers.
    const std::uint64_t limit = next_sequence_;
    earliest_ = now;
    while (!heap_.empty()) {
        const entry first = heap_.front();
        if (first.deadline > now || first.sequence >= limit) {
            break;
        }
        remove_at(0);
        first.item->fire_(*first.item);
    }
    earliest_ = monotonic_time::min();
}

void timer_queue::place(std::size_t position, const entry& moved) noexcept {
    heap_[position] = moved;
    moved.item->position_ = position;
}

void timer_queue::sift_up(std::size_t position, entry moved) noexcept {
    while (position > 0) {
        const std::size_t parent = (position - 1) / arity;
        if (!before(moved, heap_[parent])) {
            break;
        }
        place(position, heap_[parent]);
        position = parent;
    }
    place(position, moved);
}

void timer_queue::sift_down(std::size_t position, entry moved) noexcept {
    const std::size_t count = heap_.size();
    for (;;) {
        const std::size_t first_child = position * arity + 1;
        if (first_child >= count) {
            break;
        }
        const std::size_t last_child = std::min(first_child + arity, count);
        std::size_t least = first_child;
        for (std::size_t child = first_child + 1; child < last_child; ++child) {
            if (before(heap_[child], heap_[least])) {
                least = child;
            }
        }
        if (!before(heap_[least], moved)) {
            break;
        }
        place(position, heap_[least]);
        position = least;
    }
    place(position, moved);
}

void timer_queue::remove_at(std::size_t position) noexcept {
    heap_[position].item->position_ = timer::unarmed;
    const entry last = heap_.back();
    heap_.pop_back();
    if (position == heap_.size()) {
        return;
    }
    if (position > 0 && before(last, heap_[(position - 1) / arity])) {
        sift_up(position, last);
    } else {
        sift_down(position, last);
    }
}

} // namespace phoenix::net
