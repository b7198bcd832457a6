#include "glob.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace resp {

namespace {

/// Whether `c` is in the class that begins behind `at`, which moves behind its bracket. As in Redis, a class that does not
/// end ends with the pattern.
bool is_in_class(std::string_view pattern, std::size_t& at, char c) noexcept {
    const bool is_negated = at < pattern.size() && pattern[at] == '^';
    at += is_negated ? 1U : 0U;
    bool found = false;
    while (at < pattern.size() && pattern[at] != ']') {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) {
            ++at;
            found = found || pattern[at] == c;
            ++at;
            continue;
        }
        if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
            auto low = static_cast<unsigned char>(pattern[at]);
            auto high = static_cast<unsigned char>(pattern[at + 2]);
            if (low > high) {
                std::swap(low, high);
            }
            const auto sought = static_cast<unsigned char>(c);
            found = found || (low <= sought && sought <= high);
            at += 3;
            continue;
        }
        found = found || pattern[at] == c;
        ++at;
    }
    at += at < pattern.size() ? 1U : 0U;
    return found != is_negated;
}

/// Whether `c` matches what stands at `at`, which is no star; `at` moves behind it.
bool matches_one(std::string_view pattern, std::size_t& at, char c) noexcept {
    const char wanted = pattern[at++];
    if (wanted == '?') {
        return true;
    }
    if (wanted == '[') {
        return is_in_class(pattern, at, c);
    }
    if (wanted == '\\' && at < pattern.size()) {
        return pattern[at++] == c;
    }
    return wanted == c;
}

} // namespace

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
    std::size_t at = 0;
    std::size_t read = 0;
    // Behind the last star, and from where on it has not eaten the text yet.
    std::size_t star = std::string_view::npos;
    std::size_t star_read = 0;
    while (read < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = ++at;
            star_read = read;
            continue;
        }
        if (at < pattern.size() && matches_one(pattern, at, text[read])) {
            ++read;
            continue;
        }
        if (star == std::string_view::npos) {
            return false;
        }
        at = star;
        read = ++star_read;
    }
    while (at < pattern.size() && pattern[at] == '*') {
        ++at;
    }
    return at == pattern.size();
}

bool equals_nocase(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

} // namespace resp
