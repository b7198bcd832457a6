// A struct of named CRDTs that is itself one: its fields change alone, its deltas carry what changed.
//
//   struct page {
//       or_set_store<std::string> tags;
//       resettable_counter_store visits;
//       static constexpr auto fields() {
//           return std::tuple(field("tags", &page::tags), field("visits", &page::visits));
//       }
//   };
//   composite<page> home;
//   auto delta = home.update(here, &page::visits, [](auto&& visits) { visits.increment(); });
//   home.at(&page::tags).contains("news");
//
// Fields are stores of any causal type under one context; their order is the order in their bytes, their names are for
// people. A composite may stand under the key of an or_map, where removing the key resets every field. For fields of other
// types there is record.hpp. Any thread; a value.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/counter_operations.hpp>
#include <phoenix/crdt/core/field.hpp>
#include <phoenix/crdt/core/store_members.hpp>
#include <phoenix/crdt/core/store_view.hpp>

#include <cstddef>
#include <tuple>
#include <utility>
#include <variant>

namespace phoenix::crdt {

/// The struct as a store: alone in a composite, or under the key of an or_map.
template <class Fields>
class composite_store : public detail::store_members<composite_store<Fields>> {
    template <class Tuple>
    struct operations_of;

    template <class... Field>
    struct operations_of<std::tuple<Field...>> {
        using type = std::variant<typename Field::member_type::operation..., counter_operations::reset>;
    };

public:
    class editor;
    class view;

    struct operations {
        using reset = counter_operations::reset;
    };

    /// Which field, by its place in fields(), and what is done to it; after them, the reset of all.
    using operation = typename operations_of<decltype(Fields::fields())>::type;

    [[nodiscard]] bool is_present() const noexcept {
        return over([&](const auto&... each) { return (... || detail::is_present(fields_.*each.member)); });
    }

    void explain(explanation& facts, const causal_context& context) const {
        over([&](const auto&... each) {
            (..., (facts.path.emplace_back(each.name), (fields_.*each.member).explain(facts, context),
                   facts.path.pop_back()));
        });
    }

private:
    friend detail::store_members<composite_store>;

    template <class Visitor>
    static constexpr decltype(auto) over(Visitor&& visit) {
        return std::apply(std::forward<Visitor>(visit), Fields::fields());
    }

    [[nodiscard]] static constexpr auto members() noexcept {
        return over([](const auto&... each) { return std::tuple(each.member...); });
    }

    [[nodiscard]] Fields& parts() noexcept { return fields_; }

    [[nodiscard]] const Fields& parts() const noexcept { return fields_; }

    Fields fields_;
};

/// The struct as a reader sees it, with the context of its state. Valid until that changes.
template <class Fields>
class composite_store<Fields>::view {
public:
    view(const composite_store& store, const causal_context& context) noexcept
        : store_(&store), context_(&context) {}

    /// One field, as in at(&page::tags): the store, or its view when it has one.
    template <class Store>
    [[nodiscard]] typename detail::seen<Store>::type at(Store Fields::* member) const noexcept {
        return detail::seen<Store>::show(store_->fields_.*member, *context_);
    }

private:
    const composite_store* store_;
    const causal_context* context_;
};

/// The mutators of the struct, for one writer: those of its fields.
template <class Fields>
class composite_store<Fields>::editor {
public:
    editor(composite_store& mine, composite_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    /// The editor of one field, as in at(&page::tags).
    template <class Store>
    [[nodiscard]] typename Store::editor at(Store Fields::* member) noexcept {
        return typename Store::editor(mine_.fields_.*member, delta_.fields_.*member, edit_);
    }

    /// As much of every field as this replica sees goes.
    void reset() {
        over([&](const auto&... each) { (..., reset_one(each.member)); });
    }

    void apply(const operation& what) {
        if (std::holds_alternative<typename operations::reset>(what)) {
            reset();
        } else {
            apply_at(what, std::make_index_sequence<std::tuple_size_v<decltype(Fields::fields())>>());
        }
    }

private:
    template <class Store>
    void reset_one(Store Fields::* member) {
        if (!(mine_.fields_.*member).empty()) {
            detail::reset(at(member));
        }
    }

    template <std::size_t... Index>
    void apply_at(const operation& what, std::index_sequence<Index...> /*all*/) {
        const auto all = Fields::fields();
        (...,
         (what.index() == Index ? at(std::get<Index>(all).member).apply(std::get<Index>(what)) : void()));
    }

    composite_store& mine_;
    composite_store& delta_;
    detail::causal_edit& edit_;
};

template <class Fields>
class composite : public causal<composite<Fields>, composite_store<Fields>> {
public:
    using operations = typename composite_store<Fields>::operations;

    /// One field, as in at(&page::tags): the store, or its view when it has one. Valid until the composite changes.
    template <class Store>
    [[nodiscard]] typename detail::seen<Store>::type at(Store Fields::* member) const& noexcept {
        return typename composite_store<Fields>::view(this->store(), this->context()).at(member);
    }

    template <class Store>
    void at(Store Fields::* member) && = delete;

    /// Calls change(editor) for one field and returns the change. When `change` throws, what it did until then stays
    /// here and is lost to others: use causal::edit where it may.
    template <class Store, class Change>
    composite update(const replica_id& here, Store Fields::* member, Change&& change) {
        return this->mutate(here, [&](auto&& all) { change(all.at(member)); });
    }

    /// As much of every field as this replica sees goes.
    composite reset(const replica_id& here) {
        return this->mutate(here, [](auto&& all) { all.reset(); });
    }
};

} // namespace phoenix::crdt
