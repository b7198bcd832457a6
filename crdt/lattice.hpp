// What every type of this library is: a join-semilattice whose mutators return deltas.
//
//   static_assert(delta_crdt<or_set<std::string>>);
//   auto delta = mine.add(here, "tea");     // changes `mine`, returns the change
//   theirs.join(delta);                     // any number of times, in any order, grouped or alone
//
// A mutator's delta may be dropped, so none is [[nodiscard]]: what it says stands in the state as well, and who
// synchronizes by digest (`decomposable`) needs no deltas.
//
// A user's own type needs these members and its bytes (bytes.hpp), nothing else; laws.hpp checks that they keep
// what the words promise. Sources: M. Shapiro et al., Conflict-free Replicated Data Types (2011); P. S. Almeida et al.,
// Delta State Replicated Data Types (2018); V. Enes et al., Efficient Synchronization of State-based CRDTs (2019).
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/replica.hpp>

#include <concepts>
#include <utility>
#include <vector>

namespace phoenix::crdt {

/// Default construction gives bottom. `a.join(b)` makes a the least upper bound of both; `a.leq(b)` says that b
/// knows everything that a knows, so that joining a into b changes nothing.
template <class T>
concept lattice = std::regular<T> && requires(T& mine, const T& theirs) {
    mine.join(theirs);
    { theirs.leq(theirs) } -> std::convertible_to<bool>;
};

/// A lattice whose changes travel as states. `delta_and_merge(theirs)` joins what arrived and returns the least state
/// that brought it: bottom when nothing was new. The hot path of replication: only that is passed on.
template <class T>
concept delta_crdt = lattice<T> && byte_value<T> && requires(T& mine, const T& theirs) {
    { mine.delta_and_merge(theirs) } -> std::same_as<T>;
    { theirs.is_bottom() } -> std::convertible_to<bool>;
};

/// A lattice that can say what it has in short, and what somebody who has that little is missing: for any x and y,
/// y.join(x.delta_since(y.digest())) equals y.join(x), and no smaller delta does it.
template <class T>
concept decomposable = delta_crdt<T> && requires(const T& value) {
    typename T::digest_type;
    { value.digest() } -> std::same_as<typename T::digest_type>;
    { value.delta_since(value.digest()) } -> std::same_as<T>;
    { value.decompose() } -> std::same_as<std::vector<T>>;
} && byte_value<typename T::digest_type>;

/// A type whose mutators are values too: `operation` is a std::variant of plain structs, each with canonical bytes, and
/// `apply(here, operation)` does for writer `here` what the mutator of that name does. So operations can be queued,
/// written down, grouped and replayed. The structs are named as the mutators: or_set<int>::operations::add.
template <class T>
concept operable = delta_crdt<T> && byte_value<typename T::operation> &&
                   requires(T& mine, const replica_id& here, const typename T::operation& what) {
                       { mine.apply(here, what) } -> std::same_as<T>;
                   };

} // namespace phoenix::crdt
