// Which driver a loop gets when nobody names one.
#pragma once

#include <phoenix/net/driver.hpp>
#include <phoenix/net/log.hpp>
#include <phoenix/net/loop_options.hpp>

#include <memory>

namespace phoenix::net {

/// The driver that `options.driver` asks for. `automatic` gives io_uring where the kernel allows it;
/// otherwise it logs one warning that says why, and gives Asio. Throws std::system_error when io_uring was
/// asked for by name and is refused, or is not part of this build.
[[nodiscard]] std::unique_ptr<driver> make_default_driver(const loop_options& options, logger& log);

} // namespace phoenix::net
