// A stored object of a known type.
#pragma once

#include <phoenix/crdt/lattice.hpp>
#include <phoenix/net/core/frame_pool.hpp>
#include <phoenix/replication/store/stored_object.hpp>

#include <memory>
#include <string>
#include <utility>

namespace phoenix::replication {

template <crdt::delta_crdt T>
class typed_object final : public stored_object {
public:
    using stored_object::stored_object;

    [[nodiscard]] const T& state() const noexcept { return state_; }

    /// Calls change(state, pending), which changes the state and joins into `pending` what it did. When it throws, what
    /// `pending` holds by then is what others will learn.
    template <class Change>
    void change(Change&& change) {
        std::forward<Change>(change)(state_, pending());
    }

    void join(std::span<const std::byte> delta) override { state_.join(crdt::decode<T>(delta)); }

    bool join_if_new(std::span<const std::byte> state) override {
        const T theirs = crdt::decode<T>(state);
        if (theirs.leq(state_)) {
            return false;
        }
        state_.join(theirs);
        return true;
    }

    void write_state(crdt::byte_writer& out) const override { crdt::encode(out, state_); }

    void write_pending(crdt::byte_writer& out) const override {
        if (pending_ != nullptr) {
            crdt::encode(out, pending_->state);
        } else {
            crdt::encode(out, T());
        }
    }

    void clear_pending() noexcept override { pending_.reset(); }

    void publish() override { pending().join(state_); }

private:
    [[nodiscard]] T& pending() {
        if (pending_ == nullptr) {
            pending_ = std::make_unique<pending_state>();
        }
        return pending_->state;
    }

    /// Made and dropped with every write and every batch, hundreds at a time.
    struct pending_state : net::detail::pooled {
        T state;
    };

    T state_;
    /// Null while nothing is pending: most objects have nothing, most of the time.
    std::unique_ptr<pending_state> pending_;
};

} // namespace phoenix::replication
