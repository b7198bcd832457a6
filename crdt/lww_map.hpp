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
// before the one that stands changes nothing and returns bottom. Timestamps come from a hybrid_clock;
// far-future ones are joined like any other (lww_register.hpp says why).
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

#include <phoenix/crdt/core/dot_map.hpp>
#include <phoenix/crdt/core/lww_map_digest.hpp>
#include <phoenix/crdt/core/projected_iterator.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/write_stamp.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>
#include <phoenix/crdt/lww_register.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

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
        write_stamp stamp;
        /// None: removed.
        std::optional<Value> value;
    };

    using table = boost::unordered_flat_map<Key, entry, detail::key_hash<Key>>;

public:
    using digest_type = lww_map_digest<Key, Bias>;

    static constexpr lww_bias bias = Bias;

    struct item {
        const Key& key;
        const Value& value;
    };

private:
    struct shape {
        [[nodiscard]] static bool wanted(const typename table::value_type& each) noexcept {
            return each.second.value.has_value();
        }

        [[nodiscard]] static item show(const typename table::value_type& each) noexcept {
            return {each.first, *each.second.value};
        }
    };

public:
    using value_type = item;
    using iterator = detail::projected_iterator<typename table::const_iterator, shape>;

    struct operations {
        struct put {
            Key key;
            Value value;
            timestamp time;

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
        return take_new(key, entry{{time, here}, value});
    }

    /// Removes what was and will be put before `time`, whether it is here or not.
    lww_map remove(const replica_id& here, const Key& key, const timestamp& time) {
        detail::expect_ordered("remove", key);
        return take_new(key, entry{{time, here}, std::nullopt});
    }

    /// Null when the key is not there. Valid until the map changes.
    [[nodiscard]] const Value* find(const Key& key) const {
        const entry* const found = find_entry(key);
        return found != nullptr && found->value ? &*found->value : nullptr;
    }

    [[nodiscard]] bool contains(const Key& key) const { return find(key) != nullptr; }

    /// When and by whom the key was put or removed last; null when neither is known. Valid until the map
    /// changes.
    [[nodiscard]] const write_stamp* stamp(const Key& key) const {
        const entry* const found = find_entry(key);
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
        return erase_if(entries_, [&](const auto& each) {
            return !each.second.value && each.second.stamp.time <= stable;
        });
    }

    void join(const lww_map& theirs) {
        if (this != &theirs) {
            detail::grow_for(entries_, theirs.entries_.size());
            for (const auto& [key, what] : theirs.entries_) {
                take(key, what);
            }
        }
    }

    [[nodiscard]] lww_map delta_and_merge(const lww_map& theirs) {
        lww_map fresh;
        if (this != &theirs) {
            for (const auto& [key, what] : theirs.entries_) {
                if (take(key, what)) {
                    fresh.take(key, what);
                }
            }
        }
        return fresh;
    }

    [[nodiscard]] bool leq(const lww_map& theirs) const {
        return std::ranges::all_of(entries_, [&](const auto& each) {
            const entry* const found = theirs.find_entry(each.first);
            return found != nullptr && compare(each.second, *found) <= 0;
        });
    }

    [[nodiscard]] bool is_bottom() const noexcept { return entries_.empty(); }

    [[nodiscard]] digest_type digest() const {
        digest_type made;
        made.marks.reserve(entries_.size());
        for (const auto* each : sorted()) {
            made.marks.push_back(mark(each->first, each->second));
        }
        return made;
    }

    /// The writes that win over what a holder of `theirs` has.
    [[nodiscard]] lww_map delta_since(const digest_type& theirs) const {
        lww_map delta;
        for (const auto& [key, what] : entries_) {
            const auto* const known = theirs.find(key);
            if (known == nullptr || known->loses_to(mark(key, what))) {
                delta.take(key, what);
            }
        }
        return delta;
    }

    /// The join-irreducible states whose join this is: one for each key, by key.
    [[nodiscard]] std::vector<lww_map> decompose() const {
        std::vector<lww_map> parts;
        for (const auto* each : sorted()) {
            parts.emplace_back().take(each->first, each->second);
        }
        return parts;
    }

    [[nodiscard]] lww_map apply(const replica_id& here, const operation& what) {
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
        for (const auto* each : sorted()) {
            const auto& [stamp, value] = each->second;
            facts.path.push_back(value_text(each->first));
            if (value) {
                facts.add(explanation::verdict::stands, value_text(*value),
                          "put " + to_text(stamp) + ", the last");
            } else {
                facts.add(explanation::verdict::gone, {}, "removed " + to_text(stamp));
            }
            facts.path.pop_back();
        }
    }

    friend bool operator==(const lww_map& a, const lww_map& b) {
        return a.entries_.size() == b.entries_.size() && a.live_ == b.live_ &&
               std::ranges::all_of(a.entries_, [&](const auto& each) {
                   const entry* const found = b.find_entry(each.first);
                   return found != nullptr && compare(each.second, *found) == 0;
               });
    }

    void write(byte_writer& out) const {
        out.write_varint(entries_.size());
        for (const auto* each : sorted()) {
            write_value(out, each->first);
            each->second.stamp.write(out);
            write_value(out, each->second.value);
        }
    }

    [[nodiscard]] static lww_map read(byte_reader& in) {
        lww_map made;
        detail::ascending_reader<Key> keys;
        for (std::size_t left = in.read_count(5, "keys"); left > 0; --left) {
            const Key& key = keys.next(in);
            entry found;
            found.stamp = write_stamp::read(in);
            found.value = read_value<std::optional<Value>>(in);
            made.take(key, found);
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

    [[nodiscard]] static auto mark(const Key& key, const entry& what) {
        return typename digest_type::write_mark{
            key, what.stamp, what.value ? std::optional(bytes_hash(*what.value)) : std::nullopt};
    }

    [[nodiscard]] const entry* find_entry(const Key& key) const {
        const auto found = entries_.find(key);
        return found != entries_.end() ? &found->second : nullptr;
    }

    [[nodiscard]] auto sorted() const {
        return detail::sorted_entries(entries_, [](const auto& each) -> const Key& { return each.first; });
    }

    /// Joins one write; true when it wins.
    bool take(const Key& key, const entry& what) {
        const auto [place, is_new] = entries_.try_emplace(key, what);
        if (!is_new) {
            if (compare(what, place->second) <= 0) {
                return false;
            }
            live_ -= place->second.value ? 1 : 0;
            place->second = what;
        }
        live_ += what.value ? 1 : 0;
        return true;
    }

    lww_map take_new(const Key& key, const entry& what) {
        lww_map delta;
        if (take(key, what)) {
            delta.take(key, what);
        }
        return delta;
    }

    table entries_;
    std::size_t live_ = 0;
};

} // namespace phoenix::crdt
