#include <phoenix/crdt/causal_context.hpp>

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace phoenix::crdt {

using detail::interval;
using detail::no_slot;
using detail::replica_slot;

std::uint64_t causal_context::max(const replica_id& replica) const noexcept {
    const replica_slot slot = find_slot(replica);
    return slot == no_slot ? 0 : entries_[slot].known.max();
}

std::uint64_t causal_context::floor(const replica_id& replica) const noexcept {
    const replica_slot slot = find_slot(replica);
    return slot == no_slot ? 0 : entries_[slot].known.floor();
}

bool causal_context::empty() const noexcept {
    return std::ranges::all_of(entries_, [](const entry& each) { return each.known.empty(); });
}

void causal_context::insert(const replica_id& replica, std::uint64_t first, std::uint64_t last) {
    PHOENIX_ASSERT(1 <= first && first <= last, "dots are numbered from 1, and an interval runs upwards");
    if (last > detail::max_counter) {
        throw_error(errc::limit_exceeded,
                    "causal context: expected a dot of at most 2^47 - 1, found " + std::to_string(last));
    }
    entries_[slot_of(replica)].known.insert(interval{first, last});
}

void causal_context::insert(std::vector<detail::compact_dot> dots, const causal_context& named) {
    std::ranges::sort(dots);
    causal_context sorted;
    for (auto from = dots.begin(); from != dots.end();) {
        auto to = from + 1;
        while (to != dots.end() && to->word() <= (to - 1)->word() + 1) {
            ++to;
        }
        sorted.insert(named.replica(from->slot()), from->counter(), (to - 1)->counter());
        from = to;
    }
    join(sorted);
}

void causal_context::join(const causal_context& other) {
    if (&other == this) {
        return;
    }
    // Slots first, which may be refused: a slot without dots changes nothing.
    for (const entry& theirs : other.entries_) {
        if (!theirs.known.empty()) {
            slot_of(theirs.replica);
        }
    }
    for (const entry& theirs : other.entries_) {
        if (!theirs.known.empty()) {
            entries_[slot_of(theirs.replica)].known.join(theirs.known);
        }
    }
}

bool causal_context::includes(const causal_context& other) const noexcept {
    return std::ranges::all_of(other.entries_, [this](const entry& theirs) {
        if (theirs.known.empty()) {
            return true;
        }
        const replica_slot slot = find_slot(theirs.replica);
        return slot != no_slot && entries_[slot].known.includes(theirs.known);
    });
}

causal_context causal_context::without(const causal_context& other) const {
    causal_context rest;
    for (const entry& mine : entries_) {
        const replica_slot slot = other.find_slot(mine.replica);
        auto known = slot == no_slot ? mine.known : mine.known.without(other.entries_[slot].known);
        if (!known.empty()) {
            rest.entries_[rest.add_slot(mine.replica)].known = std::move(known);
        }
    }
    return rest;
}

causal_context causal_context::common_with(const causal_context& other) const {
    causal_context common;
    for (const entry& mine : entries_) {
        const replica_slot slot = other.find_slot(mine.replica);
        if (slot == no_slot) {
            continue;
        }
        auto known = mine.known.common_with(other.entries_[slot].known);
        if (!known.empty()) {
            common.entries_[common.add_slot(mine.replica)].known = std::move(known);
        }
    }
    return common;
}

void causal_context::refuse_more_dots() {
    throw_error(errc::limit_exceeded,
                "expected at most 2^47 - 1 writes of one incarnation to one object: restart the node");
}

boost::container::small_vector<replica_slot, 8> causal_context::sorted_slots() const {
    boost::container::small_vector<replica_slot, 8> slots;
    slots.reserve(entries_.size());
    for (std::size_t slot = 0; slot < entries_.size(); ++slot) {
        if (!entries_[slot].known.empty()) {
            slots.push_back(static_cast<replica_slot>(slot));
        }
    }
    std::ranges::sort(slots, {}, [this](replica_slot slot) { return entries_[slot].replica; });
    return slots;
}

replica_slot causal_context::find_slot_sorted(const replica_id& replica) const noexcept {
    const auto found = std::ranges::lower_bound(by_replica_, replica, {},
                                                [this](replica_slot slot) { return entries_[slot].replica; });
    return found != by_replica_.end() && entries_[*found].replica == replica ? *found : no_slot;
}

replica_slot causal_context::add_slot(const replica_id& replica) {
    if (entries_.size() >= detail::max_replicas) {
        throw_error(errc::limit_exceeded, "causal context: expected at most 65535 replicas");
    }
    const auto added = static_cast<replica_slot>(entries_.size());
    if (entries_.size() >= most_scanned) {
        by_replica_.reserve(std::bit_ceil(entries_.size() + 1));
    }
    entries_.grow().replica = replica;
    if (entries_.size() == most_scanned + 1) {
        by_replica_.resize(entries_.size());
        std::iota(by_replica_.begin(), by_replica_.end(), replica_slot(0));
        std::ranges::sort(by_replica_, {}, [this](replica_slot slot) { return entries_[slot].replica; });
    } else if (entries_.size() > most_scanned) {
        const auto place = std::ranges::lower_bound(
            by_replica_, replica, {}, [this](replica_slot slot) { return entries_[slot].replica; });
        by_replica_.insert(place, added);
    }
    return added;
}

replica_slot causal_context::find_or_add_slot(const replica_id& replica) {
    const replica_slot found = find_slot(replica);
    return found != no_slot ? found : add_slot(replica);
}

void causal_context::write(byte_writer& out) const {
    const auto slots = sorted_slots();
    out.write_varint(slots.size());
    for (const replica_slot slot : slots) {
        const entry& each = entries_[slot];
        out.write_varint(each.replica.node);
        out.write_varint(each.replica.incarnation);
        out.write_varint(each.known.interval_count());
        std::uint64_t before = 0;
        for (const interval& part : each.known) {
            out.write_varint(part.first - before - 1);
            out.write_varint(part.size() - 1);
            before = part.last + 1;
        }
    }
}

causal_context causal_context::read(byte_reader& in) {
    causal_context made;
    replica_id previous;
    const std::size_t start = in.position();
    const std::size_t replicas = in.read_count(5, "replicas");
    if (replicas > detail::max_replicas) {
        byte_reader::fail_at(start, "at most 65535 replicas, found " + std::to_string(replicas));
    }
    for (std::size_t i = 0; i < replicas; ++i) {
        const std::size_t at = in.position();
        replica_id replica;
        replica.node = in.read_varint();
        replica.incarnation = in.read_varint();
        if (i > 0 && replica <= previous) {
            byte_reader::fail_at(at, "replicas in ascending order, each once");
        }
        previous = replica;
        detail::dot_intervals& known = made.entries_[made.add_slot(replica)].known;
        const std::size_t parts = in.read_count(2, "intervals of dots");
        if (parts == 0) {
            byte_reader::fail_at(at, "a replica with at least one dot");
        }
        std::uint64_t before = 0;
        for (std::size_t part = 0; part < parts; ++part) {
            // Gaps and lengths, so that only sorted intervals that do not touch can be said.
            const std::size_t place = in.position();
            const std::uint64_t first =
                before + 1 + in.read_varint(detail::max_counter, "a gap between dots");
            const std::uint64_t last = first + in.read_varint(detail::max_counter, "a length of dots");
            if (last > detail::max_counter) {
                byte_reader::fail_at(place, "dots of at most 2^47 - 1");
            }
            known.insert(interval{first, last});
            before = last + 1;
        }
    }
    return made;
}

} // namespace phoenix::crdt
