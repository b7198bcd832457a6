// How a file is opened.
#pragma once

#include <cstdint>

namespace phoenix::net {

enum class file_access : std::uint8_t { read_only, read_write };

enum class file_creation : std::uint8_t {
    never,      ///< it must be there
    if_missing, ///< it is made when it is not there
    always,     ///< it must not be there: errc file_exists
};

struct file_options {
    file_access access = file_access::read_only;
    file_creation creation = file_creation::never;
    /// Drops what the file holds.
    bool truncate = false;
    /// Of a file that is made, less the process's umask; 0 to 0777.
    std::uint32_t permissions = 0644;

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may. To make a file or
    /// to truncate it needs read_write.
    void validate() const;
};

} // namespace phoenix::net
