// Names in the file system: moving, removing and listing them, without holding up the loop.
//
//   co_await rename_file("snapshot.tmp", "snapshot");     // readers see the old one or the new one
//   co_await sync_directory(".");                         // after a power failure, too
//
// What these change is durable only once the directory that holds the name was synchronized. Errors are std::system_error with
// the path: the kernel's, errc::canceled, and EINVAL for a path that is empty or holds a zero byte. A stop gives
// up what has not begun; what has begun ends with its own result. Thread rule: a loop's.
#pragma once

#include <phoenix/net/task.hpp>

#include <string>
#include <vector>

namespace phoenix::net {

/// Atomic: a file that had the name `to` is replaced. Both must lie in one file system (EXDEV).
[[nodiscard]] task<> rename_file(std::string from, std::string to);

/// The name goes; the file goes with its last name and when nobody has it open.
[[nodiscard]] task<> remove_file(std::string path);

/// Makes the names in a directory durable: those that came, went and moved before.
[[nodiscard]] task<> sync_directory(std::string path);

/// Makes one directory, whose parent is there (EEXIST, ENOENT).
[[nodiscard]] task<> create_directory(std::string path);

/// The names in a directory without "." and "..", sorted by their bytes.
[[nodiscard]] task<std::vector<std::string>> list_directory(std::string path);

} // namespace phoenix::net
