// Who writes, and which of its writes: the names that every lattice with causality is built from.
//
// A replica is a node in one of its lives: every start of a node takes a new, higher incarnation, so that a crash or
// a restored backup never mints a dot twice. A dot names one write of one replica. Any thread; values.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace phoenix::crdt {

struct replica_id {
    std::uint64_t node = 0;
    std::uint64_t incarnation = 0;

    friend auto operator<=>(const replica_id&, const replica_id&) = default;
};

/// The write number `counter`, from 1, of `replica` in one object.
struct dot {
    replica_id replica;
    std::uint64_t counter = 0;

    friend auto operator<=>(const dot&, const dot&) = default;
};

} // namespace phoenix::crdt

template <>
struct std::hash<phoenix::crdt::replica_id> {
    [[nodiscard]] std::size_t operator()(const phoenix::crdt::replica_id& id) const noexcept {
        return std::hash<std::uint64_t>()(id.node * 0x9e3779b97f4a7c15U ^ id.incarnation);
    }
};

template <>
struct std::hash<phoenix::crdt::dot> {
    [[nodiscard]] std::size_t operator()(const phoenix::crdt::dot& d) const noexcept {
        return std::hash<phoenix::crdt::replica_id>()(d.replica) * 0x9e3779b97f4a7c15U ^ d.counter;
    }
};
