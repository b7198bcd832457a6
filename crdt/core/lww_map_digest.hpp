// What an lww_map has, in short: for each key the write that stands.
#pragma once

#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/write_stamp.hpp>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace phoenix::crdt {

/// Who wins when a put and a removal have the same time.
enum class lww_bias : std::uint8_t { add, remove };

/// Orders two writes of one key, up to two puts of one replica at one time: by time, then by the bias, then
/// by replica.
template <lww_bias Bias>
[[nodiscard]] std::strong_ordering compare_writes(const write_stamp& a, bool a_puts, const write_stamp& b,
                                                  bool b_puts) noexcept {
    if (const auto by_time = a.time <=> b.time; by_time != 0) {
        return by_time;
    }
    if (a_puts != b_puts) {
        return a_puts == (Bias == lww_bias::add) ? std::strong_ordering::greater : std::strong_ordering::less;
    }
    return a.by <=> b.by;
}

template <class Key, lww_bias Bias>
struct lww_map_digest {
    struct write_mark {
        Key key;
        write_stamp stamp;
        /// Of the value that was put; none for a removal.
        std::optional<std::uint64_t> value_hash;

        friend bool operator==(const write_mark&, const write_mark&) = default;

        /// Of the same key.
        [[nodiscard]] bool loses_to(const write_mark& other) const noexcept {
            const auto order = compare_writes<Bias>(stamp, value_hash.has_value(), other.stamp,
                                                    other.value_hash.has_value());
            return order < 0 || (order == 0 && value_hash < other.value_hash);
        }
    };

    /// By key.
    std::vector<write_mark> marks;

    /// Null when nothing of the key is known.
    [[nodiscard]] const write_mark* find(const Key& key) const {
        const auto found = std::ranges::lower_bound(marks, key, {}, &write_mark::key);
        return found != marks.end() && found->key == key ? &*found : nullptr;
    }

    friend bool operator==(const lww_map_digest&, const lww_map_digest&) = default;

    void write(byte_writer& out) const {
        out.write_varint(marks.size());
        for (const write_mark& each : marks) {
            write_value(out, each.key);
            each.stamp.write(out);
            out.write_byte(each.value_hash ? 1 : 0);
            if (each.value_hash) {
                out.write_fixed64(*each.value_hash);
            }
        }
    }

    [[nodiscard]] static lww_map_digest read(byte_reader& in) {
        lww_map_digest made;
        detail::ascending_reader<Key> keys;
        for (std::size_t left = in.read_count(5, "keys"); left > 0; --left) {
            write_mark each{keys.next(in), write_stamp::read(in), std::nullopt};
            if (read_value<bool>(in)) {
                each.value_hash = in.read_fixed64();
            }
            made.marks.push_back(std::move(each));
        }
        return made;
    }
};

} // namespace phoenix::crdt
