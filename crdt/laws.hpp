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

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt::laws {

namespace detail {

template <class T>
std::string show(const subject<T>& of, const char* name, const T& state) {
    std::string text = std::string("  ") + name + " = ";
    if (of.show) {
        return text + of.show(state) + "\n";
    }
    if constexpr (byte_value<T>) {
        static constexpr char digits[] = "0123456789abcdef";
        for (const std::byte each : encode(state)) {
            text += digits[static_cast<unsigned>(each) >> 4];
            text += digits[static_cast<unsigned>(each) & 15];
        }
        return text + "\n";
    }
    return text + "(a state that cannot be shown)\n";
}

template <class T>
[[nodiscard]] T joined(T a, const T& b) {
    a.join(b);
    return a;
}

/// Three of the states that a history leads to: replicas or deltas, drawn by the seed.
template <class T>
struct three {
    T a;
    T b;
    T c;

    [[nodiscard]] std::string shown(const subject<T>& of) const {
        return show(of, "a", a) + show(of, "b", b) + show(of, "c", c);
    }
};

template <class T>
[[nodiscard]] three<T> draw(const outcome<T>& from, std::uint64_t seed) {
    random_source random(seed);
    const auto one = [&]() -> T {
        const std::uint64_t index = random.below(from.replicas.size() + from.deltas.size());
        return index < from.replicas.size() ? from.replicas[index]
                                            : from.deltas[index - from.replicas.size()];
    };
    T a = one();
    T b = one();
    return {std::move(a), std::move(b), one()};
}

/// A law about three states.
template <class T, class Judge>
[[nodiscard]] law about_states(const subject<T>& of, std::string name, Judge judge) {
    return {std::move(name),
            [of, judge](const history& steps, std::size_t replicas,
                        std::uint64_t seed) -> std::optional<std::string> {
                try {
                    const three<T> states = draw(run(of, steps, replicas), seed);
                    const std::optional<std::string> found = judge(of, states.a, states.b, states.c);
                    return found ? std::optional(*found + "\n" + states.shown(of)) : std::nullopt;
                } catch (const std::exception& e) {
                    return std::string("  threw: ") + e.what();
                }
            }};
}

/// A law about everything that a history leads to.
template <class T, class Judge>
[[nodiscard]] law about_outcomes(const subject<T>& of, std::string name, Judge judge) {
    return {std::move(name),
            [of, judge](const history& steps, std::size_t replicas,
                        std::uint64_t seed) -> std::optional<std::string> {
                try {
                    random_source random(seed);
                    return judge(of, run(of, steps, replicas), random);
                } catch (const std::exception& e) {
                    return std::string("  threw: ") + e.what();
                }
            }};
}

using finding = std::optional<std::string>;

[[nodiscard]] inline finding unless(bool holds, const char* what) {
    return holds ? finding() : finding(std::string("  expected: ") + what);
}

} // namespace detail

/// commutativity, associativity, idempotency, bottom, order.
template <lattice T>
[[nodiscard]] std::vector<law> lattice_laws(const subject<T>& of) {
    using detail::about_states;
    using detail::joined;
    using detail::unless;
    using on = const subject<T>&;
    return {
        about_states(of, "commutativity",
                     [](on, const T& a, const T& b, const T&) {
                         return unless(joined(a, b) == joined(b, a), "a join b == b join a");
                     }),
        about_states(of, "associativity",
                     [](on, const T& a, const T& b, const T& c) {
                         return unless(joined(joined(a, b), c) == joined(a, joined(b, c)),
                                       "(a join b) join c == a join (b join c)");
                     }),
        about_states(of, "idempotency",
                     [](on, const T& a, const T& b, const T&) {
                         T itself = a;
                         itself.join(itself);
                         return unless(joined(a, a) == a && itself == a &&
                                           joined(joined(a, b), b) == joined(a, b),
                                       "a join a == a, and (a join b) join b == a join b");
                     }),
        about_states(of, "bottom",
                     [](on, const T& a, const T&, const T&) {
                         return unless(joined(a, T()) == a && joined(T(), a) == a && T().leq(a),
                                       "a join bottom == a, bottom <= a");
                     }),
        about_states(of, "order",
                     [](on, const T& a, const T& b, const T&) {
                         const T both = joined(a, b);
                         return unless(a.leq(both) && b.leq(both) && a.leq(b) == (both == b) && a.leq(a),
                                       "a <= a join b, and a <= b exactly when a join b == b");
                     }),
    };
}

/// inflation, delta_equals_state, delta_groups, delta_and_merge.
template <delta_crdt T>
[[nodiscard]] std::vector<law> delta_laws(const subject<T>& of) {
    using detail::about_outcomes;
    using detail::about_states;
    using detail::joined;
    using detail::unless;
    using on = const subject<T>&;
    const auto change = [](on subject_of, const outcome<T>& states, random_source& random, auto judge) {
        const std::size_t here = random.below(states.replicas.size());
        const T before = states.replicas[here];
        T after = before;
        const T delta = subject_of.mutate(after, replica_number(here), random);
        detail::finding found = judge(before, delta, after);
        if (found) {
            *found += "\n" + detail::show(subject_of, "before", before) +
                      detail::show(subject_of, "delta", delta) + detail::show(subject_of, "after", after);
        }
        return found;
    };
    return {
        about_outcomes(of, "inflation",
                       [change](on s, const outcome<T>& states, random_source& random) {
                           return change(s, states, random, [](const T& before, const T&, const T& after) {
                               return unless(before.leq(after), "before <= after");
                           });
                       }),
        about_outcomes(
            of, "delta_equals_state",
            [change](on s, const outcome<T>& states, random_source& random) {
                return change(s, states, random, [](const T& before, const T& delta, const T& after) {
                    return unless(joined(before, delta) == after, "before join delta == after");
                });
            }),
        about_outcomes(of, "delta_groups",
                       [](on s, const outcome<T>& states, random_source&) {
                           T group;
                           for (const T& each : states.deltas) {
                               group.join(each);
                           }
                           T all;
                           for (const T& each : states.replicas) {
                               all.join(each);
                           }
                           detail::finding found =
                               unless(joined(group, all) == group && all == group,
                                      "the deltas joined into a group are what the replicas joined are");
                           return found ? detail::finding(*found + "\n" + detail::show(s, "group", group) +
                                                          detail::show(s, "replicas", all))
                                        : found;
                       }),
        about_states(of, "delta_and_merge",
                     [](on, const T& a, const T& b, const T& c) {
                         T state = a;
                         const T fresh = state.delta_and_merge(b);
                         T again = state;
                         return unless(state == joined(a, b) && joined(a, fresh) == state &&
                                           fresh.is_bottom() == b.leq(a) &&
                                           fresh.is_bottom() == (fresh == T()) &&
                                           again.delta_and_merge(b).is_bottom() &&
                                           (!c.leq(a) || joined(c, fresh).leq(state)),
                                       "it joins, and returns what was new, bottom when nothing was");
                     }),
    };
}

/// parts, parts_are_irreducible, digest, delta_since, delta_since_is_least.
template <decomposable T>
[[nodiscard]] std::vector<law> decomposition_laws(const subject<T>& of) {
    using detail::about_states;
    using detail::joined;
    using detail::unless;
    using on = const subject<T>&;
    return {
        about_states(of, "parts",
                     [](on, const T& a, const T&, const T&) {
                         T sum;
                         bool below = true;
                         for (const T& part : a.decompose()) {
                             below = below && part.leq(a) && !part.is_bottom();
                             sum.join(part);
                         }
                         return unless(sum == a && below,
                                       "a is the join of its parts, each below a and above bottom");
                     }),
        about_states(of, "parts_are_irreducible",
                     [](on, const T& a, const T&, const T&) {
                         const std::vector<T> parts = a.decompose();
                         for (std::size_t left_out = 0; left_out < parts.size(); ++left_out) {
                             T rest;
                             for (std::size_t i = 0; i < parts.size(); ++i) {
                                 if (i != left_out) {
                                     rest.join(parts[i]);
                                 }
                             }
                             if (rest == a || parts[left_out].decompose().size() != 1) {
                                 return unless(false, "no part is the join of others");
                             }
                         }
                         return detail::finding();
                     }),
        about_states(of, "digest",
                     [](on, const T& a, const T& b, const T&) {
                         return unless((a.digest() == b.digest()) == (a == b),
                                       "digests are equal exactly when states are");
                     }),
        about_states(of, "delta_since",
                     [](on, const T& a, const T& b, const T&) {
                         return unless(joined(b, a.delta_since(b.digest())) == joined(b, a),
                                       "it brings b up to a join b");
                     }),
        about_states(of, "delta_since_is_least",
                     [](on, const T& a, const T& b, const T&) {
                         T least;
                         for (const T& part : a.decompose()) {
                             if (!part.leq(b)) {
                                 least.join(part);
                             }
                         }
                         return unless(a.delta_since(b.digest()) == least,
                                       "it is the join of a's parts that b does not have");
                     }),
    };
}

/// every_order: all orders of up to five deltas, random ones beyond, with repetitions, lead every replica to one state.
template <delta_crdt T>
[[nodiscard]] std::vector<law> convergence_laws(const subject<T>& of) {
    using on = const subject<T>&;
    return {
        detail::about_outcomes(of, "every_order", [](on s, const outcome<T>& states, random_source& random) {
            constexpr std::size_t all_orders_up_to = 5;
            constexpr int orders_tried = 40;
            T expected;
            for (const T& each : states.deltas) {
                expected.join(each);
            }
            std::vector<std::size_t> order(states.deltas.size());
            std::iota(order.begin(), order.end(), std::size_t(0));
            const auto judge = [&]() -> detail::finding {
                T reached;
                for (std::size_t i = 0; i < order.size(); ++i) {
                    reached.join(states.deltas[order[i]]);
                    if (random.one_in(3)) {
                        reached.join(states.deltas[order[random.below(i + 1)]]);
                    }
                }
                if (reached == expected) {
                    return std::nullopt;
                }
                std::string text = "  expected: one state whatever the order, not so for the order";
                for (const std::size_t index : order) {
                    text += " " + std::to_string(index);
                }
                return text + "\n" + detail::show(s, "in order", expected) +
                       detail::show(s, "in that order", reached);
            };
            if (order.size() <= all_orders_up_to) {
                do {
                    if (detail::finding found = judge()) {
                        return found;
                    }
                } while (std::ranges::next_permutation(order).found);
                return detail::finding();
            }
            for (int tried = 0; tried < orders_tried; ++tried) {
                for (std::size_t i = order.size(); i > 1; --i) {
                    std::swap(order[i - 1], order[random.below(i)]);
                }
                if (detail::finding found = judge()) {
                    return found;
                }
            }
            return detail::finding();
        })};
}

/// bytes_there_and_back, canonical_bytes, truncated_bytes, damaged_bytes.
template <delta_crdt T>
[[nodiscard]] std::vector<law> bytes_laws(const subject<T>& of) {
    using detail::about_outcomes;
    using detail::about_states;
    using detail::joined;
    using detail::unless;
    using on = const subject<T>&;
    return {
        about_states(of, "bytes_there_and_back",
                     [](on, const T& a, const T&, const T&) {
                         return unless(decode<T>(encode(a)) == a, "decode(encode(a)) == a");
                     }),
        about_states(
            of, "canonical_bytes",
            [](on, const T& a, const T& b, const T& c) {
                const T one = joined(joined(a, b), c);
                const T other = joined(c, joined(b, a));
                return unless(
                    encode(one) == encode(other) && (encode(a) == encode(b)) == (a == b),
                    "equal states have equal bytes, whatever way they came about, and others have others");
            }),
        about_states(of, "truncated_bytes",
                     [](on, const T& a, const T&, const T&) {
                         const auto bytes = encode(a);
                         for (std::size_t size = 0; size < bytes.size(); ++size) {
                             try {
                                 (void)decode<T>(std::span(bytes).first(size));
                                 return unless(false, "decode_error for bytes that end early");
                             } catch (const decode_error& e) {
                                 if (e.offset() > size) {
                                     return unless(false, "decode_error that says where");
                                 }
                             }
                         }
                         return detail::finding();
                     }),
        about_outcomes(of, "damaged_bytes",
                       [](on s, const outcome<T>& states, random_source& random) {
                           const T& state = states.replicas[random.below(states.replicas.size())];
                           const auto bytes = encode(state);
                           for (int tried = 0; tried < 20; ++tried) {
                               auto damaged = bytes;
                               damaged[random.below(damaged.size())] ^=
                                   static_cast<std::byte>(1 + random.below(255));
                               try {
                                   const T read = decode<T>(damaged);
                                   if (encode(read) != damaged) {
                                       return detail::finding(
                                           "  expected: decode_error, or a state with just these bytes\n" +
                                           detail::show(s, "of", state));
                                   }
                               } catch (const decode_error&) {
                                   continue;
                               }
                           }
                           return detail::finding();
                       }),
    };
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

/// Every law that the type claims.
template <delta_crdt T>
[[nodiscard]] std::vector<law> all_laws(const subject<T>& of) {
    std::vector<law> all = lattice_laws(of);
    const auto append = [&](std::vector<law> more) {
        std::ranges::move(more, std::back_inserter(all));
    };
    append(delta_laws(of));
    if constexpr (decomposable<T>) {
        append(decomposition_laws(of));
    }
    append(convergence_laws(of));
    append(bytes_laws(of));
    return all;
}

template <delta_crdt T>
[[nodiscard]] report check_all(const subject<T>& of, const options& how = {}) {
    return check(all_laws(of), how);
}

} // namespace phoenix::crdt::laws
