#include <phoenix/crdt/core/dot_intervals.hpp>

namespace phoenix::crdt::detail {

std::uint64_t dot_intervals::sum() const noexcept {
    std::uint64_t all = 0;
    for (const interval& each : parts_) {
        all += each.size();
    }
    return all;
}

void dot_intervals::insert(interval added) {
    // A writer's next dot comes behind all that are there.
    if (!parts_.empty() && parts_.back().last < added.first) {
        if (parts_.back().last + 1 == added.first) {
            parts_.back().last = added.last;
        } else {
            parts_.push_back(added);
        }
        return;
    }
    // The first part that touches or follows `added`, and the first beyond it that does not touch.
    const auto from =
        std::lower_bound(parts_.begin(), parts_.end(), added.first,
                         [](const interval& each, std::uint64_t first) { return each.last + 1 < first; });
    auto to = from;
    while (to != parts_.end() && to->first <= added.last + 1) {
        added.first = std::min(added.first, to->first);
        added.last = std::max(added.last, to->last);
        ++to;
    }
    if (from == to) {
        parts_.insert(from, added);
        return;
    }
    *from = added;
    parts_.erase(from + 1, to);
}

void dot_intervals::reserve(std::size_t parts) {
    parts_.reserve(parts);
}

void dot_intervals::join_parts(const dot_intervals& other) {
    // A few into many: each where it belongs. Else all are merged, in place: where there is room, nothing throws.
    if (other.parts_.size() <= parts_.size() / 8 || other.parts_.size() == 1) {
        for (const interval& each : other.parts_) {
            insert(each);
        }
        return;
    }
    // From behind, so that what is still to be moved is not overwritten.
    std::size_t mine = parts_.size();
    std::size_t theirs = other.parts_.size();
    parts_.append(other.parts_);
    while (theirs > 0) {
        const bool is_mine = mine > 0 && other.parts_[theirs - 1].first < parts_[mine - 1].first;
        const interval next = is_mine ? parts_[--mine] : other.parts_[--theirs];
        parts_[mine + theirs] = next;
    }
    auto last = parts_.begin();
    for (auto each = last + 1; each != parts_.end(); ++each) {
        if (each->first <= last->last + 1) {
            last->last = std::max(last->last, each->last);
        } else {
            *++last = *each;
        }
    }
    parts_.erase(last + 1, parts_.end());
}

void dot_intervals::remove_max(std::uint64_t counter) noexcept {
    if (counter == 0 || counter != max()) {
        return;
    }
    if (parts_.back().size() == 1) {
        parts_.pop_back();
    } else {
        --parts_.back().last;
    }
}

bool dot_intervals::any_meet(const dot_intervals& other) const noexcept {
    const bool mine_are_fewer = parts_.size() <= other.parts_.size();
    const dot_intervals& few = mine_are_fewer ? *this : other;
    const dot_intervals& many = mine_are_fewer ? other : *this;
    return std::ranges::any_of(few.parts_, [&](const interval& each) {
        const auto after = many.upper_bound(each.last);
        return after != many.parts_.begin() && each.first <= (after - 1)->last;
    });
}

bool dot_intervals::includes(const dot_intervals& other) const noexcept {
    for (const interval& each : other.parts_) {
        const auto after = upper_bound(each.first);
        if (after == parts_.begin() || (after - 1)->last < each.last) {
            return false;
        }
    }
    return true;
}

dot_intervals dot_intervals::without(const dot_intervals& other) const {
    dot_intervals rest;
    auto cut = other.parts_.begin();
    for (interval each : parts_) {
        while (cut != other.parts_.end() && cut->last < each.first) {
            ++cut;
        }
        auto next = cut;
        while (next != other.parts_.end() && next->first <= each.last) {
            if (each.first < next->first) {
                rest.parts_.push_back({each.first, next->first - 1});
            }
            if (next->last >= each.last) {
                each.first = each.last + 1;
                break;
            }
            each.first = next->last + 1;
            ++next;
        }
        if (each.first <= each.last) {
            rest.parts_.push_back(each);
        }
    }
    return rest;
}

dot_intervals dot_intervals::common_with(const dot_intervals& other) const {
    dot_intervals common;
    auto mine = parts_.begin();
    auto theirs = other.parts_.begin();
    while (mine != parts_.end() && theirs != other.parts_.end()) {
        const interval both{std::max(mine->first, theirs->first), std::min(mine->last, theirs->last)};
        if (both.first <= both.last) {
            common.parts_.push_back(both);
        }
        if (mine->last < theirs->last) {
            ++mine;
        } else {
            ++theirs;
        }
    }
    return common;
}

} // namespace phoenix::crdt::detail
