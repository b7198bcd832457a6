#include <phoenix/config.hpp>
#include <phoenix/net/core/frame_pool.hpp>

#include "heap_in_use.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace {

using namespace phoenix::net::detail;

constexpr std::size_t largest_pooled_bytes = frame_granularity_bytes * frame_classes;

std::uint32_t kept(std::size_t bytes) {
    return thread_frames.classes[(bytes - 1) / frame_granularity_bytes].count;
}

/// Under the address sanitizer nothing is pooled: what is written here must still be sound.
const bool pooling = PHOENIX_UNDER_ASAN == 0;

// Frees a block after the lists of its thread are gone: the order of construction makes it outlive them.
struct late_free {
    void* block = nullptr;
    std::size_t bytes = 0;

    ~late_free() {
        if (block != nullptr) {
            frame_deallocate(block, bytes);
        }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(frame_pool_test)

BOOST_AUTO_TEST_CASE(a_freed_block_is_the_next_of_its_size) {
    for (const std::size_t bytes :
         {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{500}, largest_pooled_bytes}) {
        void* const first = frame_allocate(bytes);
        frame_deallocate(first, bytes);
        void* const second = frame_allocate(bytes);
        if (pooling) {
            BOOST_TEST(second == first);
        }
        frame_deallocate(second, bytes);
    }
}

BOOST_AUTO_TEST_CASE(sizes_of_one_class_share_blocks_and_others_do_not) {
    void* const small = frame_allocate(65);
    frame_deallocate(small, 65);
    void* const same_class = frame_allocate(128);
    void* const next_class = frame_allocate(129);
    if (pooling) {
        BOOST_TEST(same_class == small);
    }
    BOOST_TEST(next_class != same_class);
    std::memset(same_class, 1, 128);
    std::memset(next_class, 2, 129);
    frame_deallocate(same_class, 128);
    frame_deallocate(next_class, 129);
}

BOOST_AUTO_TEST_CASE(blocks_are_aligned_and_do_not_overlap) {
    std::vector<std::pair<unsigned char*, std::size_t>> taken;
    for (std::size_t bytes = 1; bytes < 2 * largest_pooled_bytes; bytes += 37) {
        auto* const block = static_cast<unsigned char*>(frame_allocate(bytes));
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) == 0u);
        std::memset(block, static_cast<int>(bytes % 251), bytes);
        taken.emplace_back(block, bytes);
    }
    for (const auto& [block, bytes] : taken) {
        const auto expected = static_cast<unsigned char>(bytes % 251);
        BOOST_TEST(std::all_of(block, block + bytes, [=](unsigned char c) { return c == expected; }));
        frame_deallocate(block, bytes);
    }
}

BOOST_AUTO_TEST_CASE(a_large_block_is_not_pooled) {
    const std::size_t bytes = largest_pooled_bytes + 1;
    frame_deallocate(frame_allocate(bytes), bytes);
    for (const frame_list& each : thread_frames.classes) {
        BOOST_TEST(each.count * frame_granularity_bytes <= frame_list_limit_bytes);
    }
}

BOOST_AUTO_TEST_CASE(a_list_keeps_no_more_than_its_bound) {
    const std::size_t bytes = largest_pooled_bytes;
    const std::size_t most = frame_list_limit_bytes / bytes;
    std::vector<void*> taken;
    for (std::size_t i = 0; i < 3 * most; ++i) {
        taken.push_back(frame_allocate(bytes));
    }
    for (void* const block : taken) {
        frame_deallocate(block, bytes);
    }
    BOOST_TEST(kept(bytes) == (pooling ? most : 0));
}

BOOST_AUTO_TEST_CASE(a_block_freed_on_another_thread_joins_its_lists) {
    constexpr std::size_t bytes = 300;
    std::vector<void*> taken;
    for (int i = 0; i < 100; ++i) {
        taken.push_back(frame_allocate(bytes));
    }
    const std::uint32_t kept_here = kept(bytes);
    std::uint32_t kept_there = 0;
    bool reused_there = false;
    std::thread other([&] {
        for (void* const block : taken) {
            frame_deallocate(block, bytes);
        }
        kept_there = kept(bytes);
        void* const again = frame_allocate(bytes);
        reused_there = again == taken.back();
        frame_deallocate(again, bytes);
    });
    other.join();
    BOOST_TEST(kept(bytes) == kept_here);
    BOOST_TEST(kept_there == (pooling ? 100u : 0u));
    if (pooling) {
        BOOST_TEST(reused_there);
    }
}

BOOST_AUTO_TEST_CASE(the_lists_of_a_thread_end_with_it) {
    constexpr std::size_t bytes = 1024;
    constexpr std::size_t blocks = 500;
    const auto fill_lists = [] {
        std::vector<void*> taken;
        for (std::size_t i = 0; i < blocks; ++i) {
            taken.push_back(frame_allocate(bytes));
        }
        for (void* const block : taken) {
            frame_deallocate(block, bytes);
        }
    };
    // What a thread costs by itself stays out of the count.
    std::thread(fill_lists).join();
    const std::size_t before = phoenix::net::testing::heap_in_use_bytes();
    for (int i = 0; i < 10; ++i) {
        std::thread(fill_lists).join();
    }
    const std::size_t after = phoenix::net::testing::heap_in_use_bytes();
    BOOST_TEST(after < before + blocks * bytes);
}

BOOST_AUTO_TEST_CASE(a_block_freed_after_the_lists_of_its_thread_have_gone_is_not_kept) {
    std::thread other([] {
        // Destroyed last, since it was made first.
        static thread_local late_free last;
        last.bytes = 200;
        last.block = frame_allocate(last.bytes);
        frame_deallocate(frame_allocate(100), 100);
    });
    other.join();
}

BOOST_AUTO_TEST_SUITE_END()
