// Counts the allocations of this thread, so that a test can say that there were none.
//
// The test binary replaces operator new.
#pragma once

#include <cstddef>

namespace phoenix::crdt::testing {

[[nodiscard]] std::size_t allocations() noexcept;

/// How many allocations the call makes.
template <class Call>
[[nodiscard]] std::size_t allocations_of(Call&& call) {
    const std::size_t before = allocations();
    call();
    return allocations() - before;
}

} // namespace phoenix::crdt::testing
