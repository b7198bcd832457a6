// Map whose last write of each key wins, by the time it was stamped with (LWW-Map).
//
//   lww_map<std::string, int> prices;         // a third parameter lww_bias::remove for the other bias
//   auto delta = prices.put(here, "tea", 3, clock.now(wall_us));
//   delta.join(prices.remove(here, "milk", clock.now(wall_us)));
//   other.join(delta);
//   for (const auto& [key, value] : prices) { ... }
//
// For each key the write that is greater by time stays; at equal times a put wins over a removal
// (lww_bias::add, the default) or the removal over the put; among puts, or removals, the one that is greater
// by (replica, hash of the value, bytes of the value). So all replicas choose the same one. A write stamped
// before the one that stands changes nothing and returns bottom. Timestamps come from a hybrid_clock
// that hears of all others' (in a node: node::stamp); far-future ones are joined like any other (lww_register.hpp says why).
//
// A removal removes by time, not by what it saw: also a put that it never heard of, if that was stamped
// before. So it stays behind as a tombstone, inherent in a map ordered by time alone; `forget` says when
// those may go. or_map has none.
//
// Lookup, writes and joining a delta take time independent of the size. A key costs 40 bytes besides itself
// and its value, in a flat table. The digest is, for each key, what lww_register's digest is. Source: M.
// Shapiro et al., A Comprehensive Study of Convergent and Commutative Replicated Data Types (2011), section
// 3.2.1 and 3.3.3. Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/key_table.hpp>
#include <phoenix/crdt/core/lww_map_digest.hpp>
#include <phoenix/crdt/core/projected_iterator.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/write_stamp.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>
#include <phoenix/crdt/lww_register.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

template <map_key Key, register_value Value, lww_bias Bias = lww_bias::add>
class lww_map {
    struct entry {
        Key key;
        write_stamp stamp;
        /// None: removed.
        std::optional<Value> value;
    };

    struct key_of {
        [[nodiscard]] const Key& operator()(const entry& each) const noexcept { return each.key; }
    };

    using table = detail::key_table<Key, entry, key_of>;

public:
    using digest_type = lww_map_digest<Key, Bias>;

    static constexpr lww_bias bias = Bias;

    struct item {
        const Key& key;
        const Value& value;
    };

private:
    struct shape {
        [[nodiscard]] static bool wanted(const entry& each) noexcept { return each.value.has_value(); }

        [[nodiscard]] static item show(const entry& each) noexcept { return {each.key, *each.value}; }
    };

public:
    using value_type = item;
    using iterator = detail::projected_iterator<typename table::iterator, shape>;

    struct operations {
        struct put {
            Key key;
            Value value;
            timestamp time;

            friend bool operator==(const put&, const put&) = default;

            void write(byte_writer& out) const {
                write_value(out, key);
                write_value(out, value);
                time.write(out);
            }

            [[nodiscard]] static put read(byte_reader& in) {
                Key key = read_value<Key>(in);
                Value value = read_value<Value>(in);
                return {std::move(key), std::move(value), timestamp::read(in)};
            }
        };

        struct remove {
            Key key;
            timestamp time;

            friend bool operator==(const remove&, const remove&) = default;

            void write(byte_writer& out) const {
                write_value(out, key);
                time.write(out);
            }

            [[nodiscard]] static remove read(byte_reader& in) {
                Key key = read_value<Key>(in);
                return {std::move(key), timestamp::read(in)};
            }
        };
    };

    using operation = std::variant<typename operations::put, typename operations::remove>;

    /// Each mutator changes this map and returns the change, itself a map.
    lww_map put(const replica_id& here, const Key& key, const Value& value, const timestamp& time) {
        detail::expect_ordered("put", key);
        return take_new({key, {time, here}, value});
    }

    /// Removes what was and will be put before `time`, whether it is here or not.
    lww_map remove(const replica_id& here, const Key& key, const timestamp& time) {
        detail::expect_ordered("remove", key);
        return take_new({key, {time, here}, std::nullopt});
    }

    /// Null when the key is not there. Valid until the map changes.
    [[nodiscard]] const Value* find(detail::sought<Key> key) const {
        const entry* const found = entries_.find(key);
        return found != nullptr && found->value ? &*found->value : nullptr;
    }

    [[nodiscard]] bool contains(detail::sought<Key> key) const { return find(key) != nullptr; }

    /// When and by whom the key was put or removed last; null when neither is known. Valid until the map
    /// changes.
    [[nodiscard]] const write_stamp* stamp(detail::sought<Key> key) const {
        const entry* const found = entries_.find(key);
        return found != nullptr ? &found->stamp : nullptr;
    }

    [[nodiscard]] std::size_t size() const noexcept { return live_; }

    [[nodiscard]] bool empty() const noexcept { return live_ == 0; }

    [[nodiscard]] std::size_t tombstones() const noexcept { return entries_.size() - live_; }

    /// The keys that are there with their values, in no order that means anything. Valid until the map
    /// changes.
    [[nodiscard]] iterator begin() const noexcept { return {entries_.begin(), entries_.end()}; }

    [[nodiscard]] iterator end() const noexcept { return {entries_.end(), entries_.end()}; }

    /// Drops the tombstones stamped at or before `stable`, and returns how many those were.
    ///
    /// It is no mutator: it makes no delta, and the state knows less afterwards. It is safe only if, for
    /// every replica that has or will ever have a part of this object, asleep, cut off or restored from a
    /// backup though it be:
    ///  1. it has joined all that was stamped at or before `stable`;
    ///  2. it will stamp nothing at or before `stable` any more: its clock has passed it;
    ///  3. no older delta or state is still on its way or kept to be sent or restored.
    /// Then nobody has a put that a dropped tombstone would have to hold off. If one replica falls short,
    /// what it still has of a removed key comes back everywhere. Age says nothing about that: the peer that
    /// slept longest decides, so `stable` is the least of what the members have acknowledged. Who forgets
    /// later hands its tombstones out again, to no harm.
    std::size_t forget(const timestamp& stable) {
        return entries_.erase_if([&](const entry& each) { return !each.value && each.stamp.time <= stable; });
    }

    void join(const lww_map& theirs) {
        if (this != &theirs) {
            entries_.reserve(theirs.entries_.size());
            for (const entry& each : theirs.entries_) {
                take(each);
            }
        }
    }

    [[nodiscard]] lww_map delta_and_merge(const lww_map& theirs) {
        lww_map fresh;
        if (this != &theirs) {
            for (const entry& each : theirs.entries_) {
                if (take(each)) {
                    fresh.take(each);
                }
            }
        }
        return fresh;
    }

    [[nodiscard]] bool leq(const lww_map& theirs) const {
        return std::ranges::all_of(entries_, [&](const entry& each) {
            const entry* const found = theirs.entries_.find(each.key);
            return found != nullptr && compare(each, *found) <= 0;
        });
    }

    [[nodiscard]] bool is_bottom() const noexcept { return entries_.empty(); }

    [[nodiscard]] digest_type digest() const {
        digest_type made;
        made.marks.reserve(entries_.size());
        for (const entry* each : sorted()) {
            made.marks.push_back(mark(*each));
        }
        return made;
    }

    /// The writes that win over what a holder of `theirs` has.
    [[nodiscard]] lww_map delta_since(const digest_type& theirs) const {
        lww_map delta;
        for (const entry& each : entries_) {
            const auto* const known = theirs.find(each.key);
            if (known == nullptr || known->loses_to(mark(each))) {
                delta.take(each);
            }
        }
        return delta;
    }

    /// The join-irreducible states whose join this is: one for each key, by key.
    [[nodiscard]] std::vector<lww_map> decompose() const {
        std::vector<lww_map> parts;
        for (const entry* each : sorted()) {
            parts.emplace_back().take(*each);
        }
        return parts;
    }

    lww_map apply(const replica_id& here, const operation& what) {
        return std::visit(
            [&]<class What>(const What& each) {
                if constexpr (std::is_same_v<What, typename operations::put>) {
                    return put(here, each.key, each.value, each.time);
                } else {
                    return remove(here, each.key, each.time);
                }
            },
            what);
    }

    void explain(explanation& facts) const {
        for (const entry* each : sorted()) {
            facts.path.push_back(value_text(each->key));
            if (each->value) {
                facts.add(explanation::verdict::stands, value_text(*each->value),
                          "put " + to_text(each->stamp) + ", the last");
            } else {
                facts.add(explanation::verdict::gone, {}, "removed " + to_text(each->stamp));
            }
            facts.path.pop_back();
        }
    }

    friend bool operator==(const lww_map& a, const lww_map& b) {
        return a.entries_.size() == b.entries_.size() && a.live_ == b.live_ &&
               std::ranges::all_of(a.entries_, [&](const entry& each) {
                   const entry* const found = b.entries_.find(each.key);
                   return found != nullptr && compare(each, *found) == 0;
               });
    }

    void write(byte_writer& out) const {
        out.write_varint(entries_.size());
        for (const entry* each : sorted()) {
            write_value(out, each->key);
            each->stamp.write(out);
            write_value(out, each->value);
        }
    }

    [[nodiscard]] static lww_map read(byte_reader& in) {
        lww_map made;
        detail::ascending_reader<Key> keys;
        for (std::size_t left = in.read_count(5, "keys"); left > 0; --left) {
            entry found{keys.next(in), {}, {}};
            found.stamp = write_stamp::read(in);
            found.value = read_value<std::optional<Value>>(in);
            made.take(found);
        }
        return made;
    }

private:
    [[nodiscard]] static std::strong_ordering compare(const entry& a, const entry& b) {
        const auto by_stamp =
            compare_writes<Bias>(a.stamp, a.value.has_value(), b.stamp, b.value.has_value());
        if (by_stamp != 0 || !a.value || *a.value == *b.value) {
            return by_stamp;
        }
        return detail::compare_values(*a.value, *b.value);
    }

    [[nodiscard]] static auto mark(const entry& of) {
        return typename digest_type::write_mark{
            of.key, of.stamp, of.value ? std::optional(bytes_hash(*of.value)) : std::nullopt};
    }

    [[nodiscard]] auto sorted() const { return detail::sorted_entries(entries_, key_of()); }

    /// Joins one write; true when it wins.
    bool take(const entry& write) {
        const auto [mine, is_new] = entries_.insert(write);
        if (!is_new) {
            if (compare(write, mine) <= 0) {
                return false;
            }
            // The copy first: when it throws, nothing has changed.
            std::optional<Value> value = write.value;
            live_ -= mine.value ? 1 : 0;
            mine.stamp = write.stamp;
            mine.value = std::move(value);
        }
        live_ += write.value ? 1 : 0;
        return true;
    }

    lww_map take_new(const entry& write) {
        // The delta first: when a copy throws, nothing has changed that nobody else will know.
        lww_map delta;
        delta.take(write);
        return take(write) ? delta : lww_map();
    }

    table entries_;
    std::size_t live_ = 0;
};

} // namespace phoenix::crdt
