// Observed-remove map from keys to stores of any causal type, maps again included, to any depth.
//
//   or_map<std::string, or_set_store<std::string>> baskets;
//   auto delta = baskets.update(here, "ann", [](auto&& basket) { basket.add("tea"); });
//   delta.join(baskets.remove(here, "bob"));
//   if (const auto basket = baskets.find("ann")) { basket->contains("tea"); }
//   for (const auto& [name, basket] : baskets) { basket.size(); }
//
//   or_map<std::string, or_map_store<std::string, causal_register_store<std::string>>> owners;
//   owners.find("ann")->find("bag")->value();              // as causal_register::value, of what stands there
//
// What a register or a nested map reads as depends on the context of the whole: find and iteration show a view, which
// brings it along and has the queries of the type whose store it shows. Of other stores they show the store itself. Both
// are valid until the map changes.
//
// Reset-remove: removing a key does to what stands below it just what its writer has seen: a set's elements and a
// register's values go, a counter's seen totals become floors, a nested map's keys are removed in their turn. What was done
// below the key concurrently survives, and brings the key back with that alone: of concurrent update and removal the
// update wins, and it never brings old content back. A key is there as long as something below it is. What a key that
// was removed leaves is what its store must keep (a counter its floors, others nothing); `hidden()` counts such keys.
// Adding, removing, looking up and joining a delta take time independent of the number of keys. Source: P. S. Almeida,
// A. Shoker, C. Baquero (2018), figure 12; the reset of counters after Baquero, Almeida, Lerche (2016). Any thread; a value.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/dot_map.hpp>
#include <phoenix/crdt/core/projected_iterator.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/store_members.hpp>
#include <phoenix/crdt/core/store_view.hpp>
#include <phoenix/crdt/core/wrapped_store.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

/// The map as a store: alone in an or_map, or under the key of another.
template <map_key Key, detail::dot_store Child>
class or_map_store : public detail::wrapped_store<or_map_store<Key, Child>, detail::dot_map<Key, Child>> {
    using table = detail::dot_map<Key, Child>;

public:
    class editor;

    class view;

    struct item {
        const Key& key;
        /// The store, or its view when it has one.
        typename detail::seen<Child>::type value;
    };

    struct operations {
        struct update {
            Key key;
            typename Child::operation what;

            friend bool operator==(const update&, const update&) = default;

            void write(byte_writer& out) const {
                write_value(out, key);
                write_value(out, what);
            }

            [[nodiscard]] static update read(byte_reader& in) {
                Key key = read_value<Key>(in);
                return {std::move(key), read_value<typename Child::operation>(in)};
            }
        };

        struct remove {
            Key key;

            friend bool operator==(const remove&, const remove&) = default;

            void write(byte_writer& out) const { write_value(out, key); }

            [[nodiscard]] static remove read(byte_reader& in) { return {read_value<Key>(in)}; }
        };

        struct clear {
            friend bool operator==(const clear&, const clear&) = default;

            void write(byte_writer& /*out*/) const {}

            [[nodiscard]] static clear read(byte_reader& /*in*/) { return {}; }
        };
    };

    using operation =
        std::variant<typename operations::update, typename operations::remove, typename operations::clear>;

    [[nodiscard]] bool contains(detail::sought<Key> key) const { return find_present(key) != nullptr; }

    [[nodiscard]] std::size_t size() const noexcept { return this->inner_.present(); }

    [[nodiscard]] bool is_present() const noexcept { return size() > 0; }

    /// Keys that were removed and of which something must be kept.
    [[nodiscard]] std::size_t hidden() const noexcept { return this->inner_.size() - size(); }

    void explain(explanation& facts, const causal_context& context) const {
        for (const auto* each : this->inner_.sorted()) {
            facts.path.push_back(value_text(each->key));
            each->store.explain(facts, context);
            facts.path.pop_back();
        }
    }

private:
    [[nodiscard]] const Child* find_present(detail::sought<Key> key) const {
        const Child* const found = this->inner_.find(key);
        return found != nullptr && detail::is_present(*found) ? found : nullptr;
    }
};

/// The map as a reader sees it, with the context of its state. Valid until that changes.
template <map_key Key, detail::dot_store Child>
class or_map_store<Key, Child>::view {
    struct shape {
        [[nodiscard]] bool wanted(const typename table::entry& each) const noexcept {
            return detail::is_present(each.store);
        }

        [[nodiscard]] item show(const typename table::entry& each) const noexcept {
            return {each.key, detail::seen<Child>::show(each.store, *context)};
        }

        const causal_context* context = nullptr;
    };

public:
    using value_type = item;
    using iterator = detail::projected_iterator<typename table::iterator, shape>;

    view(const or_map_store& store, const causal_context& context) noexcept
        : store_(&store), context_(&context) {}

    /// What stands below the key, null when the key is not there: points to the store, or to its view when it has one.
    [[nodiscard]] typename detail::seen<Child>::pointer find(detail::sought<Key> key) const {
        return detail::seen<Child>::point(store_->find_present(key), *context_);
    }

    [[nodiscard]] bool contains(detail::sought<Key> key) const { return store_->contains(key); }

    [[nodiscard]] std::size_t size() const noexcept { return store_->size(); }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    [[nodiscard]] std::size_t hidden() const noexcept { return store_->hidden(); }

    /// Items {key, value}, in no order that means anything.
    [[nodiscard]] iterator begin() const noexcept {
        return {store_->inner_.begin(), store_->inner_.end(), {context_}};
    }

    [[nodiscard]] iterator end() const noexcept {
        return {store_->inner_.end(), store_->inner_.end(), {context_}};
    }

private:
    const or_map_store* store_;
    const causal_context* context_;
};

/// The mutators of the map, for one writer; see causal::edit.
template <map_key Key, detail::dot_store Child>
class or_map_store<Key, Child>::editor {
public:
    editor(or_map_store& mine, or_map_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    /// Calls change(editor) with the editor of what stands below the key, empty when the key is new. `change` must not
    /// change this map itself.
    template <class Change>
    void update(detail::sought<Key> key, Change&& change) {
        detail::expect_ordered("update", key);
        mine_.inner_.update(key, edit_.mine, [&](Child& mine) {
            delta_.inner_.update(key, edit_.delta,
                                 [&](Child& delta) { change(typename Child::editor(mine, delta, edit_)); });
        });
    }

    /// Nothing when the key is not there.
    void remove(detail::sought<Key> key) {
        if (mine_.contains(key)) {
            update(key, [](auto&& child) { detail::reset(child); });
        }
    }

    /// Removes all keys that this replica sees.
    void clear() {
        std::vector<Key> keys;
        for (const auto& each : mine_.inner_) {
            if (detail::is_present(each.store)) {
                keys.push_back(each.key);
            }
        }
        for (const Key& each : keys) {
            remove(each);
        }
    }

    void apply(const operation& what) {
        std::visit(
            [this]<class What>(const What& each) {
                if constexpr (std::is_same_v<What, typename operations::update>) {
                    update(each.key, [&](auto&& child) { child.apply(each.what); });
                } else if constexpr (std::is_same_v<What, typename operations::remove>) {
                    remove(each.key);
                } else {
                    clear();
                }
            },
            what);
    }

private:
    or_map_store& mine_;
    or_map_store& delta_;
    detail::causal_edit& edit_;
};

template <map_key Key, detail::dot_store Child>
class or_map : public causal<or_map<Key, Child>, or_map_store<Key, Child>> {
public:
    using key_type = Key;
    using mapped_type = Child;
    using operations = typename or_map_store<Key, Child>::operations;
    using value_type = typename or_map_store<Key, Child>::item;
    using iterator = typename or_map_store<Key, Child>::view::iterator;

    /// Each mutator changes this map and returns the change, itself a map. `change` gets the editor of the key's store;
    /// when it throws, what it did until then stays in this map and is lost to others: use causal::edit where it may.
    template <class Change>
    or_map update(const replica_id& here, const Key& key, Change&& change) {
        return this->mutate(here, [&](auto&& map) { map.update(key, std::forward<Change>(change)); });
    }

    or_map remove(const replica_id& here, const Key& key) {
        return this->mutate(here, [&](auto&& map) { map.remove(key); });
    }

    or_map clear(const replica_id& here) {
        return this->mutate(here, [](auto&& map) { map.clear(); });
    }

    /// What stands below the key, null when the key is not there: points to the store, or to its view when it has one.
    /// Valid until the map changes.
    [[nodiscard]] typename detail::seen<Child>::pointer find(detail::sought<Key> key) const& {
        return seen().find(key);
    }

    void find(detail::sought<Key> key) && = delete;

    [[nodiscard]] bool contains(detail::sought<Key> key) const { return this->store().contains(key); }

    [[nodiscard]] std::size_t size() const noexcept { return this->store().size(); }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    [[nodiscard]] std::size_t hidden() const noexcept { return this->store().hidden(); }

    /// Items {key, value}, in no order that means anything. Valid until the map changes.
    [[nodiscard]] iterator begin() const noexcept { return seen().begin(); }

    [[nodiscard]] iterator end() const noexcept { return seen().end(); }

private:
    [[nodiscard]] auto seen() const noexcept {
        return typename or_map_store<Key, Child>::view(this->store(), this->context());
    }
};

} // namespace phoenix::crdt
