// Errors of the library: one std::error_category, `phoenix.net`, for its own conditions and for what the
// kernel said. I/O errors are thrown from the awaiting coroutine as std::system_error with such a code.
//
//   try {
//       auto peer = co_await net::connect(where);
//       co_await talk(std::move(peer));
//   } catch (const std::system_error& e) {
//       if (net::retry_advice(e.code()) != net::retry::later) // a cancellation is not: it goes up
//           throw;
//       pause = backoff.next(); // slept after the catch block, which may not suspend
//   }
//
// A kernel errno keeps its own number in this category and maps to the portable condition, so that
// `e.code() == std::errc::connection_refused` holds whatever driver produced it. Everything here may be
// called from any thread; nothing allocates but `message()` and the throwing functions.
#pragma once

#include <phoenix/config.hpp>

#include <string>
#include <system_error>
#include <type_traits>

namespace phoenix::net {

/// Conditions that the kernel has no errno for. The numbers lie above every errno.
enum class errc : int {
    canceled = 10000,  ///< the task was cancelled; equals std::errc::operation_canceled
    timed_out,         ///< a deadline passed; equals std::errc::timed_out
    closed,            ///< used after close; equals std::errc::bad_file_descriptor
    end_of_stream,     ///< the peer closed where more bytes were expected
    host_not_found,    ///< the name does not exist, or has no address of a usable family
    resolve_try_again, ///< the name server did not answer, or nobody could be sent to ask it
    resolve_failed,    ///< the resolver failed for good
    invalid_endpoint,  ///< text or a native address that is no endpoint; equals std::errc::invalid_argument
    invalid_options,   ///< an options struct failed validate(); equals std::errc::invalid_argument
    queue_full,        ///< a bounded queue refused; equals std::errc::no_buffer_space
    loop_after_fork,   ///< a loop was used in a forked child
    wrong_thread,      ///< an io_uring loop was run by another thread than the one that ran it first
    not_supported,     ///< this driver, kernel or build cannot do it; equals std::errc::not_supported
};

/// The category of every error code that the library makes. Its name is "phoenix.net".
[[nodiscard]] const std::error_category& category() noexcept;

/// Found by std::error_code, so that `code == errc::end_of_stream` and `std::error_code c = errc::closed`
/// work.
[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), category()};
}

/// A kernel errno (positive, as in `errno` or a negated io_uring result) as a code of this category.
/// 0 is success and gives the empty code.
[[nodiscard]] inline std::error_code make_error(int errno_value) noexcept {
    PHOENIX_ASSERT(errno_value >= 0, "make_error takes a positive errno: negate the result of the ring");
    if (errno_value == 0) {
        return {};
    }
    return {errno_value, category()};
}

/// What to do with an operation that failed.
enum class retry {
    never, ///< the same call fails again: a program or its configuration must change
    now,   ///< nothing is wrong: repeat at once, a bounded number of times
    later, ///< a peer, the network or a limit of this machine: repeat after a growing pause, connecting anew
};

/// The one table of which errors are worth a retry. Codes of other categories (std::generic, std::system,
/// Asio's system errors) are judged by the portable condition that they map to. Success gives `never`.
[[nodiscard]] retry retry_advice(std::error_code code) noexcept;

/// True for a cancellation, whichever layer reported it (errc::canceled, ECANCELED, asio operation_aborted).
[[nodiscard]] bool is_canceled(std::error_code code) noexcept;

/// Throws std::system_error; `what` says what was being done ("connect to 127.0.0.1:80").
[[noreturn]] void throw_error(std::error_code code, const char* what);
[[noreturn]] void throw_error(std::error_code code, const std::string& what);

} // namespace phoenix::net

template <>
struct std::is_error_code_enum<phoenix::net::errc> : std::true_type {};
