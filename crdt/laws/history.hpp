// Histories: what a few replicas did to one object, as a list of steps that can be run, printed and shortened.
//
// The laws are checked on states that replicas can reach, not on any bits of the type: two states in which one dot
// means two things exist only after a bug, and no lattice survives them.
#pragma once

#include <phoenix/crdt/replica.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt::laws {

/// SplitMix64: the same numbers with every compiler. G. L. Steele, D. Lea, C. H. Flood (2014).
class random_source {
public:
    explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15U);
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9U;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebU;
        return z ^ (z >> 31);
    }

    /// From 0 to bound - 1.
    std::uint64_t below(std::uint64_t bound) noexcept { return bound == 0 ? 0 : next() % bound; }

    bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

private:
    std::uint64_t state_;
};

/// What the laws need to know of a type: how to change a state at random.
template <class T>
struct subject {
    /// Changes `state` by one mutator, drawn with its arguments from `random`, as `here` would, and returns the
    /// delta. Everything it draws must come from `random` and `state`.
    std::function<T(T& state, const replica_id& here, random_source& random)> mutate;

    /// How a state is printed in a counterexample; without it, as hexadecimal bytes.
    std::function<std::string(const T&)> show = nullptr;
};

/// One step of a history.
struct step {
    enum class kind : std::uint8_t {
        mutate,  ///< `replica` changes its state, by what `seed` draws
        deliver, ///< `replica` joins one of the deltas made so far, drawn by `seed`
        merge,   ///< `replica` joins the whole state of `peer`
    };

    kind what = kind::mutate;
    std::uint8_t replica = 0;
    std::uint8_t peer = 0;
    std::uint64_t seed = 0;

    friend bool operator==(const step&, const step&) = default;
};

using history = std::vector<step>;

[[nodiscard]] inline replica_id replica_number(std::size_t index) noexcept {
    // Neither in order nor dense, as in life.
    return {100 - index * 7, 1'700'000'000'000'000 + index * 13};
}

[[nodiscard]] history random_history(random_source& random, std::size_t replicas, std::size_t steps);

/// For people: one step a line.
[[nodiscard]] std::string to_string(const history& steps);

/// What a history leads to.
template <class T>
struct outcome {
    std::vector<T> replicas; ///< the state of each
    std::vector<T> deltas;   ///< what each mutation returned, in order
};

template <class T>
[[nodiscard]] outcome<T> run(const subject<T>& of, const history& steps, std::size_t replicas) {
    outcome<T> result;
    result.replicas.resize(replicas);
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
        case step::kind::merge:
            // A copy: joining a state into itself is a law of its own.
            result.replicas[here].join(T(result.replicas[each.peer % replicas]));
            break;
        }
    }
    return result;
}

} // namespace phoenix::crdt::laws
