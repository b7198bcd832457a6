// What operations on files ask of the kernel, by system calls that block.
#pragma once

#include <phoenix/net/file_op.hpp>

namespace phoenix::net::detail {

/// Of a directory that is made, less the process's umask.
inline constexpr unsigned directory_permissions = 0777;

/// As open(2) takes them.
[[nodiscard]] int native_flags(const file_options& options) noexcept;

/// Does it now, on any thread; fills what the kind fills. A negative errno, or what the op's result is; of open_file_op the
/// descriptor.
[[nodiscard]] int run_blocking(file_op& operation) noexcept;

} // namespace phoenix::net::detail
