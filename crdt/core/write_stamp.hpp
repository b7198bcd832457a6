// When and by whom a last-writer-wins value was written, and the total order in which the last one wins.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/core/replica_totals.hpp>
#include <phoenix/crdt/hybrid_clock.hpp>
#include <phoenix/crdt/replica.hpp>

#include <algorithm>
#include <compare>
#include <string>

namespace phoenix::crdt {

/// Ordered by time, then by replica.
struct write_stamp {
    timestamp time;
    replica_id by;

    friend auto operator<=>(const write_stamp&, const write_stamp&) = default;

    void write(byte_writer& out) const {
        time.write(out);
        detail::write_replica(out, by, nullptr);
    }

    [[nodiscard]] static write_stamp read(byte_reader& in) {
        const timestamp time = timestamp::read(in);
        return {time, detail::read_replica(in, nullptr)};
    }
};

[[nodiscard]] inline std::string to_text(const write_stamp& stamp) {
    return "at " + to_text(stamp.time) + " by " + detail::replica_text(stamp.by);
}

namespace detail {

/// By the hash of the canonical bytes, then by the bytes: total even where hashes collide, and the same
/// everywhere. It decides only between values that one replica wrote at one time.
template <byte_value Value>
[[nodiscard]] std::strong_ordering compare_values(const Value& a, const Value& b) {
    byte_writer first;
    byte_writer second;
    write_value(first, a);
    write_value(second, b);
    const auto by_hash = hash_bytes(first.bytes()) <=> hash_bytes(second.bytes());
    return by_hash != std::strong_ordering::equal
               ? by_hash
               : std::lexicographical_compare_three_way(first.bytes().begin(), first.bytes().end(),
                                                        second.bytes().begin(), second.bytes().end());
}

/// Equal, or the same bytes: a NaN is the same as itself here.
template <byte_value Value>
[[nodiscard]] bool same_value(const Value& a, const Value& b) {
    return a == b || compare_values(a, b) == std::strong_ordering::equal;
}

} // namespace detail

} // namespace phoenix::crdt
