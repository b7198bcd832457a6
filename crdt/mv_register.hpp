// Multi-value register: concurrent writes stand side by side until somebody writes again.
//
//   mv_register<std::string> title;
//   auto delta = title.set(here, "Tea");
//   other.join(delta);
//   for (const std::string& each : title.values()) { ... }     // one value, or several in conflict
//   if (title.size() > 1) { title.set(here, merged(title.values())); }
//
// A write takes away the values that it has seen and leaves one; of writes that have not seen each other all
// stand. Siblings are told apart by dot, so equal values that two replicas wrote concurrently both count.
// `clear` takes away what it has seen and leaves nothing; a concurrent write survives it. Siblings read in
// one order on all replicas: by their dots' replica and counter. A register costs one dot and one value for
// each concurrent writer. Values compare by ==, which must be an equivalence (a NaN is none). Source: P. S.
// Almeida, A. Shoker, C. Baquero, Delta State Replicated Data Types (2018), figure 8; G. DeCandia et al.,
// Dynamo (2007). Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/dot_fun.hpp>
#include <phoenix/crdt/core/register_operations.hpp>
#include <phoenix/crdt/core/siblings.hpp>
#include <phoenix/crdt/core/wrapped_store.hpp>

#include <concepts>
#include <cstddef>
#include <ranges>
#include <string>
#include <utility>
#include <variant>

namespace phoenix::crdt {

/// The siblings, as a store: alone in an mv_register, or under the key of an or_map.
template <std::regular Value>
    requires byte_value<Value>
class mv_register_store : public detail::wrapped_store<mv_register_store<Value>, detail::dot_fun<Value>> {
public:
    class editor;

    /// One of the values that stand.
    struct sibling {
        dot by;
        const Value& value;
    };

    using operations = register_operations<Value>;
    using operation = std::variant<typename operations::set, typename operations::clear>;

    /// How many values stand.
    [[nodiscard]] std::size_t size() const noexcept { return this->inner_.size(); }

    /// The register as a reader sees it, with the context of its state. Valid until that changes.
    class view {
    public:
        view(const mv_register_store& store, const causal_context& context) noexcept
            : store_(&store), context_(&context) {}

        [[nodiscard]] std::size_t size() const noexcept { return store_->size(); }

        [[nodiscard]] bool empty() const noexcept { return store_->empty(); }

        /// The values, by their dots' replica and counter: a range of const Value&.
        [[nodiscard]] auto values() const {
            return std::views::transform(detail::siblings_by_dot(store_->inner_, *context_),
                                         [](const auto* each) -> const Value& { return each->value; });
        }

        /// The same as {dot, value}.
        [[nodiscard]] auto siblings() const {
            return std::views::transform(detail::siblings_by_dot(store_->inner_, *context_),
                                         [context = context_](const auto* each) {
                                             return sibling{context->expand(each->under), each->value};
                                         });
        }

    private:
        const mv_register_store* store_;
        const causal_context* context_;
    };

    void explain(explanation& facts, const causal_context& context) const {
        for (const auto& [by, value] : view(*this, context).siblings()) {
            facts.add(explanation::verdict::stands, value_text(value),
                      size() > 1 ? "one of " + std::to_string(size()) + " concurrent writes" : "", {by});
        }
    }
};

/// The mutators of the register, for one writer; see causal::edit.
template <std::regular Value>
    requires byte_value<Value>
class mv_register_store<Value>::editor {
public:
    editor(mv_register_store& mine, mv_register_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    void set(Value value) {
        Value copy = value;
        const detail::compact_dot minted = edit_.mint();
        clear();
        mine_.inner_.insert(minted, std::move(copy));
        edit_.mine.added.push_back(minted);
        delta_.inner_.insert(edit_.in_delta(minted), std::move(value));
        edit_.delta.added.push_back(edit_.in_delta(minted));
    }

    /// Takes away the values that this replica sees.
    void clear() {
        mine_.for_each_dot([&](detail::compact_dot each) { edit_.supersede(each); });
        mine_.inner_.clear(edit_.mine);
        delta_.inner_.clear(edit_.delta);
    }

    void apply(const operation& what) {
        if (const auto* const found = std::get_if<typename operations::set>(&what)) {
            set(found->value);
        } else {
            clear();
        }
    }

private:
    mv_register_store& mine_;
    mv_register_store& delta_;
    detail::causal_edit& edit_;
};

template <std::regular Value>
    requires byte_value<Value>
class mv_register : public causal<mv_register<Value>, mv_register_store<Value>> {
public:
    using value_type = Value;
    using operations = typename mv_register_store<Value>::operations;
    using sibling = typename mv_register_store<Value>::sibling;

    /// Each mutator changes this register and returns the change, itself a register.
    mv_register set(const replica_id& here, Value value) {
        return this->mutate(here, [&](auto&& reg) { reg.set(std::move(value)); });
    }

    mv_register clear(const replica_id& here) {
        return this->mutate(here, [](auto&& reg) { reg.clear(); });
    }

    /// How many values stand: more than one when writes were concurrent.
    [[nodiscard]] std::size_t size() const noexcept { return this->store().size(); }

    [[nodiscard]] bool empty() const noexcept { return this->store().empty(); }

    /// The values, by their dots' replica and counter: a range of const Value&. Valid until the register
    /// changes.
    [[nodiscard]] auto values() const& { return seen().values(); }

    void values() && = delete;

    /// The same as {dot, value}.
    [[nodiscard]] auto siblings() const& { return seen().siblings(); }

    void siblings() && = delete;

private:
    [[nodiscard]] auto seen() const noexcept {
        return typename mv_register_store<Value>::view(this->store(), this->context());
    }
};

} // namespace phoenix::crdt
