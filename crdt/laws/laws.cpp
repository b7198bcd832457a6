#include <phoenix/crdt/laws.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <numeric>
#include <optional>
#include <string>

namespace phoenix::crdt::laws::detail {

namespace {

using finding = std::optional<std::string>;

/// What a history leads to.
struct outcome {
    std::vector<any_state> replicas; ///< the state of each
    std::vector<any_state> deltas;   ///< what each mutation returned, in order
};

outcome run(const any_subject& of, const history& steps, std::size_t replicas) {
    outcome result;
    for (std::size_t i = 0; i < replicas; ++i) {
        result.replicas.push_back(of.bottom());
    }
    for (const step& each : steps) {
        const std::size_t here = each.replica % replicas;
        random_source random(each.seed);
        switch (each.what) {
        case step::kind::mutate:
            result.deltas.push_back(of.mutate(result.replicas[here], replica_number(here), random));
            break;
        case step::kind::deliver:
            if (!result.deltas.empty()) {
                result.replicas[here].join(result.deltas[random.below(result.deltas.size())]);
            }
            break;
        case step::kind::merge: {
            // A copy: joining a state into itself is a law of its own.
            const any_state theirs = result.replicas[each.peer % replicas];
            result.replicas[here].join(theirs);
            break;
        }
        }
    }
    return result;
}

std::string shown(const char* name, const any_state& state) {
    return std::string("  ") + name + " = " + state.show() + "\n";
}

any_state joined(any_state a, const any_state& b) {
    a.join(b);
    return a;
}

finding unless(bool holds, const char* what) {
    return holds ? finding() : finding(std::string("  expected: ") + what);
}

using outcome_judge =
    std::function<finding(const any_subject& of, const outcome& states, random_source& random)>;
using states_judge =
    std::function<finding(const any_subject& of, const any_state& a, const any_state& b, const any_state& c)>;

/// A law about everything that a history leads to.
law about_outcomes(const any_subject& of, const char* name, outcome_judge judge) {
    return {name,
            [of, judge = std::move(judge)](const history& steps, std::size_t replicas,
                                           std::uint64_t seed) -> finding {
                try {
                    random_source random(seed);
                    return judge(of, run(of, steps, replicas), random);
                } catch (const std::exception& e) {
                    return std::string("  threw: ") + e.what();
                }
            }};
}

/// A law about three of the states that a history leads to, replicas or deltas, drawn by the seed.
law about_states(const any_subject& of, const char* name, states_judge judge) {
    return about_outcomes(of, name,
                          [judge = std::move(judge)](const any_subject& subject, const outcome& from,
                                                     random_source& random) -> finding {
                              const auto one = [&]() -> const any_state& {
                                  const std::uint64_t index =
                                      random.below(from.replicas.size() + from.deltas.size());
                                  return index < from.replicas.size()
                                             ? from.replicas[index]
                                             : from.deltas[index - from.replicas.size()];
                              };
                              const any_state& a = one();
                              const any_state& b = one();
                              const any_state& c = one();
                              finding found = judge(subject, a, b, c);
                              if (found) {
                                  *found += "\n" + shown("a", a) + shown("b", b) + shown("c", c);
                              }
                              return found;
                          });
}

/// A law about one more mutation.
law about_changes(const any_subject& of, const char* name,
                  finding (*judge)(const any_state& before, const any_state& delta, const any_state& after)) {
    return about_outcomes(
        of, name, [judge](const any_subject& subject, const outcome& states, random_source& random) {
            const std::size_t here = random.below(states.replicas.size());
            const any_state& before = states.replicas[here];
            any_state after = before;
            const any_state delta = subject.mutate(after, replica_number(here), random);
            finding found = judge(before, delta, after);
            if (found) {
                *found += "\n" + shown("before", before) + shown("delta", delta) + shown("after", after);
            }
            return found;
        });
}

using state = const any_state&;
using of_type = const any_subject&;

finding judge_parts(of_type of, state a, state /*b*/, state /*c*/) {
    any_state sum = of.bottom();
    bool below = true;
    for (const any_state& part : a.decompose()) {
        below = below && part.leq(a) && !part.is_bottom();
        sum.join(part);
    }
    return unless(sum == a && below, "a is the join of its parts, each below a and above bottom");
}

finding judge_irreducible(of_type of, state a, state /*b*/, state /*c*/) {
    const std::vector<any_state> parts = a.decompose();
    for (std::size_t left_out = 0; left_out < parts.size(); ++left_out) {
        any_state rest = of.bottom();
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (i != left_out) {
                rest.join(parts[i]);
            }
        }
        if (rest == a || parts[left_out].decompose().size() != 1) {
            return unless(false, "no part is the join of others");
        }
    }
    return std::nullopt;
}

finding judge_delta_groups(of_type of, const outcome& states, random_source& /*random*/) {
    any_state group = of.bottom();
    for (state each : states.deltas) {
        group.join(each);
    }
    any_state all = of.bottom();
    for (state each : states.replicas) {
        all.join(each);
    }
    finding found = unless(group == all, "the deltas joined into a group are what the replicas joined are");
    if (found) {
        *found += "\n" + shown("group", group) + shown("replicas", all);
    }
    return found;
}

finding judge_order_of(const std::vector<std::size_t>& order, state expected, of_type of,
                       const outcome& states, random_source& random) {
    any_state reached = of.bottom();
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
    return text + "\n" + shown("in order", expected) + shown("in that order", reached);
}

finding judge_every_order(of_type of, const outcome& states, random_source& random) {
    constexpr std::size_t all_orders_up_to = 5;
    constexpr int orders_tried = 40;
    any_state expected = of.bottom();
    for (state each : states.deltas) {
        expected.join(each);
    }
    std::vector<std::size_t> order(states.deltas.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    if (order.size() <= all_orders_up_to) {
        do {
            if (finding found = judge_order_of(order, expected, of, states, random)) {
                return found;
            }
        } while (std::ranges::next_permutation(order).found);
        return std::nullopt;
    }
    for (int tried = 0; tried < orders_tried; ++tried) {
        for (std::size_t i = order.size(); i > 1; --i) {
            std::swap(order[i - 1], order[random.below(i)]);
        }
        if (finding found = judge_order_of(order, expected, of, states, random)) {
            return found;
        }
    }
    return std::nullopt;
}

finding judge_truncated(of_type /*of*/, state a, state /*b*/, state /*c*/) {
    const auto bytes = a.encode();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        try {
            (void)a.decode(std::span(bytes).first(size));
            return unless(false, "decode_error for bytes that end early");
        } catch (const decode_error& e) {
            if (e.offset() > size) {
                return unless(false, "decode_error that says where");
            }
        }
    }
    return std::nullopt;
}

finding judge_damaged(of_type /*of*/, const outcome& states, random_source& random) {
    constexpr int damages_tried = 20;
    state whole = states.replicas[random.below(states.replicas.size())];
    const auto bytes = whole.encode();
    for (int tried = 0; tried < damages_tried; ++tried) {
        auto damaged = bytes;
        damaged[random.below(damaged.size())] ^= static_cast<std::byte>(1 + random.below(255));
        try {
            if (whole.decode(damaged).encode() != damaged) {
                return "  expected: decode_error, or a state with just these bytes: " + hex(damaged) + "\n" +
                       shown("of", whole);
            }
        } catch (const decode_error&) {
            continue;
        }
    }
    return std::nullopt;
}

} // namespace

std::string hex(std::span<const std::byte> bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::byte each : bytes) {
        text += digits[static_cast<unsigned>(each) >> 4];
        text += digits[static_cast<unsigned>(each) & 15];
    }
    return text;
}

std::vector<law> lattice_laws(const any_subject& of) {
    return {
        about_states(of, "commutativity",
                     [](of_type, state a, state b, state) {
                         return unless(joined(a, b) == joined(b, a), "a join b == b join a");
                     }),
        about_states(of, "associativity",
                     [](of_type, state a, state b, state c) {
                         return unless(joined(joined(a, b), c) == joined(a, joined(b, c)),
                                       "(a join b) join c == a join (b join c)");
                     }),
        about_states(of, "idempotency",
                     [](of_type, state a, state b, state) {
                         any_state itself = a;
                         itself.join(itself);
                         return unless(joined(a, a) == a && itself == a &&
                                           joined(joined(a, b), b) == joined(a, b),
                                       "a join a == a, and (a join b) join b == a join b");
                     }),
        about_states(of, "bottom",
                     [](of_type type, state a, state, state) {
                         const any_state bottom = type.bottom();
                         return unless(joined(a, bottom) == a && joined(bottom, a) == a && bottom.leq(a),
                                       "a join bottom == a, bottom <= a");
                     }),
        about_states(of, "order",
                     [](of_type, state a, state b, state) {
                         const any_state both = joined(a, b);
                         return unless(a.leq(both) && b.leq(both) && a.leq(b) == (both == b) && a.leq(a),
                                       "a <= a join b, and a <= b exactly when a join b == b");
                     }),
    };
}

std::vector<law> delta_laws(const any_subject& of) {
    return {
        about_changes(
            of, "inflation",
            [](state before, state, state after) { return unless(before.leq(after), "before <= after"); }),
        about_changes(of, "delta_equals_state",
                      [](state before, state delta, state after) {
                          return unless(joined(before, delta) == after, "before join delta == after");
                      }),
        about_outcomes(of, "delta_groups", judge_delta_groups),
        about_states(of, "delta_and_merge",
                     [](of_type type, state a, state b, state) {
                         any_state merged = a;
                         const any_state fresh = merged.delta_and_merge(b);
                         any_state again = merged;
                         return unless(merged == joined(a, b) && joined(a, fresh) == merged &&
                                           fresh.leq(merged) && fresh.is_bottom() == b.leq(a) &&
                                           fresh.is_bottom() == (fresh == type.bottom()) &&
                                           again.delta_and_merge(b).is_bottom(),
                                       "it joins, and returns what was new, bottom when nothing was");
                     }),
    };
}

std::vector<law> decomposition_laws(const any_subject& of) {
    return {
        about_states(of, "parts", judge_parts),
        about_states(of, "parts_are_irreducible", judge_irreducible),
        about_states(of, "digest",
                     [](of_type, state a, state b, state) {
                         return unless(a.has_digest_of(b) == (a == b),
                                       "digests are equal exactly when states are");
                     }),
        about_states(of, "delta_since",
                     [](of_type, state a, state b, state) {
                         return unless(joined(b, a.delta_since_digest_of(b)) == joined(b, a),
                                       "it brings b up to a join b");
                     }),
        about_states(of, "delta_since_is_least",
                     [](of_type type, state a, state b, state) {
                         any_state least = type.bottom();
                         for (const any_state& part : a.decompose()) {
                             if (!part.leq(b)) {
                                 least.join(part);
                             }
                         }
                         return unless(a.delta_since_digest_of(b) == least,
                                       "it is the join of a's parts that b does not have");
                     }),
    };
}

std::vector<law> convergence_laws(const any_subject& of) {
    return {about_outcomes(of, "every_order", judge_every_order)};
}

std::vector<law> bytes_laws(const any_subject& of) {
    return {
        about_states(of, "bytes_there_and_back",
                     [](of_type, state a, state, state) {
                         return unless(a.decode(a.encode()) == a, "decode(encode(a)) == a");
                     }),
        about_states(
            of, "canonical_bytes",
            [](of_type, state a, state b, state c) {
                const any_state one = joined(joined(a, b), c);
                const any_state other = joined(c, joined(b, a));
                return unless(
                    one.encode() == other.encode() && (a.encode() == b.encode()) == (a == b),
                    "equal states have equal bytes, whatever way they came about, and others have others");
            }),
        about_states(of, "truncated_bytes", judge_truncated),
        about_outcomes(of, "damaged_bytes", judge_damaged),
    };
}

} // namespace phoenix::crdt::laws::detail
