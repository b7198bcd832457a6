// A bound on how many coroutines do something at once.
//
//   semaphore slots(64);
//   const auto slot = co_await slots.acquire();     // waits its turn, first in first out
//   ...                                             // the permit goes back when `slot` is destroyed
//
// A cancelled wait throws errc::canceled and takes no permit.
// Thread rule: the loop's thread alone.
#pragma once

#include <phoenix/net/core/waiter.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace phoenix::net {

class semaphore {
public:
    /// One unit of the semaphore, given back on destruction. The semaphore must outlive it.
    class [[nodiscard]] permit {
    public:
        permit(permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}

        permit& operator=(permit&& other) noexcept {
            if (this != &other) {
                give_back();
                owner_ = std::exchange(other.owner_, nullptr);
            }
            return *this;
        }

        ~permit() { give_back(); }

    private:
        friend class semaphore;

        explicit permit(semaphore& owner) noexcept : owner_(&owner) {}

        void give_back() noexcept {
            if (owner_ != nullptr) {
                std::exchange(owner_, nullptr)->release();
            }
        }

        semaphore* owner_;
    };

    class awaiter : private detail::waiter {
    public:
        explicit awaiter(semaphore& target) noexcept : target_(target) {}

        [[nodiscard]] bool await_ready() const noexcept { return false; }

        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
            return !refuse_stopped(awaiting) && begin(awaiting, target_.take_if_free(), target_.waiters_);
        }

        permit await_resume() const {
            throw_if_canceled();
            return permit(target_);
        }

    private:
        semaphore& target_;
    };

    explicit semaphore(std::size_t permits) noexcept : free_(permits) {}

    /// Permits that nobody holds.
    [[nodiscard]] std::size_t available() const noexcept { return free_; }

    [[nodiscard]] awaiter acquire() noexcept { return awaiter(*this); }

    /// Empty when none is free.
    [[nodiscard]] std::optional<permit> try_acquire() noexcept {
        return take_if_free() ? std::optional<permit>(permit(*this)) : std::nullopt;
    }

private:
    [[nodiscard]] bool take_if_free() noexcept {
        if (free_ == 0) {
            return false;
        }
        --free_;
        return true;
    }

    void release() noexcept {
        // A permit goes straight to who waited longest: it is never free for somebody who came later.
        if (waiters_.empty()) {
            ++free_;
        } else {
            waiters_.wake_first();
        }
    }

    std::size_t free_;
    detail::waiter_list waiters_;
};

} // namespace phoenix::net
