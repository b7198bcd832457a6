#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/detail/op_awaiter.hpp>
#include <phoenix/net/error.hpp>

#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

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

host_and_port host_and_port::parse(std::string_view text) {
    const auto refuse = [&](const char* expected) {
        throw_error(errc::invalid_endpoint, "\"" + std::string(text) + "\": expected " + expected);
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        refuse("HOST:PORT");
    }
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        refuse("an address of version 6 in brackets, as in [::1]:7000");
    }
    host_and_port found{std::string(host), 0};
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), found.port);
    if (error != std::errc() || end != port.data() + port.size()) {
        refuse("a port from 0 to 65535 after the last colon");
    }
    return found;
}

task<std::vector<endpoint>> resolve_address(std::string text) {
    if (const auto address = endpoint::try_parse(text)) {
        co_return std::vector<endpoint>(1, *address);
    }
    const host_and_port wanted = host_and_port::parse(text);
    co_return co_await resolve(wanted.host, wanted.port);
}

namespace {

/// `name` is what was resolved, for the error when nothing came of it.
task<stream> connect_to_one_of(std::vector<endpoint> addresses, std::string name, stream_options options,
                               nanoseconds per_address) {
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
    throw_error(errc::host_not_found, "resolve " + name + ": no address of a usable family");
}

} // namespace

task<stream> connect_to_host(std::string host, std::uint16_t port, stream_options options,
                             nanoseconds per_address) {
    options.validate();
    std::vector<endpoint> addresses = co_await resolve(host, port);
    co_return co_await connect_to_one_of(std::move(addresses), std::move(host), options, per_address);
}

task<stream> connect_to(std::string text, stream_options options, nanoseconds per_address) {
    options.validate();
    std::vector<endpoint> addresses = co_await resolve_address(text);
    co_return co_await connect_to_one_of(std::move(addresses), std::move(text), options, per_address);
}

} // namespace phoenix::net
