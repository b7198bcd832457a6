#include "test_memory.hpp"

#include <cstdlib>
#include <new>

namespace {

constinit thread_local std::size_t count = 0;
/// Allocations that still succeed; negative while memory does not end.
constinit thread_local int left = -1;
constinit thread_local bool is_for_good = false;
constinit thread_local bool has_ended = false;

void* allocate(std::size_t size) {
    ++count;
    if (left == 0) {
        has_ended = true;
        left = is_for_good ? 0 : -1;
        throw std::bad_alloc();
    }
    left -= left > 0 ? 1 : 0;
    if (void* const made = std::malloc(size)) {
        return made;
    }
    throw std::bad_alloc();
}

} // namespace

namespace phoenix::crdt::testing {

std::size_t allocations() noexcept {
    return count;
}

void end_memory_after(int more, bool for_good) noexcept {
    left = more;
    is_for_good = for_good;
    has_ended = false;
}

bool restore_memory() noexcept {
    left = -1;
    return has_ended;
}

} // namespace phoenix::crdt::testing

void* operator new(std::size_t size) {
    return allocate(size);
}

void* operator new[](std::size_t size) {
    return allocate(size);
}

void operator delete(void* gone) noexcept {
    std::free(gone);
}

void operator delete[](void* gone) noexcept {
    std::free(gone);
}

void operator delete(void* gone, std::size_t /*size*/) noexcept {
    std::free(gone);
}

void operator delete[](void* gone, std::size_t /*size*/) noexcept {
    std::free(gone);
}
