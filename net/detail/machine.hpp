// The machine's clocks and random numbers: the one place of the library that reads them. The drivers of real
// machines hold one of these; a simulator has its own.
#pragma once

#include <phoenix/net/core/xoshiro.hpp>
#include <phoenix/net/time.hpp>

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

    /// Uniform, fast, not for secrets.
    [[nodiscard]] std::uint64_t random() noexcept { return generator_.next(); }

private:
    [[nodiscard]] static xoshiro256::state seed();

    xoshiro256 generator_;
};

} // namespace phoenix::net::detail
