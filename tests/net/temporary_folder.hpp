// A folder of a test's own.
#pragma once

#include <string>

namespace phoenix::net::testing {

/// Made empty, and removed with all that is in it. Throws std::system_error.
class temporary_folder {
public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// The path of `name` in it.
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

} // namespace phoenix::net::testing
