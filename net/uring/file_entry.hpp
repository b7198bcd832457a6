// Operations on files as entries of a ring.
#pragma once

#include <phoenix/net/file_op.hpp>

#include <liburing.h>

namespace phoenix::net::detail {

/// False for what the rings of this kernel do not know.
[[nodiscard]] bool ring_takes(op_kind kind) noexcept;

/// Fills the entry, but for its user data. Precondition: ring_takes(operation.kind).
void prepare(io_uring_sqe& entry, const file_op& operation) noexcept;

} // namespace phoenix::net::detail
