#include <phoenix/net/detail/file_calls.hpp>
#include <phoenix/net/detail/socket.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace phoenix::net::detail {

namespace {

/// Repeats what a signal interrupted.
template <class Call>
int result_of(Call&& call) noexcept {
    for (;;) {
        const auto result = call();
        if (result >= 0) {
            return static_cast<int>(result);
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

int open_file(const open_file_op& opening) noexcept {
    return result_of(
        [&] { return ::open(opening.path, native_flags(opening.options), opening.options.permissions); });
}

int find_size(file_size_op& measuring) noexcept {
    struct stat found{};
    const int result = result_of([&] { return ::fstat(measuring.descriptor, &found); });
    measuring.bytes = static_cast<std::uint64_t>(found.st_size);
    return result;
}

int sync_directory(const char* path) noexcept {
    const int opened = result_of([&] { return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (opened < 0) {
        return opened;
    }
    const owned_fd directory(opened);
    return result_of([&] { return ::fsync(directory.get()); });
}

int list_directory(list_directory_op& listing) noexcept try {
    DIR* const directory = ::opendir(listing.path);
    if (directory == nullptr) {
        return -errno;
    }

    const struct closer {
        ~closer() { ::closedir(opened); }

        DIR* opened;
    } closes{directory};

    for (;;) {
        errno = 0;
        const dirent* const entry = ::readdir(directory);
        if (entry == nullptr) {
            return -errno;
        }
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
            listing.names.emplace_back(entry->d_name);
        }
    }
} catch (const std::bad_alloc&) {

    return -ENOMEM;
} catch (const std::length_error&) {
    return -ENOMEM;
}

} // namespace

int native_flags(const file_options& options) noexcept {
    int flags = O_CLOEXEC | (options.access == file_access::read_only ? O_RDONLY : O_RDWR);
    if (options.creation != file_creation::never) {
        flags |= O_CREAT;
    }
    if (options.creation == file_creation::always) {
        flags |= O_EXCL;
    }
    return options.truncate ? flags | O_TRUNC : flags;
}

int run_blocking(file_op& operation) noexcept {
    const int descriptor = operation.descriptor;
    switch (operation.kind) {
    case op_kind::open_file:
        return open_file(static_cast<const open_file_op&>(operation));
    case op_kind::read_at: {
        const auto& reading = static_cast<const read_at_op&>(operation);
        return result_of([&] {
            return ::pread(descriptor, reading.buffer.data(), reading.buffer.size(),
                           static_cast<off_t>(reading.offset));
        });
    }
    case op_kind::write_at: {
        const auto& writing = static_cast<const write_at_op&>(operation);
        return result_of([&] {
            return ::pwrite(descriptor, writing.data.data(), writing.data.size(),
                            static_cast<off_t>(writing.offset));
        });
    }
    case op_kind::sync_data:
        return result_of([&] { return ::fdatasync(descriptor); });
    case op_kind::file_size:
        return find_size(static_cast<file_size_op&>(operation));
    case op_kind::resize_file: {
        const auto& resizing = static_cast<const resize_file_op&>(operation);
        return result_of([&] { return ::ftruncate(descriptor, static_cast<off_t>(resizing.bytes)); });
    }
    case op_kind::preallocate: {
        const auto& taking = static_cast<const preallocate_op&>(operation);
        return result_of([&] {
            return ::fallocate(descriptor, 0, static_cast<off_t>(taking.offset),
                               static_cast<off_t>(taking.bytes));
        });
    }
    case op_kind::rename: {
        const auto& renaming = static_cast<const rename_op&>(operation);
        return result_of([&] { return ::rename(renaming.from, renaming.to); });
    }
    case op_kind::remove_file:
        return result_of([&] { return ::unlink(static_cast<const path_op&>(operation).path); });
    case op_kind::create_directory:
        return result_of(
            [&] { return ::mkdir(static_cast<const path_op&>(operation).path, directory_permissions); });
    case op_kind::sync_directory:
        return sync_directory(static_cast<const path_op&>(operation).path);
    case op_kind::list_directory:
        return list_directory(static_cast<list_directory_op&>(operation));
    default:
        return -EOPNOTSUPP;
    }
}

} // namespace phoenix::net::detail
