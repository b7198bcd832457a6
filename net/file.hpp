// Files, read and written at offsets, without holding up the loop.
//
//   file_options how;
//   how.access = file_access::read_write;
//   how.creation = file_creation::if_missing;
//   file log = co_await file::open("/var/lib/tea/log", how);
//   co_await sync_directory("/var/lib/tea");              // the name is durable, too
//   co_await log.write_at(0, record);
//   co_await log.sync_data();                             // what was written before is durable
//
// Any number of coroutines use a file at once; what overlaps comes in no order. On io_uring the kernel is asked directly,
// elsewhere two threads of the driver's are. A stop gives up what has not begun; what has begun ends with its own result: a
// stopped write has written all, a part or nothing, and its buffer is free again when the await returns, as ever.
//
// A file belongs to the loop on which it was opened, must not outlive it, and is used on its thread alone; a loop on io_uring
// that is destroyed on another thread must have no operation on a file under way. Errors are std::system_error: the kernel's,
// with the path (ENOENT, EACCES, EISDIR, ENOSPC, EIO, EFBIG), errc::canceled, errc::closed. A limit on the size of files
// (RLIMIT_FSIZE) also raises SIGXFSZ, which is the program's to ignore.
#pragma once

#include <phoenix/net/file_options.hpp>
#include <phoenix/net/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace phoenix::net {

namespace detail {
struct file_core;
}

class file {
public:
    /// Throws errc::invalid_options, and EINVAL for a path that is empty or holds a zero byte. Not for a FIFO: opening one waits
    /// for its other end, and cannot be stopped.
    [[nodiscard]] static task<file> open(std::string path, file_options options = {});

    file(file&&) noexcept;
    file& operator=(file&&) noexcept;

    /// As close().
    ~file();

    /// False after close and move.
    [[nodiscard]] bool is_open() const noexcept { return core_ != nullptr; }

    /// No more operations begin; those under way end as they would have. What was not synchronized stays so.
    void close() noexcept;

    /// Fills `out` from the byte at `offset` on, and gives how many bytes it read: fewer only where the file ends. `out` must
    /// live until the await returns.
    [[nodiscard]] task<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const;

    /// Writes all of `data`, or throws: then any part of it may have been written. Beyond its end the file grows, and what
    /// is between reads as zeros. `data` must live until the await returns. Durable only after sync_data.
    [[nodiscard]] task<> write_at(std::uint64_t offset, std::span<const std::byte> data);

    /// What was written by operations that had ended when this began is durable (fdatasync). When it fails, the kernel may
    /// have dropped what was not durable and call it clean: a second attempt would succeed and mean nothing. So from then on
    /// every write, resize and sync of this file throws the same error; read back, or give the file up.
    [[nodiscard]] task<> sync_data();

    /// In bytes.
    [[nodiscard]] task<std::uint64_t> size() const;

    /// Cuts the file to `bytes`, or extends it by zeros that take no room on the disk yet.
    [[nodiscard]] task<> resize(std::uint64_t bytes);

    /// Takes room on the disk for `bytes` from `offset` on, so that writing there does not fail for a lack of it; the file
    /// grows to the end of that range. EOPNOTSUPP where the file system cannot.
    [[nodiscard]] task<> preallocate(std::uint64_t offset, std::uint64_t bytes);

    /// As it was opened. Precondition: open.
    [[nodiscard]] const std::string& path() const noexcept;

    /// The kernel's descriptor; -1 where there is none.
    [[nodiscard]] int native_descriptor() const noexcept;

private:
    explicit file(std::shared_ptr<detail::file_core> opened) noexcept;

    // Shared with the operations under way, which may outlive this.
    std::shared_ptr<detail::file_core> core_;
};

} // namespace phoenix::net
