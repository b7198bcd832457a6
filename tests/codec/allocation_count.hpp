// How often this thread called operator new, which the test binary replaces.
#pragma once

#include <cstddef>

namespace phoenix::codec::testing {

[[nodiscard]] std::size_t allocations_so_far() noexcept;

/// Bytes of the largest block since the last call.
[[nodiscard]] std::size_t take_largest_allocation() noexcept;

} // namespace phoenix::codec::testing
