#include <phoenix/net/core/frame_pool.hpp>

namespace phoenix::net::detail {

constinit thread_local frame_lists thread_frames;

namespace {

// Frees a thread's lists when it ends. It is created by the first block that enters a list, and marks the
// lists as closed afterwards: blocks freed later by destructors of other thread-local objects go straight to
// the heap.
struct list_reaper {
    bool closed = false;

    ~list_reaper() {
        closed = true;
        for (frame_list& list : thread_frames.classes) {
            while (list.head != nullptr) {
                void* const block = list.head;
                list.head = *static_cast<void**>(block);
                ::operator delete(block);
            }
            list.count = 0;
        }
    }
};

thread_local list_reaper reaper;

} // namespace

void* frame_allocate_slow(std::size_t size_class) {
    return ::operator new((size_class + 1) * frame_granularity_bytes);
}

void frame_deallocate_slow(void* block, std::size_t size_class) noexcept {
    frame_list& list = thread_frames.classes[size_class];
    const bool full = list.count * (size_class + 1) * frame_granularity_bytes >= frame_list_limit_bytes;
    if (full || reaper.closed) {
        ::operator delete(block);
        return;
    }
    *static_cast<void**>(block) = list.head;
    list.head = block;
    ++list.count;
}

} // namespace phoenix::net::detail
