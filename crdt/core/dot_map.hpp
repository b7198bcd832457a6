// From keys to stores: the dot store that sets and maps are made of.
//
// Entries stand in the order in which their keys came, which means nothing: a few side by side; more in blocks, and then
// one index leads from keys to positions and another from dots to positions, so that adding, removing, looking up and
// joining a delta scan nothing. An entry whose store is empty is a hole, used again by the next key; when holes
// outnumber entries, all move together. References to stores are valid until the map changes.
#pragma once

#include <phoenix/crdt/core/blocks.hpp>
#include <phoenix/crdt/core/dot_index.hpp>
#include <phoenix/crdt/core/dot_store.hpp>
#include <phoenix/crdt/core/key_hash.hpp>
#include <phoenix/crdt/core/one_or_many.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/store_members.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::crdt {

namespace detail {

template <map_key Key, dot_store Store>
class dot_map {
public:
    struct entry {
        Key key{};
        Store store{};
    };

    using value_type = entry;

    /// Over the entries that are there.
    class iterator {
    public:
        using value_type = entry;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::forward_iterator_tag;

        iterator() = default;

        iterator(const dot_map& of, std::size_t place) noexcept : of_(&of), place_(place) { skip_holes(); }

        [[nodiscard]] const entry& operator*() const noexcept { return of_->at(place_); }

        [[nodiscard]] const entry* operator->() const noexcept { return &of_->at(place_); }

        iterator& operator++() noexcept {
            ++place_;
            skip_holes();
            return *this;
        }

        iterator operator++(int) noexcept {
            iterator before = *this;
            ++*this;
            return before;
        }

        friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.place_ == b.place_; }

    private:
        void skip_holes() noexcept {
            const std::size_t places = of_->places();
            while (place_ < places && of_->at(place_).store.empty()) {
                ++place_;
            }
        }

        const dot_map* of_ = nullptr;
        std::size_t place_ = 0;
    };

    dot_map() = default;

    dot_map(const dot_map& other) { copy_from(other); }

    dot_map(dot_map&& other) noexcept
        : few_(std::move(other.few_)), tables_(std::move(other.tables_)),
          size_(std::exchange(other.size_, 0)), present_(std::exchange(other.present_, 0)) {}

    dot_map& operator=(const dot_map& other) {
        if (this != &other) {
            *this = dot_map(other);
        }
        return *this;
    }

    dot_map& operator=(dot_map&& other) noexcept {
        few_ = std::move(other.few_);
        tables_ = std::move(other.tables_);
        size_ = std::exchange(other.size_, 0);
        present_ = std::exchange(other.present_, 0);
        return *this;
    }

    ~dot_map() = default;

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// How many entries have something for a reader; the others hold only what must not be forgotten.
    [[nodiscard]] std::size_t present() const noexcept { return present_; }

    [[nodiscard]] iterator begin() const noexcept { return {*this, 0}; }

    [[nodiscard]] iterator end() const noexcept { return {*this, places()}; }

    /// Null when the key is not there. Valid until the map changes.
    [[nodiscard]] const Store* find(sought<Key> key) const {
        const std::uint32_t position = find_position(key);
        return position == no_position ? nullptr : &at(position).store;
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
        expect_idle();
        const std::uint32_t place = find_or_add(key);
        const busy_here busy(*this);
        update_at(place, changes, std::forward<Change>(change));
        close_holes_if_many();
    }

    /// Puts `store`, which is not empty, in the place of what stands below the key, whose dots it tells to `gone`.
    template <class Gone>
    void put(const Key& key, Store store, dot_changes& changes, Gone&& gone) {
        expect_idle();
        if (tables_ == nullptr && few_.empty()) {
            Key copy = key;
            entry& only = few_.grow();
            only.key = std::move(copy);
            only.store = std::move(store);
            size_ = 1;
            present_ = is_present(only.store);
            only.store.for_each_dot([&](compact_dot each) { changes.added.push_back(each); });
            return;
        }
        const std::uint32_t place = find_or_add(key);
        Store& mine = at(place).store;
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
        expect_idle();
        const std::uint32_t position = find_position(key);
        if (position != no_position) {
            update_at(position, changes, [&](Store& store) { store.clear(changes); });
            close_holes_if_many();
        }
    }

    void clear(dot_changes& changes) {
        expect_idle();
        for (std::size_t place = 0; place < places(); ++place) {
            at(place).store.clear(changes);
        }
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
            // Without news no entry is made only to be taken out again.
            const std::uint32_t place = any_new ? find_or_add(each.key) : find_position(each.key);
            if (place != no_position) {
                update_at(place, changes, [&](Store& mine) { mine.join(each.store, scope, changes); });
            }
        }
        close_holes_if_many();
    }

    [[nodiscard]] dot_map restricted(const slot_map& slots, const causal_context& wanted) const {
        dot_map kept;
        const auto keep = [&](const entry& each) {
            Store part = each.store.restricted(slots, wanted);
            if (!part.empty()) {
                kept.settle_new(kept.add(each.key), std::move(part));
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
            keep(at(position));
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
            Key key = read_ordered<Key>(in);
            if (previous != nullptr && !(*previous < key)) {
                byte_reader::fail_at(at, "keys in ascending order, each once");
            }
            Store store = Store::read(in, context);
            if (store.empty()) {
                byte_reader::fail_at(at, "a key with at least one dot");
            }
            const std::uint32_t place = made.add(std::move(key));
            made.settle_new(place, std::move(store));
            previous = &made.at(place).key;
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

        [[nodiscard]] std::size_t operator()(sought<Key> key) const { return key_hash<Key>()(key); }

        const tables* of;
    };

    struct position_equal {
        using is_transparent = void;

        [[nodiscard]] bool operator()(position a, position b) const {
            return of->entries[a.value].key == of->entries[b.value].key;
        }

        [[nodiscard]] bool operator()(position a, sought<Key> key) const {
            return of->entries[a.value].key == key;
        }

        [[nodiscard]] bool operator()(sought<Key> key, position a) const { return (*this)(a, key); }

        const tables* of;
    };

    /// Many entries and their indexes, at an address of their own: the set's functions point to it.
    struct tables {
        tables() : by_key(0, position_hash{this}, position_equal{this}) {}

        tables(const tables&) = delete;
        tables& operator=(const tables&) = delete;

        void index_dots(const Store& store, std::uint32_t place) {
            // A dot that stands under two keys came from hostile bytes, which the reader of the state refuses.
            store.for_each_dot([&](compact_dot each) {
                if (by_dot.find(each) == no_position) {
                    by_dot.insert(each, place);
                }
            });
        }

        /// The entry's key stands in it already.
        auto insert_key(std::uint32_t place) {
            if (by_key.size() >= by_key.max_load()) [[unlikely]] {
                grow_keys();
            }
            return by_key.insert(position{place});
        }

        /// Makes room for more keys than stand in it; an entry that is being added is still empty. In the order of the
        /// entries: the set itself would go through its own order, and look at the keys all over the memory.
        void grow_keys() {
            decltype(by_key) grown(2 * by_key.size() + 1, position_hash{this}, position_equal{this});
            for (std::uint32_t place = 0; place < entries.size(); ++place) {
                if (!entries[place].store.empty()) {
                    grown.insert(position{place});
                }
            }
            by_key = std::move(grown);
        }

        // In blocks: a large map has no unused half.
        blocks<entry> entries;
        boost::unordered_flat_set<position, position_hash, position_equal> by_key;
        dot_index by_dot;
        std::vector<std::uint32_t> holes;
    };

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

    static constexpr std::size_t most_scanned = 8;
    /// Looking up a dot costs about as much as looking at so many entries.
    static constexpr std::size_t scan_ratio = 8;

    /// How many entries there are, holes among them.
    [[nodiscard]] std::size_t places() const noexcept {
        return tables_ != nullptr ? tables_->entries.size() : few_.size();
    }

    [[nodiscard]] entry& at(std::size_t place) noexcept {
        return tables_ != nullptr ? tables_->entries[place] : few_[place];
    }

    [[nodiscard]] const entry& at(std::size_t place) const noexcept {
        return tables_ != nullptr ? tables_->entries[place] : few_[place];
    }

    void copy_from(const dot_map& other) {
        if (other.size_ > most_scanned) {
            tables_ = std::make_unique<tables>();
            tables_->by_key.reserve(other.size_);
        }
        for (const entry& each : other) {
            settle_new(add(each.key), each.store);
        }
    }

    /// A few become many.
    void build_tables() {
        // What may throw comes before what moves.
        auto made = std::make_unique<tables>();
        made->by_key.reserve(most_scanned + 1);
        for (std::uint32_t place = 0; place < few_.size(); ++place) {
            made->entries.grow();
            made->index_dots(few_[place].store, place);
        }
        for (std::uint32_t place = 0; place < few_.size(); ++place) {
            made->entries[place] = std::move(few_[place]);
            made->by_key.insert(position{place});
        }
        few_.clear();
        tables_ = std::move(made);
    }

    [[nodiscard]] std::uint32_t find_position(sought<Key> key) const {
        if (tables_ == nullptr) {
            for (std::uint32_t place = 0; place < few_.size(); ++place) {
                if (few_[place].key == key) {
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
            if (tables_ != nullptr && tables_->holes.empty()) {
                return find_or_append(key);
            }
        }
        const std::uint32_t found = find_position(key);
        return found != no_position ? found : add(key);
    }

    /// With one look at the table: the key is appended, and taken back if it was there.
    [[nodiscard]] std::uint32_t find_or_append(const Key& key) {
        const std::uint32_t place = append_entry(key);
        try {
            const auto [found, is_new] = tables_->insert_key(place);
            if (is_new) {
                ++size_;
                return place;
            }
            tables_->entries.pop_back();
            return found->value;
        } catch (...) {
            tables_->entries.pop_back();
            throw;
        }
    }

    /// A new entry, still empty; the key is not there.
    [[nodiscard]] std::uint32_t add(Key key) {
        if (tables_ == nullptr) {
            if (few_.size() < most_scanned) {
                few_.grow().key = std::move(key);
                ++size_;
                return static_cast<std::uint32_t>(few_.size() - 1);
            }
            build_tables();
        }
        if (tables_->holes.empty()) {
            tables_->holes.push_back(append_entry(std::move(key)));
        } else {
            tables_->entries[tables_->holes.back()].key = std::move(key);
        }
        // A hole until its key is found.
        const std::uint32_t place = tables_->holes.back();
        tables_->insert_key(place);
        tables_->holes.pop_back();
        ++size_;
        return place;
    }

    /// Only with tables; the key is not in their index yet.
    [[nodiscard]] std::uint32_t append_entry(Key key) {
        const std::size_t place = tables_->entries.size();
        if (place >= no_position) [[unlikely]] {
            refuse_more_keys();
        }
        tables_->entries.grow().key = std::move(key);
        return static_cast<std::uint32_t>(place);
    }

    [[noreturn]] static void refuse_more_keys() {
        throw_error(errc::limit_exceeded, "expected at most 2^32 - 1 keys in one map");
    }

    /// Gives an entry that was just added its store, which is not empty.
    void settle_new(std::uint32_t place, Store store) {
        at(place).store = std::move(store);
        index_dots(place);
        present_ += is_present(at(place).store);
    }

    template <class Change>
    void update_at(std::uint32_t place, dot_changes& changes, Change&& change) {
        const auto mark = changes.now();
        const bool was_present = is_present(at(place).store);
        try {
            change(at(place).store);
        } catch (...) {
            settle(place, changes, mark, was_present);
            throw;
        }
        settle(place, changes, mark, was_present);
    }

    /// Brings the indexes up to what was appended to `changes` since `mark`.
    void settle(std::uint32_t place, const dot_changes& changes, dot_changes::mark mark, bool was_present) {
        present_ += is_present(at(place).store);
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
        if (at(place).store.empty()) {
            take_out(place);
        }
    }

    void take_out(std::uint32_t place) {
        --size_;
        if (tables_ == nullptr) {
            if (place + 1 < few_.size()) {
                few_[place] = std::move(few_.back());
            }
            few_.pop_back();
            return;
        }
        tables_->holes.push_back(place);
        const auto found = tables_->by_key.find(at(place).key);
        PHOENIX_ASSERT(found != tables_->by_key.end(),
                       "a key is equal to itself, and is found where it was put");
        tables_->by_key.erase(found);
        at(place) = entry{};
    }

    /// Positions change, so only when nobody holds one.
    void close_holes_if_many() {
        if (tables_ == nullptr || tables_->holes.size() <= size_ + most_scanned) {
            return;
        }
        dot_map closed;
        for (std::size_t place = 0; place < places(); ++place) {
            entry& each = at(place);
            if (!each.store.empty()) {
                closed.settle_new(closed.add(std::move(each.key)), std::move(each.store));
            }
        }
        *this = std::move(closed);
    }

    void index_dots(std::uint32_t place) {
        if (tables_ != nullptr) {
            tables_->index_dots(at(place).store, place);
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
            if (theirs.find_position(at(place).key) == no_position) {
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
        for (auto place = static_cast<std::uint32_t>(places()); place-- > 0;) {
            bool any = false;
            at(place).store.for_each_dot([&](compact_dot each) { any = any || scope.they_saw(each); });
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

    one_or_many<entry> few_;
    std::unique_ptr<tables> tables_;
    std::size_t size_ = 0;
    std::size_t present_ = 0;
    bool busy_ = false;
};

} // namespace detail

} // namespace phoenix::crdt
