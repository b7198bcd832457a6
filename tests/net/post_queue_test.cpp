#include <phoenix/net/core/post_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using phoenix::net::detail::is_postable_in_place;
using phoenix::net::detail::make_postable;
using phoenix::net::detail::post_queue;

using numbers = std::vector<int>;

template <class F>
bool push(post_queue& queue, F&& function) {
    auto postable = make_postable(std::forward<F>(function));
    return queue.try_push(postable);
}

std::size_t run_all(post_queue& queue) {
    std::size_t count = 0;
    for (; !queue.empty(); ++count) {
        queue.run_one();
    }
    return count;
}

/// A call of so many bytes, aligned so, that says whether its bytes arrived.
template <std::size_t Bytes, std::size_t Alignment>
class alignas(Alignment) patterned_call {
public:
    explicit patterned_call(int& sum) noexcept : sum_(&sum) {
        std::iota(bytes_.begin(), bytes_.end(), static_cast<unsigned char>(1));
    }

    void operator()() const {
        std::array<unsigned char, Bytes> expected{};
        std::iota(expected.begin(), expected.end(), static_cast<unsigned char>(1));
        const bool is_aligned = reinterpret_cast<std::uintptr_t>(this) % Alignment == 0;
        *sum_ += is_aligned && bytes_ == expected ? 1 : 0;
    }

private:
    int* sum_;
    std::array<unsigned char, Bytes> bytes_{};
};

/// Its move may throw: it must not be moved inside the ring.
class throwing_move {
public:
    explicit throwing_move(int& calls) : calls_(&calls) {}

    throwing_move(throwing_move&& other) noexcept(false) : calls_(other.calls_) {}

    throwing_move& operator=(throwing_move&&) = delete;

    void operator()() const { ++*calls_; }

private:
    int* calls_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(post_queue_test)

BOOST_AUTO_TEST_CASE(calls_run_in_the_order_of_posting) {
    post_queue queue(8);
    BOOST_TEST(queue.empty());
    numbers seen;
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < 5; ++i) {
            BOOST_TEST(push(queue, [&seen, i] { seen.push_back(i); }));
        }
        BOOST_TEST(!queue.empty());
        BOOST_TEST(run_all(queue) == 5u);
        BOOST_TEST(seen == numbers({0, 1, 2, 3, 4}), boost::test_tools::per_element());
        seen.clear();
    }
}

BOOST_AUTO_TEST_CASE(a_full_ring_refuses_and_keeps_the_call) {
    post_queue queue(3); // rounded up to 4
    int calls = 0;
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(push(queue, [&calls] { ++calls; }));
    }
    auto refused = [owned = std::make_unique<int>(1), &calls] {
        calls += *owned;
    };
    auto postable = make_postable(std::move(refused));
    BOOST_TEST(!queue.try_push(postable));
    queue.run_one();
    BOOST_TEST(queue.try_push(postable));
    BOOST_TEST(run_all(queue) == 4u);
    BOOST_TEST(calls == 5);
}

BOOST_AUTO_TEST_CASE(calls_of_every_size_and_alignment_arrive) {
    post_queue queue(16);
    int sum = 0;
    BOOST_TEST(push(queue, patterned_call<1, 8>(sum)));
    BOOST_TEST(push(queue, patterned_call<8, 8>(sum)));
    BOOST_TEST(push(queue, patterned_call<16, 16>(sum)));
    BOOST_TEST(push(queue, patterned_call<32, 8>(sum)));
    BOOST_TEST(push(queue, patterned_call<33, 8>(sum)));
    BOOST_TEST(push(queue, patterned_call<64, 8>(sum)));
    BOOST_TEST(push(queue, patterned_call<1000, 8>(sum)));
    BOOST_TEST(run_all(queue) == 7u);
    BOOST_TEST(sum == 7);
    static_assert(is_postable_in_place<patterned_call<32, 8>>);
    static_assert(!is_postable_in_place<patterned_call<33, 8>>);
    static_assert(!is_postable_in_place<patterned_call<8, 32>>);
    static_assert(!is_postable_in_place<throwing_move>);
    int calls = 0;
    BOOST_TEST(push(queue, throwing_move(calls)));
    BOOST_TEST(push(queue, [owned = std::make_unique<int>(5), &calls] { calls += *owned; }));
    run_all(queue);
    BOOST_TEST(calls == 6);
}

BOOST_AUTO_TEST_CASE(a_call_is_destroyed_after_it_ran_and_unrun_ones_with_the_queue) {
    const auto small = std::make_shared<int>(0);
    const auto large = std::make_shared<int>(0);
    {
        post_queue queue(8);
        const auto post_both = [&] {
            BOOST_TEST(push(queue, [small] { ++*small; }));
            BOOST_TEST(push(queue, [large, padding = std::array<char, 100>()] { *large += 1 + padding[0]; }));
        };
        post_both();
        BOOST_TEST(small.use_count() == 2);
        BOOST_TEST(large.use_count() == 2);
        run_all(queue);
        BOOST_TEST(small.use_count() == 1);
        BOOST_TEST(large.use_count() == 1);
        post_both();
        post_both();
    }
    BOOST_TEST(*small == 1);
    BOOST_TEST(*large == 1);
    BOOST_TEST(small.use_count() == 1);
    BOOST_TEST(large.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_call_that_throws_is_destroyed_and_frees_its_place) {
    post_queue queue(2);
    const auto held = std::make_shared<int>(0);
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(push(queue, [held] { throw std::runtime_error("from a call"); }));
        BOOST_CHECK_THROW(queue.run_one(), std::runtime_error);
        BOOST_TEST(held.use_count() == 1);
        BOOST_TEST(queue.empty());
    }
}

BOOST_AUTO_TEST_CASE(a_call_may_post) {
    post_queue queue(4);
    numbers seen;
    BOOST_TEST(push(queue, [&] {
        seen.push_back(1);
        for (int i = 2; i <= 4; ++i) {
            BOOST_TEST(push(queue, [&seen, i] { seen.push_back(i); }));
        }
        // Its own place is freed after it.
        BOOST_TEST(!push(queue, [] {}));
    }));
    BOOST_TEST(run_all(queue) == 4u);
    BOOST_TEST(seen == numbers({1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(many_producers_lose_nothing_and_each_keeps_its_order) {
    constexpr int producers = 4;
    constexpr int calls = 20'000;
    post_queue queue(64);
    std::array<int, producers> next{};
    int out_of_order = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (std::size_t producer = 0; producer < producers; ++producer) {
        threads.emplace_back([&, producer] {
            for (int i = 0; i < calls; ++i) {
                auto call = [&next, &out_of_order, producer, i] {
                    out_of_order += next[producer] == i ? 0 : 1;
                    next[producer] = i + 1;
                };
                auto postable = make_postable(call);
                while (!queue.try_push(postable)) {
                    refused.fetch_add(1, std::memory_order_relaxed);
                    std::this_thread::yield();
                }
            }
        });
    }
    for (int done = 0; done < producers * calls;) {
        if (queue.empty()) {
            std::this_thread::yield();
        } else {
            queue.run_one();
            ++done;
        }
    }
    for (std::thread& each : threads) {
        each.join();
    }
    BOOST_TEST(queue.empty());
    BOOST_TEST(out_of_order == 0);
    BOOST_TEST_MESSAGE("the ring was full " << refused.load() << " times");
    for (const int each : next) {
        BOOST_TEST(each == calls);
    }
}

BOOST_AUTO_TEST_SUITE_END()
