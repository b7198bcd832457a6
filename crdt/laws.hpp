// The laws that make a type a CRDT, as checks for any type, the user's too, under any test framework.
//
//   laws::subject<my_type> mine{.mutate = [](my_type& state, const replica_id& here, laws::random_source& random) {
//       return state.add(here, random.below(10));
//   }};
//   const auto report = laws::check_all(mine);
//   BOOST_TEST(report.all_hold(), laws::to_string(report));
//
// Each law is judged on random histories of a few replicas; a broken one is reported with the shortest history that was
// found and the states in it. `*_laws` gives the laws themselves, for a generator of one's own (RapidCheck, say):
// law.judge(history, replicas, seed) says what is wrong, or nothing. A mutator that throws fails the law it runs in.
#pragma once

#include <phoenix/crdt/lattice.hpp>
#include <phoenix/crdt/laws/report.hpp>
#include <phoenix/crdt/laws/state.hpp>

#include <iterator>
#include <utility>
#include <vector>

namespace phoenix::crdt::laws {

namespace detail {

[[nodiscard]] std::vector<law> lattice_laws(const any_subject& of);
[[nodiscard]] std::vector<law> delta_laws(const any_subject& of);
[[nodiscard]] std::vector<law> decomposition_laws(const any_subject& of);
[[nodiscard]] std::vector<law> convergence_laws(const any_subject& of);
[[nodiscard]] std::vector<law> bytes_laws(const any_subject& of);

} // namespace detail

/// commutativity, associativity, idempotency, bottom, order.
template <lattice T>
[[nodiscard]] std::vector<law> lattice_laws(const subject<T>& of) {
    return detail::lattice_laws(detail::erase(of));
}

/// inflation, delta_equals_state, delta_groups, delta_and_merge.
template <delta_crdt T>
[[nodiscard]] std::vector<law> delta_laws(const subject<T>& of) {
    return detail::delta_laws(detail::erase(of));
}

/// parts, parts_are_irreducible, digest, delta_since, delta_since_is_least.
template <decomposable T>
[[nodiscard]] std::vector<law> decomposition_laws(const subject<T>& of) {
    return detail::decomposition_laws(detail::erase(of));
}

/// every_order: all orders of up to five deltas, random ones beyond, with repetitions, lead every replica to one state.
template <delta_crdt T>
[[nodiscard]] std::vector<law> convergence_laws(const subject<T>& of) {
    return detail::convergence_laws(detail::erase(of));
}

/// bytes_there_and_back, canonical_bytes, truncated_bytes, damaged_bytes.
template <delta_crdt T>
[[nodiscard]] std::vector<law> bytes_laws(const subject<T>& of) {
    return detail::bytes_laws(detail::erase(of));
}

/// Every law that the type claims.
template <delta_crdt T>
[[nodiscard]] std::vector<law> all_laws(const subject<T>& of) {
    const detail::any_subject erased = detail::erase(of);
    std::vector<law> all = detail::lattice_laws(erased);
    const auto append = [&](std::vector<law> more) {
        all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    };
    append(detail::delta_laws(erased));
    if constexpr (decomposable<T>) {
        append(detail::decomposition_laws(erased));
    }
    append(detail::convergence_laws(erased));
    append(detail::bytes_laws(erased));
    return all;
}

template <lattice T>
[[nodiscard]] report check_lattice(const subject<T>& of, const options& how = {}) {
    return check(lattice_laws(of), how);
}

template <delta_crdt T>
[[nodiscard]] report check_delta(const subject<T>& of, const options& how = {}) {
    return check(delta_laws(of), how);
}

template <decomposable T>
[[nodiscard]] report check_decomposition(const subject<T>& of, const options& how = {}) {
    return check(decomposition_laws(of), how);
}

template <delta_crdt T>
[[nodiscard]] report check_convergence(const subject<T>& of, const options& how = {}) {
    return check(convergence_laws(of), how);
}

template <delta_crdt T>
[[nodiscard]] report check_bytes(const subject<T>& of, const options& how = {}) {
    return check(bytes_laws(of), how);
}

template <delta_crdt T>
[[nodiscard]] report check_all(const subject<T>& of, const options& how = {}) {
    return check(all_laws(of), how);
}

} // namespace phoenix::crdt::laws
