// A bounded queue between coroutines of one loop.
//
//   channel<request> requests(128);
//   co_await requests.send(std::move(r));            // waits while 128 are queued
//   const auto next = co_await requests.receive();   // std::optional<request>: empty when closed and drained
//   requests.close();
//
// Senders and receivers wait first in first out. A cancelled wait throws errc::canceled; a value whose send
// was cancelled was not sent. Values are moved; T's move must not throw. Thread rule: the loop's thread
// alone.
#pragma once

#include <phoenix/net/core/waiter.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::net {

template <class T>
    requires std::is_nothrow_move_constructible_v<T>
class channel {
public:
    class sender;
    class receiver;

    /// Holds up to `capacity` values, at least one.
    explicit channel(std::size_t capacity) : slots_(capacity) {
        PHOENIX_ASSERT(capacity > 0, "a channel holds at least one value");
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

    [[nodiscard]] bool is_closed() const noexcept { return closed_; }

    /// Throws errc::closed when the channel is or becomes closed before the value was taken in.
    [[nodiscard]] sender send(T value) noexcept { return sender(*this, std::move(value)); }

    [[nodiscard]] receiver receive() noexcept { return receiver(*this); }

    /// False when the channel is full or closed; `value` is moved from only on success.
    [[nodiscard]] bool try_send(T& value) noexcept {
        if (closed_) {
            return false;
        }
        if (!receivers_.empty()) {
            static_cast<receiver&>(receivers_.front()).value_.emplace(std::move(value));
            receivers_.wake_first();
            return true;
        }
        if (size_ == slots_.size()) {
            return false;
        }
        slots_[(first_ + size_) % slots_.size()].emplace(std::move(value));
        ++size_;
        return true;
    }

    [[nodiscard]] bool try_send(T&& value) noexcept { return try_send(value); }

    /// Empty when nothing is queued.
    [[nodiscard]] std::optional<T> try_receive() noexcept {
        if (size_ == 0) {
            return std::nullopt;
        }
        std::optional<T> taken = std::exchange(slots_[first_], std::nullopt);
        first_ = (first_ + 1) % slots_.size();
        --size_;
        if (!senders_.empty()) {
            auto& waiting = static_cast<sender&>(senders_.front());
            slots_[(first_ + size_) % slots_.size()].emplace(std::move(waiting.value_));
            ++size_;
            waiting.sent_ = true;
            senders_.wake_first();
        }
        return taken;
    }

    /// No more values come in: receivers drain what is queued, then get nothing; waiting senders throw
    /// errc::closed.
    void close() noexcept {
        closed_ = true;
        receivers_.wake_all();
        senders_.wake_all();
    }

private:
    std::vector<std::optional<T>> slots_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    bool closed_ = false;
    detail::waiter_list senders_;
    detail::waiter_list receivers_;
};

template <class T>
    requires std::is_nothrow_move_constructible_v<T>
class channel<T>::sender : private detail::waiter {
public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        if (refuse_stopped(awaiting)) {
            return false;
        }
        sent_ = target_.try_send(value_);
        return begin(awaiting, sent_ || target_.closed_, target_.senders_);
    }

    void await_resume() const {
        throw_if_canceled();
        if (!sent_) {
            throw_error(errc::closed, "send on a closed channel");
        }
    }

private:
    friend class channel;

    sender(channel& target, T value) noexcept : target_(target), value_(std::move(value)) {}

    channel& target_;
    T value_;
    bool sent_ = false;
};

template <class T>
    requires std::is_nothrow_move_constructible_v<T>
class channel<T>::receiver : private detail::waiter {
public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        if (refuse_stopped(awaiting)) {
            return false;
        }
        value_ = target_.try_receive();
        return begin(awaiting, value_.has_value() || target_.closed_, target_.receivers_);
    }

    std::optional<T> await_resume() {
        throw_if_canceled();
        return std::move(value_);
    }

private:
    friend class channel;

    explicit receiver(channel& target) noexcept : target_(target) {}

    channel& target_;
    std::optional<T> value_;
};

} // namespace phoenix::net
