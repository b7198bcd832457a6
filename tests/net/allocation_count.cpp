#include "allocation_count.hpp"

#include "heap_in_use.hpp"

#include <cstdlib>
#include <utility>

#include <execinfo.h>

namespace phoenix::net::testing {

namespace {

constinit thread_local allocation_count* counting = nullptr;

} // namespace

void note_allocation() noexcept {
    // What backtrace() itself takes does not count.
    allocation_count* const here = std::exchange(counting, nullptr);
    if (here == nullptr) {
        return;
    }
    if (here->count_++ == 0) {
        here->callers_ = ::backtrace(here->caller_, allocation_count::most_callers);
    }
    counting = here;
}

bool allocations_are_counted() noexcept {
    return !PHOENIX_SANITIZER_HEAP;
}

allocation_count::allocation_count() noexcept {
    counting = this;
}

allocation_count::~allocation_count() {
    stop();
}

std::size_t allocation_count::stop() noexcept {
    if (counting == this) {
        counting = nullptr;
    }
    return count_;
}

std::string allocation_count::first_place() const {
    std::string text = std::to_string(count_) + " blocks, the first taken at:";
    char** const names = ::backtrace_symbols(caller_, callers_);
    for (int i = 0; names != nullptr && i < callers_; ++i) {
        text.append("\n    ").append(names[i]);
    }
    std::free(names);
    return text;
}

} // namespace phoenix::net::testing

#if !PHOENIX_SANITIZER_HEAP

// glibc's own names of what is replaced here.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
    phoenix::net::testing::note_allocation();
    return __libc_malloc(bytes);
}

void* calloc(std::size_t count, std::size_t bytes) {
    phoenix::net::testing::note_allocation();
    return __libc_calloc(count, bytes);
}

void* realloc(void* block, std::size_t bytes) {
    phoenix::net::testing::note_allocation();
    return __libc_realloc(block, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    phoenix::net::testing::note_allocation();
    return __libc_memalign(alignment, bytes);
}
}

#endif
