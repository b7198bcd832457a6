#include <phoenix/crdt/core/sequence_tree.hpp>

namespace phoenix::crdt::detail {

namespace {

/// The treap's priority of a node: as good as random, and the same on every machine.
std::uint32_t priority(sequence_tree::node_index at) noexcept {
    std::uint64_t z = (at + std::uint64_t(1)) * 0x9e37'79b9'7f4a'7c15U;
    z = (z ^ (z >> 32)) * 0xbf58'476d'1ce4'e5b9U;
    return static_cast<std::uint32_t>(z >> 32);
}

} // namespace

sequence_tree::node_index sequence_tree::make_node(const sequence_span& span) {
    node_index made = free_;
    if (made != none) {
        free_ = nodes_[made].up;
        nodes_[made] = node{};
    } else {
        if (nodes_.size() >= none) {
            throw_error(errc::limit_exceeded, "expected at most 2^32 - 1 spans in one sequence");
        }
        made = static_cast<node_index>(nodes_.size());
        nodes_.emplace_back();
    }
    nodes_[made].span = span;
    by_dot_.insert({span.first.word(), made});
    return made;
}

void sequence_tree::free_node(node_index gone) noexcept {
    by_dot_.erase({nodes_[gone].span.first.word(), gone});
    nodes_[gone].up = std::exchange(free_, gone);
}

/// What is known of the treap below, anew from the children.
void sequence_tree::refresh(node_index at) noexcept {
    node& mine = nodes_[at];
    mine.least_right = mine.right_depth;
    mine.least_left = mine.left_depth;
    mine.least_depth = mine.right_depth + mine.left_depth;
    mine.live_below = mine.span.live ? mine.span.length : 0;
    for (const node_index child : {mine.left, mine.right}) {
        if (child != none) {
            const node& other = nodes_[child];
            mine.least_right = std::min(mine.least_right, other.least_right);
            mine.least_left = std::min(mine.least_left, other.least_left);
            mine.least_depth = std::min(mine.least_depth, other.least_depth);
            mine.live_below += other.live_below;
        }
    }
}

void sequence_tree::refresh_up(node_index at) noexcept {
    for (; at != none; at = nodes_[at].up) {
        refresh(at);
    }
}

/// So many live elements more, or fewer, modulo 2^64: all that changes above when a span grows at its end.
void sequence_tree::count_up(node_index at, std::uint64_t more) noexcept {
    for (; at != none; at = nodes_[at].up) {
        nodes_[at].live_below += more;
    }
}

/// Puts `at` above the node that is above it.
void sequence_tree::rotate_up(node_index at) noexcept {
    const node_index above = nodes_[at].up;
    const node_index top = nodes_[above].up;
    const bool from_left = nodes_[above].left == at;
    const node_index moved = from_left ? nodes_[at].right : nodes_[at].left;
    (from_left ? nodes_[above].left : nodes_[above].right) = moved;
    if (moved != none) {
        nodes_[moved].up = above;
    }
    (from_left ? nodes_[at].right : nodes_[at].left) = above;
    nodes_[above].up = at;
    nodes_[at].up = top;
    if (top == none) {
        root_ = at;
    } else {
        (nodes_[top].left == above ? nodes_[top].left : nodes_[top].right) = at;
    }
    refresh(above);
}

/// A node that was hung in as a leaf.
void sequence_tree::settle(node_index added) noexcept {
    nodes_[added].placed = true;
    while (nodes_[added].up != none && priority(nodes_[added].up) < priority(added)) {
        rotate_up(added);
    }
    refresh(added);
    // What is above gains one node: its other children need no look.
    const node fresh = nodes_[added];
    const std::uint64_t live = fresh.span.live ? fresh.span.length : 0;
    for (node_index at = fresh.up; at != none; at = nodes_[at].up) {
        node& each = nodes_[at];
        each.least_right = std::min(each.least_right, fresh.right_depth);
        each.least_left = std::min(each.least_left, fresh.left_depth);
        each.least_depth = std::min(each.least_depth, fresh.right_depth + fresh.left_depth);
        each.live_below += live;
    }
}

void sequence_tree::insert_after(node_index before, node_index added) noexcept {
    if (before == none) {
        insert_before(first(), added);
        return;
    }
    if (nodes_[before].right == none) {
        nodes_[before].right = added;
        nodes_[added].up = before;
    } else {
        node_index at = nodes_[before].right;
        while (nodes_[at].left != none) {
            at = nodes_[at].left;
        }
        nodes_[at].left = added;
        nodes_[added].up = at;
    }
    settle(added);
}

void sequence_tree::insert_before(node_index after, node_index added) noexcept {
    if (root_ == none) {
        root_ = added;
    } else if (after != none && nodes_[after].left == none) {
        nodes_[after].left = added;
        nodes_[added].up = after;
    } else {
        node_index at = after == none ? root_ : nodes_[after].left;
        while (nodes_[at].right != none) {
            at = nodes_[at].right;
        }
        nodes_[at].right = added;
        nodes_[added].up = at;
    }
    settle(added);
}

void sequence_tree::remove(node_index gone) noexcept {
    node& mine = nodes_[gone];
    while (mine.left != none || mine.right != none) {
        const bool from_left =
            mine.right == none || (mine.left != none && priority(mine.left) > priority(mine.right));
        rotate_up(from_left ? mine.left : mine.right);
    }
    const node_index above = mine.up;
    if (above == none) {
        root_ = none;
    } else {
        (nodes_[above].left == gone ? nodes_[above].left : nodes_[above].right) = none;
    }
    mine.up = none;
    mine.placed = false;
    refresh_up(above);
}

sequence_tree::node_index sequence_tree::first() const noexcept {
    node_index at = root_;
    while (at != none && nodes_[at].left != none) {
        at = nodes_[at].left;
    }
    return at;
}

sequence_tree::node_index sequence_tree::next(node_index from) const noexcept {
    node_index at = nodes_[from].right;
    if (at != none) {
        while (nodes_[at].left != none) {
            at = nodes_[at].left;
        }
        return at;
    }
    for (at = from; nodes_[at].up != none; at = nodes_[at].up) {
        if (nodes_[nodes_[at].up].left == at) {
            return nodes_[at].up;
        }
    }
    return none;
}

sequence_tree::node_index sequence_tree::previous(node_index from) const noexcept {
    node_index at = nodes_[from].left;
    if (at != none) {
        while (nodes_[at].right != none) {
            at = nodes_[at].right;
        }
        return at;
    }
    for (at = from; nodes_[at].up != none; at = nodes_[at].up) {
        if (nodes_[nodes_[at].up].right == at) {
            return nodes_[at].up;
        }
    }
    return none;
}

template <sequence_tree::measure Measure>
std::uint64_t sequence_tree::own(node_index at) const noexcept {
    const node& mine = nodes_[at];
    if constexpr (Measure == measure::right_depth) {
        return mine.right_depth;
    } else if constexpr (Measure == measure::left_depth) {
        return mine.left_depth;
    } else {
        return mine.right_depth + mine.left_depth;
    }
}

/// Some node in the treap below has at most this depth.
template <sequence_tree::measure Measure>
bool sequence_tree::below(node_index at, std::uint64_t most) const noexcept {
    if (at == none) {
        return false;
    }
    const node& mine = nodes_[at];
    if constexpr (Measure == measure::right_depth) {
        return mine.least_right <= most;
    } else if constexpr (Measure == measure::left_depth) {
        return mine.least_left <= most;
    } else {
        return mine.least_depth <= most;
    }
}

template <sequence_tree::measure Measure>
sequence_tree::node_index sequence_tree::first_in(node_index at, std::uint64_t most) const noexcept {
    while (true) {
        if (below<Measure>(nodes_[at].left, most)) {
            at = nodes_[at].left;
        } else if (own<Measure>(at) <= most) {
            return at;
        } else {
            at = nodes_[at].right;
        }
    }
}

template <sequence_tree::measure Measure>
sequence_tree::node_index sequence_tree::last_in(node_index at, std::uint64_t most) const noexcept {
    while (true) {
        if (below<Measure>(nodes_[at].right, most)) {
            at = nodes_[at].right;
        } else if (own<Measure>(at) <= most) {
            return at;
        } else {
            at = nodes_[at].left;
        }
    }
}

sequence_tree::node_index sequence_tree::next_of_right_depth(node_index at,
                                                             std::uint64_t most) const noexcept {
    constexpr measure by = measure::right_depth;
    if (below<by>(nodes_[at].right, most)) {
        return first_in<by>(nodes_[at].right, most);
    }
    for (node_index above = nodes_[at].up; above != none; at = above, above = nodes_[at].up) {
        if (nodes_[above].left != at) {
            continue;
        }
        if (own<by>(above) <= most) {
            return above;
        }
        if (below<by>(nodes_[above].right, most)) {
            return first_in<by>(nodes_[above].right, most);
        }
    }
    return none;
}

template <sequence_tree::measure Measure>
sequence_tree::node_index sequence_tree::previous_of(node_index at, std::uint64_t most) const noexcept {
    if (at == none) {
        return below<Measure>(root_, most) ? last_in<Measure>(root_, most) : none;
    }
    if (below<Measure>(nodes_[at].left, most)) {
        return last_in<Measure>(nodes_[at].left, most);
    }
    for (node_index above = nodes_[at].up; above != none; at = above, above = nodes_[at].up) {
        if (nodes_[above].right != at) {
            continue;
        }
        if (own<Measure>(above) <= most) {
            return above;
        }
        if (below<Measure>(nodes_[above].left, most)) {
            return last_in<Measure>(nodes_[above].left, most);
        }
    }
    return none;
}

// Instances for the other half, sequence_place.cpp.
template sequence_tree::node_index
sequence_tree::previous_of<sequence_tree::measure::depth>(node_index, std::uint64_t) const noexcept;
template sequence_tree::node_index
sequence_tree::previous_of<sequence_tree::measure::left_depth>(node_index, std::uint64_t) const noexcept;

sequence_tree::place sequence_tree::find(compact_dot d) const noexcept {
    const span_index::entry* const found = by_dot_.at_or_before(d.word());
    if (found == nullptr || is_root(d)) {
        return {};
    }
    const std::uint64_t offset = d.word() - found->key;
    return offset < nodes_[found->node].span.length ? place{found->node, offset} : place{};
}

sequence_tree::place sequence_tree::at(std::uint64_t index) const noexcept {
    node_index at = root_;
    while (true) {
        const node& mine = nodes_[at];
        const std::uint64_t before = mine.left == none ? 0 : nodes_[mine.left].live_below;
        if (index < before) {
            at = mine.left;
            continue;
        }
        index -= before;
        const std::uint64_t here = mine.span.live ? mine.span.length : 0;
        if (index < here) {
            return {at, index};
        }
        index -= here;
        at = mine.right;
    }
}

std::optional<std::uint64_t> sequence_tree::index_of(compact_dot d) const noexcept {
    const place found = find(d);
    if (found.node == none || waits(found.node)) {
        return std::nullopt;
    }
    const auto live_left_of = [this](node_index at) {
        const node_index left = nodes_[at].left;
        return left == none ? 0 : nodes_[left].live_below;
    };
    std::uint64_t before = live_left_of(found.node) + (nodes_[found.node].span.live ? found.offset : 0);
    for (node_index at = found.node; nodes_[at].up != none; at = nodes_[at].up) {
        const node_index above = nodes_[at].up;
        if (nodes_[above].right == at) {
            before += live_left_of(above) + (nodes_[above].span.live ? nodes_[above].span.length : 0);
        }
    }
    return before;
}

} // namespace phoenix::crdt::detail
