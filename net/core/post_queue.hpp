// Calls posted to a loop by other threads: a bounded ring with many producers and one consumer.
//
// Each slot holds a small callable in place (a larger one is boxed), so that posting allocates nothing in
// steady state. The ring is Dmitry Vyukov's bounded queue with a sequence number a slot. All ordering is in
// the atomics themselves, without fences, so that the thread sanitizer sees it.
#pragma once

#include <phoenix/config.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace phoenix::net::detail {

/// Whether a callable is stored in place: small, and it moves without throwing.
template <class F>
inline constexpr bool is_postable_in_place =
    sizeof(F) <= 40 && alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

/// The callable itself, or a small callable that owns it.
template <class F>
[[nodiscard]] auto make_postable(F function) {
    if constexpr (is_postable_in_place<F>) {
        return function;
    } else {
        return [boxed = std::make_unique<F>(std::move(function))] {
            (*boxed)();
        };
    }
}

/// A callable of one use, in place.
class posted_call {
public:
    posted_call() noexcept = default;
    posted_call(const posted_call&) = delete;
    posted_call& operator=(const posted_call&) = delete;

    ~posted_call() {
        if (act_ != nullptr) {
            act_(bytes_, false);
        }
    }

    /// Precondition: empty.
    template <class F>
    void emplace(F&& function) noexcept {
        using stored = std::decay_t<F>;
        static_assert(is_postable_in_place<stored>);
        ::new (static_cast<void*>(bytes_)) stored(std::move(function));
        act_ = &act_in_place<stored>;
    }

    /// Calls and destroys the callable. Precondition: there is one.
    void operator()() { std::exchange(act_, nullptr)(bytes_, true); }

private:
    using action = void (*)(void* bytes, bool call);

    template <class Stored>
    static void act_in_place(void* bytes, bool call) {
        auto& here = *std::launder(reinterpret_cast<Stored*>(bytes));
        Stored function(std::move(here));
        here.~Stored();
        if (call) {
            function();
        }
    }

    action act_ = nullptr;
    alignas(std::max_align_t) std::byte bytes_[40];
};

class post_queue {
public:
    explicit post_queue(std::size_t capacity)
        : mask_(std::bit_ceil(capacity) - 1), slots_(std::make_unique<slot[]>(mask_ + 1)) {
        for (std::size_t i = 0; i <= mask_; ++i) {
            slots_[i].sequence.store(i, std::memory_order_relaxed);
        }
    }

    /// Any thread. False when the ring is full; `function`, made by make_postable, is moved from only on
    /// success.
    template <class F>
    [[nodiscard]] bool try_push(F& function) noexcept {
        std::uint64_t position = tail_.load(std::memory_order_relaxed);
        slot* place = nullptr;
        for (;;) {
            place = &slots_[position & mask_];
            const std::uint64_t sequence = place->sequence.load(std::memory_order_acquire);
            const auto lag = static_cast<std::int64_t>(sequence - position);
            if (lag == 0) {
                if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
                    break;
                }
            } else if (lag < 0) {
                return false;
            } else {
                position = tail_.load(std::memory_order_relaxed);
            }
        }
        place->call.emplace(std::move(function));
        // Sequentially consistent: the consumer either sees this call before it sleeps, or is seen sleeping
        // after.
        place->sequence.store(position + 1, std::memory_order_seq_cst);
        return true;
    }

    /// Consumer: whether a call is ready.
    [[nodiscard]] bool empty() const noexcept {
        return slots_[head_ & mask_].sequence.load(std::memory_order_seq_cst) != head_ + 1;
    }

    /// Consumer: runs one call in its slot's place, then frees the slot. Precondition: not empty.
    void run_one() {
        slot& place = slots_[head_ & mask_];
        const slot_release release(place, head_ + mask_ + 1);
        ++head_;
        place.call();
    }

private:
    struct alignas(64) slot {
        std::atomic<std::uint64_t> sequence{0};
        posted_call call;
    };

    // Frees the slot even when the call throws.
    class slot_release {
    public:
        slot_release(slot& place, std::uint64_t next) noexcept : place_(place), next_(next) {}

        slot_release(const slot_release&) = delete;
        slot_release& operator=(const slot_release&) = delete;

        ~slot_release() { place_.sequence.store(next_, std::memory_order_release); }

    private:
        slot& place_;
        std::uint64_t next_;
    };

    const std::uint64_t mask_;
    const std::unique_ptr<slot[]> slots_;
    alignas(64) std::atomic<std::uint64_t> tail_{0};
    alignas(64) std::uint64_t head_ = 0;
};

} // namespace phoenix::net::detail
