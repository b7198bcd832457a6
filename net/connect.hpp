// Outgoing connections, and names.
//
//   stream peer = co_await connect(endpoint::parse("[::1]:7000"));
//   stream other = co_await connect_to_host("db.internal", 7000);
//   stream third = co_await connect_to("db.internal:7000");
//
// Each throws std::system_error: refused, unreachable, timed out by the kernel, errc::canceled, a resolve
// error; retry_advice (error.hpp) says which are worth another try. Bound them with with_deadline. Thread
// rule: a loop's.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/socket_options.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace phoenix::net {

/// Connects to one address.
[[nodiscard]] task<stream> connect(endpoint peer, stream_options options = {});

/// The addresses of a host name, in the resolver's order (RFC 6724); a numeric address needs no lookup. The
/// lookup runs on a thread of the driver's. Cancelling gives up at once; the lookup itself ends by itself
/// later. Throws errc::host_not_found, errc::resolve_failed, and, worth a retry, errc::resolve_try_again (no
/// answer, or no thread for the lookup) and a limit of this machine (EMFILE, ENFILE, ENOMEM);
/// errc::invalid_endpoint for a name with a zero byte in it.
[[nodiscard]] task<std::vector<endpoint>> resolve(std::string host, std::uint16_t port);

/// Resolves, then tries one address after the other, giving each `per_address` when others follow. Throws
/// what the last one gave.
[[nodiscard]] task<stream> connect_to_host(std::string host, std::uint16_t port, stream_options options = {},
                                           nanoseconds per_address = std::chrono::seconds(2));

/// A host and a port, as people write them: "db.internal:7000", "10.0.0.1:7000", "[::1]:7000".
struct host_and_port {
    /// A name or a numeric address, without brackets.
    std::string host;
    std::uint16_t port = 0;

    /// Throws std::system_error(errc::invalid_endpoint) that says what was found and what was expected.
    [[nodiscard]] static host_and_port parse(std::string_view text);
};

/// The addresses that `text` means: an endpoint's text (endpoint::parse), or a host_and_port, whose host is resolved.
[[nodiscard]] task<std::vector<endpoint>> resolve_address(std::string text);

/// Connects to one of the addresses that `text` means, as connect_to_host.
[[nodiscard]] task<stream> connect_to(std::string text, stream_options options = {},
                                      nanoseconds per_address = std::chrono::seconds(2));

} // namespace phoenix::net
