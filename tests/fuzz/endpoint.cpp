// endpoint::parse never crashes, whatever the text, and what it takes comes back from its own text and from
// its own native address as an equal endpoint. parse and try_parse agree.
#include <phoenix/config.hpp>
#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

using phoenix::net::endpoint;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto taken = endpoint::try_parse(text);
    try {
        const endpoint parsed = endpoint::parse(text);
        PHOENIX_ASSERT(taken.has_value() && parsed == *taken, "parse and try_parse must agree");
    } catch (const std::system_error& e) {
        PHOENIX_ASSERT(!taken.has_value(), "parse and try_parse must agree");
        PHOENIX_ASSERT(e.code() == phoenix::net::errc::invalid_endpoint,
                       "a refusal must be invalid_endpoint");
    }
    if (!taken) {
        return 0;
    }
    const std::string written = taken->to_string();
    const endpoint again = endpoint::parse(written);
    PHOENIX_ASSERT(again == *taken && (again <=> *taken) == 0, "text must come back as an equal endpoint");
    PHOENIX_ASSERT(again.hash() == taken->hash(), "equal endpoints must hash equal");
    PHOENIX_ASSERT(again.to_string() == written, "canonical text must be stable");
    PHOENIX_ASSERT(endpoint::from_native(taken->data(), taken->size()) == *taken,
                   "a native address must come back as an equal endpoint");
    return 0;
}
