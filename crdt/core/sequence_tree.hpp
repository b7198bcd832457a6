// The order of a sequence without its values: which elements there are, who is whose child, and which are erased.
//
// The elements form the tree of Fugue (M. Weidner, M. Kleppmann 2023): each hangs on the left or right side of its
// parent, children of one side are ordered by their dots, and the list is the traversal left children, element, right
// children. An element whose parent is the same replica's dot before it, on the right, continues a run; neighbours of
// a run that are alike, live or erased, are one span. Spans stand in list order in a treap that counts live elements
// and knows the least depths below each node, so that the place of an index, the index of a dot, and the end of an
// element's subtree are each found in logarithmic time, whatever the shape of the tree.
//
// Depths: right_depth of an element is how many right steps lead to it from the root, left_depth how many left ones.
// What stands in the right subtree of an element has a greater right_depth; the first that follows the subtree has
// not. The same holds of left subtrees and left_depth, backwards.
//
// A span whose parent is unknown waits outside of the list until the parent comes. The context whose slots the dots
// use is passed to those who compare replicas.
#pragma once

#include <phoenix/crdt/causal_context.hpp>
#include <phoenix/crdt/core/span_index.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

enum class tree_side : std::uint8_t { left, right };

/// The parent of what hangs on no element. It has only right children.
inline constexpr std::uint64_t root_word = 0;

[[nodiscard]] inline bool is_root(compact_dot d) noexcept {
    return d.word() == root_word;
}

/// Elements with consecutive counters, each but the first the right child of the one before, all live or all erased.
struct sequence_span {
    compact_dot first{0, 0};
    std::uint64_t length = 0;
    /// Of the first.
    compact_dot parent{0, 0};
    tree_side side = tree_side::right;
    bool live = true;

    [[nodiscard]] replica_slot slot() const noexcept { return first.slot(); }

    [[nodiscard]] std::uint64_t last() const noexcept { return first.counter() + length - 1; }

    [[nodiscard]] compact_dot at(std::uint64_t offset) const noexcept {
        return compact_dot::from_word(first.word() + offset);
    }

    [[nodiscard]] interval counters() const noexcept { return {first.counter(), last()}; }

    /// The first element continues a run.
    [[nodiscard]] bool continues() const noexcept {
        return side == tree_side::right && !is_root(parent) && parent.word() + 1 == first.word();
    }

    /// The part with these counters.
    [[nodiscard]] sequence_span part(interval counters) const noexcept {
        sequence_span made = *this;
        made.first = compact_dot(slot(), counters.first);
        made.length = counters.size();
        if (made.first != first) {
            made.parent = compact_dot(slot(), counters.first - 1);
            made.side = tree_side::right;
        }
        return made;
    }
};

/// A run as long as it is, with its live and erased stretches in turn, the first of them live and perhaps empty.
struct sequence_run {
    sequence_span span;
    boost::container::small_vector<std::uint64_t, 4> stretches;

    /// Calls visit(span) for each stretch that is not empty.
    template <class Visitor>
    void for_each_stretch(Visitor&& visit) const {
        std::uint64_t next = span.first.counter();
        bool live = true;
        for (const std::uint64_t length : stretches) {
            if (length > 0) {
                sequence_span part = span.part({next, next + length - 1});
                part.live = live;
                visit(part);
            }
            next += length;
            live = !live;
        }
    }
};

class sequence_tree {
public:
    using node_index = std::uint32_t;

    static constexpr node_index none = 0xffff'ffff;

    struct place {
        node_index node = none;
        std::uint64_t offset = 0;
    };

    sequence_tree() = default;
    sequence_tree(const sequence_tree&) = default;
    sequence_tree& operator=(const sequence_tree&) = default;
    ~sequence_tree() = default;

    sequence_tree(sequence_tree&& other) noexcept
        : nodes_(std::move(other.nodes_)), by_dot_(std::move(other.by_dot_)),
          waiting_(std::move(other.waiting_)), root_(std::exchange(other.root_, none)),
          free_(std::exchange(other.free_, none)) {
        other = sequence_tree();
    }

    sequence_tree& operator=(sequence_tree&& other) noexcept {
        nodes_ = std::move(other.nodes_);
        by_dot_ = std::move(other.by_dot_);
        waiting_ = std::move(other.waiting_);
        root_ = std::exchange(other.root_, none);
        free_ = std::exchange(other.free_, none);
        other.nodes_.clear();
        other.by_dot_ = {};
        other.waiting_ = {};
        return *this;
    }

    /// How many live elements have a place.
    [[nodiscard]] std::uint64_t size() const noexcept { return root_ == none ? 0 : nodes_[root_].live_below; }

    /// Nothing waits for its parent.
    [[nodiscard]] bool complete() const noexcept { return waiting_.empty(); }

    /// Adds elements that are not here yet, wherever they belong; those that waited for them take their places too.
    void add(const sequence_span& added, const causal_context& context);

    /// New live elements so that the first of them has this index, which is at most size(). Returns them as they hang.
    sequence_span insert(std::uint64_t index, compact_dot first, std::uint64_t length,
                         const causal_context& context);

    /// Erases the elements of these counters, which are here; visit(interval) for those that were live.
    template <class Visitor>
    void erase(replica_slot slot, interval counters, Visitor&& visit) {
        while (counters.first <= counters.last) {
            const place at = find(compact_dot(slot, counters.first));
            const bool was_live = nodes_[at.node].span.live;
            const interval here{counters.first, std::min(counters.last, nodes_[at.node].span.last())};
            if (was_live) {
                erase_part(at, here.size());
                visit(here);
            }
            counters.first = here.last + 1;
        }
    }

    /// Where the element is, in a list or waiting; node == none when it is not here.
    [[nodiscard]] place find(compact_dot d) const noexcept;

    /// The live element of this index, which is less than size().
    [[nodiscard]] place at(std::uint64_t index) const noexcept;

    /// How many live elements stand before this one, nothing when it is not here or waits.
    [[nodiscard]] std::optional<std::uint64_t> index_of(compact_dot d) const noexcept;

    [[nodiscard]] const sequence_span& operator[](node_index at) const noexcept { return nodes_[at].span; }

    [[nodiscard]] bool waits(node_index at) const noexcept { return !nodes_[at].placed; }

    /// In list order; none at the end.
    [[nodiscard]] node_index first() const noexcept;
    [[nodiscard]] node_index next(node_index at) const noexcept;

    /// Calls visit(span) for what is here of these counters, in their order.
    template <class Visitor>
    void for_each_in(replica_slot slot, interval counters, Visitor&& visit) const {
        const span_index::entry* const before =
            by_dot_.at_or_before(compact_dot(slot, counters.first).word());
        by_dot_.for_each_from(before == nullptr ? 0 : before->key, [&](const span_index::entry& each) {
            const sequence_span& span = nodes_[each.node].span;
            if (span.first.word() > compact_dot(slot, counters.last).word()) {
                return false;
            }
            const interval both{std::max(counters.first, span.first.counter()),
                                std::min(counters.last, span.last())};
            if (span.slot() == slot && both.first <= both.last) {
                visit(span.part(both));
            }
            return true;
        });
    }

    /// Calls visit(span) for all, by slot and counter.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        by_dot_.for_each_from(0, [&](const span_index::entry& each) {
            visit(nodes_[each.node].span);
            return true;
        });
    }

    /// The runs of one replica by counter, however they are held in spans.
    [[nodiscard]] std::vector<sequence_run> runs(replica_slot slot) const;

private:
    enum class measure : std::uint8_t { right_depth, left_depth, depth };

    struct node {
        sequence_span span;
        std::uint64_t right_depth = 0; // Of the first element; those that follow are deeper by one each.
        std::uint64_t least_right = 0; // In the treap below this node, itself included.
        std::uint64_t least_depth = 0;
        std::uint64_t live_below = 0;
        std::uint32_t left_depth = 0;
        std::uint32_t least_left = 0;
        node_index left = none;
        node_index right = none;
        node_index up = none;
        bool placed = false;
    };

    // sequence_tree.cpp: the treap.
    [[nodiscard]] node_index make_node(const sequence_span& span);
    void free_node(node_index gone) noexcept;
    void refresh(node_index at) noexcept;
    void refresh_up(node_index at) noexcept;
    void count_up(node_index at, std::uint64_t more) noexcept;
    void rotate_up(node_index at) noexcept;
    void settle(node_index added) noexcept;
    void insert_after(node_index before, node_index added) noexcept;
    void insert_before(node_index after, node_index added) noexcept;
    void remove(node_index gone) noexcept;
    [[nodiscard]] node_index previous(node_index at) const noexcept;
    template <measure Measure>
    [[nodiscard]] std::uint64_t own(node_index at) const noexcept;
    template <measure Measure>
    [[nodiscard]] bool below(node_index at, std::uint64_t most) const noexcept;
    template <measure Measure>
    [[nodiscard]] node_index first_in(node_index at, std::uint64_t most) const noexcept;
    template <measure Measure>
    [[nodiscard]] node_index last_in(node_index at, std::uint64_t most) const noexcept;
    /// The next node whose first element has at most this depth; `at` is none for the front.
    [[nodiscard]] node_index next_of_right_depth(node_index at, std::uint64_t most) const noexcept;
    /// The same backwards; `at` is none for the end.
    template <measure Measure>
    [[nodiscard]] node_index previous_of(node_index at, std::uint64_t most) const noexcept;

    // sequence_place.cpp: where elements go.
    [[nodiscard]] bool extend(place parent, const sequence_span& added);
    node_index split(node_index at, std::uint64_t offset);
    void join_next(node_index at);
    void erase_part(place from, std::uint64_t length);
    void put(node_index added, place parent, const causal_context& context);
    void put_right(node_index added, place parent, const causal_context& context);
    void put_left(node_index added, place parent, const causal_context& context);
    void release(replica_slot slot, interval counters, const causal_context& context);

    std::vector<node> nodes_;
    span_index by_dot_;
    /// By parent, those that wait for it.
    span_index waiting_;
    node_index root_ = none;
    node_index free_ = none;
};

/// The replicas that a sequence's bytes name: those with elements, and those of the parents that others wait for.
struct sequence_replicas {
    sequence_replicas(const sequence_tree& tree, const causal_context& context);

    std::vector<replica_slot> sorted;
    std::vector<std::uint16_t> ranks;
};

/// The names of the replicas, which get slots in this order; an entry for each, none of them used yet.
[[nodiscard]] std::vector<bool> read_replicas(byte_reader& in, causal_context& context);

void write_run(byte_writer& out, const sequence_run& run, std::uint64_t before,
               const sequence_replicas& replicas);
/// A run of `slot` that begins after the counter `before`; slots are ranks. Notes in `used` whom it names.
[[nodiscard]] sequence_run read_run(byte_reader& in, replica_slot slot, std::uint64_t before,
                                    std::vector<bool>& used);

} // namespace phoenix::crdt::detail
