// From keys to stores: the dot store that sets and maps are made of.
//
// Entries stand side by side in one array, in no order that means anything; from a few on, one index leads from keys
// to positions and another from dots to positions, so that adding, removing, looking up and joining a delta scan
// nothing. An entry whose store is empty is a hole, used again by the next key; when holes outnumber entries, all
// move together. References to stores are valid until the map changes.
#pragma once

#include <phoenix/crdt/core/dot_index.hpp>
#include <phoenix/crdt/core/dot_store.hpp>
#include <phoenix/crdt/core/key_hash.hpp>
#include <phoenix/crdt/core/store_members.hpp>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::crdt {

/// What may be a key or an element: a regular, totally ordered value with std::hash and canonical bytes.
template <class Key>
concept map_key = std::regular<Key> && std::totally_ordered<Key> && byte_value<Key> && detail::hashable<Key>;

namespace detail {

template <map_key Key, dot_store Store>
class dot_map {
public:
    struct entry {
        Key key{};
        Store store{};
    };

    /// Over the entries that are there.
    class iterator {
    public:
        using value_type = entry;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::forward_iterator_tag;

        iterator() = default;

        iterator(const entry* at, const entry* end) noexcept : at_(at), end_(end) { skip_holes(); }

        [[nodiscard]] const entry& operator*() const noexcept { return *at_; }

        [[nodiscard]] const entry* operator->() const noexcept { return at_; }

        iterator& operator++() noexcept {
            ++at_;
            skip_holes();
            return *this;
        }

        iterator operator++(int) noexcept {
            iterator before = *this;
            ++*this;
            return before;
        }

        friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }

    private:
        void skip_holes() noexcept {
            while (at_ != end_ && at_->store.empty()) {
                ++at_;
            }
        }

        const entry* at_ = nullptr;
        const entry* end_ = nullptr;
    };

    dot_map() = default;

    dot_map(const dot_map& other) { copy_from(other); }

    dot_map(dot_map&& other) noexcept
        : entries_(std::move(other.entries_)), tables_(std::move(other.tables_)),
          size_(std::exchange(other.size_, 0)), present_(std::exchange(other.present_, 0)) {
        other.entries_.clear();
    }

    dot_map& operator=(const dot_map& other) {
        if (this != &other) {
            *this = dot_map(other);
        }
        return *this;
    }

    dot_map& operator=(dot_map&& other) noexcept {
        entries_ = std::move(other.entries_);
        tables_ = std::move(other.tables_);
        size_ = std::exchange(other.size_, 0);
        present_ = std::exchange(other.present_, 0);
        other.entries_.clear();
        return *this;
    }

    ~dot_map() = default;

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// How many entries have something for a reader; the others hold only what must not be forgotten.
    [[nodiscard]] std::size_t present() const noexcept { return present_; }

    [[nodiscard]] iterator begin() const noexcept {
        return {entries_.data(), entries_.data() + entries_.size()};
    }

    [[nodiscard]] iterator end() const noexcept {
        const entry* const last = entries_.data() + entries_.size();
        return {last, last};
    }

    /// Null when the key is not there. Valid until the map changes.
    [[nodiscard]] const Store* find(const Key& key) const {
        const std::uint32_t position = find_position(key);
        return position == no_position ? nullptr : &entries_[position].store;
    }

    template <class Visitor>
    void for_each_dot(Visitor&& visit) const {
        for (const entry& each : *this) {
            each.store.for_each_dot(visit);
        }
    }

    /// Calls change(store) with the key's store, empty when it is new. What it adds and removes it must append to
    /// `changes`. A store that is empty afterwards leaves with its key, also when `change` throws.
    template <class Change>
    void update(const Key& key, dot_changes& changes, Change&& change) {
        update_at(find_or_add(key), changes, std::forward<Change>(change));
        close_holes_if_many();
    }

    /// Puts `store`, which is not empty, in the place of what stands below the key, whose dots it tells to `gone`.
    template <class Gone>
    void put(const Key& key, Store store, dot_changes& changes, Gone&& gone) {
        const std::uint32_t place = find_or_add(key);
        Store& mine = entries_[place].store;
        if (!mine.empty()) {
            present_ -= is_present(mine);
            mine.for_each_dot([&](compact_dot each) {
                gone(each);
                changes.removed.push_back(each);
                if (tables_ != nullptr) {
                    tables_->by_dot.erase(each);
                }
            });
        }
        mine = std::move(store);
        present_ += is_present(mine);
        mine.for_each_dot([&](compact_dot each) {
            changes.added.push_back(each);
            if (tables_ != nullptr) {
                tables_->by_dot.insert(each, place);
            }
        });
    }

    /// Removes the key's dots, if it is there.
    void erase(const Key& key, dot_changes& changes) {
        const std::uint32_t position = find_position(key);
        if (position != no_position) {
            update_at(position, changes, [&](Store& store) { store.clear(changes); });
            close_holes_if_many();
        }
    }

    void clear(dot_changes& changes) {
        for (entry& each : entries_) {
            each.store.clear(changes);
        }
        *this = dot_map();
    }

    void join(const dot_map& theirs, const join_scope& scope, dot_changes& changes) {
        drop_removed(theirs, scope, changes);
        for (const entry& each : theirs) {
            const std::uint32_t position = find_position(each.key);
            if (position != no_position) {
                update_at(position, changes, [&](Store& mine) { mine.join(each.store, scope, changes); });
                continue;
            }
            // As a rule none of it is new: then no entry is made only to be taken out again.
            Store added;
            const auto mark = changes.now();
            added.join(each.store, scope, changes);
            if (!added.empty()) {
                const std::uint32_t place = add(each.key);
                entries_[place].store = std::move(added);
                settle(place, changes, mark, false);
            }
        }
        close_holes_if_many();
    }

    [[nodiscard]] dot_map restricted(const slot_map& slots, const causal_context& wanted) const {
        dot_map kept;
        const auto keep = [&](const entry& each) {
            Store part = each.store.restricted(slots, wanted);
            if (!part.empty()) {
                const std::uint32_t place = kept.add(each.key);
                kept.entries_[place].store = std::move(part);
                kept.index_dots(place);
                kept.present_ += is_present(kept.entries_[place].store);
            }
        };
        if (tables_ == nullptr || wanted.count() > size_ / scan_ratio) {
            for (const entry& each : *this) {
                keep(each);
            }
            return kept;
        }
        const slot_map to_mine(slots, wanted.slot_count());
        for (const std::uint32_t position : positions_of(wanted, to_mine)) {
            keep(entries_[position]);
        }
        return kept;
    }

    [[nodiscard]] bool equals(const dot_map& theirs, const slot_map& slots) const {
        if (size_ != theirs.size_) {
            return false;
        }
        return std::all_of(begin(), end(), [&](const entry& each) {
            const Store* const found = theirs.find(each.key);
            return found != nullptr && each.store.equals(*found, slots);
        });
    }

    void write(byte_writer& out, const slot_ranks& ranks) const {
        std::vector<const entry*> sorted;
        sorted.reserve(size_);
        for (const entry& each : *this) {
            sorted.push_back(&each);
        }
        std::ranges::sort(sorted, {}, [](const entry* each) -> const Key& { return each->key; });
        out.write_varint(sorted.size());
        for (const entry* each : sorted) {
            write_value(out, each->key);
            each->store.write(out, ranks);
        }
    }

    [[nodiscard]] static dot_map read(byte_reader& in, const causal_context& context) {
        dot_map made;
        const Key* previous = nullptr;
        for (std::size_t left = in.read_count(3, "entries"); left > 0; --left) {
            const std::size_t at = in.position();
            Key key = read_value<Key>(in);
            if (previous != nullptr && !(*previous < key)) {
                byte_reader::fail_at(at, "keys in ascending order, each once");
            }
            Store store = Store::read(in, context);
            if (store.empty()) {
                byte_reader::fail_at(at, "a key with at least one dot");
            }
            const std::uint32_t place = made.add(std::move(key));
            made.entries_[place].store = std::move(store);
            made.index_dots(place);
            made.present_ += is_present(made.entries_[place].store);
            previous = &made.entries_[place].key;
        }
        return made;
    }

private:
    struct position {
        std::uint32_t value;
    };

    struct tables;

    struct position_hash {
        using is_transparent = void;
        using is_avalanching = void;

        [[nodiscard]] std::size_t operator()(position each) const {
            return (*this)(of->entries[each.value].key);
        }

        [[nodiscard]] std::size_t operator()(const Key& key) const { return key_hash<Key>()(key); }

        const tables* of;
    };

    struct position_equal {
        using is_transparent = void;

        [[nodiscard]] bool operator()(position a, position b) const {
            return of->entries[a.value].key == of->entries[b.value].key;
        }

        [[nodiscard]] bool operator()(position a, const Key& key) const {
            return of->entries[a.value].key == key;
        }

        [[nodiscard]] bool operator()(const Key& key, position a) const { return (*this)(a, key); }

        const tables* of;
    };

    /// The indexes, at an address of their own: the set's functions point to it.
    struct tables {
        tables() : by_key(0, position_hash{this}, position_equal{this}) {}

        tables(const tables&) = delete;
        tables& operator=(const tables&) = delete;

        const entry* entries = nullptr;
        boost::unordered_flat_set<position, position_hash, position_equal> by_key;
        dot_index by_dot;
        std::vector<std::uint32_t> holes;
    };

    static constexpr std::size_t most_scanned = 8;
    /// Looking up a dot costs about as much as looking at so many entries.
    static constexpr std::size_t scan_ratio = 8;

    void copy_from(const dot_map& other) {
        entries_.reserve(other.size_);
        for (const entry& each : other) {
            entries_.push_back(each);
        }
        size_ = other.size_;
        present_ = other.present_;
        build_tables();
    }

    void build_tables() {
        tables_.reset();
        if (entries_.size() <= most_scanned) {
            return;
        }
        tables_ = std::make_unique<tables>();
        tables_->entries = entries_.data();
        tables_->by_key.reserve(entries_.size());
        for (std::uint32_t place = 0; place < entries_.size(); ++place) {
            tables_->by_key.insert(position{place});
            index_dots(place);
        }
    }

    [[nodiscard]] std::uint32_t find_position(const Key& key) const {
        if (tables_ == nullptr) {
            for (std::uint32_t place = 0; place < entries_.size(); ++place) {
                if (entries_[place].key == key) {
                    return place;
                }
            }
            return no_position;
        }
        const auto found = tables_->by_key.find(key);
        return found == tables_->by_key.end() ? no_position : found->value;
    }

    [[nodiscard]] std::uint32_t find_or_add(const Key& key) {
        if constexpr (std::is_trivially_copyable_v<Key>) {
            if (tables_ != nullptr && tables_->holes.empty() && entries_.size() < no_position) {
                return find_or_append(key);
            }
        }
        const std::uint32_t found = find_position(key);
        return found != no_position ? found : add(key);
    }

    /// With one look at the table: the key is appended, and taken back if it was there.
    [[nodiscard]] std::uint32_t find_or_append(const Key& key) {
        const auto place = static_cast<std::uint32_t>(entries_.size());
        entries_.emplace_back();
        entries_.back().key = key;
        tables_->entries = entries_.data();
        const auto [found, is_new] = tables_->by_key.insert(position{place});
        if (!is_new) {
            entries_.pop_back();
            return found->value;
        }
        ++size_;
        return place;
    }

    /// A new entry, still empty; the key is not there.
    [[nodiscard]] std::uint32_t add(Key key) {
        if (tables_ != nullptr && !tables_->holes.empty()) {
            const std::uint32_t place = tables_->holes.back();
            entries_[place].key = std::move(key);
            tables_->by_key.insert(position{place});
            tables_->holes.pop_back();
            ++size_;
            return place;
        }
        if (entries_.size() >= no_position) {
            throw_error(errc::limit_exceeded, "expected at most 2^32 - 1 keys in one map");
        }
        const auto place = static_cast<std::uint32_t>(entries_.size());
        entries_.emplace_back();
        entries_.back().key = std::move(key);
        ++size_;
        if (tables_ != nullptr) {
            tables_->entries = entries_.data();
            tables_->by_key.insert(position{place});
        } else {
            build_tables();
        }
        return place;
    }

    template <class Change>
    void update_at(std::uint32_t place, dot_changes& changes, Change&& change) {
        const auto mark = changes.now();
        const bool was_present = is_present(entries_[place].store);
        try {
            change(entries_[place].store);
        } catch (...) {
            settle(place, changes, mark, was_present);
            throw;
        }
        settle(place, changes, mark, was_present);
    }

    /// Brings the indexes up to what was appended to `changes` since `mark`.
    void settle(std::uint32_t place, const dot_changes& changes, dot_changes::mark mark, bool was_present) {
        present_ += is_present(entries_[place].store);
        present_ -= was_present;
        if (tables_ != nullptr) {
            // In this order: a dot that came and went within one update is in both.
            for (std::size_t i = mark.added; i < changes.added.size(); ++i) {
                tables_->by_dot.insert(changes.added[i], place);
            }
            for (std::size_t i = mark.removed; i < changes.removed.size(); ++i) {
                tables_->by_dot.erase(changes.removed[i]);
            }
        }
        if (entries_[place].store.empty()) {
            take_out(place);
        }
    }

    void take_out(std::uint32_t place) {
        --size_;
        if (tables_ == nullptr) {
            if (place + 1 < entries_.size()) {
                entries_[place] = std::move(entries_.back());
            }
            entries_.pop_back();
            return;
        }
        tables_->by_key.erase(tables_->by_key.find(entries_[place].key));
        entries_[place] = entry{};
        tables_->holes.push_back(place);
    }

    /// Positions change, so only when nobody holds one.
    void close_holes_if_many() {
        if (tables_ == nullptr || tables_->holes.size() <= size_ + most_scanned) {
            return;
        }
        const auto is_hole = [](const entry& each) {
            return each.store.empty();
        };
        entries_.erase(std::remove_if(entries_.begin(), entries_.end(), is_hole), entries_.end());
        entries_.shrink_to_fit();
        build_tables();
    }

    void index_dots(std::uint32_t place) {
        if (tables_ != nullptr) {
            // A dot that stands under two keys came from hostile bytes, which the reader of the state refuses.
            entries_[place].store.for_each_dot([&](compact_dot each) {
                if (tables_->by_dot.find(each) == no_position) {
                    tables_->by_dot.insert(each, place);
                }
            });
        }
    }

    /// Removes the dots that they have seen and hold no more from entries whose key they do not have; join does the
    /// other keys.
    void drop_removed(const dot_map& theirs, const join_scope& scope, dot_changes& changes) {
        if (empty()) {
            return;
        }
        const Store nothing;
        const auto drop = [&](std::uint32_t place) {
            if (theirs.find_position(entries_[place].key) == no_position) {
                update_at(place, changes, [&](Store& mine) { mine.join(nothing, scope, changes); });
            }
        };
        if (tables_ != nullptr && scope.their_count() <= size_ / scan_ratio) {
            const causal_context& seen = scope.theirs();
            for (const std::uint32_t place : positions_of(seen, scope.to_mine())) {
                drop(place);
            }
            return;
        }
        // Backwards: without tables an entry that goes is replaced by the last one.
        for (auto place = static_cast<std::uint32_t>(entries_.size()); place-- > 0;) {
            bool any = false;
            entries_[place].store.for_each_dot([&](compact_dot each) { any = any || scope.they_saw(each); });
            if (any) {
                drop(place);
            }
        }
    }

    /// The entries that hold dots of `dots`, whose slots `to_mine` translates; only with tables.
    [[nodiscard]] std::vector<std::uint32_t> positions_of(const causal_context& dots,
                                                          const slot_map& to_mine) const {
        std::vector<std::uint32_t> found;
        for (std::size_t slot = 0; slot < dots.slot_count(); ++slot) {
            const replica_slot mine = to_mine[static_cast<replica_slot>(slot)];
            if (mine == no_slot) {
                continue;
            }
            for (const interval& part : dots.known(static_cast<replica_slot>(slot))) {
                for (std::uint64_t counter = part.first; counter <= part.last; ++counter) {
                    const std::uint32_t place = tables_->by_dot.find(compact_dot(mine, counter));
                    if (place != no_position) {
                        found.push_back(place);
                    }
                }
            }
        }
        std::ranges::sort(found);
        const auto repeated = std::ranges::unique(found);
        found.erase(repeated.begin(), repeated.end());
        return found;
    }

    boost::container::small_vector<entry, 1> entries_;
    std::unique_ptr<tables> tables_;
    std::size_t size_ = 0;
    std::size_t present_ = 0;
};

} // namespace detail

} // namespace phoenix::crdt
