// What may be a key of the tables, and its hash, which orders nothing that leaves the process.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace phoenix::crdt::detail {

/// The two halves of a 128-bit product: every bit of `value` reaches every bit of the result.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t value) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(value ^ 0x9e37'79b9'7f4a'7c15U) * 0xd6e8'feb8'6659'fd93U;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class Key>
struct sought_of {
    using type = const Key&;
};

/// std::hash of a string is that of its view.
template <>
struct sought_of<std::string> {
    using type = std::string_view;
};

/// By what a key is looked up: itself, or what tells it as well and makes no key of what the caller has.
template <class Key>
using sought = typename sought_of<Key>::type;

template <class Key>
struct key_hash {
    using is_avalanching = void;

    [[nodiscard]] std::size_t operator()(sought<Key> key) const {
        if constexpr (std::is_integral_v<Key> || std::is_enum_v<Key>) {
            return mix(static_cast<std::uint64_t>(key));
        } else {
            return mix(std::hash<std::remove_cvref_t<sought<Key>>>()(key));
        }
    }
};

} // namespace phoenix::crdt::detail

namespace phoenix::crdt {

/// What may be a key or an element: a regular, totally ordered value with std::hash and canonical bytes.
template <class Key>
concept map_key =
    std::regular<Key> && std::totally_ordered<Key> && byte_value<Key> && requires(const Key& key) {
        { std::hash<Key>()(key) } -> std::convertible_to<std::size_t>;
    };

} // namespace phoenix::crdt
