// Add-wins observed-remove set without tombstones.
//
//   or_set<std::string> basket;
//   auto delta = basket.add(here, "tea");
//   other.join(delta);
//   delta.join(basket.remove(here, "tea"));
//   for (const std::string& each : basket) { ... }
//
// A removal removes the additions that it has seen; one that it has not seen survives it, so of a concurrent addition
// and removal the addition wins. Adding again supersedes the dots seen before, so an element costs one dot, however
// often it was added. Adding, removing, looking up and joining a delta take time independent of the size. Source:
// A. Bieniusa et al., An Optimized Conflict-free Replicated Set (2012); P. S. Almeida et al. (2018), figure 9.
// Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/dot_map.hpp>
#include <phoenix/crdt/core/dot_set.hpp>
#include <phoenix/crdt/core/projected_iterator.hpp>
#include <phoenix/crdt/core/set_operations.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/wrapped_store.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

/// The elements, as a store: alone in an or_set, or under the key of an or_map.
template <map_key Element>
class or_set_store
    : public detail::wrapped_store<or_set_store<Element>, detail::dot_map<Element, detail::dot_set>> {
public:
    class editor;

private:
    using table = detail::dot_map<Element, detail::dot_set>;

    struct shape {
        [[nodiscard]] static bool wanted(const typename table::entry& /*each*/) noexcept { return true; }

        [[nodiscard]] static const Element& show(const typename table::entry& each) noexcept {
            return each.key;
        }
    };

public:
    using iterator = detail::projected_iterator<typename table::iterator, shape>;

    using operations = set_operations<Element>;
    using operation =
        std::variant<typename operations::add, typename operations::remove, typename operations::clear>;

    [[nodiscard]] bool contains(detail::sought<Element> element) const {
        return this->inner_.find(element) != nullptr;
    }

    [[nodiscard]] std::size_t size() const noexcept { return this->inner_.size(); }

    /// The elements, in no order that means anything. Valid until the set changes.
    [[nodiscard]] iterator begin() const noexcept { return {this->inner_.begin(), this->inner_.end()}; }

    [[nodiscard]] iterator end() const noexcept { return {this->inner_.end(), this->inner_.end()}; }

    void explain(explanation& facts, const causal_context& context) const {
        for (const auto* each : this->inner_.sorted()) {
            std::vector<dot> by;
            each->store.for_each_dot([&](detail::compact_dot d) { by.push_back(context.expand(d)); });
            std::ranges::sort(by);
            facts.add(explanation::verdict::stands, value_text(each->key), {}, std::move(by));
        }
    }
};

/// The mutators of the set, for one writer; see causal::edit.
template <map_key Element>
class or_set_store<Element>::editor {
public:
    editor(or_set_store& mine, or_set_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    void add(detail::sought<Element> element) {
        detail::expect_ordered("add", element);
        const detail::compact_dot minted = edit_.mint();
        mine_.inner_.put(element, minted, edit_.mine,
                         [this](detail::compact_dot each) { edit_.supersede(each); });
        delta_.inner_.put(element, edit_.in_delta(minted), edit_.delta, [](detail::compact_dot) {});
    }

    /// Nothing when the element is not there.
    void remove(detail::sought<Element> element) {
        mine_.inner_.erase(element, edit_.mine, [&](detail::compact_dot each) {
            edit_.supersede(each);
            // Before it goes here: it may be this set's own element.
            delta_.inner_.erase(element, edit_.delta);
        });
    }

    /// Removes all elements that this replica sees.
    void clear() {
        mine_.for_each_dot([&](detail::compact_dot each) { edit_.supersede(each); });
        mine_.inner_.clear(edit_.mine);
        delta_.inner_.clear(edit_.delta);
    }

    void apply(const operation& what) {
        std::visit(
            [this]<class What>(const What& each) {
                if constexpr (std::is_same_v<What, typename operations::add>) {
                    add(each.element);
                } else if constexpr (std::is_same_v<What, typename operations::remove>) {
                    remove(each.element);
                } else {
                    clear();
                }
            },
            what);
    }

private:
    or_set_store& mine_;
    or_set_store& delta_;
    detail::causal_edit& edit_;
};

template <map_key Element>
class or_set : public causal<or_set<Element>, or_set_store<Element>> {
public:
    using value_type = Element;
    using operations = typename or_set_store<Element>::operations;
    using iterator = typename or_set_store<Element>::iterator;

    /// Each mutator changes this set and returns the change, itself a set.
    or_set add(const replica_id& here, const Element& element) {
        return this->mutate(here, [&](auto&& set) { set.add(element); });
    }

    or_set remove(const replica_id& here, const Element& element) {
        return this->mutate(here, [&](auto&& set) { set.remove(element); });
    }

    or_set clear(const replica_id& here) {
        return this->mutate(here, [](auto&& set) { set.clear(); });
    }

    [[nodiscard]] bool contains(detail::sought<Element> element) const {
        return this->store().contains(element);
    }

    [[nodiscard]] std::size_t size() const noexcept { return this->store().size(); }

    [[nodiscard]] bool empty() const noexcept { return this->store().empty(); }

    /// The elements, in no order that means anything. Valid until the set changes.
    [[nodiscard]] iterator begin() const noexcept { return this->store().begin(); }

    [[nodiscard]] iterator end() const noexcept { return this->store().end(); }
};

} // namespace phoenix::crdt
