// The dots that a state has seen, live or not: exactly, never a maximum.
//
//   causal_context seen;
//   seen.insert({here, 1});
//   seen.contains({here, 2});          // false: a gap stays a gap
//   seen.join(theirs);
//
// For each replica it holds intervals of counters; without gaps that is one interval from 1 (the floor), whatever the
// number of writes. Source: P. S. Almeida, A. Shoker, C. Baquero, Delta State Replicated Data Types (2018), section 7.
// The states' contexts also give replicas slots, in the order in which they came to be known; slots neither reach the
// wire nor take part in ==. At most 65,535 replicas and 2^47 - 1 dots of each, beyond which insert and join throw
// errc::limit_exceeded and leave the context as it was. Any thread; a value.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/core/compact_dot.hpp>
#include <phoenix/crdt/core/dot_intervals.hpp>
#include <phoenix/crdt/core/one_or_many.hpp>
#include <phoenix/crdt/replica.hpp>

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace phoenix::crdt {

class causal_context {
public:
    [[nodiscard]] bool contains(const dot& d) const noexcept {
        const auto slot = find_slot(d.replica);
        return slot != detail::no_slot && entries_[slot].known.contains(d.counter);
    }

    /// The highest counter seen of `replica`, 0 when none was.
    [[nodiscard]] std::uint64_t max(const replica_id& replica) const noexcept;

    /// Every dot of `replica` up to this one was seen.
    [[nodiscard]] std::uint64_t floor(const replica_id& replica) const noexcept;

    [[nodiscard]] bool empty() const noexcept;

    /// How many dots were seen.
    [[nodiscard]] std::uint64_t count() const noexcept {
        std::uint64_t sum = 0;
        for (const entry& each : entries_) {
            sum += each.known.count();
        }
        return sum;
    }

    void insert(const dot& d) { insert(d.replica, d.counter, d.counter); }

    void insert(const replica_id& replica, std::uint64_t first, std::uint64_t last);
    void join(const causal_context& other);

    /// True when every dot of `other` was seen here: other <= *this.
    [[nodiscard]] bool includes(const causal_context& other) const noexcept;

    /// The dots of this that `other` does not have; the dots that both have.
    [[nodiscard]] causal_context without(const causal_context& other) const;
    [[nodiscard]] causal_context common_with(const causal_context& other) const;

    /// The same dots, whatever the order in which they came.
    friend bool operator==(const causal_context& a, const causal_context& b) noexcept {
        return a.includes(b) && b.includes(a);
    }

    /// Calls visit(replica, first, last) for each interval, by replica and then by counter.
    template <class Visitor>
    void for_each_interval(Visitor&& visit) const {
        for (const detail::replica_slot slot : sorted_slots()) {
            for (const detail::interval& each : entries_[slot].known) {
                visit(entries_[slot].replica, each.first, each.last);
            }
        }
    }

    void write(byte_writer& out) const;
    [[nodiscard]] static causal_context read(byte_reader& in);

    // --- For the stores of one state: dots by slot. Nothing here is checked: a slot is one of this context.

    [[nodiscard]] std::size_t slot_count() const noexcept { return entries_.size(); }

    [[nodiscard]] const replica_id& replica(detail::replica_slot slot) const noexcept {
        return entries_[slot].replica;
    }

    /// no_slot when the replica has none.
    [[nodiscard]] detail::replica_slot find_slot(const replica_id& replica) const noexcept {
        if (entries_.size() <= most_scanned) [[likely]] {
            for (std::size_t slot = 0; slot < entries_.size(); ++slot) {
                if (entries_[slot].replica == replica) {
                    return static_cast<detail::replica_slot>(slot);
                }
            }
            return detail::no_slot;
        }
        return find_slot_sorted(replica);
    }

    /// Gives the replica a slot when it has none.
    [[gnu::always_inline]] detail::replica_slot slot_of(const replica_id& replica) {
        const entry* const only = entries_.only();
        if (only != nullptr && only->replica == replica) [[likely]] {
            return 0;
        }
        if (entries_.empty()) {
            entries_.grow().replica = replica;
            return 0;
        }
        return find_or_add_slot(replica);
    }

    [[nodiscard]] bool contains(detail::compact_dot d) const noexcept {
        return entries_[d.slot()].known.contains(d.counter());
    }

    [[nodiscard]] const detail::dot_intervals& known(detail::replica_slot slot) const noexcept {
        return entries_[slot].known;
    }

    /// Those of one replica of another context.
    void join(detail::replica_slot slot, const detail::dot_intervals& theirs) {
        entries_[slot].known.join(theirs);
    }

    /// What join() of the same would need memory for is there afterwards.
    void make_room(detail::replica_slot slot, const detail::dot_intervals& theirs) {
        entries_[slot].known.make_room(theirs);
    }

    /// Takes the highest dot of its replica away, if it is this one.
    void remove_max(detail::compact_dot d) noexcept { entries_[d.slot()].known.remove_max(d.counter()); }

    void insert(detail::compact_dot d) { entries_[d.slot()].known.insert(d.counter()); }

    void insert(detail::replica_slot slot, detail::interval added) { entries_[slot].known.insert(added); }

    /// Any number of dots, in any order, in the slots of `named`.
    void insert(std::vector<detail::compact_dot> dots, const causal_context& named);

    /// The next dot of the replica in `slot`, seen from now on.
    detail::compact_dot mint(detail::replica_slot slot) {
        detail::dot_intervals& known = entries_[slot].known;
        const std::uint64_t counter = known.max() + 1;
        if (counter > detail::max_counter) [[unlikely]] {
            refuse_more_dots();
        }
        known.insert(counter);
        return {slot, counter};
    }

    [[nodiscard]] dot expand(detail::compact_dot d) const noexcept {
        return {entries_[d.slot()].replica, d.counter()};
    }

    /// The slots of replicas that have dots, by replica.
    [[nodiscard]] boost::container::small_vector<detail::replica_slot, 8> sorted_slots() const;

private:
    struct entry {
        replica_id replica;
        detail::dot_intervals known;
    };

    static constexpr std::size_t most_scanned = 8;

    [[noreturn]] static void refuse_more_dots();
    [[nodiscard]] detail::replica_slot find_slot_sorted(const replica_id& replica) const noexcept;
    detail::replica_slot add_slot(const replica_id& replica);
    detail::replica_slot find_or_add_slot(const replica_id& replica);

    detail::one_or_many<entry> entries_;
    /// All slots by replica, kept once there are more than most_scanned.
    std::vector<detail::replica_slot> by_replica_;
};

} // namespace phoenix::crdt
