// Register in which the last writer wins, as a dot store: times decide only between writes that did not see
// each other.
//
//   causal_register<std::string> owner;
//   auto delta = owner.set(here, "ann", clock.now(wall_us));
//   other.join(delta);
//   if (const std::string* name = owner.value()) { ... }
//   for (const auto& [by, time, name] : owner.siblings()) { ... }      // more than one after concurrent writes
//
// A write takes away the values that it has seen, whatever their timestamps: a clock that runs behind loses
// no write that was made in full knowledge of the others. Writes that have not seen each other stand side by
// side, and value() is the one with the greatest (timestamp, replica, hash of the value), so the same one
// everywhere; the others stay in sight for a conflict strategy. `resolve` writes what a strategy or a person
// decided: it takes away just the siblings that were decided on, so one that arrived meanwhile is not lost
// unseen; when none of them stands any more it does nothing. `clear` takes away what its writer has seen and
// has no timestamp: a concurrent write survives it. Removing the key of an or_map clears.
//
// A register costs one dot, timestamp and value for each concurrent writer. Timestamps come from the caller's
// hybrid_clock; none is refused here. Values compare by ==, which must be an equivalence (a NaN is none).
// Source: P. S. Almeida, A. Shoker, C. Baquero, Delta State Replicated Data Types (2018), the multi-value
// register of section 7; the order after M. Shapiro et al., Conflict-free Replicated Data Types (2011), made
// total. Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/dot_fun.hpp>
#include <phoenix/crdt/core/register_operations.hpp>
#include <phoenix/crdt/core/siblings.hpp>
#include <phoenix/crdt/core/wrapped_store.hpp>
#include <phoenix/crdt/hybrid_clock.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace phoenix::crdt {

namespace detail {

/// What stands under a dot of a register.
template <class Value>
struct stamped {
    timestamp time;
    Value value{};

    friend bool operator==(const stamped&, const stamped&) = default;

    void write(byte_writer& out) const {
        time.write(out);
        write_value(out, value);
    }

    [[nodiscard]] static stamped read(byte_reader& in) {
        const timestamp time = timestamp::read(in);
        return {time, read_value<Value>(in)};
    }
};

} // namespace detail

/// The siblings, as a store: alone in a causal_register, or under the key of an or_map.
template <std::regular Value>
    requires byte_value<Value>
class causal_register_store
    : public detail::wrapped_store<causal_register_store<Value>, detail::dot_fun<detail::stamped<Value>>> {
    using entry = typename detail::dot_fun<detail::stamped<Value>>::entry;

public:
    class editor;

    /// One of the values that stand.
    struct sibling {
        dot by;
        timestamp time;
        const Value& value;
    };

    struct operations : timed_register_operations<Value> {
        struct resolve {
            Value value;
            timestamp time;
            /// The dots of the siblings that were decided on.
            causal_context resolved;

            friend bool operator==(const resolve&, const resolve&) = default;

            void write(byte_writer& out) const {
                write_value(out, value);
                time.write(out);
                resolved.write(out);
            }

            [[nodiscard]] static resolve read(byte_reader& in) {
                Value value = read_value<Value>(in);
                const timestamp time = timestamp::read(in);
                return {std::move(value), time, causal_context::read(in)};
            }
        };
    };

    using operation =
        std::variant<typename operations::set, typename operations::resolve, typename operations::clear>;

    /// How many values stand.
    [[nodiscard]] std::size_t size() const noexcept { return this->inner_.size(); }

    /// The register as a reader sees it, with the context of its state. Valid until that changes.
    class view {
    public:
        view(const causal_register_store& store, const causal_context& context) noexcept
            : store_(&store), context_(&context) {}

        /// The value of the last writer, null when there is none.
        [[nodiscard]] const Value* value() const {
            const entry* const found = store_->visible(*context_);
            return found == nullptr ? nullptr : &found->value.value;
        }

        /// When it was written.
        [[nodiscard]] std::optional<timestamp> written_at() const {
            const entry* const found = store_->visible(*context_);
            return found == nullptr ? std::nullopt : std::optional(found->value.time);
        }

        [[nodiscard]] std::size_t size() const noexcept { return store_->size(); }

        [[nodiscard]] bool empty() const noexcept { return store_->empty(); }

        /// All values that stand as {dot, timestamp, value}, by their dots' replica and counter.
        [[nodiscard]] auto siblings() const {
            return std::views::transform(
                detail::siblings_by_dot(store_->inner_, *context_), [context = context_](const auto* each) {
                    return sibling{context->expand(each->under), each->value.time, each->value.value};
                });
        }

    private:
        const causal_register_store* store_;
        const causal_context* context_;
    };

    void explain(explanation& facts, const causal_context& context) const {
        const entry* const winner = visible(context);
        for (const entry* const each : detail::siblings_by_dot(this->inner_, context)) {
            std::string why = "at " + to_text(each->value.time);
            if (each != winner) {
                why += std::string(each->value.time < winner->value.time
                                       ? ", earlier than "
                                       : ", at the same time as the greater ") +
                       to_text(context.expand(winner->under));
            } else if (size() > 1) {
                why += ", the last of " + std::to_string(size()) + " concurrent writes";
            }
            facts.add(each == winner ? explanation::verdict::stands : explanation::verdict::loses,
                      value_text(each->value.value), std::move(why), {context.expand(each->under)});
        }
    }

private:
    [[nodiscard]] const entry* visible(const causal_context& context) const {
        const entry* winner = nullptr;
        for (const entry& each : this->inner_) {
            if (winner == nullptr || is_less(*winner, each, context)) {
                winner = &each;
            }
        }
        return winner;
    }

    /// The order of the last writer. Two writes of one replica with one timestamp stand side by side only
    /// when one was a resolution that left the other; hash and counter make the order total.
    [[nodiscard]] static bool is_less(const entry& a, const entry& b, const causal_context& context) {
        if (a.value.time != b.value.time) {
            return a.value.time < b.value.time;
        }
        const dot by_a = context.expand(a.under);
        const dot by_b = context.expand(b.under);
        if (by_a.replica != by_b.replica) {
            return by_a.replica < by_b.replica;
        }
        return std::tuple(bytes_hash(a.value.value), by_a.counter) <
               std::tuple(bytes_hash(b.value.value), by_b.counter);
    }
};

/// The mutators of the register, for one writer; see causal::edit.
template <std::regular Value>
    requires byte_value<Value>
class causal_register_store<Value>::editor {
public:
    editor(causal_register_store& mine, causal_register_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    void set(Value value, const timestamp& time) {
        put({time, std::move(value)}, [this] { clear(); });
    }

    /// As set.
    void resolve(Value value, const timestamp& time) { set(std::move(value), time); }

    /// Takes away the siblings that `resolved` names; nothing when none of them stands.
    void resolve(Value value, const timestamp& time, const causal_context& resolved) {
        boost::container::small_vector<detail::compact_dot, 4> decided;
        mine_.for_each_dot([&](detail::compact_dot each) {
            if (resolved.contains(edit_.context().expand(each))) {
                decided.push_back(each);
            }
        });
        if (decided.empty()) {
            return;
        }
        put({time, std::move(value)}, [&] {
            for (const detail::compact_dot each : decided) {
                edit_.supersede(each);
                mine_.inner_.erase(each);
                edit_.mine.removed.push_back(each);
                delta_.inner_.erase(edit_.in_delta(each));
                edit_.delta.removed.push_back(edit_.in_delta(each));
            }
        });
    }

    /// Takes away the values that this replica sees.
    void clear() {
        mine_.for_each_dot([&](detail::compact_dot each) { edit_.supersede(each); });
        mine_.inner_.clear(edit_.mine);
        delta_.inner_.clear(edit_.delta);
    }

    void apply(const operation& what) {
        std::visit(
            [this]<class What>(const What& each) {
                if constexpr (std::is_same_v<What, typename operations::set>) {
                    set(each.value, each.time);
                } else if constexpr (std::is_same_v<What, typename operations::resolve>) {
                    resolve(each.value, each.time, each.resolved);
                } else {
                    clear();
                }
            },
            what);
    }

private:
    /// A new dot with `written`, and what take_away() supersedes for it.
    template <class TakeAway>
    void put(detail::stamped<Value> written, TakeAway&& take_away) {
        detail::stamped<Value> copy = written;
        const detail::compact_dot minted = edit_.mint();
        take_away();
        mine_.inner_.insert(minted, std::move(copy));
        edit_.mine.added.push_back(minted);
        delta_.inner_.insert(edit_.in_delta(minted), std::move(written));
        edit_.delta.added.push_back(edit_.in_delta(minted));
    }

    causal_register_store& mine_;
    causal_register_store& delta_;
    detail::causal_edit& edit_;
};

template <std::regular Value>
    requires byte_value<Value>
class causal_register : public causal<causal_register<Value>, causal_register_store<Value>> {
public:
    using value_type = Value;
    using operations = typename causal_register_store<Value>::operations;
    using sibling = typename causal_register_store<Value>::sibling;

    /// Each mutator changes this register and returns the change, itself a register.
    causal_register set(const replica_id& here, Value value, const timestamp& time) {
        return this->mutate(here, [&](auto&& reg) { reg.set(std::move(value), time); });
    }

    /// Takes the place of all siblings, as set; with `resolved`, of those whose dots it holds.
    causal_register resolve(const replica_id& here, Value value, const timestamp& time) {
        return this->mutate(here, [&](auto&& reg) { reg.resolve(std::move(value), time); });
    }

    causal_register resolve(const replica_id& here, Value value, const timestamp& time,
                            const causal_context& resolved) {
        return this->mutate(here, [&](auto&& reg) { reg.resolve(std::move(value), time, resolved); });
    }

    causal_register clear(const replica_id& here) {
        return this->mutate(here, [](auto&& reg) { reg.clear(); });
    }

    /// The value that a reader sees, null when there is none. Valid until the register changes.
    [[nodiscard]] const Value* value() const { return seen().value(); }

    /// When it was written.
    [[nodiscard]] std::optional<timestamp> written_at() const { return seen().written_at(); }

    /// How many values stand: more than one when writes were concurrent.
    [[nodiscard]] std::size_t size() const noexcept { return this->store().size(); }

    [[nodiscard]] bool empty() const noexcept { return this->store().empty(); }

    /// All values that stand as {dot, timestamp, value}, by replica and counter. Valid until the register
    /// changes.
    [[nodiscard]] auto siblings() const& { return seen().siblings(); }

    void siblings() && = delete;

private:
    [[nodiscard]] auto seen() const noexcept {
        return typename causal_register_store<Value>::view(this->store(), this->context());
    }
};

} // namespace phoenix::crdt
