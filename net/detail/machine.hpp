// The machine's clocks and random numbers: the one place of the library that reads them. The drivers of real
// machines hold one of these; a simulator has its own.
#pragma once

#include <phoenix/net/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace phoenix::net::detail {

class machine {
public:
    /// Seeds the generator from the kernel. Throws std::system_error.
    machine();

    [[nodiscard]] static monotonic_time now() noexcept;
    [[nodiscard]] static wall_time wall_now() noexcept;

    /// Fills `out` from the kernel's generator. Throws std::system_error.
    static void random_bytes(std::span<std::byte> out);

    /// xoshiro256** (Blackman and Vigna): uniform, fast, not for secrets.
    [[nodiscard]] std::uint64_t random() noexcept;

private:
    std::array<std::uint64_t, 4> state_{};
};

} // namespace phoenix::net::detail
