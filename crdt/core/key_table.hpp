// Entries by key, as parts of states: a hash table whose only entry, while there is one, needs no memory of its own, as
// that is what a delta has.
//
// Iteration is in no order that means anything. References and iterators are valid until the table changes.
#pragma once

#include <phoenix/crdt/core/key_hash.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

namespace phoenix::crdt::detail {

/// The key of an entry that is one itself.
struct whole_entry {
    template <class Entry>
    [[nodiscard]] const Entry& operator()(const Entry& entry) const noexcept {
        return entry;
    }
};

/// `KeyOf()(entry)` is the entry's key, which must not change while it is here.
template <class Key, std::movable Entry = Key, class KeyOf = whole_entry>
class key_table {
    /// A key that is looked up. A type of its own: the table may hold nothing but keys.
    struct wanted {
        sought<Key> key;
    };

    struct hash {
        using is_transparent = void;
        using is_avalanching = void;

        [[nodiscard]] std::size_t operator()(const Entry& entry) const {
            return key_hash<Key>()(key_of(entry));
        }

        [[nodiscard]] std::size_t operator()(const wanted& key) const { return key_hash<Key>()(key.key); }
    };

    struct equal {
        using is_transparent = void;

        [[nodiscard]] bool operator()(const Entry& a, const Entry& b) const { return key_of(a) == key_of(b); }

        [[nodiscard]] bool operator()(const wanted& a, const Entry& b) const { return a.key == key_of(b); }

        [[nodiscard]] bool operator()(const Entry& a, const wanted& b) const { return key_of(a) == b.key; }
    };

    using table = boost::unordered_flat_set<Entry, hash, equal>;

public:
    using key_type = Key;
    using value_type = Entry;

    class iterator {
    public:
        using value_type = Entry;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::forward_iterator_tag;

        iterator() = default;

        explicit iterator(const Entry* only) noexcept : only_(only) {}

        explicit iterator(typename table::const_iterator in) noexcept : in_(in) {}

        [[nodiscard]] const Entry& operator*() const noexcept { return only_ != nullptr ? *only_ : *in_; }

        [[nodiscard]] const Entry* operator->() const noexcept { return &**this; }

        iterator& operator++() noexcept {
            if (only_ != nullptr) {
                only_ = nullptr;
            } else {
                ++in_;
            }
            return *this;
        }

        iterator operator++(int) noexcept {
            iterator before = *this;
            ++*this;
            return before;
        }

        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.only_ == b.only_ && a.in_ == b.in_;
        }

    private:
        const Entry* only_ = nullptr;
        typename table::const_iterator in_;
    };

    using const_iterator = iterator;

    key_table() = default;

    key_table(const key_table& other)
        : only_(other.only_), many_(other.many_ ? std::make_unique<table>(*other.many_) : nullptr) {}

    key_table(key_table&& other) noexcept
        : only_(std::exchange(other.only_, std::nullopt)), many_(std::move(other.many_)) {}

    key_table& operator=(const key_table& other) {
        if (this != &other) {
            *this = key_table(other);
        }
        return *this;
    }

    key_table& operator=(key_table&& other) noexcept {
        only_ = std::exchange(other.only_, std::nullopt);
        many_ = std::move(other.many_);
        return *this;
    }

    ~key_table() = default;

    [[nodiscard]] std::size_t size() const noexcept { return many_ ? many_->size() : only_.has_value(); }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    [[nodiscard]] iterator begin() const noexcept {
        return many_ ? iterator(many_->cbegin()) : iterator(only_ ? &*only_ : nullptr);
    }

    [[nodiscard]] iterator end() const noexcept { return many_ ? iterator(many_->cend()) : iterator(); }

    /// Null when it is not there.
    [[nodiscard]] const Entry* find(sought<Key> key) const {
        if (!many_) {
            return only_ && key_of(*only_) == key ? &*only_ : nullptr;
        }
        const auto found = many_->find(wanted{key});
        return found != many_->end() ? &*found : nullptr;
    }

    [[nodiscard]] bool contains(sought<Key> key) const { return find(key) != nullptr; }

    /// The entry of this key, and whether it came just now. All but its key may be changed.
    std::pair<Entry&, bool> insert(const Entry& added) {
        if (!many_) {
            if (!only_) {
                return {only_.emplace(added), true};
            }
            if (key_of(*only_) == key_of(added)) {
                return {*only_, false};
            }
            reserve(2);
        }
        const auto [place, is_new] = many_->insert(added);
        // The set holds entries, not constants; it shows them as constants for the sake of their keys.
        return {const_cast<Entry&>(*place), is_new};
    }

    /// True when it was there.
    bool erase(sought<Key> key) {
        if (many_) {
            return many_->erase(wanted{key}) > 0;
        }
        const bool was_there = contains(key);
        if (was_there) {
            only_.reset();
        }
        return was_there;
    }

    /// Drops the entries of which `unwanted` is true, and returns how many those were.
    template <class Predicate>
    std::size_t erase_if(Predicate unwanted) {
        if (many_) {
            return boost::unordered::erase_if(*many_, unwanted);
        }
        const bool goes = only_ && unwanted(std::as_const(*only_));
        if (goes) {
            only_.reset();
        }
        return goes;
    }

    /// Makes room for so many entries at once. A table is never made smaller: each delta would move it whole.
    void reserve(std::size_t entries) {
        if (entries <= 1 || (many_ && entries <= many_->size())) {
            return;
        }
        if (!many_) {
            auto made = std::make_unique<table>();
            made->reserve(entries);
            if (only_) {
                made->insert(*std::move(only_));
                only_.reset();
            }
            many_ = std::move(made);
            return;
        }
        many_->reserve(entries);
    }

    /// The same entries.
    friend bool operator==(const key_table& a, const key_table& b)
        requires std::equality_comparable<Entry>
    {
        if (a.size() != b.size()) {
            return false;
        }
        for (const Entry& each : a) {
            const Entry* const found = b.find(KeyOf()(each));
            if (found == nullptr || !(*found == each)) {
                return false;
            }
        }
        return true;
    }

private:
    [[nodiscard]] static const Key& key_of(const Entry& entry) noexcept { return KeyOf()(entry); }

    std::optional<Entry> only_;
    std::unique_ptr<table> many_;
};

} // namespace phoenix::crdt::detail
