// Coroutine frames and other small blocks of a loop, from freelists of the thread.
//
// A block may be freed on another thread than the one that took it: it then joins that thread's lists. Each
// list keeps at most a bounded number of bytes; what exceeds it goes back to the heap. Under the address
// sanitizer every block comes from the heap, so that the sanitizer sees each use after free.
#pragma once

#include <phoenix/config.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace phoenix::net::detail {

inline constexpr std::size_t frame_granularity_bytes = 64;
inline constexpr std::size_t frame_classes = 32;
inline constexpr std::size_t frame_list_limit_bytes = std::size_t{1} << 20;

struct frame_list {
    void* head = nullptr;
    std::uint32_t count = 0;
};

struct frame_lists {
    frame_list classes[frame_classes];
};

extern constinit thread_local frame_lists thread_frames;

void* frame_allocate_slow(std::size_t size_class);
void frame_deallocate_slow(void* block, std::size_t size_class) noexcept;

/// A block of at least `bytes`, aligned as operator new aligns.
inline void* frame_allocate(std::size_t bytes) {
    const std::size_t size_class = (bytes - 1) / frame_granularity_bytes;
    if (PHOENIX_UNDER_ASAN || size_class >= frame_classes) {
        return ::operator new(bytes);
    }
    frame_list& list = thread_frames.classes[size_class];
    if (list.head == nullptr) [[unlikely]] {
        return frame_allocate_slow(size_class);
    }
    void* const block = list.head;
    list.head = *static_cast<void**>(block);
    --list.count;
    return block;
}

/// Gives a block back; `bytes` is the size it was asked for.
inline void frame_deallocate(void* block, std::size_t bytes) noexcept {
    const std::size_t size_class = (bytes - 1) / frame_granularity_bytes;
    if (PHOENIX_UNDER_ASAN || size_class >= frame_classes) {
        ::operator delete(block);
        return;
    }
    frame_list& list = thread_frames.classes[size_class];
    if (list.count == 0 || list.count * (size_class + 1) * frame_granularity_bytes >= frame_list_limit_bytes)
        [[unlikely]] {
        frame_deallocate_slow(block, size_class);
        return;
    }
    *static_cast<void**>(block) = list.head;
    list.head = block;
    ++list.count;
}

/// Base of what is created and destroyed often on one loop: new and delete through the thread's freelists.
struct pooled {
    static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }

    static void operator delete(void* block, std::size_t bytes) noexcept { frame_deallocate(block, bytes); }

    // What wants more than the usual alignment comes from the heap: the freelists know sizes alone.
    static void* operator new(std::size_t bytes, std::align_val_t alignment) {
        return ::operator new(bytes, alignment);
    }

    static void operator delete(void* block, std::size_t bytes, std::align_val_t alignment) noexcept {
        ::operator delete(block, bytes, alignment);
    }
};

} // namespace phoenix::net::detail
