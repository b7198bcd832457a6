// What a call refuses, and what it says of it.
#pragma once

#include <phoenix/codec/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <system_error>

namespace phoenix::codec::testing {

/// The message of the error with this code that the call throws; empty, and a failed check, when it throws none.
template <class Call>
[[nodiscard]] std::string refusal(errc expected, Call&& call) {
    try {
        call();
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == expected), e.what());
        return e.what();
    }
    BOOST_TEST(false, "expected a refusal: " << make_error_code(expected).message());
    return {};
}

[[nodiscard]] inline bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace phoenix::codec::testing
