#include <phoenix/crdt/core/dot_set.hpp>

#include <algorithm>

namespace phoenix::crdt::detail {

bool dot_set::contains(compact_dot d) const noexcept {
    return is_list() ? std::ranges::binary_search(as_list(), d) : word_ != 0 && only() == d;
}

dot_set::list dot_set::to_list() const {
    list dots;
    for_each_dot([&](compact_dot each) { dots.push_back(each); });
    return dots;
}

void dot_set::insert(compact_dot d) {
    if (empty()) {
        *this = dot_set(d);
        return;
    }
    if (contains(d)) {
        return;
    }
    list dots = to_list();
    dots.insert(std::ranges::upper_bound(dots, d), d);
    *this = dot_set(std::move(dots));
}

void dot_set::join_any(const dot_set& theirs, const join_scope& scope, dot_changes& changes) {
    if (!is_list() && !theirs.is_list()) [[likely]] {
        const bool same = !empty() && !theirs.empty() && scope.to_mine(theirs.only()) == only();
        if (same) {
            return;
        }
        const bool stays = !empty() && !scope.they_saw(only());
        const bool comes = !theirs.empty() && !scope.we_saw(scope.to_mine(theirs.only()));
        if (!(stays && comes)) {
            if (!empty() && !stays) {
                changes.removed.push_back(only());
                word_ = 0;
            }
            if (comes) {
                const compact_dot d = scope.to_mine(theirs.only());
                changes.added.push_back(d);
                *this = dot_set(d);
            }
            return;
        }
    }
    // All that needs memory comes first.
    changes.added.make_room(theirs.size());
    changes.removed.make_room(size());
    list joined;
    list went;
    for_each_dot([&](compact_dot mine) {
        bool held = false;
        theirs.for_each_dot([&](compact_dot each) { held |= scope.to_mine(each) == mine; });
        (held || !scope.they_saw(mine) ? joined : went).push_back(mine);
    });
    list came;
    theirs.for_each_dot([&](compact_dot each) {
        const compact_dot d = scope.to_mine(each);
        if (!scope.we_saw(d)) {
            came.push_back(d);
        }
    });
    joined.insert(joined.end(), came.begin(), came.end());
    std::ranges::sort(joined);
    *this = dot_set(std::move(joined));
    for (const compact_dot each : went) {
        changes.removed.push_back(each);
    }
    for (const compact_dot each : came) {
        changes.added.push_back(each);
    }
}

dot_set dot_set::restricted(const slot_map& slots, const causal_context& wanted) const {
    list kept;
    for_each_dot([&](compact_dot each) {
        if (is_wanted(each, slots, wanted)) {
            kept.push_back(slots(each));
        }
    });
    std::ranges::sort(kept);
    return dot_set(std::move(kept));
}

bool dot_set::equals(const dot_set& theirs, const slot_map& slots) const noexcept {
    if (size() != theirs.size()) {
        return false;
    }
    bool equal = true;
    for_each_dot(
        [&](compact_dot each) { equal = equal && slots.knows(each) && theirs.contains(slots(each)); });
    return equal;
}

void dot_set::write(byte_writer& out, const slot_ranks& ranks) const {
    out.write_varint(size());
    if (!is_list()) [[likely]] {
        for_each_dot([&](compact_dot each) { write_dot(out, ranks(each)); });
        return;
    }
    list ranked;
    for_each_dot([&](compact_dot each) { ranked.push_back(ranks(each)); });
    std::ranges::sort(ranked);
    for (const compact_dot each : ranked) {
        write_dot(out, each);
    }
}

dot_set dot_set::read(byte_reader& in, const causal_context& context) {
    std::size_t left = in.read_count(2, "dots");
    if (left == 1) [[likely]] {
        return dot_set(read_dot(in, context));
    }
    list dots;
    for (; left > 0; --left) {
        const std::size_t at = in.position();
        const compact_dot d = read_dot(in, context);
        if (!dots.empty() && d <= dots.back()) {
            byte_reader::fail_at(at, "dots in ascending order, each once");
        }
        dots.push_back(d);
    }
    return dot_set(std::move(dots));
}

} // namespace phoenix::crdt::detail
