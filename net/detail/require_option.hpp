// Checks that options structs share: a wrong field is named, with what it holds and what it may hold.
#pragma once

#include <phoenix/net/error.hpp>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace phoenix::net::detail {

[[noreturn]] inline void refuse_option(std::string_view owner, std::string_view field, std::string_view value,
                                       std::string_view expected) {
    std::string what(owner);
    what.append(".").append(field).append(" is ").append(value).append(", expected ").append(expected);
    throw_error(errc::invalid_options, what);
}

inline void require_option_in_range(std::string_view owner, std::string_view field, std::uint64_t value,
                                    std::uint64_t low, std::uint64_t high) {
    if (value < low || value > high) {
        refuse_option(owner, field, std::to_string(value),
                      std::to_string(low) + " to " + std::to_string(high));
    }
}

inline void require_option_is_power_of_two(std::string_view owner, std::string_view field,
                                           std::uint64_t value) {
    if (!std::has_single_bit(value)) {
        refuse_option(owner, field, std::to_string(value), "a power of two");
    }
}

} // namespace phoenix::net::detail
