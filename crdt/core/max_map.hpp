// Totals under keys, joined by maximum: what counters, vector clocks and matrices of rights are made of.
//
// Each entry holds N totals that only grow. A total of zero says nothing, so an entry of zeros is never
// stored and an absent one reads as zeros. Entries are sorted by key: lookup is O(log n), and a join moves
// each entry at most once.
#pragma once

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace phoenix::crdt::detail {

/// Holds the sum of any number of totals that fit into memory, and the difference of two such sums.
__extension__ using wide_sum = __int128;

template <class Key, std::size_t N, std::size_t Inline = 1>
class max_map {
public:
    using totals = std::array<std::uint64_t, N>;

    struct entry {
        entry() = default;

        explicit entry(const Key& of, const totals& what = {}) noexcept : key(of), total(what) {}

        // Written out, so that entries are copied one by one: moved as one block, g++ 12 warns of inline
        // storage that it takes for too small.
        entry(const entry& other) noexcept : key(other.key), total(other.total) {}

        entry& operator=(const entry&) = default;
        ~entry() = default;

        friend bool operator==(const entry&, const entry&) = default;

        Key key{};
        totals total{};
    };

    using storage = boost::container::small_vector<entry, Inline>;

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    /// By key.
    [[nodiscard]] typename storage::const_iterator begin() const noexcept { return entries_.begin(); }

    [[nodiscard]] typename storage::const_iterator end() const noexcept { return entries_.end(); }

    [[nodiscard]] totals find(const Key& key) const noexcept {
        const auto place = lower_bound(entries_.begin(), key);
        return place != entries_.end() && place->key == key ? place->total : totals{};
    }

    /// The sum of all totals number `index`.
    [[nodiscard]] wide_sum sum(std::size_t index) const noexcept {
        wide_sum all = 0;
        for (const entry& each : entries_) {
            all += each.total[index];
        }
        return all;
    }

    /// Sets a total to at least `total`.
    void raise(const Key& key, std::size_t index, std::uint64_t total) {
        if (total == 0) {
            return;
        }
        auto place = entries_.begin() + (lower_bound(entries_.begin(), key) - entries_.begin());
        if (place == entries_.end() || place->key != key) {
            place = entries_.insert(place, entry(key));
        }
        place->total[index] = std::max(place->total[index], total);
    }

    /// Appends an entry that is not zero behind the last one.
    void append(const Key& key, const totals& total) { entries_.push_back(entry(key, total)); }

    void join(const max_map& theirs) {
        std::size_t missing = 0;
        auto from = entries_.begin();
        for (const entry& each : theirs.entries_) {
            from = entries_.begin() + (lower_bound(from, each.key) - entries_.begin());
            if (from == entries_.end() || from->key != each.key) {
                ++missing;
            } else {
                for (std::size_t i = 0; i < N; ++i) {
                    from->total[i] = std::max(from->total[i], each.total[i]);
                }
            }
        }
        if (missing > 0) {
            insert_missing(theirs, missing);
        }
    }

    [[nodiscard]] bool leq(const max_map& theirs) const noexcept {
        auto from = theirs.entries_.begin();
        for (const entry& each : entries_) {
            from = theirs.lower_bound(from, each.key);
            if (from == theirs.entries_.end() || from->key != each.key) {
                return false;
            }
            for (std::size_t i = 0; i < N; ++i) {
                if (each.total[i] > from->total[i]) {
                    return false;
                }
            }
        }
        return true;
    }

    /// The totals that are higher than those of `theirs`.
    [[nodiscard]] max_map newer_than(const max_map& theirs) const {
        max_map newer;
        auto from = theirs.entries_.begin();
        for (const entry& each : entries_) {
            from = theirs.lower_bound(from, each.key);
            const totals known =
                from != theirs.entries_.end() && from->key == each.key ? from->total : totals{};
            totals higher{};
            for (std::size_t i = 0; i < N; ++i) {
                higher[i] = each.total[i] > known[i] ? each.total[i] : 0;
            }
            if (higher != totals{}) {
                newer.append(each.key, higher);
            }
        }
        return newer;
    }

    /// Joins, and returns what was new.
    max_map delta_and_merge(const max_map& theirs) {
        max_map fresh = theirs.newer_than(*this);
        join(fresh);
        return fresh;
    }

    /// One total each.
    [[nodiscard]] std::vector<max_map> decompose() const {
        std::vector<max_map> parts;
        for (const entry& each : entries_) {
            for (std::size_t i = 0; i < N; ++i) {
                if (each.total[i] > 0) {
                    parts.emplace_back().raise(each.key, i, each.total[i]);
                }
            }
        }
        return parts;
    }

    template <class Predicate>
    std::size_t erase_if(Predicate&& unwanted) {
        const auto kept = std::remove_if(entries_.begin(), entries_.end(),
                                         [&](const entry& each) { return unwanted(each.key); });
        const auto erased = static_cast<std::size_t>(entries_.end() - kept);
        entries_.erase(kept, entries_.end());
        return erased;
    }

    friend bool operator==(const max_map& a, const max_map& b) noexcept {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

private:
    [[nodiscard]] auto lower_bound(typename storage::const_iterator from, const Key& key) const noexcept {
        return std::lower_bound(from, entries_.end(), key,
                                [](const entry& each, const Key& wanted) { return each.key < wanted; });
    }

    /// Merges from the back, so that every entry moves once.
    void insert_missing(const max_map& theirs, std::size_t missing) {
        std::size_t mine = entries_.size();
        entries_.resize(mine + missing);
        std::size_t place = entries_.size();
        for (auto each = theirs.entries_.rbegin(); each != theirs.entries_.rend(); ++each) {
            while (mine > 0 && each->key < entries_[mine - 1].key) {
                entries_[--place] = entries_[--mine];
            }
            if (mine == 0 || entries_[mine - 1].key != each->key) {
                entries_[--place] = *each;
            }
        }
    }

    storage entries_;
};

} // namespace phoenix::crdt::detail
