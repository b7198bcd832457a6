#include <phoenix/config.hpp>
#include <phoenix/net/detail/socket.hpp>
#include <phoenix/net/error.hpp>

#include <cerrno>
#include <string>

#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace phoenix::net::detail {

namespace {

void set(int fd, int level, int option, int value, const char* name) {
    if (::setsockopt(fd, level, option, &value, sizeof value) != 0) {
        throw_error(make_error(errno), std::string("setsockopt ") + name + " to " + std::to_string(value));
    }
}

/// What stands at the path of a Unix socket that could not be bound: nullptr for a socket that nobody listens
/// on, else why the path cannot be taken.
const char* why_occupied(const endpoint& where, const char* path) {
    struct stat status{};
    if (::lstat(path, &status) != 0) {
        return errno == ENOENT ? nullptr : "the path cannot be examined";
    }
    if (!S_ISSOCK(status.st_mode)) {
        return "the path exists and is not a socket: move it away or choose another";
    }
    const owned_fd probe = open_stream_socket(address_family::local);
    if (::connect(probe.get(), where.data(), where.size()) == 0 || errno != ECONNREFUSED) {
        return "another process uses the socket at the path";
    }
    return nullptr;
}

/// Makes way for a second bind, or throws.
void remove_stale(const endpoint& where, const listener_options& options) {
    const std::string path(where.unix_name());
    const std::string what = "bind " + where.to_string();
    if (const char* reason = why_occupied(where, path.c_str())) {
        throw_error(make_error(EADDRINUSE), what + ": " + reason);
    }
    if (!options.unlink_existing) {
        throw_error(make_error(EADDRINUSE),
                    what +
                        ": a socket that nobody listens on is in the way: remove it, or set unlink_existing");
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        throw_error(make_error(errno), what + ": the stale socket cannot be removed");
    }
}

endpoint name_of(int fd, int (*call)(int, sockaddr*, socklen_t*), const char* what) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (call(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
        throw_error(make_error(errno), what);
    }
    return endpoint::from_native(reinterpret_cast<const sockaddr*>(&storage), size);
}

} // namespace

void owned_fd::reset() noexcept {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1)); // on EINTR Linux has closed it all the same
    }
}

int native_family(address_family family) noexcept {
    PHOENIX_ASSERT(family != address_family::none,
                   "expected an endpoint with a family: it was never assigned");
    switch (family) {
    case address_family::v4:
        return AF_INET;
    case address_family::v6:
        return AF_INET6;
    case address_family::local:
        return AF_UNIX;
    case address_family::none:
        break;
    }
    return AF_UNSPEC;
}

owned_fd open_stream_socket(address_family family) {
    owned_fd fd{::socket(native_family(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) {
        throw_error(make_error(errno), "open a socket");
    }
    return fd;
}

void apply(int fd, const stream_options& options, address_family family) {
    if (options.receive_buffer_bytes != 0) {
        set(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(options.receive_buffer_bytes), "SO_RCVBUF");
    }
    if (options.send_buffer_bytes != 0) {
        set(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.send_buffer_bytes), "SO_SNDBUF");
    }
    if (family != address_family::v4 && family != address_family::v6) {
        return;
    }
    if (options.nodelay) {
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
    }
    if (options.keepalive) {
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(options.keepalive->idle.count()), "TCP_KEEPIDLE");
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(options.keepalive->interval.count()),
            "TCP_KEEPINTVL");
        set(fd, IPPROTO_TCP, TCP_KEEPCNT, options.keepalive->count, "TCP_KEEPCNT");
        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
    }
    if (options.user_timeout.count() != 0) {
        set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(options.user_timeout.count()),
            "TCP_USER_TIMEOUT");
    }
}

bool accepted_needs_apply(const stream_options& options, address_family family) noexcept {
    return family == address_family::local &&
           (options.receive_buffer_bytes != 0 || options.send_buffer_bytes != 0);
}

void configure_accepted(int fd, const stream_options& options) {
    // Asked in this order: the usual answer needs no system call.
    if (accepted_needs_apply(options, address_family::local)) {
        const address_family family = local_endpoint(fd).family();
        if (accepted_needs_apply(options, family)) {
            apply(fd, options, family);
        }
    }
}

void reset_on_close(int fd) noexcept {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

owned_fd open_listener(const endpoint& where, const listener_options& options) {
    options.validate();
    owned_fd fd = open_stream_socket(where.family());
    if (where.is_tcp()) {
        if (options.reuse_address) {
            set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
        }
        if (options.reuse_port) {
            set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
        }
    }
    if (where.family() == address_family::v6) {
        set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0, "IPV6_V6ONLY");
    }
    apply(fd.get(), options.accepted, where.family());

    int bound = ::bind(fd.get(), where.data(), where.size());
    if (bound != 0 && errno == EADDRINUSE && where.is_unix() && !where.is_abstract()) {
        remove_stale(where, options);
        bound = ::bind(fd.get(), where.data(), where.size());
    }
    if (bound != 0) {
        throw_error(make_error(errno), "bind " + where.to_string());
    }
    if (::listen(fd.get(), options.backlog) != 0) {
        throw_error(make_error(errno), "listen on " + where.to_string());
    }
    return fd;
}

endpoint local_endpoint(int fd) {
    return name_of(fd, ::getsockname, "local endpoint of a socket");
}

endpoint peer_endpoint(int fd) {
    return name_of(fd, ::getpeername, "peer endpoint of a socket");
}

std::error_code socket_error(int fd) noexcept {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size) != 0) {
        return make_error(errno);
    }
    return make_error(value);
}

std::error_code shutdown(int fd, shutdown_side side) noexcept {
    const int how = side == shutdown_side::receive ? SHUT_RD
                    : side == shutdown_side::send  ? SHUT_WR
                                                   : SHUT_RDWR;
    return make_error(::shutdown(fd, how) == 0 ? 0 : errno);
}

} // namespace phoenix::net::detail
