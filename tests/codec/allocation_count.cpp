#include "allocation_count.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace phoenix::codec::testing {

namespace {

constinit thread_local std::size_t count = 0;
constinit thread_local std::size_t largest = 0;

void* counted(std::size_t bytes) {
    ++count;
    largest = std::max(largest, bytes);
    void* const block = std::malloc(bytes);
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    return block;
}

} // namespace

std::size_t allocations_so_far() noexcept {
    return count;
}

std::size_t take_largest_allocation() noexcept {
    return std::exchange(largest, 0);
}

} // namespace phoenix::codec::testing

void* operator new(std::size_t bytes) {
    return phoenix::codec::testing::counted(bytes);
}

void* operator new[](std::size_t bytes) {
    return phoenix::codec::testing::counted(bytes);
}

void operator delete(void* block) noexcept {
    std::free(block);
}

void operator delete[](void* block) noexcept {
    std::free(block);
}

void operator delete(void* block, std::size_t /*bytes*/) noexcept {
    std::free(block);
}

void operator delete[](void* block, std::size_t /*bytes*/) noexcept {
    std::free(block);
}
