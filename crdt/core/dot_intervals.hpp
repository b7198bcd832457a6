// The counters of one replica that are known: sorted, disjoint intervals that never touch.
//
// Compact state is one interval from 1, a delta is one interval of one counter. Exact: a gap stays a gap.
#pragma once

#include <phoenix/crdt/core/one_or_many.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace phoenix::crdt::detail {

/// Counters from `first` to `last`, both included.
struct interval {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    [[nodiscard]] std::uint64_t size() const noexcept { return last - first + 1; }

    friend bool operator==(const interval&, const interval&) = default;
};

class dot_intervals {
public:
    using storage = one_or_many<interval>;

    [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }

    [[nodiscard]] bool contains(std::uint64_t counter) const noexcept {
        if (const interval* const only = parts_.only()) [[likely]] {
            return only->first <= counter && counter <= only->last;
        }
        const auto after = upper_bound(counter);
        return after != parts_.begin() && counter <= (after - 1)->last;
    }

    /// The highest counter, 0 when there is none.
    [[nodiscard]] std::uint64_t max() const noexcept {
        if (const interval* const only = parts_.only()) [[likely]] {
            return only->last;
        }
        return parts_.empty() ? 0 : parts_.back().last;
    }

    /// All from 1 up to this one are known.
    [[nodiscard]] std::uint64_t floor() const noexcept {
        return !parts_.empty() && parts_.front().first == 1 ? parts_.front().last : 0;
    }

    [[nodiscard]] std::uint64_t count() const noexcept {
        const interval* const only = parts_.only();
        return only != nullptr ? only->size() : sum();
    }

    [[gnu::always_inline]] void insert(std::uint64_t counter) {
        interval* const only = parts_.only();
        if (only != nullptr && counter == only->last + 1) [[likely]] {
            only->last = counter;
        } else if (parts_.empty()) {
            parts_.grow() = {counter, counter};
        } else {
            insert(interval{counter, counter});
        }
    }

    void insert(interval added);

    void join(const dot_intervals& other) {
        const interval* const added = other.parts_.only();
        if (added != nullptr && added->first == added->last) [[likely]] {
            insert(added->first);
        } else {
            join_parts(other);
        }
    }

    /// What `other` has can be joined without an exception.
    void make_room(const dot_intervals& other) {
        const interval* const mine = parts_.only();
        const interval* const theirs = other.parts_.only();
        const bool touch = mine != nullptr && theirs != nullptr && theirs->first <= mine->last + 1 &&
                           mine->first <= theirs->last + 1;
        if (!touch) [[unlikely]] {
            reserve(parts_.size() + other.parts_.size());
        }
    }

    /// Takes the highest counter away, if it is this one.
    void remove_max(std::uint64_t counter) noexcept;

    /// True when both have a counter.
    [[nodiscard]] bool meets(const dot_intervals& other) const noexcept {
        const interval* const mine = parts_.only();
        const interval* const theirs = other.parts_.only();
        if (mine != nullptr && theirs != nullptr) [[likely]] {
            return mine->first <= theirs->last && theirs->first <= mine->last;
        }
        return any_meet(other);
    }

    [[nodiscard]] bool includes(const dot_intervals& other) const noexcept;
    [[nodiscard]] dot_intervals without(const dot_intervals& other) const;
    [[nodiscard]] dot_intervals common_with(const dot_intervals& other) const;

    [[nodiscard]] storage::const_iterator begin() const noexcept { return parts_.begin(); }

    [[nodiscard]] storage::const_iterator end() const noexcept { return parts_.end(); }

    [[nodiscard]] std::size_t interval_count() const noexcept { return parts_.size(); }

    friend bool operator==(const dot_intervals& a, const dot_intervals& b) noexcept {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

private:
    void reserve(std::size_t parts);
    void join_parts(const dot_intervals& other);
    [[nodiscard]] bool any_meet(const dot_intervals& other) const noexcept;
    [[nodiscard]] std::uint64_t sum() const noexcept;

    [[nodiscard]] storage::const_iterator upper_bound(std::uint64_t counter) const noexcept {
        return std::upper_bound(parts_.begin(), parts_.end(), counter,
                                [](std::uint64_t value, const interval& each) { return value < each.first; });
    }

    storage parts_;
};

} // namespace phoenix::crdt::detail
