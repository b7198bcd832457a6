#include <phoenix/crdt/core/sequence_tree.hpp>

#include <algorithm>
#include <string>

namespace phoenix::crdt::detail {

std::vector<sequence_run> sequence_tree::runs(replica_slot slot) const {
    std::vector<sequence_run> made;
    for_each_in(slot, {1, max_counter}, [&](const sequence_span& span) {
        if (made.empty() || !span.continues() || made.back().span.last() + 1 != span.first.counter()) {
            made.push_back({span, {}});
            made.back().span.length = 0;
        }
        sequence_run& run = made.back();
        run.span.length += span.length;
        if (run.stretches.empty()) {
            run.stretches.push_back(0);
        }
        const bool last_is_live = run.stretches.size() % 2 == 1;
        if (last_is_live == span.live) {
            run.stretches.back() += span.length;
        } else {
            run.stretches.push_back(span.length);
        }
    });
    return made;
}

sequence_replicas::sequence_replicas(const sequence_tree& tree, const causal_context& context)
    : ranks(context.slot_count()) {
    std::vector<bool> named(context.slot_count());
    tree.for_each([&](const sequence_span& each) {
        named[each.slot()] = true;
        if (!is_root(each.parent)) {
            named[each.parent.slot()] = true;
        }
    });
    for (std::size_t slot = 0; slot < named.size(); ++slot) {
        if (named[slot]) {
            sorted.push_back(static_cast<replica_slot>(slot));
        }
    }
    std::ranges::sort(sorted, {}, [&](replica_slot slot) { return context.replica(slot); });
    for (std::size_t rank = 0; rank < sorted.size(); ++rank) {
        ranks[sorted[rank]] = static_cast<std::uint16_t>(rank);
    }
}

namespace {

// The head of a run: its length less one, above these.
constexpr std::uint64_t on_the_left = 1;
constexpr std::uint64_t after_a_gap = 2;
constexpr std::uint64_t partly_erased = 4;
constexpr int flag_bits = 3;

} // namespace

void write_run(byte_writer& out, const sequence_run& run, std::uint64_t before,
               const sequence_replicas& replicas) {
    const sequence_span& span = run.span;
    const std::uint64_t gap = span.first.counter() - before - 1;
    const bool erased = run.stretches.size() > 1;
    out.write_varint((span.length - 1) << flag_bits | (span.side == tree_side::left ? on_the_left : 0) |
                     (gap > 0 ? after_a_gap : 0) | (erased ? partly_erased : 0));
    if (gap > 0) {
        out.write_varint(gap - 1);
    }
    if (is_root(span.parent)) {
        out.write_varint(0);
    } else {
        out.write_varint(replicas.ranks[span.parent.slot()] + std::uint64_t(1));
        out.write_varint(span.parent.counter());
    }
    if (erased) {
        out.write_varint(run.stretches.front());
        for (std::size_t i = 1; i < run.stretches.size(); ++i) {
            out.write_varint(run.stretches[i] - 1);
        }
    }
}

std::vector<bool> read_replicas(byte_reader& in, causal_context& context) {
    const std::size_t start = in.position();
    const std::size_t count = in.read_count(3, "replicas");
    if (count > max_replicas) {
        byte_reader::fail_at(start, "at most 65535 replicas, found " + std::to_string(count));
    }
    replica_id previous;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = in.position();
        replica_id replica;
        replica.node = in.read_varint();
        replica.incarnation = in.read_varint();
        if (i > 0 && replica <= previous) {
            byte_reader::fail_at(at, "replicas in ascending order, each once");
        }
        context.slot_of(replica);
        previous = replica;
    }
    return std::vector<bool>(count);
}

sequence_run read_run(byte_reader& in, replica_slot slot, std::uint64_t before, std::vector<bool>& used) {
    const std::size_t at = in.position();
    const std::uint64_t head = in.read_varint();
    const std::uint64_t gap =
        (head & after_a_gap) != 0 ? 1 + in.read_varint(max_counter, "a gap between runs") : 0;
    const std::uint64_t first = before + 1 + gap;
    const std::uint64_t length = (head >> flag_bits) + 1;
    if (first > max_counter || length > max_counter - first + 1) {
        byte_reader::fail_at(at, "dots of at most 2^47 - 1");
    }
    sequence_run run;
    run.span.first = compact_dot(slot, first);
    run.span.length = length;
    run.span.side = (head & on_the_left) != 0 ? tree_side::left : tree_side::right;
    const std::size_t parent_at = in.position();
    const std::uint64_t replica = in.read_varint(used.size(), "the number of a parent's replica");
    if (replica == 0) {
        if (run.span.side == tree_side::left) {
            byte_reader::fail_at(parent_at, "a parent for what stands on its left");
        }
    } else {
        const auto rank = static_cast<replica_slot>(replica - 1);
        const std::uint64_t counter = in.read_varint(max_counter, "the dot of a parent");
        if (counter == 0 || (rank == slot && counter >= first)) {
            byte_reader::fail_at(parent_at, "a parent that was written before its child");
        }
        run.span.parent = compact_dot(rank, counter);
        used[rank] = true;
        if (gap == 0 && run.span.continues()) {
            byte_reader::fail_at(parent_at, "runs as long as they are, found one that continues another");
        }
    }
    if ((head & partly_erased) == 0) {
        run.stretches.push_back(length);
        return run;
    }
    run.stretches.push_back(in.read_varint(length - 1, "a length of live elements"));
    for (std::uint64_t told = run.stretches.front(); told < length; told += run.stretches.back()) {
        run.stretches.push_back(1 + in.read_varint(length - told - 1, "a length of elements"));
    }
    return run;
}

} // namespace phoenix::crdt::detail
