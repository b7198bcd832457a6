// Errors of replication: one std::error_category, `phoenix.replication`.
//
// Bytes that do not decode carry the codes of codec and crdt; sockets those of net. Any thread.
#pragma once

#include <string>
#include <system_error>
#include <type_traits>

namespace phoenix::replication {

enum class errc : int {
    invalid_options = 1, ///< an options struct failed validate(), or a registration contradicts another
    unknown_type,        ///< an object of a type that is not registered here
    protocol_violation,  ///< a peer sent what the protocol does not allow at this point
    limit_exceeded,      ///< more than an option allows
    refused,             ///< two nodes that do not go together: see session/handshake.hpp
    cryptography_failed, ///< OpenSSL did not do what it must
    overtaken,           ///< another process with this node's id has started later: this one stops writing
};

[[nodiscard]] const std::error_category& category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), category()};
}

/// Throws std::system_error; `what` says what was being done, what was expected and what was found.
[[noreturn]] void throw_error(errc code, const std::string& what);

} // namespace phoenix::replication

template <>
struct std::is_error_code_enum<phoenix::replication::errc> : std::true_type {};
