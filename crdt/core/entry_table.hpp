// Where the entries of a dot_map stand, and what leads to them from keys and from dots.
//
// Entries stand in the order in which their keys came, which means nothing: a few side by side; more in blocks, and then
// one index leads from keys to places and another from dots to places, so that nothing is scanned. An entry whose store is
// empty is a hole, used again by the next key; when holes outnumber entries, all move together. References to entries are
// valid until the table changes.
//
// What adds a key gets its memory before it changes anything. What takes one away needs no memory: a hole that cannot be
// listed is not used again, holes that cannot be closed stay, and an index of dots that cannot grow is given up until there
// is memory for it; what asks it scans meanwhile.
#pragma once

#include <phoenix/crdt/core/blocks.hpp>
#include <phoenix/crdt/core/dot_index.hpp>
#include <phoenix/crdt/core/dot_store.hpp>
#include <phoenix/crdt/core/key_hash.hpp>
#include <phoenix/crdt/core/one_or_many.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

template <map_key Key, dot_store Store>
class entry_table {
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

        explicit iterator(const entry_table& of) noexcept : of_(&of) {
            if (of.tables_ == nullptr) {
                run_ = of.few_;
                places_seen_ = run_.size();
            }
            skip_holes();
        }

        [[nodiscard]] const entry& operator*() const noexcept { return run_.front(); }

        [[nodiscard]] const entry* operator->() const noexcept { return run_.data(); }

        iterator& operator++() noexcept {
            run_ = run_.subspan(1);
            skip_holes();
            return *this;
        }

        iterator operator++(int) noexcept {
            iterator before = *this;
            ++*this;
            return before;
        }

        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.run_.data() == b.run_.data();
        }

    private:
        void skip_holes() noexcept {
            while (true) {
                while (!run_.empty() && run_.front().store.empty()) {
                    run_ = run_.subspan(1);
                }
                if (!run_.empty()) {
                    return;
                }
                if (places_seen_ == of_->places()) {
                    run_ = {};
                    return;
                }
                run_ = of_->tables_->entries.run_from(places_seen_);
                places_seen_ += run_.size();
            }
        }

        const entry_table* of_ = nullptr;
        /// From this entry to the last of those that stand side by side; without an entry at the end.
        std::span<const entry> run_;
        std::size_t places_seen_ = 0;
    };

    /// An entry, and whether its key came just now: its store is empty then, and must not be when the next key comes.
    struct added {
        entry& here;
        std::uint32_t place;
        bool is_new;
    };

    entry_table() = default;

    entry_table(const entry_table& other) {
        reserve(other.size_);
        for (const entry& each : other) {
            add(each.key, each.store);
        }
    }

    entry_table(entry_table&& other) noexcept
        : few_(std::move(other.few_)), tables_(std::move(other.tables_)),
          size_(std::exchange(other.size_, 0)) {}

    entry_table& operator=(const entry_table& other) {
        if (this != &other) {
            *this = entry_table(other);
        }
        return *this;
    }

    entry_table& operator=(entry_table&& other) noexcept {
        few_ = std::move(other.few_);
        tables_ = std::move(other.tables_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    ~entry_table() = default;

    /// So many keys are about to come. Precondition: none is there.
    void reserve(std::size_t keys) {
        if (keys > most_scanned) {
            tables_ = std::make_unique<tables>();
            tables_->by_key.reserve(keys);
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] iterator begin() const noexcept { return iterator(*this); }

    [[nodiscard]] iterator end() const noexcept { return {}; }

    /// How many places there are, holes among them.
    [[nodiscard]] std::size_t places() const noexcept {
        return tables_ != nullptr ? tables_->entries.size() : few_.size();
    }

    [[nodiscard]] entry& at(std::size_t place) noexcept {
        return tables_ != nullptr ? tables_->entries[place] : few_[place];
    }

    [[nodiscard]] const entry& at(std::size_t place) const noexcept {
        return tables_ != nullptr ? tables_->entries[place] : few_[place];
    }

    /// no_position when the key is not there.
    [[nodiscard]] std::uint32_t find(sought<Key> key) const {
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

    [[nodiscard]] added find_or_add(sought<Key> key) {
        if (tables_ == nullptr) {
            if (few_.empty()) {
                return append_to_few(Key(key));
            }
        } else if constexpr (std::is_trivially_copyable_v<Key>) {
            // A key that is cheap to copy needs one look at the table instead of two.
            return insert(key);
        }
        const std::uint32_t found = find(key);
        return found != no_position ? added{at(found), found, false} : insert(Key(key));
    }

    /// The key is not there, and `store` is not empty.
    entry& add(Key key, Store store) {
        const added made = insert(std::move(key));
        made.here.store = std::move(store);
        made.here.store.for_each_dot([&](compact_dot each) { index_dot(each, made.place); });
        return made.here;
    }

    /// The entry's store has become empty. Without indexes the last entry moves to its place.
    void take_out(std::uint32_t place) {
        if (tables_ == nullptr) {
            if (place + 1 < few_.size()) {
                few_[place] = std::move(few_.back());
            }
            few_.pop_back();
        } else {
            const auto found = tables_->by_key.find(at(place).key);
            PHOENIX_ASSERT(found != tables_->by_key.end(),
                           "a key is equal to itself, and is found where it was put");
            tables_->by_key.erase(found);
            at(place) = entry{};
            tables_->list_hole(place);
        }
        --size_;
    }

    /// To be told of each dot that comes to an entry or leaves it.
    void index_dot(compact_dot d, std::uint32_t place) noexcept {
        if (tables_ != nullptr && tables_->has_dots) {
            tables_->insert_dot(d, place);
        }
    }

    void unindex_dot(compact_dot d) noexcept {
        if (tables_ != nullptr) {
            tables_->by_dot.erase(d);
        }
    }

    /// True when looking up so many dots costs less than looking at all entries, and can be done.
    [[nodiscard]] bool prefers_index(std::uint64_t dots) const noexcept {
        return tables_ != nullptr && tables_->has_dots && dots <= size_ / scan_ratio;
    }

    /// The places of the entries that hold dots of `dots`, whose slots `to_mine` translates; when prefers_index() said so.
    [[nodiscard]] std::vector<std::uint32_t> places_of(const causal_context& dots,
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

    /// Closes the holes if they are many. Places change, so only when nobody holds one.
    void tidy() noexcept {
        if (tables_ != nullptr && (tables_->entries.size() > 2 * size_ + most_scanned || !tables_->has_dots))
            [[unlikely]] {
            try {
                rebuild();
            } catch (const std::bad_alloc&) {
                // Nothing has moved; the next change tries again.
            }
        }
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

        /// The entry's key stands in it already.
        auto insert_key(std::uint32_t place) {
            if (by_key.size() >= by_key.max_load()) [[unlikely]] {
                grow_keys();
            }
            return by_key.insert(position{place});
        }

        /// Makes room for more keys than stand in it; an entry that is being added is still empty. Many are taken in the
        /// order of the entries: the set itself would go through its own order, and look at the keys all over the memory.
        [[gnu::noinline]] void grow_keys() {
            const std::size_t wanted = 2 * by_key.size() + 1;
            if (wanted < many_keys) {
                by_key.reserve(wanted);
                return;
            }
            decltype(by_key) grown(wanted, position_hash{this}, position_equal{this});
            for (std::uint32_t place = 0; place < entries.size(); ++place) {
                if (!entries[place].store.empty()) {
                    grown.insert(position{place});
                }
            }
            by_key = std::move(grown);
        }

        void insert_dot(compact_dot d, std::uint32_t place) noexcept {
            try {
                by_dot.insert(d, place);
            } catch (const std::bad_alloc&) {
                by_dot = dot_index();
                has_dots = false;
            }
        }

        void list_hole(std::uint32_t place) noexcept {
            try {
                holes.push_back(place);
            } catch (const std::bad_alloc&) {
                // Not used again, until all move together.
            }
        }

        /// More than the nearer caches hold.
        static constexpr std::size_t many_keys = 1 << 14;

        // In blocks: a large map has no unused half.
        blocks<entry> entries;
        boost::unordered_flat_set<position, position_hash, position_equal> by_key;
        dot_index by_dot;
        std::vector<std::uint32_t> holes;
        bool has_dots = true;
    };

    static constexpr std::size_t most_scanned = 8;
    /// Looking up a dot costs about as much as looking at so many entries.
    static constexpr std::size_t scan_ratio = 8;

    [[nodiscard]] added append_to_few(Key key) {
        entry& here = few_.grow();
        here.key = std::move(key);
        return {here, static_cast<std::uint32_t>(size_++), true};
    }

    /// The key is not there, or there are tables.
    [[nodiscard]] added insert(Key key) {
        if (tables_ == nullptr) {
            if (size_ < most_scanned) {
                return append_to_few(std::move(key));
            }
            rebuild();
        }
        const bool appends = tables_->holes.empty();
        const std::uint32_t place = appends ? next_place() : tables_->holes.back();
        entry& here = appends ? tables_->entries.grow() : tables_->entries[place];
        const auto take_back = [&] {
            here = entry{};
            if (appends) {
                tables_->entries.pop_back();
            }
        };
        try {
            here.key = std::move(key);
            const auto [found, is_new] = tables_->insert_key(place);
            if (!is_new) {
                take_back();
                return {tables_->entries[found->value], found->value, false};
            }
        } catch (...) {
            take_back();
            throw;
        }
        if (!appends) {
            tables_->holes.pop_back();
        }
        ++size_;
        return {here, place, true};
    }

    /// Of the entry that is appended next; only with tables.
    [[nodiscard]] std::uint32_t next_place() const {
        const std::size_t place = tables_->entries.size();
        if (place >= no_position) [[unlikely]] {
            refuse_more_keys();
        }
        return static_cast<std::uint32_t>(place);
    }

    [[noreturn]] static void refuse_more_keys() {
        throw_error(errc::limit_exceeded, "expected at most 2^32 - 1 keys in one map");
    }

    /// All entries anew and together: a few that become many, or many without their holes. What may throw comes before
    /// what moves.
    [[gnu::noinline]] void rebuild() {
        const auto for_each_entry = [this](auto&& visit) {
            std::uint32_t to = 0;
            for (std::size_t place = 0; place < places(); ++place) {
                if (!at(place).store.empty()) {
                    visit(at(place), to++);
                }
            }
        };
        if (size_ < most_scanned) {
            one_or_many<entry> made;
            for_each_entry([&](const entry& /*each*/, std::uint32_t /*to*/) { made.grow(); });
            for_each_entry([&](entry& each, std::uint32_t to) { made[to].key = std::move(each.key); });
            for_each_entry([&](entry& each, std::uint32_t to) { made[to].store = std::move(each.store); });
            few_ = std::move(made);
            tables_.reset();
            return;
        }
        auto made = std::make_unique<tables>();
        made->by_key.reserve(size_ + 1);
        for_each_entry([&](const entry& each, std::uint32_t to) {
            made->entries.grow();
            each.store.for_each_dot([&](compact_dot d) { made->by_dot.insert(d, to); });
        });
        for_each_entry([&](entry& each, std::uint32_t to) {
            made->entries[to].key = std::move(each.key);
            made->by_key.insert(position{to});
        });
        for_each_entry(
            [&](entry& each, std::uint32_t to) { made->entries[to].store = std::move(each.store); });
        few_.clear();
        tables_ = std::move(made);
    }

    one_or_many<entry> few_;
    std::unique_ptr<tables> tables_;
    std::size_t size_ = 0;
};

} // namespace phoenix::crdt::detail
