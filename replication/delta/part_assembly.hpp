// A delta or a state too large for one frame, put together from its parts.
//
// Parts come in order and without a gap; what is complete is joined at once, and nothing of it before: a part of an object
// with the whole object's context would remove the rest. Memory is taken as bytes come, not as they are announced.
#pragma once

#include <phoenix/codec/object_part.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace phoenix::replication {

/// All parts but the last have at least so many bytes: smaller ones would cost more than they bring.
inline constexpr std::size_t part_bytes_min = 128;

class part_assembly {
public:
    /// Takes the next part; true when that was the last one. Throws errc::protocol_violation for a part that does not
    /// follow, and errc::limit_exceeded for an object of more than `bytes_max`.
    bool take(const codec::object_part& part, std::size_t bytes_max);

    /// No part of anything is here.
    [[nodiscard]] bool empty() const noexcept { return total_ == 0; }

    [[nodiscard]] std::uint64_t type() const noexcept { return type_; }

    [[nodiscard]] const std::string& key() const noexcept { return key_; }

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

private:
    std::uint64_t type_ = 0;
    std::uint64_t total_ = 0;
    std::string key_;
    std::vector<std::byte> bytes_;
};

/// Bytes of a key on the wire and as the store has it.
[[nodiscard]] inline std::string_view key_text(std::span<const std::byte> key) noexcept {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

[[nodiscard]] inline std::span<const std::byte> key_bytes_of(std::string_view key) noexcept {
    return std::as_bytes(std::span(key.data(), key.size()));
}

} // namespace phoenix::replication
