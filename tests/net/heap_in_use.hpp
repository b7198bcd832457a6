// How many bytes of the heap the program holds now, also under the sanitizers, which have heaps of their own.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PHOENIX_SANITIZER_HEAP 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PHOENIX_SANITIZER_HEAP 1
#endif
#ifndef PHOENIX_SANITIZER_HEAP
#define PHOENIX_SANITIZER_HEAP 0
#endif

#if PHOENIX_SANITIZER_HEAP
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

namespace phoenix::net::testing {

[[nodiscard]] inline std::size_t heap_in_use_bytes() noexcept {
#if PHOENIX_SANITIZER_HEAP
    return ::__sanitizer_get_current_allocated_bytes();
#else
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

} // namespace phoenix::net::testing
