// A directory of a test's own.
#pragma once

#include <string>

namespace phoenix::net::conformance {

/// Made empty, and removed with all that is in it.
class scratch {
public:
    scratch();
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// The path of `name` in it.
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

} // namespace phoenix::net::conformance
