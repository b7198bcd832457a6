// Messages of a session: greeting, proof, capabilities, farewell, and keeping in touch.
//
//   const frame greeting = encode(hello{.cluster = "tea", .self = here, .wall_us = now, .nonce = fresh});
//   const hello theirs = decode<hello>(received, bounds);
//
// The order of the handshake and what a proof proves stand in WIRE.md. Any thread.
#pragma once

#include <phoenix/codec/identity.hpp>
#include <phoenix/codec/message.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace phoenix::codec {

/// Who I am, and which versions of the wire I speak.
struct hello {
    static constexpr frame_kind kind = frame_kind::hello;

    std::uint16_t wire_min = 1;
    std::uint16_t wire_max = 1;
    std::string cluster = {};
    identity self = {};
    std::uint64_t wall_us = 0;
    std::array<std::byte, 32> nonce{};

    friend bool operator==(const hello&, const hello&) = default;
};

/// I know the secret of the cluster.
struct proof {
    static constexpr frame_kind kind = frame_kind::proof;

    std::array<std::byte, 32> mac{};

    friend bool operator==(const proof&, const proof&) = default;
};

/// A type of object and the fingerprint of its definition.
struct type_entry {
    std::string name = {};
    std::uint64_t fingerprint = 0;

    friend bool operator==(const type_entry&, const type_entry&) = default;
};

/// What I can do, and how much I take at once.
struct welcome {
    static constexpr frame_kind kind = frame_kind::welcome;

    std::string software = {};
    std::uint64_t features = 0;
    std::uint32_t frame_bytes_max = limits{}.frame_bytes_max;
    std::uint64_t window_bytes = 4 * std::uint64_t{limits{}.frame_bytes_max};
    /// By name, each once.
    std::vector<type_entry> types = {};
    std::uint32_t entries_max = limits{}.entries_max;
    std::uint32_t key_bytes_max = limits{}.key_bytes_max;
    std::uint64_t object_bytes_max = limits{}.object_bytes_max;

    friend bool operator==(const welcome&, const welcome&) = default;
};

/// I close this connection, and why.
struct bye {
    static constexpr frame_kind kind = frame_kind::bye;

    std::uint16_t code = 0;
    std::string text = {};
    /// Of the receiver's node, where its own was too low; 0 otherwise.
    std::uint64_t highest_incarnation = 0;

    friend bool operator==(const bye&, const bye&) = default;
};

struct ping {
    static constexpr frame_kind kind = frame_kind::ping;

    std::uint64_t token = 0;

    friend bool operator==(const ping&, const ping&) = default;
};

/// Answers the ping of this token.
struct pong {
    static constexpr frame_kind kind = frame_kind::pong;

    std::uint64_t token = 0;

    friend bool operator==(const pong&, const pong&) = default;
};

[[nodiscard]] frame encode(const hello& message, const limits& bounds = {});
[[nodiscard]] frame encode(const proof& message, const limits& bounds = {});
[[nodiscard]] frame encode(const welcome& message, const limits& bounds = {});
[[nodiscard]] frame encode(const bye& message, const limits& bounds = {});
[[nodiscard]] frame encode(const ping& message, const limits& bounds = {});
[[nodiscard]] frame encode(const pong& message, const limits& bounds = {});

template <>
hello decode<hello>(std::span<const std::byte> payload, const limits& bounds);
template <>
proof decode<proof>(std::span<const std::byte> payload, const limits& bounds);
template <>
welcome decode<welcome>(std::span<const std::byte> payload, const limits& bounds);
template <>
bye decode<bye>(std::span<const std::byte> payload, const limits& bounds);
template <>
ping decode<ping>(std::span<const std::byte> payload, const limits& bounds);
template <>
pong decode<pong>(std::span<const std::byte> payload, const limits& bounds);

} // namespace phoenix::codec
