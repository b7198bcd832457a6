// The io_uring driver. Users reach it through loop_options::driver; see driver.hpp for the contract.
#pragma once

#include <phoenix/net/driver.hpp>
#include <phoenix/net/loop_options.hpp>

#include <memory>
#include <string>

namespace phoenix::net {

/// Opens a ring. Throws std::system_error with the kernel's errno and a text that says why this machine
/// refuses io_uring and what to do: not compiled in (ENOSYS), forbidden (EPERM), older than Linux 6.1
/// (EINVAL), a memory limit (ENOMEM), descriptors (EMFILE).
[[nodiscard]] std::unique_ptr<driver> make_uring_driver(const loop_options& options = loop_options());

namespace detail {

/// What to tell people about a setup that failed with `error`, an errno.
[[nodiscard]] std::string explain_ring_refusal(int error);

} // namespace detail
} // namespace phoenix::net
