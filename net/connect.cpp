#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/detail/op_awaiter.hpp>
#include <phoenix/net/error.hpp>

#include <cerrno>

#include <netdb.h>

namespace phoenix::net {

namespace {

std::error_code resolve_error(int result) noexcept {
    switch (result) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return errc::host_not_found;
    case EAI_AGAIN:
    case EAI_SYSTEM:
        return errc::resolve_try_again;
    case EAI_MEMORY:
        return make_error(ENOMEM);
    case -EMFILE:
    case -ENFILE:
        return make_error(-result);
    default:
        return errc::resolve_failed;
    }
}

} // namespace

task<stream> connect(endpoint peer, stream_options options) {
    options.validate();
    loop& here = co_await this_loop();
    handle& connection = here.backend().open_stream(peer, options);
    detail::op_awaiter<connect_op> connecting(peer);
    connecting.target = &connection;
    const int result = co_await connecting;
    if (result < 0) {
        here.backend().release(connection, false);
        throw_error(detail::result_error(result), "connect to " + peer.to_string());
    }
    co_return stream(here, connection, options);
}

task<std::vector<endpoint>> resolve(std::string host, std::uint16_t port) {
    if (const std::size_t zero = host.find('\0'); zero != std::string::npos) {
        // The resolver would see another name than whoever checked this one.
        throw_error(errc::invalid_endpoint,
                    "resolve " + host.substr(0, zero) + ": the name goes on after a zero byte");
    }
    detail::op_awaiter<resolve_op> resolving(host, port);
    const int result = co_await resolving;
    if (result == -ECANCELED) {
        throw_error(errc::canceled, "resolve " + host);
    }
    if (result == -EMFILE || result == -ENFILE) {
        throw_error(resolve_error(result), "resolve " + host);
    }
    if (result != 0) {
        throw_error(resolve_error(result), "resolve " + host + ": " + ::gai_strerror(result));
    }
    co_return std::move(resolving.endpoints);
}

task<stream> connect_to_host(std::string host, std::uint16_t port, stream_options options,
                             nanoseconds per_address) {
    options.validate();
    const std::vector<endpoint> addresses = co_await resolve(host, port);
    for (const endpoint& address : addresses) {
        const bool is_last = &address == &addresses.back();
        try {
            if (is_last) {
                co_return co_await connect(address, options);
            }
            co_return co_await with_deadline(connect(address, options), per_address);
        } catch (const std::system_error& e) {
            if (is_last || is_canceled(e.code())) {
                throw;
            }
        }
    }
    throw_error(errc::host_not_found, "resolve " + host + ": no address of a usable family");
}

} // namespace phoenix::net
