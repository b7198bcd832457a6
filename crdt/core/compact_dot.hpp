// A dot in eight bytes: the replica as its slot in the context of the state that holds the dot.
//
// Slots have a meaning only beside that context; a dot that goes to another state is translated. An element of a
// million costs eight bytes for its dot instead of twenty-four.
#pragma once

#include <phoenix/config.hpp>

#include <compare>
#include <cstdint>

namespace phoenix::crdt::detail {

using replica_slot = std::uint16_t;

/// A state knows at most this many replicas, and one replica makes at most this many dots in it.
inline constexpr std::size_t max_replicas = 0xffff;
inline constexpr std::uint64_t max_counter = (std::uint64_t(1) << 47) - 1;
inline constexpr replica_slot no_slot = 0xffff;

class compact_dot {
public:
    /// Uninitialized, as an integer is.
    compact_dot() = default;

    compact_dot(replica_slot slot, std::uint64_t counter) noexcept
        : word_(std::uint64_t(slot) << 47 | counter) {}

    [[nodiscard]] replica_slot slot() const noexcept { return static_cast<replica_slot>(word_ >> 47); }

    [[nodiscard]] std::uint64_t counter() const noexcept { return word_ & max_counter; }

    /// 63 bits that order as (slot, counter).
    [[nodiscard]] std::uint64_t word() const noexcept { return word_; }

    [[nodiscard]] static compact_dot from_word(std::uint64_t word) noexcept {
        compact_dot made;
        made.word_ = word;
        return made;
    }

    friend auto operator<=>(const compact_dot&, const compact_dot&) = default;

private:
    std::uint64_t word_;
};

} // namespace phoenix::crdt::detail
