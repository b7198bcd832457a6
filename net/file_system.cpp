#include <phoenix/net/detail/op_awaiter.hpp>
#include <phoenix/net/detail/path_argument.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/file_op.hpp>
#include <phoenix/net/file_system.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace phoenix::net {

namespace {

task<> run_on_path(op_kind kind, const char* what, std::string path) {
    const char* const argument = detail::path_argument(what, path);
    // A stop that interrupts a ring's operation is told as such by the next attempt.
    int result = -EINTR;
    while (result == -EINTR) {
        detail::op_awaiter<path_op> running(kind, argument);
        result = co_await running;
    }
    if (result < 0) {
        throw_error(detail::result_error(result), std::string(what) + " " + path);
    }
}

} // namespace

task<> rename_file(std::string from, std::string to) {
    constexpr const char* what = "rename";
    const char* const from_path = detail::path_argument(what, from);
    const char* const to_path = detail::path_argument(what, to);
    int result = -EINTR;
    while (result == -EINTR) {
        detail::op_awaiter<rename_op> renaming(from_path, to_path);
        result = co_await renaming;
    }
    if (result < 0) {
        throw_error(detail::result_error(result), "rename " + from + " to " + to);
    }
}

task<> remove_file(std::string path) {
    return run_on_path(op_kind::remove_file, "remove file", std::move(path));
}

task<> sync_directory(std::string path) {
    return run_on_path(op_kind::sync_directory, "synchronize directory", std::move(path));
}

task<> create_directory(std::string path) {
    return run_on_path(op_kind::create_directory, "create directory", std::move(path));
}

task<std::vector<std::string>> list_directory(std::string path) {
    constexpr const char* what = "list directory";
    detail::op_awaiter<list_directory_op> listing(detail::path_argument(what, path));
    const int result = co_await listing;
    if (result < 0) {
        throw_error(detail::result_error(result), std::string(what) + " " + path);
    }
    std::ranges::sort(listing.names);
    co_return std::move(listing.names);
}

} // namespace phoenix::net
