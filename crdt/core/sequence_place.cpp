#include <phoenix/crdt/core/sequence_tree.hpp>

namespace phoenix::crdt::detail {

namespace {

/// Siblings on one side stand in the order of their dots, which no slot may decide.
bool dot_less(compact_dot a, compact_dot b, const causal_context& context) noexcept {
    return a.slot() == b.slot() ? a.counter() < b.counter()
                                : context.replica(a.slot()) < context.replica(b.slot());
}

} // namespace

void sequence_tree::add(const sequence_span& added, const causal_context& context) {
    const place parent = find(added.parent);
    if (parent.node != none && extend(parent, added)) {
        if (nodes_[parent.node].placed) {
            release(added.slot(), added.counters(), context);
        }
        return;
    }
    const node_index made = make_node(added);
    if (is_root(added.parent) || (parent.node != none && nodes_[parent.node].placed)) {
        put(made, parent, context);
        release(added.slot(), added.counters(), context);
    } else {
        waiting_.insert({added.parent.word(), made});
    }
}

/// Typing on: the span of the parent only grows. False when more is needed.
bool sequence_tree::extend(place parent, const sequence_span& added) {
    node& mine = nodes_[parent.node];
    if (!added.continues() || parent.offset + 1 != mine.span.length || mine.span.live != added.live) {
        return false;
    }
    if (mine.placed) {
        const node_index after = next(parent.node);
        if (after != none && nodes_[after].right_depth > mine.right_depth + parent.offset) {
            return false; // The parent has other right children.
        }
    }
    mine.span.length += added.length;
    if (mine.placed && mine.span.live) {
        count_up(parent.node, added.length);
    }
    return true;
}

sequence_span sequence_tree::insert(std::uint64_t index, compact_dot first, std::uint64_t length,
                                    const causal_context& context) {
    // The left origin is the element before the index, the right origin whatever follows it, erased or not. The new
    // element becomes the left origin's right child if that has none, else the right origin's left child, and in both
    // cases stands between them.
    sequence_span span{first, length, compact_dot(0, 0), tree_side::right, true};
    place before;
    node_index after = none;
    if (index == 0) {
        after = this->first();
    } else {
        before = at(index - 1);
        if (before.offset + 1 < nodes_[before.node].span.length) {
            after = split(before.node, before.offset + 1);
        } else {
            span.parent = nodes_[before.node].span.at(before.offset);
            if (extend(before, span)) {
                release(span.slot(), span.counters(), context);
                return span;
            }
            after = next(before.node);
            if (after != none &&
                nodes_[after].right_depth <= nodes_[before.node].right_depth + before.offset) {
                after = none;
            }
        }
    }
    std::uint64_t right_depth = 1;
    std::uint32_t left_depth = 0;
    if (after != none) {
        span.parent = nodes_[after].span.first;
        span.side = tree_side::left;
        right_depth = nodes_[after].right_depth;
        left_depth = nodes_[after].left_depth + 1;
    } else if (before.node != none) {
        right_depth = nodes_[before.node].right_depth + before.offset + 1;
        left_depth = nodes_[before.node].left_depth;
    }
    const node_index made = make_node(span);
    nodes_[made].right_depth = right_depth;
    nodes_[made].left_depth = left_depth;
    insert_after(before.node, made);
    release(span.slot(), span.counters(), context);
    return span;
}

/// Parts the span before its element of this offset, which is not the first; returns the node of the second part.
sequence_tree::node_index sequence_tree::split(node_index at, std::uint64_t offset) {
    const sequence_span whole = nodes_[at].span;
    const node_index made = make_node(whole.part({whole.first.counter() + offset, whole.last()}));
    nodes_[at].span.length = offset;
    if (nodes_[at].placed) {
        nodes_[made].right_depth = nodes_[at].right_depth + offset;
        nodes_[made].left_depth = nodes_[at].left_depth;
        if (whole.live) {
            count_up(at, offset - whole.length);
        }
        insert_after(at, made);
    } else {
        waiting_.insert({nodes_[made].span.parent.word(), made});
    }
    return made;
}

/// Makes one span of this and the one that continues it, if they are neighbours and alike.
void sequence_tree::join_next(node_index at) {
    if (at == none) {
        return;
    }
    node& mine = nodes_[at];
    const place follower = find(mine.span.at(mine.span.length));
    if (follower.node == none) {
        return;
    }
    const node& other = nodes_[follower.node];
    if (!other.span.continues() || other.span.live != mine.span.live || other.placed != mine.placed ||
        (mine.placed && next(at) != follower.node)) {
        return;
    }
    mine.span.length += other.span.length;
    if (other.placed) {
        remove(follower.node);
        refresh_up(at);
    } else {
        waiting_.erase({other.span.parent.word(), follower.node});
    }
    free_node(follower.node);
}

/// Erases live elements of one span.
void sequence_tree::erase_part(place from, std::uint64_t length) {
    node_index here = from.node;
    if (from.offset > 0) {
        here = split(here, from.offset);
    }
    if (length < nodes_[here].span.length) {
        split(here, length);
    }
    nodes_[here].span.live = false;
    if (nodes_[here].placed) {
        count_up(here, 0 - length);
    }
    join_next(here);
    const sequence_span& span = nodes_[here].span;
    if (span.continues()) {
        join_next(find(span.parent).node);
    }
}

/// Gives a node its place; the parent is the root (none) or has a place.
void sequence_tree::put(node_index added, place parent, const causal_context& context) {
    node& mine = nodes_[added];
    if (parent.node == none) {
        mine.right_depth = 1;
        mine.left_depth = 0;
    } else {
        const node& above = nodes_[parent.node];
        const bool right = mine.span.side == tree_side::right;
        mine.right_depth = above.right_depth + parent.offset + (right ? 1 : 0);
        mine.left_depth = above.left_depth + (right ? 0 : 1);
    }
    if (mine.span.side == tree_side::right) {
        put_right(added, parent, context);
    } else {
        put_left(added, parent, context);
    }
}

void sequence_tree::put_right(node_index added, place parent, const causal_context& context) {
    const compact_dot mine = nodes_[added].span.first;
    const std::uint64_t depth = nodes_[added].right_depth + nodes_[added].left_depth;
    // The siblings from the last on, each found as the last node before that is no deeper; the span of the parent is
    // less deep and ends the search. A sibling's first element begins its span, but for the one that stands in the
    // span of the parent.
    node_index from =
        parent.node == none ? none : next_of_right_depth(parent.node, nodes_[added].right_depth - 1);
    while (true) {
        const node_index sibling = previous_of<measure::depth>(from, depth);
        if (sibling == parent.node) {
            break;
        }
        if (dot_less(nodes_[sibling].span.first, mine, context)) {
            insert_before(next_of_right_depth(sibling, nodes_[sibling].right_depth), added);
            return;
        }
        from = sibling;
    }
    if (parent.node != none && parent.offset + 1 < nodes_[parent.node].span.length) {
        if (dot_less(nodes_[parent.node].span.at(parent.offset + 1), mine, context)) {
            insert_before(next_of_right_depth(parent.node, nodes_[added].right_depth), added);
            return;
        }
        split(parent.node, parent.offset + 1);
    }
    insert_after(parent.node, added);
}

void sequence_tree::put_left(node_index added, place parent, const causal_context& context) {
    if (parent.offset > 0) {
        // The parent is the right child of the element just before it, so nothing stands on its left yet.
        insert_before(split(parent.node, parent.offset), added);
        return;
    }
    const compact_dot mine = nodes_[added].span.first;
    const compact_dot above = nodes_[parent.node].span.first;
    const std::uint64_t depth = nodes_[added].right_depth + nodes_[added].left_depth;
    node_index from = parent.node;
    while (true) {
        const node_index sibling = previous_of<measure::depth>(from, depth);
        if (sibling == none || nodes_[sibling].span.parent != above ||
            nodes_[sibling].span.side != tree_side::left) {
            break;
        }
        if (dot_less(nodes_[sibling].span.first, mine, context)) {
            insert_before(next_of_right_depth(sibling, nodes_[sibling].right_depth), added);
            return;
        }
        from = sibling;
    }
    insert_after(previous_of<measure::left_depth>(parent.node, nodes_[parent.node].left_depth), added);
}

/// Gives those a place that wait for one of these, which have one now.
void sequence_tree::release(replica_slot slot, interval counters, const causal_context& context) {
    if (waiting_.empty()) {
        return;
    }
    std::vector<std::pair<replica_slot, interval>> come{{slot, counters}};
    std::vector<span_index::entry> found;
    while (!come.empty()) {
        const auto [of, parents] = come.back();
        come.pop_back();
        found.clear();
        waiting_.for_each_from(compact_dot(of, parents.first).word(), [&](const span_index::entry& each) {
            const bool wanted = each.key <= compact_dot(of, parents.last).word();
            if (wanted) {
                found.push_back(each);
            }
            return wanted;
        });
        for (const span_index::entry& each : found) {
            waiting_.erase(each);
            const sequence_span span = nodes_[each.node].span;
            put(each.node, find(span.parent), context);
            come.emplace_back(span.slot(), span.counters());
            if (span.continues()) {
                join_next(find(span.parent).node);
            }
        }
    }
}

} // namespace phoenix::crdt::detail
