// A generator of uniform 64 bits: fast, and not for secrets.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace phoenix::net::detail {

/// xoshiro256** (Blackman and Vigna): the same numbers for the same state, on every machine.
class xoshiro256 {
public:
    using state = std::array<std::uint64_t, 4>;

    /// Not all zeros.
    explicit xoshiro256(const state& seed) noexcept : state_(seed) {}

    [[nodiscard]] std::uint64_t next() noexcept {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

private:
    state state_;
};

} // namespace phoenix::net::detail
