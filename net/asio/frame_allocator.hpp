// Memory of Asio's handlers from the freelists that coroutine frames come from.
#pragma once

#include <phoenix/net/core/frame_pool.hpp>

#include <cstddef>

namespace phoenix::net::detail {

template <class T>
class frame_allocator {
public:
    using value_type = T;

    frame_allocator() noexcept = default;

    template <class U>
    explicit frame_allocator(const frame_allocator<U>&) noexcept {}

    [[nodiscard]] T* allocate(std::size_t count) {
        return static_cast<T*>(frame_allocate(count * sizeof(T)));
    }

    void deallocate(T* block, std::size_t count) noexcept { frame_deallocate(block, count * sizeof(T)); }

    friend bool operator==(frame_allocator, frame_allocator) noexcept { return true; }
};

} // namespace phoenix::net::detail
