// What the stores of a causal state have in common: the dots of a store mean something only beside the context of
// the state it stands in, and a join, an edit or a comparison carries what is needed of both contexts.
//
// A dot store holds payload under dots. Its join with another store, in the light of both contexts, keeps a dot that
// both hold, and a dot that one holds and the other has not seen; a dot that the other has seen and holds no more
// was removed there (P. S. Almeida, A. Shoker, C. Baquero 2018, figure 6).
#pragma once

#include <phoenix/crdt/causal_context.hpp>

#include <boost/container/small_vector.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <vector>

namespace phoenix::crdt::detail {

/// Where the slots of one context stand in another; no_slot where the other does not know the replica.
class slot_map {
public:
    /// Gives each replica of `from` a slot in `to`; that alone changes nothing of what `to` says.
    [[nodiscard]] static slot_map into(causal_context& to, const causal_context& from) {
        slot_map made(from.slot_count());
        for (std::size_t slot = 0; slot < made.size_; ++slot) {
            made.at(slot) = to.slot_of(from.replica(static_cast<replica_slot>(slot)));
        }
        return made;
    }

    /// All slots of `from`, as far as `to` knows them.
    slot_map(const causal_context& from, const causal_context& to) : slot_map(from.slot_count()) {
        for (std::size_t slot = 0; slot < size_; ++slot) {
            at(slot) = to.find_slot(from.replica(static_cast<replica_slot>(slot)));
        }
    }

    /// The inverse of `forward`, which leads into a context of `size` slots; nothing for a size of 0.
    slot_map(const slot_map& forward, std::size_t size) : slot_map(size) {
        for (std::size_t slot = 0; slot < size; ++slot) {
            at(slot) = no_slot;
        }
        for (std::size_t slot = 0; slot < forward.size_ && size > 0; ++slot) {
            const replica_slot to = forward.at(slot);
            if (to != no_slot) {
                at(to) = static_cast<replica_slot>(slot);
            }
        }
    }

    [[nodiscard]] bool knows(compact_dot d) const noexcept { return at(d.slot()) != no_slot; }

    [[nodiscard]] replica_slot operator[](replica_slot slot) const noexcept { return at(slot); }

    /// Only for a dot that it knows.
    [[nodiscard]] compact_dot operator()(compact_dot d) const noexcept { return {at(d.slot()), d.counter()}; }

private:
    explicit slot_map(std::size_t size) : size_(size) {
        if (size > few_.size()) {
            many_ = std::make_unique_for_overwrite<replica_slot[]>(size);
        }
    }

    [[nodiscard]] replica_slot& at(std::size_t slot) noexcept {
        return size_ <= few_.size() ? few_[slot] : many_[slot];
    }

    [[nodiscard]] const replica_slot& at(std::size_t slot) const noexcept {
        return size_ <= few_.size() ? few_[slot] : many_[slot];
    }

    std::size_t size_;
    // Uninitialized beyond size_.
    std::array<replica_slot, 8> few_;
    std::unique_ptr<replica_slot[]> many_;
};

/// Two states that are joined: the one that takes, and the one that is only read.
class join_scope {
public:
    join_scope(causal_context& mine, const causal_context& theirs)
        : mine_(mine), theirs_(theirs), to_mine_(slot_map::into(mine, theirs)),
          to_theirs_(to_mine_, theirs.slot_count() > most_scanned ? mine.slot_count() : 0) {
        const std::size_t slots = theirs.slot_count();
        for (std::size_t slot = 0; slot < slots; ++slot) {
            const auto from = static_cast<replica_slot>(slot);
            const dot_intervals& known = theirs.known(from);
            their_count_ += known.count();
            overlap_ = overlap_ || mine.known(to_mine_[from]).meets(known);
        }
    }

    /// True when the other side has seen a dot of mine.
    [[nodiscard]] bool they_saw(compact_dot mine) const noexcept {
        const compact_dot known = to_theirs(mine);
        return known.slot() != no_slot && theirs_.contains(known);
    }

    /// One of my dots in their slots, in no_slot when they do not know its replica.
    [[nodiscard]] compact_dot to_theirs(compact_dot mine) const noexcept {
        if (theirs_.slot_count() > most_scanned) {
            return {to_theirs_[mine.slot()], mine.counter()};
        }
        for (std::size_t slot = 0; slot < theirs_.slot_count(); ++slot) {
            if (to_mine_[static_cast<replica_slot>(slot)] == mine.slot()) {
                return {static_cast<replica_slot>(slot), mine.counter()};
            }
        }
        return {no_slot, mine.counter()};
    }

    /// True when this side has seen one of their dots, given in my slots.
    [[nodiscard]] bool we_saw(compact_dot mine) const noexcept { return mine_.contains(mine); }

    [[nodiscard]] compact_dot to_mine(compact_dot theirs) const noexcept { return to_mine_(theirs); }

    [[nodiscard]] const slot_map& to_mine() const noexcept { return to_mine_; }

    [[nodiscard]] const causal_context& theirs() const noexcept { return theirs_; }

    /// How many dots they have seen.
    [[nodiscard]] std::uint64_t their_count() const noexcept { return their_count_; }

    /// True when this side has seen any of their dots: without that, nothing here can have been removed there, and all of
    /// theirs is new.
    [[nodiscard]] bool overlap() const noexcept { return overlap_; }

private:
    static constexpr std::size_t most_scanned = 8;

    const causal_context& mine_;
    const causal_context& theirs_;
    slot_map to_mine_;
    /// Empty while theirs are few: a delta into a state of many replicas does not look at them all.
    slot_map to_theirs_;
    std::uint64_t their_count_ = 0;
    bool overlap_ = false;
};

/// Dots that are only appended: the first few cost nothing to make and to drop, as one write has no more.
class dot_list {
public:
    void push_back(compact_dot d) {
        if (size_ < few_.size()) [[likely]] {
            few_[size_] = d;
        } else {
            append(d);
        }
        ++size_;
    }

    /// So many can be appended without an exception.
    void make_room(std::size_t dots) {
        if (size_ + dots > few_.size()) [[unlikely]] {
            reserve(size_ + dots - few_.size());
        }
    }

    /// As many as `store` has.
    template <class Store>
    void make_room_for(const Store& store) {
        std::size_t dots = 0;
        store.for_each_dot([&](compact_dot) { ++dots; });
        make_room(dots);
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] std::vector<compact_dot> all() const {
        std::vector<compact_dot> made;
        made.reserve(size_);
        for (std::size_t i = 0; i < size_; ++i) {
            made.push_back((*this)[i]);
        }
        return made;
    }

    [[nodiscard]] compact_dot operator[](std::size_t index) const noexcept {
        return index < few_.size() ? few_[index] : (*more_)[index - few_.size()];
    }

private:
    void append(compact_dot d);
    void reserve(std::size_t more);

    std::size_t size_ = 0;
    // Uninitialized beyond size_.
    std::array<compact_dot, 4> few_;
    std::unique_ptr<std::vector<compact_dot>> more_;
};

/// The dots that came into a store and left it: each store appends, and who holds the store reads what was appended.
struct dot_changes {
    dot_list added;
    dot_list removed;

    struct mark {
        std::size_t added;
        std::size_t removed;
    };

    [[nodiscard]] mark now() const noexcept { return {added.size(), removed.size()}; }
};

/// The ranks of a context's replicas in their canonical order, for bytes.
class slot_ranks {
public:
    explicit slot_ranks(const causal_context& context) : ranks_(context.slot_count()) {
        std::uint16_t rank = 0;
        for (const replica_slot slot : context.sorted_slots()) {
            ranks_[slot] = rank++;
        }
    }

    [[nodiscard]] std::uint16_t operator[](replica_slot slot) const noexcept { return ranks_[slot]; }

    /// The same dot in the slots of a context that was read from bytes, whose slots are ranks.
    [[nodiscard]] compact_dot operator()(compact_dot d) const noexcept {
        return {ranks_[d.slot()], d.counter()};
    }

private:
    boost::container::small_vector<std::uint16_t, 8> ranks_;
};

inline void write_dot(byte_writer& out, compact_dot ranked) {
    out.write_varint(ranked.slot());
    out.write_varint(ranked.counter());
}

/// A dot that `context`, read before, has seen.
[[nodiscard]] inline compact_dot read_dot(byte_reader& in, const causal_context& context) {
    const std::size_t at = in.position();
    const std::uint64_t slot = in.read_varint();
    const std::uint64_t counter = in.read_varint();
    if (slot >= context.slot_count() || counter > max_counter ||
        !context.contains(compact_dot(static_cast<replica_slot>(slot), counter))) {
        byte_reader::fail_at(at, "a dot that the state's context has seen");
    }
    return {static_cast<replica_slot>(slot), counter};
}

/// What stands under dots, without the context that says which were seen.
///
/// A change that throws leaves a store of which each dot is as it was or as it was meant to be, and `changes` says which came
/// and went.
///
/// - `join` takes their payload in the light of both contexts and appends to `changes` which dots came and went.
/// - `restricted(slots, wanted)` is the part whose dots `wanted` contains, in the slots of `wanted`.
/// - `equals(theirs, slots)` compares, with my dots translated into theirs by `slots`.
/// - `clear(changes)` removes every dot.
template <class S>
concept dot_store =
    std::copyable<S> && std::default_initializable<S> &&
    requires(S& mine, const S& theirs, const join_scope& scope, dot_changes& changes, const slot_map& slots,
             const causal_context& context, byte_writer& out, const slot_ranks& ranks, byte_reader& in) {
        { theirs.empty() } -> std::same_as<bool>;
        theirs.for_each_dot([](compact_dot) {});
        mine.join(theirs, scope, changes);
        mine.clear(changes);
        { theirs.restricted(slots, context) } -> std::same_as<S>;
        { theirs.equals(theirs, slots) } -> std::same_as<bool>;
        theirs.write(out, ranks);
        { S::read(in, context) } -> std::same_as<S>;
    };

/// True when `wanted` contains the dot.
[[nodiscard]] inline bool is_wanted(compact_dot d, const slot_map& slots,
                                    const causal_context& wanted) noexcept {
    return slots.knows(d) && wanted.contains(slots(d));
}

} // namespace phoenix::crdt::detail
