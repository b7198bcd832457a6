#include <phoenix/config.hpp>
#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <net/if.h>

namespace phoenix::net {

namespace {

constexpr std::size_t unix_header_bytes = offsetof(sockaddr_un, sun_path);

/// A decimal number without sign, blanks or leading zeros.
template <typename Number>
std::optional<Number> decimal(std::string_view text) noexcept {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// What was found, for an error message: hostile text must not make it long.
std::string quoted(std::string_view text) {
    constexpr std::size_t limit = 160;
    if (text.size() <= limit) {
        return "\"" + std::string(text) + "\"";
    }
    return "\"" + std::string(text.substr(0, limit)) + "...\" (" + std::to_string(text.size()) + " bytes)";
}

[[noreturn]] void refuse(std::string_view found, const char* reason) {
    throw_error(errc::invalid_endpoint, quoted(found) + ": " + reason);
}

template <std::size_t N>
bool copy_terminated(std::string_view text, char (&buffer)[N]) noexcept {
    if (text.empty() || text.size() >= N || text.find('\0') != std::string_view::npos) {
        return false;
    }
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    return true;
}

} // namespace

/// Reads text into an endpoint. Each function returns nullptr, or in static words what was expected.
struct endpoint::reader {
    static const char* v4(std::string_view address, std::uint16_t port, endpoint& out) noexcept {
        char text[INET_ADDRSTRLEN];
        std::array<std::uint8_t, 4> bytes;
        if (!copy_terminated(address, text) || ::inet_pton(AF_INET, text, bytes.data()) != 1) {
            return "expected an IPv4 address such as 127.0.0.1 (host names go through resolve)";
        }
        out = tcp_v4(bytes, port);
        return nullptr;
    }

    static const char* v6(std::string_view address, std::uint16_t port, endpoint& out) noexcept {
        std::uint32_t scope = 0;
        if (const std::size_t percent = address.find('%'); percent != std::string_view::npos) {
            const std::string_view zone = address.substr(percent + 1);
            char name[IF_NAMESIZE];
            if (const auto index = decimal<std::uint32_t>(zone)) {
                scope = *index;
            } else if (copy_terminated(zone, name)) {
                scope = ::if_nametoindex(name);
            }
            if (scope == 0) {
                return "expected the name or the index of an interface of this machine after the '%'";
            }
            address = address.substr(0, percent);
        }
        char text[INET6_ADDRSTRLEN];
        std::array<std::uint8_t, 16> bytes;
        if (!copy_terminated(address, text) || ::inet_pton(AF_INET6, text, bytes.data()) != 1) {
            return "expected an IPv6 address such as ::1 or fe80::1%eth0";
        }
        out = tcp_v6(bytes, port, scope);
        return nullptr;
    }

    static const char* local(std::string_view name, endpoint& out) noexcept {
        const bool abstract = name.starts_with('@');
        if (abstract) {
            name.remove_prefix(1);
        }
        if (name.empty()) {
            return "expected a path or @name of a Unix socket, found none";
        }
        if (name.size() > max_unix_name_bytes) {
            return "the name of a Unix socket may have 107 bytes: use a shorter path";
        }
        if (!abstract && name.find('\0') != std::string_view::npos) {
            return "the path of a Unix socket may not contain a zero byte";
        }
        out = endpoint{};
        out.storage_.un.sun_family = AF_UNIX;
        std::memcpy(out.storage_.un.sun_path + (abstract ? 1 : 0), name.data(), name.size());
        out.size_ =
            static_cast<socklen_t>(unix_header_bytes + 1 + name.size()); // the one: '\0' before or after
        return nullptr;
    }

    static const char* any(std::string_view text, endpoint& out) noexcept {
        if (text.starts_with("unix:")) {
            return local(text.substr(5), out);
        }
        const std::size_t colon = text.rfind(':');
        const bool bracketed = text.starts_with('[');
        if (colon == std::string_view::npos || (bracketed && text.rfind(']') + 1 != colon)) {
            return "expected ADDRESS:PORT, [IPV6]:PORT, unix:PATH or unix:@NAME, found no port";
        }
        const auto port = decimal<std::uint16_t>(text.substr(colon + 1));
        if (!port) {
            return "expected a port from 0 to 65535 in decimal digits after the last ':'";
        }
        const std::string_view address = text.substr(0, colon);
        if (bracketed) {
            return v6(address.substr(1, address.size() - 2), *port, out);
        }
        if (address.find(':') != std::string_view::npos) {
            return "expected an IPv6 address in brackets, as in [::1]:80";
        }
        return v4(address, *port, out);
    }
};

endpoint endpoint::parse(std::string_view text) {
    endpoint out;
    if (const char* reason = reader::any(text, out)) {
        refuse(text, reason);
    }
    return out;
}

std::optional<endpoint> endpoint::try_parse(std::string_view text) noexcept {
    endpoint out;
    if (reader::any(text, out) != nullptr) {
        return std::nullopt;
    }
    return out;
}

endpoint endpoint::tcp_v4(std::array<std::uint8_t, 4> address, std::uint16_t port) noexcept {
    endpoint out;
    out.storage_.v4 = sockaddr_in{};
    out.storage_.v4.sin_family = AF_INET;
    out.storage_.v4.sin_port = htons(port);
    std::memcpy(&out.storage_.v4.sin_addr, address.data(), address.size());
    out.size_ = sizeof(sockaddr_in);
    return out;
}

endpoint endpoint::tcp_v6(std::array<std::uint8_t, 16> address, std::uint16_t port,
                          std::uint32_t scope) noexcept {
    endpoint out;
    out.storage_.v6 = sockaddr_in6{};
    out.storage_.v6.sin6_family = AF_INET6;
    out.storage_.v6.sin6_port = htons(port);
    out.storage_.v6.sin6_scope_id = scope;
    std::memcpy(&out.storage_.v6.sin6_addr, address.data(), address.size());
    out.size_ = sizeof(sockaddr_in6);
    return out;
}

endpoint endpoint::tcp_v4(std::string_view address, std::uint16_t port) {
    endpoint out;
    if (const char* reason = reader::v4(address, port, out)) {
        refuse(address, reason);
    }
    return out;
}

endpoint endpoint::tcp_v6(std::string_view address, std::uint16_t port) {
    endpoint out;
    if (const char* reason = reader::v6(address, port, out)) {
        refuse(address, reason);
    }
    return out;
}

endpoint endpoint::loopback_v4(std::uint16_t port) noexcept {
    return tcp_v4({127, 0, 0, 1}, port);
}

endpoint endpoint::loopback_v6(std::uint16_t port) noexcept {
    return tcp_v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, port, 0);
}

endpoint endpoint::any_v4(std::uint16_t port) noexcept {
    return tcp_v4({0, 0, 0, 0}, port);
}

endpoint endpoint::any_v6(std::uint16_t port) noexcept {
    return tcp_v6(std::array<std::uint8_t, 16>{}, port, 0);
}

endpoint endpoint::unix_path(std::string_view path) {
    endpoint out;
    if (const char* reason = reader::local(path, out)) {
        refuse(path, reason);
    }
    return out;
}

endpoint endpoint::from_native(const sockaddr* address, socklen_t size) {
    sa_family_t family = AF_UNSPEC;
    if (size >= sizeof(sa_family_t)) {
        std::memcpy(&family, address, sizeof family);
    }
    // Byte-wise: the caller's storage need not be aligned or complete.
    if (family == AF_INET && size >= sizeof(sockaddr_in)) {
        sockaddr_in v4;
        std::memcpy(&v4, address, sizeof v4);
        std::array<std::uint8_t, 4> bytes;
        std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
        return tcp_v4(bytes, ntohs(v4.sin_port));
    }
    if (family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 v6;
        std::memcpy(&v6, address, sizeof v6);
        std::array<std::uint8_t, 16> bytes;
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return tcp_v6(bytes, ntohs(v6.sin6_port), v6.sin6_scope_id);
    }
    if (family == AF_UNIX) {
        endpoint out;
        // The kernel reports a path that fills sun_path as one byte more than the structure holds.
        const std::size_t bytes = std::min<std::size_t>(size, sizeof(sockaddr_un));
        std::memcpy(&out.storage_.un, address, bytes);
        out.size_ = static_cast<socklen_t>(bytes);
        if (bytes > unix_header_bytes && out.storage_.un.sun_path[0] != '\0') {
            char* path = out.storage_.un.sun_path;
            const std::size_t length = ::strnlen(path, bytes - unix_header_bytes);
            std::memset(path + length, 0, sizeof(sockaddr_un::sun_path) - length);
            out.size_ = static_cast<socklen_t>(std::min(unix_header_bytes + length + 1, sizeof(sockaddr_un)));
        }
        return out;
    }
    throw_error(errc::invalid_endpoint, "native address of family " + std::to_string(family) + " and " +
                                            std::to_string(size) +
                                            " bytes: expected AF_INET, AF_INET6 or AF_UNIX, complete");
}

address_family endpoint::family() const noexcept {
    switch (storage_.any.sa_family) {
    case AF_INET:
        return address_family::v4;
    case AF_INET6:
        return address_family::v6;
    case AF_UNIX:
        return address_family::local;
    default:
        return address_family::none;
    }
}

bool endpoint::is_tcp() const noexcept {
    return family() == address_family::v4 || family() == address_family::v6;
}

std::uint16_t endpoint::port() const noexcept {
    switch (family()) {
    case address_family::v4:
        return ntohs(storage_.v4.sin_port);
    case address_family::v6:
        return ntohs(storage_.v6.sin6_port);
    case address_family::local:
    case address_family::none:
        break;
    }
    return 0;
}

endpoint endpoint::with_port(std::uint16_t port) const noexcept {
    PHOENIX_ASSERT(is_tcp(), "with_port: only a TCP endpoint has a port");
    endpoint out = *this;
    if (family() == address_family::v4) {
        out.storage_.v4.sin_port = htons(port);
    } else {
        out.storage_.v6.sin6_port = htons(port);
    }
    return out;
}

std::uint32_t endpoint::scope() const noexcept {
    return family() == address_family::v6 ? storage_.v6.sin6_scope_id : 0;
}

bool endpoint::is_abstract() const noexcept {
    return is_unix() && size_ > unix_header_bytes && storage_.un.sun_path[0] == '\0';
}

std::string_view endpoint::unix_name() const noexcept {
    if (!is_unix() || size_ <= unix_header_bytes) {
        return {};
    }
    const std::size_t bytes = size_ - unix_header_bytes;
    if (is_abstract()) {
        return {storage_.un.sun_path + 1, bytes - 1};
    }
    return {storage_.un.sun_path, ::strnlen(storage_.un.sun_path, bytes)};
}

std::string endpoint::to_string() const {
    switch (family()) {
    case address_family::v4: {
        char text[INET_ADDRSTRLEN];
        ::inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
        std::string out = text;
        out.append(":").append(std::to_string(port()));
        return out;
    }
    case address_family::v6: {
        char text[INET6_ADDRSTRLEN];
        ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
        std::string out = "[";
        out.append(text);
        if (scope() != 0) {
            out.append("%").append(std::to_string(scope()));
        }
        out.append("]:").append(std::to_string(port()));
        return out;
    }
    case address_family::local: {
        const std::string_view name = unix_name();
        std::string out = "unix:";
        if (is_abstract()) {
            out += '@';
        } else if (name.starts_with('@')) {
            out += "./"; // a file so named, bound by somebody else: not to be read as an abstract name
        }
        out += name;
        return out;
    }
    case address_family::none:
        break;
    }
    return "none";
}

bool operator==(const endpoint& a, const endpoint& b) noexcept {
    // Every factory leaves the same bytes for the same endpoint, padding included.
    return a.size_ == b.size_ && std::memcmp(a.data(), b.data(), a.size_) == 0;
}

std::strong_ordering operator<=>(const endpoint& a, const endpoint& b) noexcept {
    const auto bytes = [](const void* x, const void* y, std::size_t size) {
        return std::memcmp(x, y, size) <=> 0;
    };
    if (const auto order = a.family() <=> b.family(); order != 0) {
        return order;
    }
    switch (a.family()) {
    case address_family::v4:
        if (const auto order = bytes(&a.storage_.v4.sin_addr, &b.storage_.v4.sin_addr, 4); order != 0) {
            return order;
        }
        return a.port() <=> b.port();
    case address_family::v6:
        if (const auto order = bytes(&a.storage_.v6.sin6_addr, &b.storage_.v6.sin6_addr, 16); order != 0) {
            return order;
        }
        if (const auto order = a.scope() <=> b.scope(); order != 0) {
            return order;
        }
        return a.port() <=> b.port();
    case address_family::local: {
        const std::size_t common = std::min(a.size_, b.size_) - unix_header_bytes;
        if (const auto order = bytes(a.storage_.un.sun_path, b.storage_.un.sun_path, common); order != 0) {
            return order;
        }
        return a.size_ <=> b.size_;
    }
    case address_family::none:
        break;
    }
    return std::strong_ordering::equal;
}

std::size_t endpoint::hash() const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&storage_), size_});
}

} // namespace phoenix::net
