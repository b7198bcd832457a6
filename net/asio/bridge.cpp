#include <phoenix/net/asio/bridge.hpp>
#include <phoenix/net/error.hpp>

#include <asio/error.hpp>

#include <cerrno>

namespace phoenix::net::detail {

std::error_code from_asio(const std::error_code& error) noexcept {
    if (error == asio::error::eof) {
        return errc::end_of_stream;
    }
    if (error.category() == asio::error::get_system_category()) {
        return error.value() == ECANCELED ? make_error_code(errc::canceled) : make_error(error.value());
    }
    return error;
}

} // namespace phoenix::net::detail
