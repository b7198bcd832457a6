// A state of any type, for laws that are compiled once for all of them.
#pragma once

#include <phoenix/config.hpp>
#include <phoenix/crdt/lattice.hpp>
#include <phoenix/crdt/laws/history.hpp>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt::laws {

/// What the laws need to know of a type: how to change a state at random.
template <class T>
struct subject {
    /// Changes `state` by one mutator, drawn with its arguments from `random`, as `here` would, and returns the
    /// delta. Everything it draws must come from `random` and `state`.
    std::function<T(T& state, const replica_id& here, random_source& random)> mutate;

    /// How a state is printed in a counterexample; without it, as hexadecimal bytes.
    std::function<std::string(const T&)> show = nullptr;
};

namespace detail {

class any_state;

/// What a state can do. What its type does not claim is never called.
class state_model {
public:
    virtual ~state_model() = default;
    [[nodiscard]] virtual std::unique_ptr<state_model> copy() const = 0;
    virtual void join(const state_model& theirs) = 0;
    [[nodiscard]] virtual bool leq(const state_model& theirs) const = 0;
    [[nodiscard]] virtual bool equals(const state_model& theirs) const = 0;
    [[nodiscard]] virtual std::string show() const = 0;

    // delta_crdt
    [[nodiscard]] virtual bool is_bottom() const = 0;
    [[nodiscard]] virtual std::unique_ptr<state_model> delta_and_merge(const state_model& theirs) = 0;
    [[nodiscard]] virtual std::vector<std::byte> encode() const = 0;
    [[nodiscard]] virtual std::unique_ptr<state_model> decode(std::span<const std::byte> data) const = 0;

    // decomposable
    [[nodiscard]] virtual bool has_digest_of(const state_model& theirs) const = 0;
    [[nodiscard]] virtual std::unique_ptr<state_model>
    delta_since_digest_of(const state_model& theirs) const = 0;
    [[nodiscard]] virtual std::vector<std::unique_ptr<state_model>> decompose() const = 0;
};

/// A state as a value.
class any_state {
public:
    explicit any_state(std::unique_ptr<state_model> held) noexcept : held_(std::move(held)) {}

    any_state(const any_state& other) : held_(other.held_->copy()) {}

    any_state(any_state&&) noexcept = default;
    any_state& operator=(any_state&&) noexcept = default;

    any_state& operator=(const any_state& other) {
        held_ = other.held_->copy();
        return *this;
    }

    ~any_state() = default;

    void join(const any_state& theirs) { held_->join(*theirs.held_); }

    [[nodiscard]] bool leq(const any_state& theirs) const { return held_->leq(*theirs.held_); }

    friend bool operator==(const any_state& a, const any_state& b) { return a.held_->equals(*b.held_); }

    [[nodiscard]] std::string show() const { return held_->show(); }

    [[nodiscard]] bool is_bottom() const { return held_->is_bottom(); }

    [[nodiscard]] any_state delta_and_merge(const any_state& theirs) {
        return any_state(held_->delta_and_merge(*theirs.held_));
    }

    [[nodiscard]] std::vector<std::byte> encode() const { return held_->encode(); }

    /// A state of the same type, from bytes.
    [[nodiscard]] any_state decode(std::span<const std::byte> data) const {
        return any_state(held_->decode(data));
    }

    [[nodiscard]] bool has_digest_of(const any_state& theirs) const {
        return held_->has_digest_of(*theirs.held_);
    }

    [[nodiscard]] any_state delta_since_digest_of(const any_state& theirs) const {
        return any_state(held_->delta_since_digest_of(*theirs.held_));
    }

    [[nodiscard]] std::vector<any_state> decompose() const {
        std::vector<any_state> parts;
        for (auto& each : held_->decompose()) {
            parts.emplace_back(std::move(each));
        }
        return parts;
    }

    [[nodiscard]] state_model& model() noexcept { return *held_; }

private:
    std::unique_ptr<state_model> held_;
};

/// A subject, whatever its type.
struct any_subject {
    std::function<any_state()> bottom;
    std::function<any_state(any_state& state, const replica_id& here, random_source& random)> mutate;
};

[[nodiscard]] std::string hex(std::span<const std::byte> bytes);

template <lattice T>
class state_of final : public state_model {
public:
    state_of(const subject<T>* of, T held) : of_(of), held_(std::move(held)) {}

    [[nodiscard]] std::unique_ptr<state_model> copy() const override { return made(held_); }

    void join(const state_model& theirs) override { held_.join(of(theirs)); }

    [[nodiscard]] bool leq(const state_model& theirs) const override { return held_.leq(of(theirs)); }

    [[nodiscard]] bool equals(const state_model& theirs) const override { return held_ == of(theirs); }

    [[nodiscard]] std::string show() const override {
        if (of_->show) {
            return of_->show(held_);
        }
        if constexpr (byte_value<T>) {
            return hex(crdt::encode(held_));
        } else {
            return "(a state that cannot be shown)";
        }
    }

    [[nodiscard]] bool is_bottom() const override {
        if constexpr (delta_crdt<T>) {
            return held_.is_bottom();
        } else {
            return unclaimed<bool>();
        }
    }

    [[nodiscard]] std::unique_ptr<state_model> delta_and_merge(const state_model& theirs) override {
        if constexpr (delta_crdt<T>) {
            return made(held_.delta_and_merge(of(theirs)));
        } else {
            return unclaimed<std::unique_ptr<state_model>>();
        }
    }

    [[nodiscard]] std::vector<std::byte> encode() const override {
        if constexpr (delta_crdt<T>) {
            return crdt::encode(held_);
        } else {
            return unclaimed<std::vector<std::byte>>();
        }
    }

    [[nodiscard]] std::unique_ptr<state_model> decode(std::span<const std::byte> data) const override {
        if constexpr (delta_crdt<T>) {
            return made(crdt::decode<T>(data));
        } else {
            return unclaimed<std::unique_ptr<state_model>>();
        }
    }

    [[nodiscard]] bool has_digest_of(const state_model& theirs) const override {
        if constexpr (decomposable<T>) {
            return held_.digest() == of(theirs).digest();
        } else {
            return unclaimed<bool>();
        }
    }

    [[nodiscard]] std::unique_ptr<state_model>
    delta_since_digest_of(const state_model& theirs) const override {
        if constexpr (decomposable<T>) {
            // As it arrives: through bytes.
            const auto digest = crdt::decode<typename T::digest_type>(crdt::encode(of(theirs).digest()));
            return made(held_.delta_since(digest));
        } else {
            return unclaimed<std::unique_ptr<state_model>>();
        }
    }

    [[nodiscard]] std::vector<std::unique_ptr<state_model>> decompose() const override {
        std::vector<std::unique_ptr<state_model>> parts;
        if constexpr (decomposable<T>) {
            for (T& each : held_.decompose()) {
                parts.push_back(made(std::move(each)));
            }
        }
        return parts;
    }

    [[nodiscard]] T& held() noexcept { return held_; }

private:
    [[nodiscard]] static const T& of(const state_model& state) noexcept {
        return static_cast<const state_of&>(state).held_;
    }

    [[nodiscard]] std::unique_ptr<state_model> made(T held) const {
        return std::make_unique<state_of>(of_, std::move(held));
    }

    template <class Result>
    [[noreturn]] static Result unclaimed() {
        PHOENIX_ASSERT(false, "a law was judged that the type does not claim");
        std::abort();
    }

    const subject<T>* of_;
    T held_;
};

template <lattice T>
[[nodiscard]] any_subject erase(const subject<T>& of) {
    const auto shared = std::make_shared<const subject<T>>(of);
    return {[shared] { return any_state(std::make_unique<state_of<T>>(shared.get(), T())); },
            [shared](any_state& state, const replica_id& here, random_source& random) {
                T& held = static_cast<state_of<T>&>(state.model()).held();
                return any_state(
                    std::make_unique<state_of<T>>(shared.get(), shared->mutate(held, here, random)));
            }};
}

} // namespace detail

} // namespace phoenix::crdt::laws
