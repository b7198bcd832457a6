// Where a socket is: a TCP address of version 4 or 6 with its port, or the name of a Unix socket.
//
//   const auto local = net::endpoint::loopback_v4(0);               // port 0: the kernel picks one
//   const auto peer = net::endpoint::parse("[fe80::1%eth0]:7000");  // throws errc::invalid_endpoint
//   if (const auto typed = net::endpoint::try_parse(argument))
//       log(typed->to_string());
//   ::connect(fd, peer.data(), peer.size());
//
// A value type: it owns its bytes, copying allocates nothing, and equal endpoints have equal bytes. Host
// names are not endpoints; they go through `resolve`. May be used from any thread, like an int.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace phoenix::net {

enum class address_family : std::uint8_t {
    none, ///< a default-constructed endpoint
    v4,
    v6,
    local, ///< a Unix socket: a path or a name of Linux's abstract namespace
};

class endpoint {
public:
    /// The longest path or abstract name (without its '@') of a Unix socket, in bytes.
    static constexpr std::size_t max_unix_name_bytes = sizeof(sockaddr_un::sun_path) - 1;

    /// Names nothing: family none, size 0. For results that are filled in later.
    endpoint() noexcept : storage_{} {}

    /// Reads what to_string writes: "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80" or "[fe80::1%2]:80" (the
    /// scope as the interface's name or index), "unix:/run/x.sock", "unix:@name" (abstract; any bytes).
    /// Numbers are decimal without leading zeros. A scope given by name asks the kernel for its index.
    /// Throws std::system_error(errc::invalid_endpoint) that says what was found and what was expected.
    [[nodiscard]] static endpoint parse(std::string_view text);

    /// The same without throwing or allocating: empty when `text` is no endpoint.
    [[nodiscard]] static std::optional<endpoint> try_parse(std::string_view text) noexcept;

    /// Address bytes in network order, the port in the machine's.
    [[nodiscard]] static endpoint tcp_v4(std::array<std::uint8_t, 4> address, std::uint16_t port) noexcept;
    [[nodiscard]] static endpoint tcp_v6(std::array<std::uint8_t, 16> address, std::uint16_t port,
                                         std::uint32_t scope = 0) noexcept;

    /// The address as text without port or brackets: tcp_v4("10.0.0.1", 80), tcp_v6("fe80::1%eth0", 80).
    /// Throws as parse does.
    [[nodiscard]] static endpoint tcp_v4(std::string_view address, std::uint16_t port);
    [[nodiscard]] static endpoint tcp_v6(std::string_view address, std::uint16_t port);

    [[nodiscard]] static endpoint loopback_v4(std::uint16_t port) noexcept;
    [[nodiscard]] static endpoint loopback_v6(std::uint16_t port) noexcept;
    [[nodiscard]] static endpoint any_v4(std::uint16_t port) noexcept;
    [[nodiscard]] static endpoint any_v6(std::uint16_t port) noexcept;

    /// A path in the file system, or with a leading '@' an abstract name. Throws errc::invalid_endpoint when
    /// it is empty, longer than max_unix_name_bytes, or a path with a zero byte in it.
    [[nodiscard]] static endpoint unix_path(std::string_view path);

    /// What accept, getsockname, getpeername and getaddrinfo give; `address` is only read. The flow label is
    /// dropped. A Unix address without a name (a client that did not bind) is local with an empty
    /// unix_name(). Throws errc::invalid_endpoint for a family other than those above or a size too small for
    /// it.
    [[nodiscard]] static endpoint from_native(const sockaddr* address, socklen_t size);

    [[nodiscard]] address_family family() const noexcept;
    [[nodiscard]] bool is_tcp() const noexcept;

    [[nodiscard]] bool is_unix() const noexcept { return family() == address_family::local; }

    /// The port, 0 for a Unix socket.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// The same address with another port. The endpoint must be TCP: asserted.
    [[nodiscard]] endpoint with_port(std::uint16_t port) const noexcept;
    /// The index of the interface that a link-local v6 address belongs to; 0 for none and for other families.
    [[nodiscard]] std::uint32_t scope() const noexcept;
    /// The path in the file system, empty when there is none. Valid as long as this endpoint.
    [[nodiscard]] std::string_view unix_name() const noexcept;
    /// True when unix_name() is of the abstract namespace (it then comes without its '@').
    [[nodiscard]] bool is_abstract() const noexcept;

    /// Text that parse reads back as an equal endpoint; the scope is written as an index. What parse cannot
    /// give has text too, for logs: "none", and "unix:" for a Unix socket without a name.
    [[nodiscard]] std::string to_string() const;

    /// For the system calls. Valid as long as this endpoint; null family and size 0 when family() is none.
    [[nodiscard]] const sockaddr* data() const noexcept { return &storage_.any; }

    [[nodiscard]] socklen_t size() const noexcept { return size_; }

    friend bool operator==(const endpoint& a, const endpoint& b) noexcept;
    /// By family, address, scope and port; Unix sockets by name. A total order, the same on every machine.
    friend std::strong_ordering operator<=>(const endpoint& a, const endpoint& b) noexcept;

    [[nodiscard]] std::size_t hash() const noexcept;

private:
    struct reader;

    union storage {
        sockaddr_un un; // the largest, first: value-initialization zeroes every byte
        sockaddr_in6 v6;
        sockaddr_in v4;
        sockaddr any;
    };

    storage storage_;
    socklen_t size_ = 0;
};

} // namespace phoenix::net

template <>
struct std::hash<phoenix::net::endpoint> {
    std::size_t operator()(const phoenix::net::endpoint& e) const noexcept { return e.hash(); }
};
