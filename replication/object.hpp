// A typed handle on one object of a node.
//
//   object<crdt::pn_counter> hits = here.open<crdt::pn_counter>("hits");
//   hits.change([](auto& counter, auto& self) { return counter.increment(self); });
//   std::cout << hits->value();
//   object<crdt::or_set<std::string>> names = here.open<crdt::or_set<std::string>>("names");
//   names.edit([](auto set) { set.add("ann"); });
//   const subscription watching = names.on_change([](const auto& set) { ... });
//
// It reads as the state does, bottom before anybody wrote to it. Changes are seen here at once and travel at the end of the
// turn. A handle is a name: cheap to copy, and valid as long as its node. The thread of the node's loop.
#pragma once

#include <phoenix/replication/store/object_store.hpp>
#include <phoenix/replication/subscription.hpp>

#include <functional>
#include <string>
#include <utility>

namespace phoenix::replication {

template <crdt::delta_crdt T>
class object {
public:
    /// Throws errc::unknown_type when T is not registered. Both must outlive it.
    object(object_store& store, change_feed& changes, std::string key)
        : store_(&store), changes_(&changes), type_(&store.types().at<T>()), key_(std::move(key)) {}

    [[nodiscard]] const std::string& key() const noexcept { return key_; }

    /// Valid until the object changes.
    [[nodiscard]] const T& operator*() const { return store_->read<T>(key_); }

    [[nodiscard]] const T* operator->() const { return &store_->read<T>(key_); }

    /// Calls edit(editor) with the mutators of a type with causality. Throws errc::overtaken when another process has this
    /// node's id.
    template <class Edit>
    void edit(Edit&& edit) {
        store_->edit<T>(key_, std::forward<Edit>(edit));
    }

    /// Calls change(state, self), which changes the state and returns its delta, for any type.
    template <class Change>
    void change(Change&& change) {
        store_->change<T>(key_, std::forward<Change>(change));
    }

    /// Calls told(state) after changes, wherever they were made.
    [[nodiscard]] subscription on_change(std::function<void(const T&)> told) const {
        return changes_->subscribe(*type_, key_, [told = std::move(told)](const replication::change& seen) {
            told(static_cast<const typed_object<T>&>(seen.object).state());
        });
    }

private:
    object_store* store_;
    change_feed* changes_;
    const object_type* type_;
    std::string key_;
};

} // namespace phoenix::replication
