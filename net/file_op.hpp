// Operations on files: what file.hpp and file_system.hpp hand to a driver.
//
// They are ops like those of sockets (op.hpp), with one difference: they may take as long as a disk does, and what has
// begun cannot be taken back. A cancelled operation that has begun completes with its own result, and its buffer is the
// driver's until then. Those that name a path have no target. Paths end in a zero and outlive the op.
#pragma once

#include <phoenix/net/file_options.hpp>
#include <phoenix/net/op.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace phoenix::net {

/// What all operations on files share.
class file_op : public op {
public:
    file_op(op_kind kind, function completed) noexcept : op(kind, completed) {}

    /// Scratch of the drivers: the kernel's number of the target.
    int descriptor = -1;
};

class open_file_op : public file_op {
public:
    open_file_op(function completed, const char* path, const file_options& options) noexcept
        : file_op(op_kind::open_file, completed), path(path), options(options) {}

    const char* const path;
    const file_options options;
    /// The file when `result` is not negative; the owner must release it.
    handle* opened = nullptr;
};

/// Reads at most once, into `buffer`, which holds at most file_bytes_at_once; result 0 is the end of the file.
class read_at_op : public file_op {
public:
    read_at_op(function completed, std::uint64_t offset, std::span<std::byte> buffer) noexcept
        : file_op(op_kind::read_at, completed), offset(offset), buffer(buffer) {}

    const std::uint64_t offset;
    const std::span<std::byte> buffer;
};

/// Writes at most once; `result` may be short.
class write_at_op : public file_op {
public:
    write_at_op(function completed, std::uint64_t offset, std::span<const std::byte> data) noexcept
        : file_op(op_kind::write_at, completed), offset(offset), data(data) {}

    const std::uint64_t offset;
    const std::span<const std::byte> data;
};

/// What one read or write takes at most: its result has to be an int.
inline constexpr std::size_t file_bytes_at_once = std::size_t{1} << 30;

/// Makes what was written before durable, with as much of what is known about the file as reading it needs.
class sync_data_op : public file_op {
public:
    explicit sync_data_op(function completed) noexcept : file_op(op_kind::sync_data, completed) {}
};

class file_size_op : public file_op {
public:
    explicit file_size_op(function completed) noexcept : file_op(op_kind::file_size, completed) {}

    std::uint64_t bytes = 0;
};

/// Cuts the file, or extends it by zeros that take no room.
class resize_file_op : public file_op {
public:
    resize_file_op(function completed, std::uint64_t bytes) noexcept
        : file_op(op_kind::resize_file, completed), bytes(bytes) {}

    const std::uint64_t bytes;
};

/// Takes room for a range; the file grows to its end.
class preallocate_op : public file_op {
public:
    preallocate_op(function completed, std::uint64_t offset, std::uint64_t bytes) noexcept
        : file_op(op_kind::preallocate, completed), offset(offset), bytes(bytes) {}

    const std::uint64_t offset;
    const std::uint64_t bytes;
};

/// Atomic; takes the place of what has the name `to`.
class rename_op : public file_op {
public:
    rename_op(function completed, const char* from, const char* to) noexcept
        : file_op(op_kind::rename, completed), from(from), to(to) {}

    const char* const from;
    const char* const to;
};

/// remove_file, make_directory or sync_directory.
class path_op : public file_op {
public:
    path_op(function completed, op_kind kind, const char* path) noexcept
        : file_op(kind, completed), path(path) {}

    const char* const path;
};

class list_directory_op : public file_op {
public:
    list_directory_op(function completed, const char* path) noexcept
        : file_op(op_kind::list_directory, completed), path(path) {}

    const char* const path;
    /// In no order.
    std::vector<std::string> names;
};

} // namespace phoenix::net
