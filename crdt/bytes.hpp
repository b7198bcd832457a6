// Canonical bytes: a bounded writer and reader, and how values become bytes.
//
//   byte_writer out;
//   write_value(out, std::pair<std::string, int>("tea", -3));
//   byte_reader in(out.bytes());
//   const auto back = read_value<std::pair<std::string, int>>(in);
//   in.expect_end();
//
// Equal values give equal bytes, and each sequence of bytes has at most one value: the reader refuses a longer form
// of a number, an unsorted or repeated key, and bytes that are left over. Integers are LEB128 (signed ones zigzag),
// floating point is its IEEE bits, little-endian, with one zero and one NaN; strings, vectors, sets and maps are a length
// and their elements, sorted where they have an order of their own. A user's type is one too when it has
//
//     void write(byte_writer&) const;
//     static T read(byte_reader&);
//
// Hostile bytes throw decode_error and never make the reader take more memory than a small multiple of the input.
// Any thread; a writer or reader belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/byte_stream.hpp>
#include <phoenix/crdt/core/compact_dot.hpp>
#include <phoenix/crdt/error.hpp>
#include <phoenix/crdt/replica.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

/// How a T becomes bytes. Specialize it for a type that cannot have the two members.
template <class T>
struct value_bytes;

template <class T>
concept has_byte_members = requires(const T& value, byte_writer& out, byte_reader& in) {
    value.write(out);
    { T::read(in) } -> std::same_as<T>;
};

/// A type whose values have canonical bytes.
template <class T>
concept byte_value = requires(const T& value, byte_writer& out, byte_reader& in) {
    value_bytes<T>::write(out, value);
    { value_bytes<T>::read(in) } -> std::same_as<T>;
};

template <byte_value T>
void write_value(byte_writer& out, const T& value) {
    value_bytes<T>::write(out, value);
}

template <byte_value T>
[[nodiscard]] T read_value(byte_reader& in) {
    return value_bytes<T>::read(in);
}

template <has_byte_members T>
struct value_bytes<T> {
    static void write(byte_writer& out, const T& value) { value.write(out); }

    static T read(byte_reader& in) { return T::read(in); }
};

template <>
struct value_bytes<bool> {
    static void write(byte_writer& out, bool value) { out.write_byte(value ? 1 : 0); }

    static bool read(byte_reader& in) { return in.read_varint(1, "a bool") != 0; }
};

/// As the byte that it is, whether it is signed on this machine or not.
template <>
struct value_bytes<char> {
    static void write(byte_writer& out, char value) {
        out.write_varint(static_cast<std::uint64_t>(static_cast<unsigned char>(value)));
    }

    static char read(byte_reader& in) { return static_cast<char>(in.read_varint(0xff, "a char")); }
};

/// Its width differs from machine to machine: use char16_t or char32_t.
template <>
struct value_bytes<wchar_t>;

template <std::unsigned_integral T>
struct value_bytes<T> {
    static void write(byte_writer& out, T value) { out.write_varint(value); }

    static T read(byte_reader& in) {
        return static_cast<T>(in.read_varint(std::numeric_limits<T>::max(), "a number"));
    }
};

template <std::signed_integral T>
struct value_bytes<T> {
    static void write(byte_writer& out, T value) {
        const auto wide = static_cast<std::int64_t>(value);
        out.write_varint((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));
    }

    static T read(byte_reader& in) {
        const std::size_t at = in.position();
        const std::uint64_t raw = in.read_varint();
        const auto wide = static_cast<std::int64_t>((raw >> 1) ^ (0 - (raw & 1)));
        if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) {
            byte_reader::refuse_bits(at, sizeof(T) * 8, wide);
        }
        return static_cast<T>(wide);
    }
};

template <class T>
    requires std::is_enum_v<T>
struct value_bytes<T> {
    using number = std::underlying_type_t<T>;

    static void write(byte_writer& out, T value) { write_value(out, static_cast<number>(value)); }

    static T read(byte_reader& in) { return static_cast<T>(read_value<number>(in)); }
};

template <std::floating_point T>
    requires(sizeof(T) <= sizeof(std::uint64_t))
struct value_bytes<T> {
    using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

    /// One zero and one NaN, so that values that compare or count as equal have one form.
    [[nodiscard]] static bits canonical(T value) noexcept {
        if (value != value) {
            return std::bit_cast<bits>(std::numeric_limits<T>::quiet_NaN());
        }
        return value == T(0) ? bits(0) : std::bit_cast<bits>(value);
    }

    static void write(byte_writer& out, T value) { out.write_fixed64(canonical(value)); }

    static T read(byte_reader& in) {
        const std::size_t at = in.position();
        const std::uint64_t raw = in.read_fixed64();
        const T value = std::bit_cast<T>(static_cast<bits>(raw));
        if (raw != canonical(value)) {
            byte_reader::fail_at(at, "the one form of a zero or NaN, in the bytes of its width");
        }
        return value;
    }
};

template <>
struct value_bytes<replica_id> {
    static void write(byte_writer& out, const replica_id& value) {
        out.write_varint(value.node);
        out.write_varint(value.incarnation);
    }

    static replica_id read(byte_reader& in) {
        const std::uint64_t node = in.read_varint();
        return {node, in.read_varint()};
    }
};

template <>
struct value_bytes<dot> {
    static void write(byte_writer& out, const dot& value) {
        write_value(out, value.replica);
        out.write_varint(value.counter);
    }

    static dot read(byte_reader& in) {
        const replica_id replica = read_value<replica_id>(in);
        const std::size_t at = in.position();
        const std::uint64_t counter = in.read_varint();
        if (counter < 1 || counter > detail::max_counter) {
            byte_reader::fail_at(at, "a dot of 1 to 2^47 - 1");
        }
        return {replica, counter};
    }
};

template <>
struct value_bytes<std::string> {
    static void write(byte_writer& out, const std::string& value) { out.write_string(value); }

    static std::string read(byte_reader& in) { return std::string(in.read_string()); }
};

template <byte_value T>
struct value_bytes<std::vector<T>> {
    static void write(byte_writer& out, const std::vector<T>& values) {
        out.write_varint(values.size());
        for (const T& each : values) {
            write_value(out, each);
        }
    }

    static std::vector<T> read(byte_reader& in) {
        // An element may be empty in bytes (a tuple of nothing), not in a count that fits.
        std::vector<T> values;
        for (std::size_t left = in.read_count(1, "elements"); left > 0; --left) {
            values.push_back(read_value<T>(in));
        }
        return values;
    }
};

template <byte_value T>
struct value_bytes<std::optional<T>> {
    static void write(byte_writer& out, const std::optional<T>& value) {
        write_value(out, value.has_value());
        if (value) {
            write_value(out, *value);
        }
    }

    static std::optional<T> read(byte_reader& in) {
        if (!read_value<bool>(in)) {
            return std::nullopt;
        }
        return read_value<T>(in);
    }
};

template <byte_value A, byte_value B>
struct value_bytes<std::pair<A, B>> {
    static void write(byte_writer& out, const std::pair<A, B>& value) {
        write_value(out, value.first);
        write_value(out, value.second);
    }

    static std::pair<A, B> read(byte_reader& in) {
        A first = read_value<A>(in);
        return {std::move(first), read_value<B>(in)};
    }
};

template <byte_value... T>
struct value_bytes<std::tuple<T...>> {
    static void write(byte_writer& out, const std::tuple<T...>& value) {
        std::apply([&](const T&... each) { (write_value(out, each), ...); }, value);
    }

    // Braces: read in order.
    static std::tuple<T...> read(byte_reader& in) { return std::tuple<T...>{read_value<T>(in)...}; }
};

/// No bytes.
template <>
struct value_bytes<std::monostate> {
    static void write(byte_writer& /*out*/, const std::monostate& /*value*/) {}

    static std::monostate read(byte_reader& /*in*/) { return {}; }
};

/// The elements: how many is in the type.
template <byte_value T, std::size_t N>
    requires std::default_initializable<T>
struct value_bytes<std::array<T, N>> {
    static void write(byte_writer& out, const std::array<T, N>& values) {
        for (const T& each : values) {
            write_value(out, each);
        }
    }

    static std::array<T, N> read(byte_reader& in) {
        std::array<T, N> values{};
        for (T& each : values) {
            each = read_value<T>(in);
        }
        return values;
    }
};

namespace detail {

/// What a std::set or std::map holds, in its order. Reads no NaN, which has no place in one.
template <class Container, class Key, class ReadEntry>
[[nodiscard]] Container read_ascending(byte_reader& in, ReadEntry&& read_entry) {
    Container made;
    const Key* previous = nullptr;
    for (std::size_t left = in.read_count(1, "elements"); left > 0; --left) {
        const std::size_t at = in.position();
        Key key = read_value<Key>(in);
        if (!(key == key) || (previous != nullptr && !(*previous < key))) {
            byte_reader::fail_at(at, "keys in ascending order, each once");
        }
        previous = &read_entry(made, std::move(key));
    }
    return made;
}

} // namespace detail

template <byte_value T>
    requires std::totally_ordered<T>
struct value_bytes<std::set<T>> {
    static void write(byte_writer& out, const std::set<T>& values) {
        out.write_varint(values.size());
        for (const T& each : values) {
            write_value(out, each);
        }
    }

    static std::set<T> read(byte_reader& in) {
        return detail::read_ascending<std::set<T>, T>(in, [](std::set<T>& values, T value) -> const T& {
            return *values.insert(values.end(), std::move(value));
        });
    }
};

template <byte_value Key, byte_value T>
    requires std::totally_ordered<Key>
struct value_bytes<std::map<Key, T>> {
    static void write(byte_writer& out, const std::map<Key, T>& values) {
        out.write_varint(values.size());
        for (const auto& [key, value] : values) {
            write_value(out, key);
            write_value(out, value);
        }
    }

    static std::map<Key, T> read(byte_reader& in) {
        return detail::read_ascending<std::map<Key, T>, Key>(
            in, [&in](std::map<Key, T>& values, Key key) -> const Key& {
                return values.emplace_hint(values.end(), std::move(key), read_value<T>(in))->first;
            });
    }
};

/// Which alternative, then its value.
template <byte_value... T>
struct value_bytes<std::variant<T...>> {
    static void write(byte_writer& out, const std::variant<T...>& value) {
        out.write_varint(value.index());
        std::visit([&](const auto& held) { write_value(out, held); }, value);
    }

    static std::variant<T...> read(byte_reader& in) {
        return read_alternative(in, in.read_varint(sizeof...(T) - 1, "the number of an alternative"),
                                std::index_sequence_for<T...>());
    }

private:
    template <std::size_t... Index>
    static std::variant<T...> read_alternative(byte_reader& in, std::uint64_t wanted,
                                               std::index_sequence<Index...> /*all*/) {
        std::optional<std::variant<T...>> made;
        ((Index == wanted ? static_cast<void>(made.emplace(std::in_place_index<Index>, read_value<T>(in)))
                          : static_cast<void>(0)),
         ...);
        return std::move(*made);
    }
};

/// The version of the encoding: the first byte of every state.
inline constexpr std::uint8_t bytes_version = 1;

/// A whole state or value as canonical bytes, appended to `out`: the version, then the value.
template <byte_value T>
void encode(byte_writer& out, const T& value) {
    out.write_byte(bytes_version);
    write_value(out, value);
}

template <byte_value T>
[[nodiscard]] std::vector<std::byte> encode(const T& value) {
    byte_writer out;
    encode(out, value);
    return out.take();
}

/// The state that `data` encodes, all of it. Throws decode_error.
template <byte_value T>
[[nodiscard]] T decode(std::span<const std::byte> data) {
    byte_reader in(data);
    const std::uint8_t version = in.read_byte();
    if (version != bytes_version) {
        byte_reader::refuse_version(version);
    }
    T value = read_value<T>(in);
    in.expect_end();
    return value;
}

/// A hash of the canonical bytes: the same on every machine and in every build. Not against an adversary.
template <byte_value T>
[[nodiscard]] std::uint64_t bytes_hash(const T& value);

[[nodiscard]] std::uint64_t hash_bytes(std::span<const std::byte> data) noexcept;

template <byte_value T>
std::uint64_t bytes_hash(const T& value) {
    byte_writer out;
    write_value(out, value);
    return hash_bytes(out.bytes());
}

} // namespace phoenix::crdt
