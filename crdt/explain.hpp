// Why a state reads as it does: what stands, what lost, by which dots, replicas and times.
//
//   std::cout << to_text(explain(basket));    // for people
//   to_json(explain(basket));                 // for a tool, one object a line
//
// Every type of this library answers; a user's type does when it has `void explain(explanation&) const`.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/replica.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace phoenix::crdt {

class causal_context;

/// What a state holds, entry by entry.
struct explanation {
    enum class verdict : std::uint8_t {
        stands, ///< it is what a reader sees
        loses,  ///< it is there, and a reader sees another in its place
        gone,   ///< it was seen and removed or superseded
    };

    struct entry {
        /// Where in the state: keys and fields from the outside in, as `cart/"tea"`; empty for the state itself.
        std::string where;
        verdict outcome = verdict::stands;
        /// The value, as text; empty when only dots are known.
        std::string value;
        /// Why: the rule that decided, the time that it was stamped with, what it lost to.
        std::string why;
        /// By which writes. A run of dots of one replica is its first and last.
        std::vector<dot> dots;
    };

    std::vector<entry> entries;

    /// What is added from now on stands below this key or field; pop_back ends that.
    std::vector<std::string> path;

    void add(verdict outcome, std::string value, std::string why, std::vector<dot> dots = {});
    /// The dots of `context` that are not in `live`, a line for each run.
    void add_gone(const causal_context& context, const causal_context& live);
};

[[nodiscard]] std::string to_text(const explanation& facts);
[[nodiscard]] std::string to_json(const explanation& facts);
[[nodiscard]] std::string to_text(const dot& d);

template <class T>
concept explainable = requires(const T& value, explanation& facts) { value.explain(facts); };

template <explainable T>
[[nodiscard]] explanation explain(const T& state) {
    explanation facts;
    state.explain(facts);
    return facts;
}

[[nodiscard]] std::string quoted_text(std::string_view text);
[[nodiscard]] std::string hex_text(std::span<const std::byte> bytes);

/// The shortest digits that give the number back; never without a sign that it is no integer.
[[nodiscard]] std::string real_text(double number);

namespace detail {

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

} // namespace detail

/// A value for people: numbers as such, UTF-8 in quotes, other texts and values as the hexadecimal digits of their bytes.
template <byte_value T>
[[nodiscard]] std::string value_text(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
        return real_text(static_cast<double>(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
        return std::to_string(value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        const std::string_view text = value;
        return detail::is_utf8(text) ? quoted_text(text) : hex_text(std::as_bytes(std::span(text)));
    } else {
        byte_writer out;
        write_value(out, value);
        return hex_text(out.bytes());
    }
}

} // namespace phoenix::crdt
