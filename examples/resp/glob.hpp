// Patterns as KEYS and SCAN know them: * ? [a-z] [^a] and a backslash before what stands for itself.
#pragma once

#include <string_view>

namespace resp {

/// Time is at most the product of both lengths.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

/// Without regard to the case of ASCII letters.
[[nodiscard]] bool equals_nocase(std::string_view a, std::string_view b) noexcept;

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace resp
