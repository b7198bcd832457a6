// Files: what is written is read again, at any offset and after any way to open them; errors name what was asked; a stop
// leaves nothing behind.
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/file.hpp>
#include <phoenix/net/file_system.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/when_any.hpp>
#include <phoenix/net/with_scope.hpp>

#include "../temporary_folder.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace phoenix::net::conformance {

namespace {

using namespace std::chrono_literals;
using testing::temporary_folder;

constexpr std::uint64_t offset_max = std::numeric_limits<std::int64_t>::max();

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

file_options writable(file_creation creation = file_creation::if_missing) {
    file_options how;
    how.access = file_access::read_write;
    how.creation = creation;
    return how;
}

task<> put(file& into, std::uint64_t offset, std::string text) {
    co_await into.write_at(offset, bytes_of(text));
}

/// At most `size` bytes from `offset` on.
task<std::string> get(const file& from, std::uint64_t offset, std::size_t size) {
    std::string text(size, '?');
    const std::span<char> room(text);
    const std::size_t taken = co_await from.read_at(offset, std::as_writable_bytes(room));
    text.resize(taken);
    co_return text;
}

task<> make(std::string path, std::string content) {
    file made = co_await file::open(path, writable());
    co_await put(made, 0, content);
}

task<std::string> content_of(std::string path) {
    const file found = co_await file::open(path);
    const std::uint64_t size = co_await found.size();
    std::string text = co_await get(found, 0, size);
    co_return text;
}

task<> open_and_drop(std::string path, file_options how) {
    const file opened = co_await file::open(path, how);
    BOOST_TEST(opened.is_open());
}

task<> get_and_drop(const file& from, std::uint64_t offset, std::size_t size) {
    const std::string dropped = co_await get(from, offset, size);
}

task<> list_and_drop(std::string path) {
    const auto dropped = co_await list_directory(path);
}

task<> measure_and_drop(const file& which) {
    const std::uint64_t dropped = co_await which.size();
    static_cast<void>(dropped);
}

/// What() of the std::system_error that `work` threw; empty when it threw none.
task<std::string> words_of(task<> work) {
    std::string words;
    try {
        co_await std::move(work);
    } catch (const std::system_error& e) {
        words = e.what();
    }
    co_return words;
}

void check_errno(std::error_code found, int expected,
                 std::source_location caller = std::source_location::current()) {
    BOOST_TEST((found == make_error(expected)), "line " << caller.line() << ": expected "
                                                        << make_error(expected).message() << ", found "
                                                        << found << " " << found.message());
}

/// Bytes that tell where they stand.
std::vector<std::byte> pattern(std::size_t size, std::uint64_t seed) {
    std::vector<std::byte> made(size);
    for (std::byte& each : made) {
        seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        each = static_cast<std::byte>(seed >> 56);
    }
    return made;
}

// --- Reading and writing.

task<> write_and_read(const temporary_folder& place) {
    file kept = co_await file::open(place / "kept", writable());
    BOOST_TEST(kept.path() == place / "kept");
    co_await put(kept, 0, "hello, world");
    co_await put(kept, 7, "there");
    co_await kept.sync_data();
    const std::string all = co_await get(kept, 0, 100);
    BOOST_TEST(all == "hello, there");
    const std::string middle = co_await get(kept, 7, 3);
    BOOST_TEST(middle == "the");
    const std::uint64_t size = co_await kept.size();
    BOOST_TEST(size == 12U);
    kept.close();
    BOOST_TEST(!kept.is_open());
    const std::string again = co_await content_of(place / "kept");
    BOOST_TEST(again == "hello, there");
}

task<> read_beyond_the_end(const temporary_folder& place) {
    file sparse = co_await file::open(place / "sparse", writable());
    const std::string nothing = co_await get(sparse, 0, 10);
    BOOST_TEST(nothing.empty());
    co_await put(sparse, 100'000, "end");
    const std::string hole = co_await get(sparse, 99'998, 10);
    BOOST_TEST(hole == std::string("\0\0end", 5));
    const std::string beyond = co_await get(sparse, 200'000, 10);
    BOOST_TEST(beyond.empty());
    const std::string none = co_await get(sparse, 0, 0);
    BOOST_TEST(none.empty());
    co_await put(sparse, 300'000, "");
    const std::uint64_t size = co_await sparse.size();
    BOOST_TEST(size == 100'003U);
}

task<> write_large(const temporary_folder& place) {
    constexpr std::size_t size = 5UL * 1024 * 1024 + 17;
    const std::vector<std::byte> written = pattern(size, 7);
    file large = co_await file::open(place / "large", writable());
    co_await large.write_at(3, written);
    std::vector<std::byte> found(size + 100);
    const std::size_t taken = co_await large.read_at(3, found);
    found.resize(taken);
    BOOST_TEST((found == written));
}

task<> write_block(file& shared, std::size_t block) {
    const std::vector<std::byte> written = pattern(4096, block);
    co_await shared.write_at(block * written.size(), written);
    std::vector<std::byte> found(written.size());
    const std::size_t taken = co_await shared.read_at(block * written.size(), found);
    BOOST_TEST((taken == found.size() && found == written), "block " << block);
}

task<> write_blocks(scope& children, file* shared) {
    for (std::size_t block = 0; block < 200; ++block) {
        children.spawn(write_block(*shared, block));
    }
    co_await children.join();
}

task<> write_at_once(const temporary_folder& place) {
    file shared = co_await file::open(place / "shared", writable());
    co_await with_scope(&write_blocks, &shared);
    const std::uint64_t size = co_await shared.size();
    BOOST_TEST(size == 200U * 4096);
}

task<> refuse_ranges(const temporary_folder& place) {
    file kept = co_await file::open(place / "kept", writable());
    const std::error_code far = co_await code_of(put(kept, offset_max, "x"));
    check_errno(far, EFBIG);
    const std::error_code farther = co_await code_of(get_and_drop(kept, offset_max + 1, 1));
    check_errno(farther, EFBIG);
    // What the kernel takes for "where the file stands".
    const std::error_code farthest = co_await code_of(put(kept, ~std::uint64_t(0), "x"));
    check_errno(farthest, EFBIG);
    const std::uint64_t size = co_await kept.size();
    BOOST_TEST(size == 0U);
}

// --- Opening.

task<> open_in_each_way(const temporary_folder& place) {
    const std::string path = place / "one";
    const std::error_code missing = co_await code_of(open_and_drop(path, file_options()));
    check_errno(missing, ENOENT);
    const std::string words = co_await words_of(open_and_drop(path, file_options()));
    BOOST_TEST(words.find("open " + path) != std::string::npos, words);
    co_await make(path, "12345");
    const std::error_code there = co_await code_of(open_and_drop(path, writable(file_creation::always)));
    check_errno(there, EEXIST);
    const std::error_code directory = co_await code_of(open_and_drop(place.path(), writable()));
    check_errno(directory, EISDIR);
    const std::error_code below = co_await code_of(open_and_drop(path + "/two", writable()));
    check_errno(below, ENOTDIR);
    {
        file read = co_await file::open(path);
        const std::error_code refused = co_await code_of(put(read, 0, "x"));
        check_errno(refused, EBADF);
    }
    co_await open_and_drop(path, writable());
    const std::string kept = co_await content_of(path);
    BOOST_TEST(kept == "12345");
    file_options cut = writable(file_creation::never);
    cut.truncate = true;
    co_await open_and_drop(path, cut);
    const std::string gone = co_await content_of(path);
    BOOST_TEST(gone.empty());
}

task<> refuse_options(const temporary_folder& place) {
    file_options how;
    how.creation = file_creation::if_missing;
    const std::string creation = co_await words_of(open_and_drop(place / "a", how));
    BOOST_TEST(creation.find("file_options.creation") != std::string::npos, creation);
    how.creation = file_creation::never;
    how.truncate = true;
    const std::string truncate = co_await words_of(open_and_drop(place / "a", how));
    BOOST_TEST(truncate.find("file_options.truncate") != std::string::npos, truncate);
    how = writable();
    how.permissions = 01000;
    const std::string permissions = co_await words_of(open_and_drop(place / "a", how));
    BOOST_TEST(permissions.find("file_options.permissions") != std::string::npos, permissions);
    const std::error_code empty = co_await code_of(open_and_drop("", writable()));
    check_errno(empty, EINVAL);
    const std::error_code zero =
        co_await code_of(open_and_drop(place.path() + std::string("/a\0b", 4), writable()));
    check_errno(zero, EINVAL);
    const auto names = co_await list_directory(place.path());
    BOOST_TEST(names.empty());
}

task<> use_closed(const temporary_folder& place) {
    file first = co_await file::open(place / "a", writable());
    file kept = std::move(first);
    BOOST_TEST(!first.is_open());
    BOOST_TEST(first.native_descriptor() == -1);
    const std::error_code moved = co_await code_of(put(first, 0, "x"));
    check_code(moved, errc::closed);
    kept.close();
    const std::error_code read = co_await code_of(get_and_drop(kept, 0, 1));
    check_code(read, errc::closed);
    const std::error_code synced = co_await code_of(kept.sync_data());
    check_code(synced, errc::closed);
    const std::error_code measured = co_await code_of(measure_and_drop(kept));
    check_code(measured, errc::closed);
}

task<> close_soon(file& which) {
    which.close();
    co_return;
}

task<> close_while_writing(const temporary_folder& place) {
    file kept = co_await file::open(place / "a", writable());
    const std::vector<std::byte> written = pattern(100'000, 1);
    co_await when_all(kept.write_at(0, written), close_soon(kept));
    const std::string found = co_await content_of(place / "a");
    BOOST_TEST(found.size() == written.size());
}

// --- Sizes.

task<> change_sizes(const temporary_folder& place) {
    file kept = co_await file::open(place / "a", writable());
    co_await put(kept, 0, "0123456789");
    co_await kept.resize(4);
    const std::string cut = co_await get(kept, 0, 100);
    BOOST_TEST(cut == "0123");
    co_await kept.resize(6);
    const std::string grown = co_await get(kept, 0, 100);
    BOOST_TEST(grown == std::string("0123\0\0", 6));
    const std::error_code code = co_await code_of(kept.preallocate(0, 100'000));
    if (code == make_error(EOPNOTSUPP)) {
        BOOST_TEST_MESSAGE("the file system of the temporary directory cannot preallocate");
        co_return;
    }
    BOOST_TEST(!code, code.message());
    const std::uint64_t size = co_await kept.size();
    BOOST_TEST(size == 100'000U);
    const std::string same = co_await get(kept, 0, 4);
    BOOST_TEST(same == "0123");
    co_await kept.preallocate(200'000, 0);
    const std::uint64_t unchanged = co_await kept.size();
    BOOST_TEST(unchanged == 100'000U);
}

// --- Names.

task<> change_names(const temporary_folder& place) {
    co_await make(place / "new", "new");
    co_await make(place / "old", "old");
    co_await rename_file(place / "new", place / "old");
    const std::string replaced = co_await content_of(place / "old");
    BOOST_TEST(replaced == "new");
    const std::error_code gone = co_await code_of(rename_file(place / "new", place / "other"));
    check_errno(gone, ENOENT);
    co_await create_directory(place / "below");
    const std::error_code twice = co_await code_of(create_directory(place / "below"));
    check_errno(twice, EEXIST);
    co_await make(place / "below/c", "");
    co_await make(place / "b", "");
    co_await make(place / ".a", "");
    co_await sync_directory(place.path());
    const auto names = co_await list_directory(place.path());
    BOOST_TEST((names == std::vector<std::string>{".a", "b", "below", "old"}));
    co_await remove_file(place / "b");
    const std::error_code again = co_await code_of(remove_file(place / "b"));
    check_errno(again, ENOENT);
    const std::error_code no_file = co_await code_of(remove_file(place / "below"));
    check_errno(no_file, EISDIR);
    const std::error_code no_directory = co_await code_of(sync_directory(place / "old"));
    check_errno(no_directory, ENOTDIR);
    const std::error_code not_there = co_await code_of(list_and_drop(place / "nowhere"));
    check_errno(not_there, ENOENT);
    const std::string words = co_await words_of(list_and_drop(place / "nowhere"));
    BOOST_TEST(words.find(place / "nowhere") != std::string::npos, words);
}

task<> list_many(const temporary_folder& place) {
    std::vector<std::string> expected;
    for (int i = 0; i < 300; ++i) {
        expected.push_back("name " + std::to_string(i * 7919 % 1000));
        co_await make(place / expected.back(), "");
    }
    std::ranges::sort(expected);
    const auto found = co_await list_directory(place.path());
    BOOST_TEST((found == expected));
}

// --- Failures of the device.

task<> sync_what_cannot() {
    // The kernel synchronizes no such device: a failure that needs no broken disk.
    file device = co_await file::open("/dev/null", writable(file_creation::never));
    co_await put(device, 0, "x");
    const std::error_code failed = co_await code_of(device.sync_data());
    check_errno(failed, EINVAL);
    const std::error_code again = co_await code_of(device.sync_data());
    check_errno(again, EINVAL);
    const std::error_code written = co_await code_of(put(device, 0, "x"));
    check_errno(written, EINVAL);
    const std::string words = co_await words_of(put(device, 0, "x"));
    BOOST_TEST(words.find("an earlier synchronization failed") != std::string::npos, words);
    const std::error_code cut = co_await code_of(device.resize(0));
    check_errno(cut, EINVAL);
    const std::string read = co_await get(device, 0, 1);
    BOOST_TEST(read.empty());
}

task<> fill_a_device() {
    file full = co_await file::open("/dev/full", writable(file_creation::never));
    const std::error_code code = co_await code_of(put(full, 0, "x"));
    check_errno(code, ENOSPC);
    // That was not a failure to synchronize: other writes may find room.
    const std::string words = co_await words_of(put(full, 0, "x"));
    BOOST_TEST(words.find("write 1 bytes at 0 of /dev/full") != std::string::npos, words);
    BOOST_TEST(words.find("earlier") == std::string::npos, words);
}

/// No file may grow beyond a size, while it lives.
class limited_files {
public:
    explicit limited_files(rlim_t bytes) : ignores_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limited = before_;
        limited.rlim_cur = bytes;
        BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
    }

    limited_files(const limited_files&) = delete;
    limited_files& operator=(const limited_files&) = delete;

    ~limited_files() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        static_cast<void>(std::signal(SIGXFSZ, ignores_));
    }

private:
    rlimit before_{};
    void (*ignores_)(int);
};

task<> write_over_the_limit(const temporary_folder& place) {
    file kept = co_await file::open(place / "a", writable());
    const std::vector<std::byte> written = pattern(100'000, 1);
    const limited_files limited(50'000);
    const std::error_code code = co_await code_of(kept.write_at(0, written));
    check_errno(code, EFBIG);
    const std::uint64_t size = co_await kept.size();
    BOOST_TEST(size == 50'000U);
}

// --- Stops.

task<> write_for_ever(file& shared, std::uint64_t offset) {
    const std::vector<std::byte> written = pattern(200'000, offset);
    for (;;) {
        co_await shared.write_at(offset, written);
        co_await shared.sync_data();
    }
}

task<> list_for_ever(std::string path) {
    for (;;) {
        const auto names = co_await list_directory(path);
        co_await open_and_drop(path + "/shared", file_options());
    }
}

task<> busy(scope& children, file* shared, const std::string* path) {
    for (std::uint64_t writer = 0; writer < 12; ++writer) {
        children.spawn(write_for_ever(*shared, writer * 200'000));
        children.spawn(list_for_ever(*path));
    }
    co_await children.join();
}

task<> be_busy(const temporary_folder& place) {
    file shared = co_await file::open(place / "shared", writable());
    co_await with_scope(&busy, &shared, &place.path());
}

task<> stop_after(nanoseconds time) {
    co_await sleep_for(time);
}

task<> stop_in_the_middle(const temporary_folder& place) {
    for (const nanoseconds time : {0us, 50us, 300us, 1'000us, 3'000us, 10'000us}) {
        co_await when_any(be_busy(place), stop_after(time));
    }
    // All works as before.
    co_await write_and_read(place);
}

task<> spawn_busy(const temporary_folder& place) {
    loop& here = co_await this_loop();
    here.spawn(be_busy(place));
    co_await sleep_for(2ms);
}

task<> spawn_and_stop(const temporary_folder& place) {
    co_await spawn_busy(place);
    loop& here = co_await this_loop();
    here.stop();
}

} // namespace

CONFORMANCE_CASE(file_is_written_and_read, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(write_and_read(place));
}

CONFORMANCE_CASE(file_ends_where_it_ends, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(read_beyond_the_end(place));
}

CONFORMANCE_CASE(file_takes_large_writes, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(write_large(place));
}

CONFORMANCE_CASE(file_is_used_by_many_at_once, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(write_at_once(place));
}

CONFORMANCE_CASE(file_offsets_have_a_bound, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(refuse_ranges(place));
}

CONFORMANCE_CASE(file_is_opened_as_said, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(open_in_each_way(place));
}

CONFORMANCE_CASE(file_options_are_checked, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(refuse_options(place));
}

CONFORMANCE_CASE(file_that_is_closed_refuses, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(use_closed(place));
}

CONFORMANCE_CASE(file_is_closed_after_what_is_under_way, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(close_while_writing(place));
}

CONFORMANCE_CASE(file_changes_its_size, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(change_sizes(place));
}

CONFORMANCE_CASE(file_names_come_and_go, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(change_names(place));
}

CONFORMANCE_CASE(file_names_are_listed_in_order, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(list_many(place));
}

CONFORMANCE_CASE(file_that_failed_to_synchronize_is_not_written, needs_kernel | needs_files) {
    row.open(loop_options())->run(sync_what_cannot());
}

CONFORMANCE_CASE(file_on_a_full_device_says_so, needs_kernel | needs_files) {
    row.open(loop_options())->run(fill_a_device());
}

CONFORMANCE_CASE(file_beyond_a_limit_says_so, needs_kernel | needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(write_over_the_limit(place));
}

CONFORMANCE_CASE(file_operations_are_stopped, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(stop_in_the_middle(place));
}

CONFORMANCE_CASE(file_operations_end_when_all_is_stopped, needs_files) {
    const temporary_folder place;
    row.open(loop_options())->run(spawn_and_stop(place));
}

CONFORMANCE_CASE(file_operations_end_with_their_loop, needs_files) {
    const temporary_folder place;
    const auto world = row.open(loop_options());
    if (row.drives_itself) {
        world->run(spawn_busy(place));
    } else {
        world->here().spawn(be_busy(place));
        asio_context(world->here()).run_for(3ms);
    }
}

} // namespace phoenix::net::conformance
