// What a call refuses, and what bytes are refused for.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <initializer_list>
#include <string>
#include <system_error>
#include <vector>

namespace phoenix::crdt::testing {

/// True when the call throws just this error.
template <class Call>
[[nodiscard]] bool is_refused(errc expected, Call&& call) {
    try {
        call();
    } catch (const std::system_error& e) {
        return e.code() == expected;
    }
    return false;
}

[[nodiscard]] inline std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
    std::vector<std::byte> bytes;
    for (const int each : values) {
        bytes.push_back(static_cast<std::byte>(each));
    }
    return bytes;
}

/// What is said of bytes that no T encodes to; empty when one does.
template <class T>
[[nodiscard]] std::string refusal_of(std::initializer_list<int> values) {
    try {
        (void)decode<T>(bytes_of(values));
    } catch (const decode_error& e) {
        return e.what();
    }
    return {};
}

[[nodiscard]] inline bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace phoenix::crdt::testing
