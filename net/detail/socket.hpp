// Plain socket calls that every driver needs: open, bind, listen, options, names. They never wait for a
// peer.
//
//   detail::owned_fd fd = detail::open_listener(where, options);
//   const endpoint bound = detail::local_endpoint(fd.get());
//   driver.attach(fd.release());
//
// Sockets are made nonblocking and close-on-exec. Errors are std::system_error that say what was being done
// and to which endpoint, but where a function returns std::error_code. Any thread.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/socket_options.hpp>

#include <system_error>
#include <utility>

namespace phoenix::net::detail {

/// A file descriptor that closes itself.
class owned_fd {
public:
    owned_fd() noexcept = default;

    explicit owned_fd(int fd) noexcept : fd_(fd) {}

    owned_fd(owned_fd&& other) noexcept : fd_(other.release()) {}

    owned_fd& operator=(owned_fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = other.release();
        }
        return *this;
    }

    ~owned_fd() { reset(); }

    /// -1 when empty.
    [[nodiscard]] int get() const noexcept { return fd_; }

    explicit operator bool() const noexcept { return fd_ >= 0; }

    /// Gives the descriptor away: the caller closes it.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    void reset() noexcept;

private:
    int fd_ = -1;
};

/// AF_INET, AF_INET6 or AF_UNIX. The family must not be none: asserted.
[[nodiscard]] int native_family(address_family family) noexcept;

/// A stream socket, nonblocking and close-on-exec.
[[nodiscard]] owned_fd open_stream_socket(address_family family);

/// Sets what differs from the kernel's default; the options must be valid. Buffer sizes take full effect only
/// before connect or listen. Throws naming the option that the kernel refused.
void apply(int fd, const stream_options& options, address_family family);

/// Whether a socket that accept gave needs apply(): TCP sockets inherit every option from the listener
/// (open_listener has applied options.accepted to it), Unix sockets do not inherit their buffer sizes.
[[nodiscard]] bool accepted_needs_apply(const stream_options& options, address_family family) noexcept;

/// Sets what a socket that accept gave did not inherit.
void configure_accepted(int fd, const stream_options& options);

/// Makes close() drop what was not sent and reset the connection (SO_LINGER of zero).
void reset_on_close(int fd) noexcept;

/// Opens, sets the options (those of options.accepted too), binds and listens. A path in the way is treated
/// as listener_options::unlink_existing says; whether anybody listens there is found out by connecting to it,
/// which a live server sees as a connection that closes at once. Two processes that do this at once on one
/// path race.
[[nodiscard]] owned_fd open_listener(const endpoint& where, const listener_options& options);

[[nodiscard]] endpoint local_endpoint(int fd);
/// Throws ENOTCONN when there is no peer (any more).
[[nodiscard]] endpoint peer_endpoint(int fd);

/// The pending error of the socket, cleared by reading it: how a nonblocking connect ended.
[[nodiscard]] std::error_code socket_error(int fd) noexcept;

enum class shutdown_side { receive, send, both };
/// ENOTCONN when the peer has reset it: for most callers no error.
[[nodiscard]] std::error_code shutdown(int fd, shutdown_side side) noexcept;

} // namespace phoenix::net::detail
