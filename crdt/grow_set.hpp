// Set that only grows (G-Set).
//
//   grow_set<std::string> seen;
//   auto delta = seen.add(here, "tea");
//   other.join(delta);
//   for (const std::string& each : seen) { ... }
//
// The join is the union; an element once added is there for ever. It is the least of sets: one table, no
// dots, an element costs what it costs in a flat hash set. Adding, looking up and joining a delta take time
// independent of the size.
//
// Its digest is the set itself: without dots nothing shorter tells exactly which elements are missing. Where
// large sets are synchronized by digest, an or_set from which nothing is removed has one of a few bytes.
// Floating-point elements must be numbers (errc::invalid_operation for NaN). Source: M. Shapiro et al., A
// Comprehensive Study of Convergent and Commutative Replicated Data Types (2011), specification 11. Any
// thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/key_table.hpp>
#include <phoenix/crdt/core/set_operations.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <algorithm>
#include <cstddef>
#include <variant>
#include <vector>

namespace phoenix::crdt {

template <map_key Element>
class grow_set {
    using table = detail::key_table<Element>;

public:
    using value_type = Element;
    using digest_type = grow_set;
    using iterator = typename table::iterator;

    using operations = set_operations<Element>;
    using operation = std::variant<typename operations::add>;

    /// Changes this set and returns the change, itself a set: bottom when the element was there.
    grow_set add(const replica_id& /*here*/, const Element& element) {
        detail::expect_ordered("add", element);
        // The delta first: when a copy throws, nothing has changed that nobody else will know.
        grow_set delta;
        delta.elements_.insert(element);
        return elements_.insert(element).second ? delta : grow_set();
    }

    [[nodiscard]] bool contains(detail::sought<Element> element) const { return elements_.contains(element); }

    [[nodiscard]] std::size_t size() const noexcept { return elements_.size(); }

    [[nodiscard]] bool empty() const noexcept { return elements_.empty(); }

    /// The elements, in no order that means anything. Valid until the set changes.
    [[nodiscard]] iterator begin() const noexcept { return elements_.begin(); }

    [[nodiscard]] iterator end() const noexcept { return elements_.end(); }

    void join(const grow_set& theirs) {
        if (this != &theirs) {
            elements_.reserve(theirs.size());
            for (const Element& each : theirs.elements_) {
                elements_.insert(each);
            }
        }
    }

    [[nodiscard]] grow_set delta_and_merge(const grow_set& theirs) {
        grow_set fresh;
        if (this != &theirs) {
            for (const Element& each : theirs) {
                if (elements_.insert(each).second) {
                    fresh.elements_.insert(each);
                }
            }
        }
        return fresh;
    }

    [[nodiscard]] bool leq(const grow_set& theirs) const {
        return size() <= theirs.size() &&
               std::ranges::all_of(elements_, [&](const Element& each) { return theirs.contains(each); });
    }

    [[nodiscard]] bool is_bottom() const noexcept { return empty(); }

    [[nodiscard]] digest_type digest() const { return *this; }

    /// The elements that `theirs` does not have.
    [[nodiscard]] grow_set delta_since(const digest_type& theirs) const {
        grow_set delta;
        for (const Element& each : elements_) {
            if (!theirs.contains(each)) {
                delta.elements_.insert(each);
            }
        }
        return delta;
    }

    /// The join-irreducible states whose join this is: one for each element, by element.
    [[nodiscard]] std::vector<grow_set> decompose() const {
        std::vector<grow_set> parts;
        for (const Element* each : detail::sorted_keys(elements_)) {
            parts.emplace_back().elements_.insert(*each);
        }
        return parts;
    }

    grow_set apply(const replica_id& here, const operation& what) {
        return add(here, std::get<typename operations::add>(what).element);
    }

    void explain(explanation& facts) const {
        for (const Element* each : detail::sorted_keys(elements_)) {
            facts.add(explanation::verdict::stands, value_text(*each), "added");
        }
    }

    friend bool operator==(const grow_set& a, const grow_set& b) { return a.elements_ == b.elements_; }

    void write(byte_writer& out) const { detail::write_keys(out, elements_); }

    [[nodiscard]] static grow_set read(byte_reader& in) {
        grow_set made;
        made.elements_ = detail::read_keys<table>(in);
        return made;
    }

private:
    table elements_;
};

} // namespace phoenix::crdt
