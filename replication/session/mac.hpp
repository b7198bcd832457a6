// HMAC-SHA-256 and SHA-256, from OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace phoenix::replication {

using digest256 = std::array<std::byte, 32>;

/// The hash of the parts, one after the other.
[[nodiscard]] digest256 sha256(std::initializer_list<std::span<const std::byte>> parts);

/// RFC 2104 with SHA-256 over `label` and `message`, one after the other.
[[nodiscard]] digest256 hmac_sha256(std::string_view secret, std::string_view label,
                                    std::span<const std::byte> message);

/// In a time that does not depend on where they differ.
[[nodiscard]] bool equal_in_constant_time(const digest256& a, const digest256& b) noexcept;

} // namespace phoenix::replication
