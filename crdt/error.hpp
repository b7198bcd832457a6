// Errors of the lattices: one std::error_category, `phoenix.crdt`.
//
// Bytes that do not decode throw decode_error, which says at which byte and what was expected there. Calls that a
// type refuses (a negative increment, a spent right) throw std::system_error with a code of this category and leave
// the state as it was. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <system_error>
#include <type_traits>

namespace phoenix::crdt {

enum class errc : int {
    malformed_bytes = 1, ///< bytes that no state of this type encodes to
    limit_exceeded,      ///< more replicas, dots or bytes than a state may have
    negative_amount,     ///< a counter was asked to grow by less than nothing
    counter_overflow,    ///< a total would leave the range of 64 bits
    insufficient_rights, ///< a bounded counter's replica holds too few rights
    clock_too_far_ahead, ///< a timestamp lies further in the future than the clock allows
    invalid_operation,   ///< the state does not admit this operation
};

[[nodiscard]] const std::error_category& category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), category()};
}

/// Throws std::system_error; `what` says what was being done and what was expected.
[[noreturn]] void throw_error(errc code, const std::string& what);

/// Bytes that do not decode. what() names the byte, what was expected there and what stood there.
class decode_error : public std::system_error {
public:
    decode_error(errc code, std::size_t offset, const std::string& expected);

    /// The byte, counted from the first of the input, at which decoding stopped.
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

private:
    std::size_t offset_;
};

} // namespace phoenix::crdt

template <>
struct std::is_error_code_enum<phoenix::crdt::errc> : std::true_type {};
