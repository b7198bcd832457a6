// Remove-wins observed set.
//
//   rw_set<std::string> admitted;
//   auto delta = admitted.add(here, "ann");
//   other.join(delta);
//   delta.join(admitted.remove(here, "bob"));      // also when nobody has added "bob" yet
//   for (const std::string& each : admitted) { ... }
//
// An element is there when it has been added and no removal stands against it. Adding takes away the removals
// that it has seen; one that it has not seen wins. So of a concurrent addition and removal the removal wins,
// also a removal of an element that its writer never saw: it forbids what others add meanwhile, until
// somebody who has seen it adds the element again. `clear` is no removal of each element but a reset:
// additions and removals that its writer has seen go, those that it has not seen survive it. Removing the key
// of an or_map does that to a key that is there, which it is while an element is; below a hidden key removals
// may still stand, until the key is updated by `clear` or `compact`.
//
// Costs: an element has one dot, however often it was added or removed (one for each of several concurrent
// writers). A removal is a dot too, the price of winning over what it has not seen: it stays until a later
// addition, a clear, or `compact` when it is stable. `removals()` counts them. Adding, removing, looking up
// and joining a delta take time independent of the size; compact looks at every element. Source: the
// remove-wins set of C. Baquero's reference implementation of delta CRDTs, as a dot store after P. S. Almeida
// et al. (2018); stability after C. Baquero, P. S. Almeida, A. Shoker, Pure Operation-Based Replicated Data
// Types (2017). Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/dot_map.hpp>
#include <phoenix/crdt/core/dot_set.hpp>
#include <phoenix/crdt/core/projected_iterator.hpp>
#include <phoenix/crdt/core/set_operations.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/core/store_members.hpp>
#include <phoenix/crdt/core/wrapped_store.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

namespace detail {

/// The dots of one element: of additions, and of the removals that stand against it.
class rw_element : public store_members<rw_element> {
public:
    [[nodiscard]] static constexpr auto members() noexcept {
        return std::tuple(&rw_element::adds, &rw_element::removes);
    }

    [[nodiscard]] bool is_present() const noexcept { return !adds.empty() && removes.empty(); }

    dot_set adds;
    dot_set removes;
};

} // namespace detail

/// The elements, as a store: alone in an rw_set, or under the key of an or_map.
template <map_key Element>
class rw_set_store
    : public detail::wrapped_store<rw_set_store<Element>, detail::dot_map<Element, detail::rw_element>> {
    using table = detail::dot_map<Element, detail::rw_element>;

    struct shape {
        [[nodiscard]] static bool wanted(const typename table::entry& each) noexcept {
            return each.store.is_present();
        }

        [[nodiscard]] static const Element& show(const typename table::entry& each) noexcept {
            return each.key;
        }
    };

public:
    class editor;

    using iterator = detail::projected_iterator<typename table::iterator, shape>;

    using operations = set_operations<Element>;
    using operation =
        std::variant<typename operations::add, typename operations::remove, typename operations::clear>;

    [[nodiscard]] bool contains(detail::sought<Element> element) const {
        const detail::rw_element* const found = this->inner_.find(element);
        return found != nullptr && found->is_present();
    }

    /// How many elements are there. `empty()` of a store says more: not even a removal stands.
    [[nodiscard]] std::size_t size() const noexcept { return this->inner_.present(); }

    [[nodiscard]] bool is_present() const noexcept { return size() > 0; }

    /// How many elements are not there because removals stand.
    [[nodiscard]] std::size_t removals() const noexcept { return this->inner_.size() - size(); }

    /// The elements, in no order that means anything. Valid until the set changes.
    [[nodiscard]] iterator begin() const noexcept { return {this->inner_.begin(), this->inner_.end()}; }

    [[nodiscard]] iterator end() const noexcept { return {this->inner_.end(), this->inner_.end()}; }

    void explain(explanation& facts, const causal_context& context) const {
        const auto expanded = [&](const detail::dot_set& dots) {
            std::vector<dot> list;
            dots.for_each_dot([&](detail::compact_dot each) { list.push_back(context.expand(each)); });
            std::ranges::sort(list);
            return list;
        };
        for (const auto* each : this->inner_.sorted()) {
            const std::string text = value_text(each->key);
            const std::vector<dot> adds = expanded(each->store.adds);
            const std::vector<dot> removes = expanded(each->store.removes);
            if (removes.empty()) {
                facts.add(explanation::verdict::stands, text, {}, adds);
                continue;
            }
            if (!adds.empty()) {
                facts.add(explanation::verdict::loses, text, "a concurrent removal wins", adds);
            }
            facts.add(explanation::verdict::gone, text, "a removal stands", removes);
        }
    }
};

/// The mutators of the set, for one writer; see causal::edit.
template <map_key Element>
class rw_set_store<Element>::editor {
public:
    editor(rw_set_store& mine, rw_set_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    void add(const Element& element) { write(element, &detail::rw_element::adds); }

    /// Also of an element that is not there: what others add without having seen this is not there either.
    void remove(const Element& element) { write(element, &detail::rw_element::removes); }

    /// Takes away all additions and removals that this replica sees.
    void clear() {
        mine_.for_each_dot([&](detail::compact_dot each) { edit_.supersede(each); });
        mine_.inner_.clear(edit_.mine);
        delta_.inner_.clear(edit_.delta);
    }

    /// Takes away the removals that are stable, see rw_set::compact.
    void compact(const causal_context& stable) {
        const auto is_stable = [&](detail::compact_dot each) {
            return stable.contains(edit_.context().expand(each));
        };
        std::vector<Element> settled;
        for (const auto& each : mine_.inner_) {
            bool all = !each.store.removes.empty();
            each.store.for_each_dot([&](detail::compact_dot d) { all = all && is_stable(d); });
            if (all) {
                settled.push_back(each.key);
            }
        }
        for (const Element& each : settled) {
            mine_.inner_.find(each)->for_each_dot([&](detail::compact_dot d) { edit_.supersede(d); });
            mine_.inner_.erase(each, edit_.mine);
            delta_.inner_.erase(each, edit_.delta);
        }
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
    /// One new dot in `place` takes the place of all that the element has.
    void write(const Element& element, detail::dot_set detail::rw_element::* place) {
        detail::expect_ordered("rw_set", element);
        const detail::compact_dot minted = edit_.mint();
        mine_.inner_.update(element, edit_.mine, [&](detail::rw_element& dots) {
            dots.for_each_dot([&](detail::compact_dot each) { edit_.supersede(each); });
            dots.clear(edit_.mine);
            dots.*place = detail::dot_set(minted);
            edit_.mine.added.push_back(minted);
        });
        delta_.inner_.update(element, edit_.delta, [&](detail::rw_element& dots) {
            dots.clear(edit_.delta);
            dots.*place = detail::dot_set(edit_.in_delta(minted));
            edit_.delta.added.push_back(edit_.in_delta(minted));
        });
    }

    rw_set_store& mine_;
    rw_set_store& delta_;
    detail::causal_edit& edit_;
};

template <map_key Element>
class rw_set : public causal<rw_set<Element>, rw_set_store<Element>> {
public:
    using value_type = Element;
    using operations = typename rw_set_store<Element>::operations;
    using iterator = typename rw_set_store<Element>::iterator;

    /// Each mutator changes this set and returns the change, itself a set.
    rw_set add(const replica_id& here, const Element& element) {
        return this->mutate(here, [&](auto&& set) { set.add(element); });
    }

    rw_set remove(const replica_id& here, const Element& element) {
        return this->mutate(here, [&](auto&& set) { set.remove(element); });
    }

    rw_set clear(const replica_id& here) {
        return this->mutate(here, [](auto&& set) { set.clear(); });
    }

    /// Takes away the removals, and the additions that they have beaten, of each element all of whose dots
    /// are in `stable`. No replica's set reads otherwise for it, now or later, if every dot in `stable` is
    /// causally stable here: whatever this state has yet to join was written by a replica that had seen that
    /// dot. So a removal must have been acknowledged by every replica that may write again, one that sleeps
    /// or was cut off included, and what they wrote before they acknowledged must have been joined here; the
    /// passing of time says nothing about either. A replica that joins the delta must have seen what this one
    /// had, as with any delta (causal delivery). Given dots that are not stable, an addition that a removal
    /// ought to beat may come back, on all replicas alike.
    rw_set compact(const replica_id& here, const causal_context& stable) {
        return this->mutate(here, [&](auto&& set) { set.compact(stable); });
    }

    [[nodiscard]] bool contains(detail::sought<Element> element) const {
        return this->store().contains(element);
    }

    [[nodiscard]] std::size_t size() const noexcept { return this->store().size(); }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    [[nodiscard]] std::size_t removals() const noexcept { return this->store().removals(); }

    /// The elements, in no order that means anything. Valid until the set changes.
    [[nodiscard]] iterator begin() const noexcept { return this->store().begin(); }

    [[nodiscard]] iterator end() const noexcept { return this->store().end(); }
};

} // namespace phoenix::crdt
