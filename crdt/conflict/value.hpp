// A value whose kind is known at run time: what semantic strategies merge.
//
//   const value cart(value::map{{"tea", 2}, {"notes", value(value::list{"green", "loose"})}});
//   if (const auto* const items = cart.as<value::map>()) { ... items->at("tea") ... }
//   to_text(cart);                                   // {"notes": ["green", "loose"], "tea": 2}
//
// Kinds are integer, real, text, bytes, list, set and map; values of different kinds differ and are ordered
// by kind, an integer and a real of one size too. Reals have one zero and one NaN, which equals itself and
// comes last, so that ==, the order and the canonical bytes agree. A list, set or map is immutable and shared
// by the copies: copying costs a reference count. Nesting is bounded (depth_max): beyond it construction
// throws errc::limit_exceeded, and the reader refuses the bytes. Any thread; a value.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt::conflict {

class value {
public:
    using bytes = std::vector<std::byte>;
    using list = std::vector<value>;
    using set = std::set<value>;
    using map = std::map<std::string, value, std::less<>>;

    /// In the order in which values of different kinds sort.
    enum class kind : std::uint8_t { integer, real, text, bytes, list, set, map };

    /// A number or a text has depth 0, what holds it one more.
    static constexpr std::size_t depth_max = 32;

    value() noexcept : held_(std::int64_t(0)) {}

    /// Throws errc::invalid_operation for a number beyond 2^63 - 1.
    template <std::integral Number>
    value(Number number) : held_(static_cast<std::int64_t>(number)) {
        if constexpr (std::is_unsigned_v<Number> && sizeof(Number) == sizeof(std::int64_t)) {
            expect_signed(number);
        }
    }

    // No kind of its own: say which numbers mean true and false.
    value(bool) = delete;

    template <std::floating_point Number>
    value(Number number) noexcept
        : held_(std::bit_cast<double>(value_bytes<double>::canonical(static_cast<double>(number)))) {}

    value(std::string text) noexcept : held_(std::move(text)) {}

    value(const char* text) : held_(std::string(text)) {}

    explicit value(bytes data) noexcept : held_(std::move(data)) {}

    // Explicit: a list in braces stays one list, and is never read as a list that holds a list.
    explicit value(list items);
    explicit value(set elements);
    explicit value(map entries);

    [[nodiscard]] kind what() const noexcept { return static_cast<kind>(held_.index()); }

    /// What it holds when that is a T (std::int64_t, double, std::string, bytes, list, set or map), else
    /// nullptr. Valid while this value lives unchanged.
    template <class T>
    [[nodiscard]] const T* as() const noexcept {
        if constexpr (std::same_as<T, list> || std::same_as<T, set> || std::same_as<T, map>) {
            const auto* const shared = std::get_if<std::shared_ptr<const T>>(&held_);
            return shared != nullptr ? shared->get() : nullptr;
        } else {
            return std::get_if<T>(&held_);
        }
    }

    friend bool operator==(const value& a, const value& b) noexcept { return (a <=> b) == 0; }

    friend std::strong_ordering operator<=>(const value& a, const value& b) noexcept;

    void write(byte_writer& out) const;
    [[nodiscard]] static value read(byte_reader& in);

private:
    template <class Items>
    explicit value(Items items, std::size_t deepest);

    [[nodiscard]] static value read(byte_reader& in, std::size_t depth);

    static void expect_signed(std::uint64_t number);

    std::variant<std::int64_t, double, std::string, bytes, std::shared_ptr<const list>,
                 std::shared_ptr<const set>, std::shared_ptr<const map>>
        held_;
    std::uint8_t depth_ = 0;
};

[[nodiscard]] const char* name(value::kind kind) noexcept;

/// For people: JSON, but for sets, which stand in {braces}, and bytes, which are hexadecimal.
[[nodiscard]] std::string to_text(const value& shown);

} // namespace phoenix::crdt::conflict
