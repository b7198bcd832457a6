// Histories: what a few replicas did to one object, as a list of steps that can be run, printed and shortened.
//
// The laws are checked on states that replicas can reach, not on any bits of the type: two states in which one dot
// means two things exist only after a bug, and no lattice survives them.
#pragma once

#include <phoenix/crdt/replica.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
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

} // namespace phoenix::crdt::laws
