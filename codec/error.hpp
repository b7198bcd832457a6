// Errors of the wire: one std::error_category, `phoenix.codec`.
//
//   try {
//       reader.feed(data, on_frame);
//   } catch (const std::system_error& e) {
//       if (e.code().category() == codec::category())
//           part_from(peer, e.what()); // the bytes are wrong, the connection is not worth keeping
//   }
//
// Whatever a peer sends that is not as codec/WIRE.md says is thrown as std::system_error with a code of this category;
// the message says where it stood, what was expected and what was found. Any thread.
#pragma once

#include <string>
#include <system_error>
#include <type_traits>

namespace phoenix::codec {

enum class errc : int {
    malformed_frame = 1,     ///< a header or padding that no frame has
    bad_checksum,            ///< the frame's bytes are not those that were sent
    unsupported_compression, ///< compressed in a way that this version does not speak
    malformed_message,       ///< a payload that is no message of its kind
    limit_exceeded,          ///< larger or more than the reader's limits allow
    stream_lost,             ///< the reader refused this stream before
    invalid_options,         ///< an options struct failed validate(); equals std::errc::invalid_argument
};

[[nodiscard]] const std::error_category& category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), category()};
}

/// Throws std::system_error; `what` says where, what was expected and what was found.
[[noreturn]] void throw_error(errc code, const std::string& what);

} // namespace phoenix::codec

template <>
struct std::is_error_code_enum<phoenix::codec::errc> : std::true_type {};
