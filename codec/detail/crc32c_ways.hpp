// The two ways to a CRC-32C, apart, so that tests can hold them against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace phoenix::codec::detail {

/// Whether this processor and build have the instruction.
[[nodiscard]] bool has_crc32c_instruction() noexcept;

/// Precondition: has_crc32c_instruction().
[[nodiscard]] std::uint32_t crc32c_by_instruction(std::span<const std::byte> data,
                                                  std::uint32_t before) noexcept;

[[nodiscard]] std::uint32_t crc32c_by_tables(std::span<const std::byte> data, std::uint32_t before) noexcept;

} // namespace phoenix::codec::detail
