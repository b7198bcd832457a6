#include <phoenix/net/detail/op_awaiter.hpp>
#include <phoenix/net/detail/path_argument.hpp>
#include <phoenix/net/driver.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/file.hpp>
#include <phoenix/net/file_op.hpp>
#include <phoenix/net/loop.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace phoenix::net {

/// What is open, until its last operation has ended.
struct detail::file_core {
    file_core(loop& owner, std::string path, handle& opened) noexcept
        : owner(owner), path(std::move(path)), opened(opened) {
        owner.owned_begins();
    }

    file_core(const file_core&) = delete;
    file_core& operator=(const file_core&) = delete;

    ~file_core() {
        owner.backend().release(opened, false);
        owner.owned_ended();
    }

    loop& owner;
    const std::string path;
    handle& opened;
    /// Why synchronizing failed; nothing is written from then on.
    std::error_code sync_failure;
};

namespace {

using shared_core = std::shared_ptr<detail::file_core>;

// As off_t.
constexpr auto offset_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

void expect_open(const shared_core& file) {
    if (file == nullptr) {
        throw_error(errc::closed, "the file was closed or moved from");
    }
}

/// Before what changes the file, or promises that changes last.
void expect_writable(const shared_core& file, const char* what) {
    expect_open(file);
    if (file->sync_failure) {
        throw_error(file->sync_failure,
                    std::string(what) + " " + file->path +
                        ", of which an earlier synchronization failed, so that what was written "
                        "before it may be lost");
    }
}

[[noreturn]] void fail(const shared_core& file, int result, const char* what) {
    throw_error(detail::result_error(result), std::string(what) + " " + file->path);
}

[[noreturn]] void fail(const shared_core& file, int result, const char* what, std::uint64_t offset,
                       std::uint64_t bytes) {
    throw_error(detail::result_error(result), std::string(what) + " " + std::to_string(bytes) + " bytes at " +
                                                  std::to_string(offset) + " of " + file->path);
}

/// The kernel counts offsets with a sign, and takes some beyond for something else.
void expect_range(const shared_core& file, const char* what, std::uint64_t offset, std::uint64_t bytes) {
    if (offset > offset_max || bytes > offset_max - offset) {
        fail(file, -EFBIG, what, offset, bytes);
    }
}

task<std::size_t> read(shared_core file, std::uint64_t offset, std::span<std::byte> out) {
    constexpr const char* what = "read";
    expect_open(file);
    expect_range(file, what, offset, out.size());
    std::size_t taken = 0;
    while (taken < out.size()) {
        const std::span<std::byte> rest = out.subspan(taken);
        detail::op_awaiter<read_at_op> reading(offset + taken,
                                               rest.first(std::min(rest.size(), file_bytes_at_once)));
        reading.target = &file->opened;
        const int result = co_await reading;
        if (result < 0 && result != -EINTR) {
            fail(file, result, what, offset, out.size());
        }
        if (result == 0) {
            break;
        }
        taken += static_cast<std::size_t>(std::max(result, 0));
    }
    co_return taken;
}

task<> write(shared_core file, std::uint64_t offset, std::span<const std::byte> data) {
    constexpr const char* what = "write";
    expect_writable(file, what);
    expect_range(file, what, offset, data.size());
    const std::size_t all = data.size();
    for (std::uint64_t at = offset; !data.empty();) {
        detail::op_awaiter<write_at_op> writing(at, data.first(std::min(data.size(), file_bytes_at_once)));
        writing.target = &file->opened;
        const int result = co_await writing;
        if (result < 0 && result != -EINTR) {
            fail(file, result, what, offset, all);
        }
        if (result == 0) {
            // A device that takes nothing and does not say why.
            fail(file, -EIO, what, offset, all);
        }
        const auto written = static_cast<std::size_t>(std::max(result, 0));
        at += written;
        data = data.subspan(written);
    }
}

task<> synchronize(shared_core file) {
    constexpr const char* what = "synchronize";
    expect_writable(file, what);
    // A stop that interrupts a ring's operation is told as such by the next attempt.
    int result = -EINTR;
    while (result == -EINTR) {
        detail::op_awaiter<sync_data_op> syncing;
        syncing.target = &file->opened;
        result = co_await syncing;
    }
    if (result < 0) {
        if (result != -ECANCELED) {
            file->sync_failure = detail::result_error(result);
        }
        fail(file, result, what);
    }
    // Another one may have failed while this one ran, and have taken the kernel's only word about it.
    expect_writable(file, what);
}

task<std::uint64_t> measure(shared_core file) {
    expect_open(file);
    detail::op_awaiter<file_size_op> measuring;
    measuring.target = &file->opened;
    const int result = co_await measuring;
    if (result < 0) {
        fail(file, result, "find the size of");
    }
    co_return measuring.bytes;
}

task<> change_size(shared_core file, std::uint64_t bytes) {
    constexpr const char* what = "resize";
    expect_writable(file, what);
    expect_range(file, what, 0, bytes);
    int result = -EINTR;
    while (result == -EINTR) {
        detail::op_awaiter<resize_file_op> resizing(bytes);
        resizing.target = &file->opened;
        result = co_await resizing;
    }
    if (result < 0) {
        fail(file, result, what);
    }
}

task<> take_room(shared_core file, std::uint64_t offset, std::uint64_t bytes) {
    constexpr const char* what = "preallocate";
    expect_writable(file, what);
    expect_range(file, what, offset, bytes);
    if (bytes == 0) {
        co_return;
    }
    int result = -EINTR;
    while (result == -EINTR) {
        detail::op_awaiter<preallocate_op> taking(offset, bytes);
        taking.target = &file->opened;
        result = co_await taking;
    }
    if (result < 0) {
        fail(file, result, what, offset, bytes);
    }
}

} // namespace

task<file> file::open(std::string path, file_options options) {
    options.validate();
    loop& owner = co_await this_loop();
    const char* const argument = detail::path_argument("open", path);
    handle* found = nullptr;
    int result = -EINTR;
    while (result == -EINTR) {
        detail::op_awaiter<open_file_op> opening(argument, options);
        result = co_await opening;
        found = opening.opened;
    }
    if (result < 0) {
        throw_error(detail::result_error(result), "open " + path);
    }
    handle& opened = *found;
    shared_core made;
    try {
        made = std::make_shared<detail::file_core>(owner, std::move(path), opened);
    } catch (...) {
        owner.backend().release(opened, false);
        throw;
    }
    co_return file(std::move(made));
}

file::file(shared_core opened) noexcept : core_(std::move(opened)) {}

file::file(file&&) noexcept = default;
file& file::operator=(file&&) noexcept = default;
file::~file() = default;

void file::close() noexcept {
    core_.reset();
}

task<std::size_t> file::read_at(std::uint64_t offset, std::span<std::byte> out) const {
    return read(core_, offset, out);
}

task<> file::write_at(std::uint64_t offset, std::span<const std::byte> data) {
    return write(core_, offset, data);
}

task<> file::sync_data() {
    return synchronize(core_);
}

task<std::uint64_t> file::size() const {
    return measure(core_);
}

task<> file::resize(std::uint64_t bytes) {
    return change_size(core_, bytes);
}

task<> file::preallocate(std::uint64_t offset, std::uint64_t bytes) {
    return take_room(core_, offset, bytes);
}

const std::string& file::path() const noexcept {
    return core_->path;
}

int file::native_descriptor() const noexcept {
    return core_ != nullptr ? core_->owner.backend().native_descriptor(core_->opened) : -1;
}

} // namespace phoenix::net
