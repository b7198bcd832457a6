#include <phoenix/net/detail/file_calls.hpp>
#include <phoenix/net/uring/file_entry.hpp>

#include <fcntl.h>
#include <sys/types.h>

namespace phoenix::net::detail {

bool ring_takes(op_kind kind) noexcept {
    switch (kind) {
    case op_kind::open_file:
    case op_kind::read_at:
    case op_kind::write_at:
    case op_kind::sync_data:
    case op_kind::preallocate:
    case op_kind::rename:
    case op_kind::remove_file:
    case op_kind::create_directory:
        return true;
    default:
        // Cutting a file came with Linux 6.9; a directory is opened and synchronized in one operation; and no ring lists.
        return false;
    }
}

void prepare(io_uring_sqe& entry, const file_op& operation) noexcept {
    const int descriptor = operation.descriptor;
    switch (operation.kind) {
    case op_kind::open_file: {
        const auto& opening = static_cast<const open_file_op&>(operation);
        ::io_uring_prep_openat(&entry, AT_FDCWD, opening.path, native_flags(opening.options),
                               opening.options.permissions);
        break;
    }
    case op_kind::read_at: {
        const auto& reading = static_cast<const read_at_op&>(operation);
        ::io_uring_prep_read(&entry, descriptor, reading.buffer.data(),
                             static_cast<unsigned>(reading.buffer.size()), reading.offset);
        break;
    }
    case op_kind::write_at: {
        const auto& writing = static_cast<const write_at_op&>(operation);
        ::io_uring_prep_write(&entry, descriptor, writing.data.data(),
                              static_cast<unsigned>(writing.data.size()), writing.offset);
        break;
    }
    case op_kind::sync_data:
        ::io_uring_prep_fsync(&entry, descriptor, IORING_FSYNC_DATASYNC);
        break;
    case op_kind::preallocate: {
        const auto& taking = static_cast<const preallocate_op&>(operation);
        ::io_uring_prep_fallocate(&entry, descriptor, 0, static_cast<off_t>(taking.offset),
                                  static_cast<off_t>(taking.bytes));
        break;
    }
    case op_kind::rename: {
        const auto& renaming = static_cast<const rename_op&>(operation);
        ::io_uring_prep_renameat(&entry, AT_FDCWD, renaming.from, AT_FDCWD, renaming.to, 0);
        break;
    }
    case op_kind::remove_file:
        ::io_uring_prep_unlinkat(&entry, AT_FDCWD, static_cast<const path_op&>(operation).path, 0);
        break;
    case op_kind::create_directory:
        ::io_uring_prep_mkdirat(&entry, AT_FDCWD, static_cast<const path_op&>(operation).path,
                                directory_permissions);
        break;
    default:
        PHOENIX_ASSERT(false, "no ring takes this operation");
    }
}

} // namespace phoenix::net::detail
