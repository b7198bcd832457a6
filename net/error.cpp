#include <phoenix/net/error.hpp>

#include <cerrno>

namespace phoenix::net {

namespace {

/// What happened and what to do about it, and whether a retry is worth it. One row an error.
struct row {
    int number;
    retry advice;
    const char* message;
};

constexpr int number(errc e) noexcept {
    return static_cast<int>(e);
}

constexpr row table[] = {
    // The library's own conditions.
    {number(errc::canceled), retry::never, "operation cancelled"},
    {number(errc::timed_out), retry::later,
     "deadline passed: the peer is slow or gone, or the deadline is too short"},
    {number(errc::closed), retry::never, "used after close: open a new one"},
    {number(errc::end_of_stream), retry::later,
     "the peer closed the connection where more bytes were expected"},
    {number(errc::host_not_found), retry::never,
     "host name not found: check its spelling and the name server's zone"},
    {number(errc::resolve_try_again), retry::later,
     "the name could not be looked up now: check the network, /etc/resolv.conf and the limit of threads "
     "(ulimit -u)"},
    {number(errc::resolve_failed), retry::never,
     "name resolution failed for good: check /etc/resolv.conf and the name server"},
    {number(errc::invalid_endpoint), retry::never, "not an endpoint"},
    {number(errc::invalid_options), retry::never, "invalid options"},
    {number(errc::queue_full), retry::later, "queue full: the consumer is slower than the producer"},
    {number(errc::loop_after_fork), retry::never, "loop used in a forked child: make a new loop after fork"},
    {number(errc::wrong_thread), retry::never,
     "io_uring loop used by another thread than the one that ran it first: make a loop for each thread"},
    {number(errc::not_supported), retry::never, "not supported by this driver, kernel or build"},
    // Nothing is wrong.
    {EINTR, retry::now, "interrupted by a signal: repeat the call"},
    // The library never shows a socket that is merely not ready: what remains is a full backlog or no more
    // ports.
    {EAGAIN, retry::later,
     "try again later: the backlog of a Unix listener is full, or local ports ran out; retry with growing "
     "pauses"},
    {ECONNABORTED, retry::now, "the connection was aborted before it was accepted: accept the next one"},
    // The peer or the network.
    {ECONNREFUSED, retry::later,
     "connection refused: nothing listens there; start the peer or correct the address"},
    {ECONNRESET, retry::later, "connection reset: the peer died or closed with unread bytes; connect anew"},
    {EPIPE, retry::later, "broken pipe: the connection was closed for sending; connect anew"},
    {ETIMEDOUT, retry::later,
     "timed out: the peer does not answer; check that it runs and no firewall drops packets"},
    {ENETUNREACH, retry::later, "network unreachable: no route to that address; check interfaces and routes"},
    {EHOSTUNREACH, retry::later, "host unreachable: check that it is up and that no firewall rejects"},
    {ENETDOWN, retry::later, "network down: bring the interface up"},
    {EHOSTDOWN, retry::later, "host down: the address does not answer on the local network"},
    {ENONET, retry::later, "machine is not on the network"},
    {ENETRESET, retry::later, "connection dropped by the network; connect anew"},
    // Limits of this machine.
    {EMFILE, retry::later,
     "out of file descriptors in this process: raise RLIMIT_NOFILE (ulimit -n) or close some"},
    {ENFILE, retry::later, "out of file descriptors on this machine: raise the sysctl fs.file-max"},
    {ENOBUFS, retry::later,
     "no buffer space: the kernel is short of socket memory; send less or raise net.core limits"},
    {ENOMEM, retry::later,
     "out of memory: free some, or raise RLIMIT_MEMLOCK (ulimit -l) where an io_uring was being made"},
    {EADDRNOTAVAIL, retry::later,
     "address not available: no interface of this machine has it, or every ephemeral port is in use "
     "(sysctl net.ipv4.ip_local_port_range)"},
    // Mistakes of a program or its configuration.
    {EADDRINUSE, retry::never, "address in use: free it, or choose another"},
    {EACCES, retry::never,
     "permission denied: a port below 1024, a path's permissions or a firewall forbids it"},
    {EPERM, retry::never, "not permitted: a firewall, seccomp or a missing capability forbids it"},
    {EAFNOSUPPORT, retry::never,
     "address family not supported: the kernel has no such protocol (is IPv6 disabled?)"},
    {EPROTONOSUPPORT, retry::never, "protocol not supported by this kernel"},
    {EPROTOTYPE, retry::never, "wrong protocol: the socket at that path is not a stream socket"},
    {ENOPROTOOPT, retry::never, "socket option not known to this kernel"},
    {EOPNOTSUPP, retry::never, "operation not supported on this kind of socket"},
    {EDESTADDRREQ, retry::never, "destination address required: the socket is not connected"},
    {EISCONN, retry::never, "already connected: open a new socket"},
    {ENOTCONN, retry::never, "not connected: connect first, or the connection has already gone"},
    {EINPROGRESS, retry::never, "connect is already under way: wait for it"},
    {EALREADY, retry::never, "an earlier call on this socket is still under way: wait for it"},
    {EMSGSIZE, retry::never, "message too long for the socket: send smaller ones"},
    {ENOTSOCK, retry::never, "not a socket"},
    {EBADF, retry::never, "bad file descriptor: it was closed, or was never open"},
    {EINVAL, retry::never, "invalid argument"},
    {ENOENT, retry::never,
     "no such file or directory: check the path; a Unix socket's server must be started first"},
    {ENOTDIR, retry::never, "a component of the path is not a directory"},
    {ENAMETOOLONG, retry::never, "path too long"},
    {EROFS, retry::never, "read-only file system: choose another path"},
    {ENOSPC, retry::never, "no space left: on the disk, or for another watch or queue"},
    {EDQUOT, retry::never, "disk quota exceeded"},
    {EIO, retry::never, "input/output error: the device failed"},
    {ENOSYS, retry::never, "system call not known to this kernel, or forbidden by seccomp"},
};

const row* find(int value) noexcept {
    for (const row& r : table) {
        if (r.number == value) {
            return &r;
        }
    }
    return nullptr;
}

class net_category final : public std::error_category {
public:
    constexpr net_category() noexcept = default;

    const char* name() const noexcept override { return "phoenix.net"; }

    std::string message(int value) const override {
        if (const row* r = find(value)) {
            return r->message;
        }
        return std::generic_category().message(value);
    }

    std::error_condition default_error_condition(int value) const noexcept override {
        switch (static_cast<errc>(value)) {
        case errc::canceled:
            return std::errc::operation_canceled;
        case errc::timed_out:
            return std::errc::timed_out;
        case errc::closed:
            return std::errc::bad_file_descriptor;
        case errc::invalid_endpoint:
        case errc::invalid_options:
            return std::errc::invalid_argument;
        case errc::queue_full:
            return std::errc::no_buffer_space;
        case errc::not_supported:
            return std::errc::not_supported;
        case errc::end_of_stream:
        case errc::host_not_found:
        case errc::resolve_try_again:
        case errc::resolve_failed:
        case errc::loop_after_fork:
        case errc::wrong_thread:
            return {value, *this};
        }
        return {value, std::generic_category()};
    }
};

constinit const net_category the_category;

} // namespace

const std::error_category& category() noexcept {
    return the_category;
}

retry retry_advice(std::error_code code) noexcept {
    if (!code) {
        return retry::never;
    }
    const row* found = nullptr;
    if (code.category() == category()) {
        found = find(code.value());
    } else {
        const std::error_condition condition = code.default_error_condition();
        if (condition.category() == std::generic_category()) {
            found = find(condition.value());
        }
    }
    return found ? found->advice : retry::never;
}

bool is_canceled(std::error_code code) noexcept {
    return code == std::errc::operation_canceled;
}

void throw_error(std::error_code code, const char* what) {
    throw std::system_error(code, what);
}

void throw_error(std::error_code code, const std::string& what) {
    throw std::system_error(code, what);
}

} // namespace phoenix::net
