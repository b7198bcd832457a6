// Numbers that look random and come again with the same seed: what a simulation decides by.
#pragma once

#include <phoenix/net/core/xoshiro.hpp>

#include <cstdint>

namespace phoenix::net::sim {

/// Seeded by splitmix64. The same numbers on every machine.
class random_source {
public:
    explicit random_source(std::uint64_t seed) noexcept : generator_(words_of(seed)) {}

    [[nodiscard]] std::uint64_t next() noexcept { return generator_.next(); }

    /// From 0 to bound - 1. Precondition: bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept {
        __extension__ using wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<wide>(next()) * bound) >> 64);
    }

    /// From `low` to `high`, both included.
    [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
        return low + (high - low == ~std::uint64_t(0) ? next() : below(high - low + 1));
    }

    /// In parts of a million.
    [[nodiscard]] bool chance(std::uint32_t millionths) noexcept { return below(1'000'000) < millionths; }

    /// Every bit of `value` reaches every bit of the result.
    [[nodiscard]] static std::uint64_t mix(std::uint64_t value) noexcept {
        value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9U;
        value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11ebU;
        return value ^ (value >> 31);
    }

private:
    [[nodiscard]] static detail::xoshiro256::state words_of(std::uint64_t seed) noexcept {
        detail::xoshiro256::state words;
        for (std::uint64_t& word : words) {
            word = mix(seed += 0x9e37'79b9'7f4a'7c15U);
        }
        return words;
    }

    detail::xoshiro256 generator_;
};

} // namespace phoenix::net::sim
