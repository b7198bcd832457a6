#include <phoenix/config.hpp>
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/default_driver.hpp>
#include <phoenix/net/error.hpp>
#if PHOENIX_HAS_URING
#include <phoenix/net/uring/uring_driver.hpp>
#endif

#include <string>
#include <system_error>

namespace phoenix::net {

std::unique_ptr<driver> make_default_driver(const loop_options& options, logger& log) {
    if (options.driver == driver_kind::asio) {
        return make_asio_driver();
    }
#if PHOENIX_HAS_URING
    try {
        return make_uring_driver(options);
    } catch (const std::system_error& refused) {
        if (options.driver == driver_kind::uring) {
            throw;
        }
        log.log(log_level::warning, "net.loop", "driver-fallback", monotonic_time(),
                std::string("io_uring is not used, Asio (epoll) is: ") + refused.what());
    }
#else
    if (options.driver == driver_kind::uring) {
        throw_error(errc::not_supported,
                    "this build of phoenix has no io_uring driver: configure with PHOENIX_URING=ON");
    }
    static_cast<void>(log);
#endif
    return make_asio_driver();
}

} // namespace phoenix::net
