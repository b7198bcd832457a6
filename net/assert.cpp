#include <phoenix/config.hpp>

#include <cstdio>
#include <cstdlib>

namespace phoenix::detail {

void assertion_failed(const char* expression, const char* message, const char* file, int line) noexcept {
    std::fprintf(stderr, "phoenix: assertion failed at %s:%d: %s: %s\n", file, line, expression, message);
    std::abort();
}

} // namespace phoenix::detail
