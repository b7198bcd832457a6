// Who made something and when, as the wire says it: identities of peers, entries of version vectors, and stamps.
//
//   const identity here{7, 1'700'000'000'000'000};  // node 7, in the incarnation that began then
//   const vector_entry seen{here, 42};              // all batches of `here` from 1 to 42
//
// Plain values of a fixed layout without padding in the first two: vectors of entries lie on the wire as they lie here.
// A node takes a new incarnation with every start, so that no batch number is ever used twice. Any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <type_traits>

namespace phoenix::codec {

struct identity {
    std::uint64_t node = 0;
    std::uint64_t incarnation = 0;

    friend auto operator<=>(const identity&, const identity&) = default;
};

/// All batches of `origin` from 1 to `number`.
struct vector_entry {
    identity origin = {};
    std::uint64_t number = 0;

    friend auto operator<=>(const vector_entry&, const vector_entry&) = default;
};

/// A hybrid logical time: microseconds since 1970 UTC, and a counter of what happened within one of them.
struct stamp {
    std::uint64_t wall_us = 0;
    std::uint32_t logical = 0;

    friend auto operator<=>(const stamp&, const stamp&) = default;
};

static_assert(sizeof(vector_entry) == 24 && std::is_trivially_copyable_v<vector_entry>);

} // namespace phoenix::codec
