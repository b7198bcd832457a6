// Set of elements that come and go once (2P-Set): what was removed stays removed.
//
//   two_phase_set<ticket> open;
//   auto delta = open.add(here, ticket(7));
//   delta.join(open.remove(here, ticket(7)));
//   other.join(delta);
//   open.add(here, ticket(7));                 // nothing: open.was_removed(ticket(7))
//
// An element is unknown, then there, then removed, and never goes back: adding what was removed changes
// nothing and returns bottom, and of a concurrent addition and removal the removal wins. Removing what is not
// there changes nothing. It suits names that are never used again; where elements return, use or_set.
//
// Every removed element stays as a tombstone, which is inherent: nothing else tells a late addition from a
// new one, and or_set, which needs none, tells them apart by dots. Adding, removing, looking up and joining a
// delta take time independent of the size. Its digest is the set itself, with its tombstones. Floating-point
// elements must be numbers (errc::invalid_operation for NaN). Source: M. Shapiro et al., A Comprehensive
// Study of Convergent and Commutative Replicated Data Types (2011), specification 12. Any thread; a value,
// which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/key_table.hpp>
#include <phoenix/crdt/core/set_operations.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <variant>
#include <vector>

namespace phoenix::crdt {

template <map_key Element>
class two_phase_set {
    using table = detail::key_table<Element>;

public:
    using value_type = Element;
    using digest_type = two_phase_set;
    using iterator = typename table::iterator;

    using operations = set_operations<Element>;
    using operation = std::variant<typename operations::add, typename operations::remove>;

    /// Each mutator changes this set and returns the change, itself a set. Nothing, and bottom, when the
    /// element was removed before: it stays removed.
    two_phase_set add(const replica_id& /*here*/, const Element& element) {
        detail::expect_ordered("add", element);
        two_phase_set delta;
        // The delta first: when a copy throws, nothing has changed that nobody else will know.
        delta.live_.insert(element);
        return take_live(element) ? delta : two_phase_set();
    }

    /// Nothing when the element is not there.
    two_phase_set remove(const replica_id& /*here*/, const Element& element) {
        two_phase_set delta;
        if (live_.contains(element)) {
            delta.removed_.insert(element);
            removed_.insert(element);
            // Last: it may be this set's own element.
            live_.erase(element);
        }
        return delta;
    }

    [[nodiscard]] bool contains(detail::sought<Element> element) const { return live_.contains(element); }

    /// The element was there, is there no more, and never will be.
    [[nodiscard]] bool was_removed(detail::sought<Element> element) const {
        return removed_.contains(element);
    }

    [[nodiscard]] std::size_t size() const noexcept { return live_.size(); }

    [[nodiscard]] bool empty() const noexcept { return live_.empty(); }

    [[nodiscard]] std::size_t tombstones() const noexcept { return removed_.size(); }

    /// The elements that are there, in no order that means anything. Valid until the set changes.
    [[nodiscard]] iterator begin() const noexcept { return live_.begin(); }

    [[nodiscard]] iterator end() const noexcept { return live_.end(); }

    void join(const two_phase_set& theirs) {
        join_and_tell(theirs, [](const Element&) {}, [](const Element&) {});
    }

    [[nodiscard]] two_phase_set delta_and_merge(const two_phase_set& theirs) {
        two_phase_set fresh;
        join_and_tell(
            theirs, [&](const Element& each) { fresh.live_.insert(each); },
            [&](const Element& each) { fresh.removed_.insert(each); });
        return fresh;
    }

    [[nodiscard]] bool leq(const two_phase_set& theirs) const {
        return std::ranges::all_of(removed_, [&](const Element& each) { return theirs.was_removed(each); }) &&
               std::ranges::all_of(live_, [&](const Element& each) { return theirs.knows(each); });
    }

    [[nodiscard]] bool is_bottom() const noexcept { return live_.empty() && removed_.empty(); }

    [[nodiscard]] digest_type digest() const { return *this; }

    /// The additions and removals that `theirs` does not have.
    [[nodiscard]] two_phase_set delta_since(const digest_type& theirs) const {
        two_phase_set delta;
        for (const Element& each : removed_) {
            if (!theirs.was_removed(each)) {
                delta.removed_.insert(each);
            }
        }
        for (const Element& each : live_) {
            if (!theirs.knows(each)) {
                delta.live_.insert(each);
            }
        }
        return delta;
    }

    /// The join-irreducible states whose join this is: one for each element, there or removed.
    [[nodiscard]] std::vector<two_phase_set> decompose() const {
        std::vector<two_phase_set> parts;
        for (const Element* each : detail::sorted_keys(live_)) {
            parts.emplace_back().live_.insert(*each);
        }
        for (const Element* each : detail::sorted_keys(removed_)) {
            parts.emplace_back().removed_.insert(*each);
        }
        return parts;
    }

    two_phase_set apply(const replica_id& here, const operation& what) {
        return std::visit(
            [&]<class What>(const What& each) {
                if constexpr (std::is_same_v<What, typename operations::add>) {
                    return add(here, each.element);
                } else {
                    return remove(here, each.element);
                }
            },
            what);
    }

    void explain(explanation& facts) const {
        for (const Element* each : detail::sorted_keys(live_)) {
            facts.add(explanation::verdict::stands, value_text(*each), "added");
        }
        for (const Element* each : detail::sorted_keys(removed_)) {
            facts.add(explanation::verdict::gone, value_text(*each), "removed, and stays so");
        }
    }

    friend bool operator==(const two_phase_set& a, const two_phase_set& b) {
        return a.live_ == b.live_ && a.removed_ == b.removed_;
    }

    void write(byte_writer& out) const {
        detail::write_keys(out, live_);
        detail::write_keys(out, removed_);
    }

    [[nodiscard]] static two_phase_set read(byte_reader& in) {
        two_phase_set made;
        made.live_ = detail::read_keys<table>(in);
        const std::size_t at = in.position();
        made.removed_ = detail::read_keys<table>(in);
        if (std::ranges::any_of(made.live_, [&](const Element& each) { return made.was_removed(each); })) {
            byte_reader::fail_at(at, "removed elements that are not there as well");
        }
        return made;
    }

private:
    [[nodiscard]] bool knows(const Element& element) const {
        return contains(element) || was_removed(element);
    }

    bool take_live(const Element& element) {
        return !removed_.contains(element) && live_.insert(element).second;
    }

    /// Says of each element that came, and of each that is removed now, whether it was there before or not.
    template <class Added, class Removed>
    void join_and_tell(const two_phase_set& theirs, Added&& added, Removed&& removed) {
        if (this == &theirs) {
            return;
        }
        removed_.reserve(theirs.removed_.size());
        live_.reserve(theirs.live_.size());
        for (const Element& each : theirs.removed_) {
            if (removed_.insert(each).second) {
                live_.erase(each);
                removed(each);
            }
        }
        for (const Element& each : theirs.live_) {
            if (take_live(each)) {
                added(each);
            }
        }
    }

    table live_;
    table removed_;
};

} // namespace phoenix::crdt
