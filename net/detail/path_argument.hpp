// Paths as the kernel takes them.
#pragma once

#include <phoenix/net/error.hpp>

#include <cerrno>
#include <string>

namespace phoenix::net::detail {

/// `path`, which must outlive what takes it. Throws EINVAL for one that the kernel would cut off, or not take.
[[nodiscard]] inline const char* path_argument(const char* what, const std::string& path) {
    if (path.empty() || path.find('\0') != std::string::npos) {
        throw_error(make_error(EINVAL),
                    std::string(what) + ": expected a path that is not empty and holds no zero byte");
    }
    return path.c_str();
}

} // namespace phoenix::net::detail
