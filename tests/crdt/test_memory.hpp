// The memory of this test binary, which replaces operator new: it counts allocations, so that a test can say that there were
// none, and can end at a given one.
#pragma once

#include <cstddef>

namespace phoenix::crdt::testing {

/// Of this thread, so far.
[[nodiscard]] std::size_t allocations() noexcept;

/// How many allocations the call makes.
template <class Call>
[[nodiscard]] std::size_t allocations_of(Call&& call) {
    const std::size_t before = allocations();
    call();
    return allocations() - before;
}

/// After `more` allocations of this thread the next one throws, and those behind it too if the end is for good.
void end_memory_after(int more, bool for_good) noexcept;

/// Memory does not end any more; true when it had.
bool restore_memory() noexcept;

} // namespace phoenix::crdt::testing
