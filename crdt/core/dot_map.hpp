// From keys to stores: the dot store that sets and maps are made of.
//
// Adding, removing, looking up and joining a delta scan nothing from nine entries on. References to stores are valid until
// the map changes.
#pragma once

#include <phoenix/crdt/core/dot_store.hpp>
#include <phoenix/crdt/core/entry_table.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/store_members.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

template <map_key Key, dot_store Store>
class dot_map {
    using table = entry_table<Key, Store>;

public:
    using entry = typename table::entry;
    using iterator = typename table::iterator;
    using value_type = entry;

    dot_map() = default;

    dot_map(const dot_map& other) : entries_(other.entries_), present_(other.present_) {}

    dot_map(dot_map&& other) noexcept
        : entries_(std::move(other.entries_)), present_(std::exchange(other.present_, 0)) {}

    dot_map& operator=(const dot_map& other) {
        if (this != &other) {
            *this = dot_map(other);
        }
        return *this;
    }

    dot_map& operator=(dot_map&& other) noexcept {
        entries_ = std::move(other.entries_);
        present_ = std::exchange(other.present_, 0);
        return *this;
    }

    ~dot_map() = default;

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    /// How many entries have something for a reader; the others hold only what must not be forgotten.
    [[nodiscard]] std::size_t present() const noexcept { return present_; }

    [[nodiscard]] iterator begin() const noexcept { return entries_.begin(); }

    [[nodiscard]] iterator end() const noexcept { return entries_.end(); }

    /// Null when the key is not there. Valid until the map changes.
    [[nodiscard]] const Store* find(sought<Key> key) const {
        const std::uint32_t place = entries_.find(key);
        return place == no_position ? nullptr : &entries_.at(place).store;
    }

    template <class Visitor>
    void for_each_dot(Visitor&& visit) const {
        for (const entry& each : entries_) {
            each.store.for_each_dot(visit);
        }
    }

    /// Calls change(store) with the key's store, empty when it is new. What it adds and removes it must append to
    /// `changes`. A store that is empty afterwards leaves with its key, also when `change` throws.
    template <class Change>
    void update(sought<Key> key, dot_changes& changes, Change&& change) {
        expect_idle();
        const auto found = entries_.find_or_add(key);
        const busy_here busy(*this);
        update_at(found.here.store, found.place, changes, std::forward<Change>(change));
        entries_.tidy();
    }

    /// Puts a store of this dot alone in the place of what stands below the key, whose dots it tells to `gone` before.
    /// There is room for it in `changes.added`.
    template <class Gone>
    void put(sought<Key> key, compact_dot only, dot_changes& changes, Gone&& gone) {
        expect_idle();
        const auto found = entries_.find_or_add(key);
        Store& mine = found.here.store;
        if (!found.is_new) {
            changes.removed.make_room_for(mine);
            mine.for_each_dot(gone);
            present_ -= is_present(mine);
            mine.for_each_dot([&](compact_dot each) {
                changes.removed.push_back(each);
                entries_.unindex_dot(each);
            });
        }
        mine = Store(only);
        ++present_;
        changes.added.push_back(only);
        entries_.index_dot(only, found.place);
    }

    /// Removes the key's dots, if it is there, which it tells to `gone` before.
    template <class Gone>
    void erase(sought<Key> key, dot_changes& changes, Gone&& gone) {
        expect_idle();
        const std::uint32_t place = entries_.find(key);
        if (place != no_position) {
            Store& mine = entries_.at(place).store;
            changes.removed.make_room_for(mine);
            mine.for_each_dot(gone);
            update_at(mine, place, changes, [&](Store& store) { store.clear(changes); });
            entries_.tidy();
        }
    }

    void erase(sought<Key> key, dot_changes& changes) {
        erase(key, changes, [](compact_dot) {});
    }

    void clear(dot_changes& changes) {
        expect_idle();
        changes.removed.make_room_for(*this);
        for_each_dot([&](compact_dot each) { changes.removed.push_back(each); });
        *this = dot_map();
    }

    void join(const dot_map& theirs, const join_scope& scope, dot_changes& changes) {
        drop_removed(theirs, scope, changes);
        for (const entry& each : theirs) {
            bool any_new = !scope.overlap();
            if (!any_new) {
                each.store.for_each_dot(
                    [&](compact_dot d) { any_new = any_new || !scope.we_saw(scope.to_mine(d)); });
            }
            const auto take = [&](Store& mine) {
                mine.join(each.store, scope, changes);
            };
            if (any_new) {
                const auto found = entries_.find_or_add(each.key);
                update_at(found.here.store, found.place, changes, take);
            } else if (const std::uint32_t place = entries_.find(each.key); place != no_position) {
                // Without news no entry is made only to be taken out again.
                update_at(entries_.at(place).store, place, changes, take);
            }
        }
        entries_.tidy();
    }

    [[nodiscard]] dot_map restricted(const slot_map& slots, const causal_context& wanted) const {
        dot_map kept;
        const auto keep = [&](const entry& each) {
            Store part = each.store.restricted(slots, wanted);
            if (!part.empty()) {
                kept.add(each.key, std::move(part));
            }
        };
        if (entries_.prefers_index(wanted.count())) {
            const slot_map to_mine(slots, wanted.slot_count());
            for (const std::uint32_t place : entries_.places_of(wanted, to_mine)) {
                keep(entries_.at(place));
            }
            return kept;
        }
        for (const entry& each : entries_) {
            keep(each);
        }
        return kept;
    }

    [[nodiscard]] bool equals(const dot_map& theirs, const slot_map& slots) const {
        return size() == theirs.size() && std::all_of(begin(), end(), [&](const entry& each) {
                   const Store* const found = theirs.find(each.key);
                   return found != nullptr && each.store.equals(*found, slots);
               });
    }

    /// By key: for bytes and for people.
    [[nodiscard]] std::vector<const entry*> sorted() const {
        return sorted_entries(entries_, [](const entry& each) -> const Key& { return each.key; });
    }

    void write(byte_writer& out, const slot_ranks& ranks) const {
        out.write_varint(size());
        for (const entry* each : sorted()) {
            write_value(out, each->key);
            each->store.write(out, ranks);
        }
    }

    [[nodiscard]] static dot_map read(byte_reader& in, const causal_context& context) {
        dot_map made;
        const Key* previous = nullptr;
        std::size_t left = in.read_count(3, "entries");
        // Not all that is claimed: the entries have not been seen.
        constexpr std::size_t most_reserved = 4096;
        made.entries_.reserve(std::min(left, most_reserved));
        for (; left > 0; --left) {
            const std::size_t at = in.position();
            Key key = read_ordered<Key>(in);
            if (previous != nullptr && !(*previous < key)) {
                byte_reader::fail_at(at, "keys in ascending order, each once");
            }
            Store store = Store::read(in, context);
            if (store.empty()) {
                byte_reader::fail_at(at, "a key with at least one dot");
            }
            previous = &made.add(std::move(key), std::move(store)).key;
        }
        return made;
    }

private:
    /// While a store of the map is changed, the map itself must not be.
    class busy_here {
    public:
        explicit busy_here(dot_map& map) noexcept : map_(map) { map.busy_ = true; }

        busy_here(const busy_here&) = delete;
        busy_here& operator=(const busy_here&) = delete;

        ~busy_here() { map_.busy_ = false; }

    private:
        dot_map& map_;
    };

    void expect_idle() const {
        PHOENIX_ASSERT(
            !busy_, "a map is not changed while what stands below one of its keys is: change one key after "
                    "the other");
    }

    /// The key is not there, and `store` is not empty.
    const entry& add(Key key, Store store) {
        const entry& made = entries_.add(std::move(key), std::move(store));
        present_ += is_present(made.store);
        return made;
    }

    template <class Change>
    void update_at(Store& store, std::uint32_t place, dot_changes& changes, Change&& change) {
        const auto mark = changes.now();
        const bool was_present = is_present(store);
        try {
            change(store);
        } catch (...) {
            settle(store, place, changes, mark, was_present);
            throw;
        }
        settle(store, place, changes, mark, was_present);
    }

    /// Brings the indexes up to what was appended to `changes` since `mark`.
    void settle(const Store& store, std::uint32_t place, const dot_changes& changes, dot_changes::mark mark,
                bool was_present) {
        present_ += is_present(store);
        present_ -= was_present;
        // In this order: a dot that came and went within one update is in both.
        for (std::size_t i = mark.added; i < changes.added.size(); ++i) {
            entries_.index_dot(changes.added[i], place);
        }
        for (std::size_t i = mark.removed; i < changes.removed.size(); ++i) {
            entries_.unindex_dot(changes.removed[i]);
        }
        if (store.empty()) {
            entries_.take_out(place);
        }
    }

    /// Removes the dots that they have seen and hold no more from entries whose key they do not have; join does the
    /// other keys.
    void drop_removed(const dot_map& theirs, const join_scope& scope, dot_changes& changes) {
        if (empty() || !scope.overlap()) {
            return;
        }
        const Store nothing;
        const auto drop = [&](std::uint32_t place) {
            entry& each = entries_.at(place);
            if (theirs.entries_.find(each.key) == no_position) {
                update_at(each.store, place, changes,
                          [&](Store& mine) { mine.join(nothing, scope, changes); });
            }
        };
        if (entries_.prefers_index(scope.their_count())) {
            for (const std::uint32_t place : entries_.places_of(scope.theirs(), scope.to_mine())) {
                drop(place);
            }
            return;
        }
        // Backwards: without tables an entry that goes is replaced by the last one.
        for (auto place = static_cast<std::uint32_t>(entries_.places()); place-- > 0;) {
            bool any = false;
            entries_.at(place).store.for_each_dot(
                [&](compact_dot each) { any = any || scope.they_saw(each); });
            if (any) {
                drop(place);
            }
        }
    }

    table entries_;
    std::size_t present_ = 0;
    bool busy_ = false;
};

} // namespace phoenix::crdt::detail
