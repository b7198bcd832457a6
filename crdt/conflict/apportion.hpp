// Dividing a whole into whole parts, as nearly in proportion as whole numbers go, and nothing lost.
//
//   apportion(10, std::array{1U, 1U, 1U});       // 4, 3, 3
//
// Each part gets the integer part of its share; what is left goes one by one to those with the largest
// remainders (Hare and Hamilton's method), of equal ones to the first. Exact: no floating point. When the
// whole is less than the sum of the weights, no part gets more than its weight. O(n log n). Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace phoenix::crdt::conflict {

/// The weights' sum must be above 0 and fit in 64 bits, else errc::invalid_operation or counter_overflow is
/// thrown.
[[nodiscard]] std::vector<std::uint64_t> apportion(std::uint64_t whole,
                                                   std::span<const std::uint64_t> weights);

} // namespace phoenix::crdt::conflict
