#include "allocation_count.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t count = 0;

} // namespace

std::size_t phoenix::crdt::testing::allocations() noexcept {
    return count;
}

void* operator new(std::size_t size) {
    ++count;
    if (void* const made = std::malloc(size)) {
        return made;
    }
    throw std::bad_alloc();
}

void operator delete(void* gone) noexcept {
    std::free(gone);
}

void operator delete(void* gone, std::size_t /*size*/) noexcept {
    std::free(gone);
}
