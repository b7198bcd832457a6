#include <phoenix/net/detail/socket.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/socket_options.hpp>

#include "temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace phoenix::net;
using namespace std::chrono_literals;
using detail::owned_fd;

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// What validate() says, "" for valid options.
template <typename Options>
std::string refusal(const Options& options) {
    try {
        options.validate();
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == errc::invalid_options));
        BOOST_TEST(contains(e.what(), ", expected "));
        return e.what();
    }
    return "";
}

template <typename Change>
std::string stream_refusal(Change change) {
    stream_options o;
    change(o);
    return refusal(o);
}

template <typename Change>
std::string listener_refusal(Change change) {
    listener_options o;
    change(o);
    return refusal(o);
}

int option(const owned_fd& fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    BOOST_TEST_REQUIRE(::getsockopt(fd.get(), level, name, &value, &size) == 0);
    return value;
}

void wait_for(const owned_fd& fd, short events) {
    pollfd entry{fd.get(), events, 0};
    BOOST_TEST_REQUIRE(::poll(&entry, 1, 10'000) == 1);
}

/// A connection over the listener: the side that connected and the one that was accepted.
struct connection {
    owned_fd client;
    owned_fd accepted;

    explicit connection(const owned_fd& listener) {
        const endpoint where = detail::local_endpoint(listener.get());
        client = detail::open_stream_socket(where.family());
        const int result = ::connect(client.get(), where.data(), where.size());
        BOOST_TEST_REQUIRE((result == 0 || errno == EINPROGRESS));
        wait_for(listener, POLLIN);
        accepted = owned_fd{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        BOOST_TEST_REQUIRE(static_cast<bool>(accepted));
        wait_for(client, POLLOUT);
        BOOST_TEST_REQUIRE(!detail::socket_error(client.get()));
    }
};

/// Where a Unix socket of a test stands.
endpoint socket_in(const testing::temporary_folder& folder) {
    return endpoint::unix_path(folder / "s");
}

/// The message of the error that `open_listener` throws; its code must be `expected`.
std::string listen_refusal(const endpoint& where, const listener_options& options, std::errc expected) {
    try {
        const owned_fd fd = detail::open_listener(where, options);
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == expected), e.what());
        BOOST_TEST((e.code().category() == category()));
        return e.what();
    }
    return "";
}

/// Leaves the path of a socket that nobody listens on, as a crashed process does.
void leave_stale(const endpoint& where) {
    detail::open_listener(where, {}).reset();
    BOOST_TEST_REQUIRE(std::filesystem::is_socket(std::string(where.unix_name())));
}

} // namespace

BOOST_AUTO_TEST_SUITE(socket_options_test)

BOOST_AUTO_TEST_CASE(defaults_are_valid) {
    BOOST_TEST(refusal(stream_options{}) == "");
    BOOST_TEST(refusal(listener_options{}) == "");
}

BOOST_AUTO_TEST_CASE(bounds_are_valid) {
    stream_options o;
    o.keepalive = keepalive_options{1s, 32767s, 127};
    o.user_timeout = std::chrono::milliseconds(std::numeric_limits<int>::max());
    o.receive_buffer_bytes = 4096;
    o.send_buffer_bytes = std::size_t{1} << 30;
    o.write_limit_bytes = 1;
    o.close_timeout = 0ms;
    BOOST_TEST(refusal(o) == "");
    listener_options l;
    l.backlog = 65535;
    l.accepted = o;
    BOOST_TEST(refusal(l) == "");
}

BOOST_AUTO_TEST_CASE(validate_names_the_wrong_field_its_value_and_the_range) {
    BOOST_TEST(contains(stream_refusal([](auto& o) { o.keepalive = keepalive_options{0s, 1s, 1}; }),
                        "stream_options.keepalive.idle is 0 s, expected 1 to 32767 s"));
    BOOST_TEST(contains(stream_refusal([](auto& o) { o.keepalive = keepalive_options{1s, 32768s, 1}; }),
                        "stream_options.keepalive.interval is 32768 s"));
    BOOST_TEST(contains(stream_refusal([](auto& o) { o.keepalive = keepalive_options{1s, 1s, 128}; }),
                        "stream_options.keepalive.count is 128, expected 1 to 127"));
    BOOST_TEST(contains(stream_refusal([](auto& o) { o.user_timeout = -1ms; }),
                        "stream_options.user_timeout is -1 ms"));
    BOOST_TEST(
        contains(stream_refusal([](auto& o) { o.user_timeout = 600h; }), "stream_options.user_timeout"));
    BOOST_TEST(contains(
        stream_refusal([](auto& o) { o.receive_buffer_bytes = 4095; }),
        "stream_options.receive_buffer_bytes is 4095 bytes, expected 0 (the kernel's default) or 4096"));
    BOOST_TEST(contains(stream_refusal([](auto& o) { o.send_buffer_bytes = ~std::size_t{0}; }),
                        "stream_options.send_buffer_bytes is 18446744073709551615 bytes"));
    BOOST_TEST(contains(stream_refusal([](auto& o) { o.write_limit_bytes = 0; }),
                        "stream_options.write_limit_bytes is 0 bytes, expected 1 to"));
    BOOST_TEST(contains(stream_refusal([](auto& o) { o.close_timeout = -5ms; }),
                        "stream_options.close_timeout is -5 ms, expected 0 to 3600000 ms"));
    BOOST_TEST(contains(listener_refusal([](auto& o) { o.backlog = 0; }),
                        "listener_options.backlog is 0, expected 1 to 65535"));
    BOOST_TEST(contains(listener_refusal([](auto& o) { o.accepted.write_limit_bytes = 0; }),
                        "listener_options.accepted.write_limit_bytes"));
}

BOOST_AUTO_TEST_CASE(sockets_are_nonblocking_and_close_on_exec) {
    for (const auto family : {address_family::v4, address_family::v6, address_family::local}) {
        const owned_fd fd = detail::open_stream_socket(family);
        BOOST_TEST((::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0);
        BOOST_TEST((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
        BOOST_TEST(option(fd, SOL_SOCKET, SO_DOMAIN) == detail::native_family(family));
        BOOST_TEST(option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
    }
}

BOOST_AUTO_TEST_CASE(owned_fd_closes_once_and_gives_away) {
    owned_fd fd = detail::open_stream_socket(address_family::v4);
    const int number = fd.get();
    owned_fd other = std::move(fd);
    BOOST_TEST(fd.get() == -1);
    BOOST_TEST(other.get() == number);
    fd = std::move(other);
    BOOST_TEST(::fcntl(number, F_GETFD) != -1);
    fd.reset();
    BOOST_TEST(::fcntl(number, F_GETFD) == -1);
    owned_fd given = detail::open_stream_socket(address_family::v4);
    const owned_fd taken{given.release()};
    given.reset();
    BOOST_TEST(::fcntl(taken.get(), F_GETFD) != -1);
}

BOOST_AUTO_TEST_CASE(options_reach_the_socket) {
    stream_options o;
    o.keepalive = keepalive_options{11s, 7s, 5};
    o.user_timeout = 9s;
    o.receive_buffer_bytes = 20000;
    o.send_buffer_bytes = 30000;
    for (const auto family : {address_family::v4, address_family::v6}) {
        const owned_fd fd = detail::open_stream_socket(family);
        detail::apply(fd.get(), o, family);
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
        BOOST_TEST(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 11);
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 7);
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 5);
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 9000);
        BOOST_TEST(option(fd, SOL_SOCKET, SO_RCVBUF) == 40000); // the kernel doubles it
        BOOST_TEST(option(fd, SOL_SOCKET, SO_SNDBUF) == 60000);
    }
}

BOOST_AUTO_TEST_CASE(defaults_leave_the_kernels_choices_but_nodelay) {
    const owned_fd plain = detail::open_stream_socket(address_family::v4);
    const owned_fd fd = detail::open_stream_socket(address_family::v4);
    detail::apply(fd.get(), {}, address_family::v4);
    BOOST_TEST(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    for (const int name : {SO_KEEPALIVE, SO_RCVBUF, SO_SNDBUF}) {
        BOOST_TEST(option(fd, SOL_SOCKET, name) == option(plain, SOL_SOCKET, name));
    }
    stream_options delayed;
    delayed.nodelay = false;
    const owned_fd slow = detail::open_stream_socket(address_family::v4);
    detail::apply(slow.get(), delayed, address_family::v4);
    BOOST_TEST(option(slow, IPPROTO_TCP, TCP_NODELAY) == 0);
}

BOOST_AUTO_TEST_CASE(tcp_options_are_ignored_on_unix_sockets) {
    stream_options o;
    o.keepalive = keepalive_options{};
    o.user_timeout = 9s;
    o.send_buffer_bytes = 30000;
    const owned_fd fd = detail::open_stream_socket(address_family::local);
    BOOST_CHECK_NO_THROW(detail::apply(fd.get(), o, address_family::local));
    BOOST_TEST(option(fd, SOL_SOCKET, SO_SNDBUF) == 60000);
}

BOOST_AUTO_TEST_CASE(refused_option_is_named) {
    const auto named = [](const std::system_error& e) {
        return e.code() == std::errc::bad_file_descriptor && contains(e.what(), "TCP_NODELAY to 1");
    };
    BOOST_CHECK_EXCEPTION(detail::apply(-1, {}, address_family::v4), std::system_error, named);
}

BOOST_AUTO_TEST_CASE(accepted_tcp_sockets_inherit_every_option_from_the_listener) {
    listener_options o;
    o.accepted.keepalive = keepalive_options{11s, 7s, 5};
    o.accepted.user_timeout = 9s;
    o.accepted.receive_buffer_bytes = 20000;
    o.accepted.send_buffer_bytes = 30000;
    for (const endpoint& where : {endpoint::loopback_v4(0), endpoint::loopback_v6(0)}) {
        BOOST_TEST(!detail::accepted_needs_apply(o.accepted, where.family()));
        const owned_fd listener = detail::open_listener(where, o);
        const connection c(listener);
        BOOST_TEST(option(c.accepted, IPPROTO_TCP, TCP_NODELAY) == 1);
        BOOST_TEST(option(c.accepted, SOL_SOCKET, SO_KEEPALIVE) == 1);
        BOOST_TEST(option(c.accepted, IPPROTO_TCP, TCP_KEEPIDLE) == 11);
        BOOST_TEST(option(c.accepted, IPPROTO_TCP, TCP_KEEPINTVL) == 7);
        BOOST_TEST(option(c.accepted, IPPROTO_TCP, TCP_KEEPCNT) == 5);
        BOOST_TEST(option(c.accepted, IPPROTO_TCP, TCP_USER_TIMEOUT) == 9000);
        BOOST_TEST(option(c.accepted, SOL_SOCKET, SO_RCVBUF) == 40000);
        BOOST_TEST(option(c.accepted, SOL_SOCKET, SO_SNDBUF) == 60000);
    }
}

BOOST_AUTO_TEST_CASE(accepted_unix_sockets_need_their_buffer_sizes_again) {
    listener_options o;
    BOOST_TEST(!detail::accepted_needs_apply(o.accepted, address_family::local));
    o.accepted.send_buffer_bytes = 30000;
    BOOST_TEST(detail::accepted_needs_apply(o.accepted, address_family::local));
    const testing::temporary_folder f;
    const owned_fd listener = detail::open_listener(socket_in(f), o);
    const connection c(listener);
    detail::apply(c.accepted.get(), o.accepted, address_family::local);
    BOOST_TEST(option(c.accepted, SOL_SOCKET, SO_SNDBUF) == 60000);
}

BOOST_AUTO_TEST_CASE(listener_has_the_endpoint_it_was_given_and_a_port) {
    const owned_fd v4 = detail::open_listener(endpoint::loopback_v4(0), {});
    const endpoint bound = detail::local_endpoint(v4.get());
    BOOST_TEST(bound.port() != 0);
    BOOST_TEST((bound == endpoint::loopback_v4(bound.port())));
    const owned_fd abstract =
        detail::open_listener(endpoint::unix_path("@phoenix-test-" + bound.to_string()), {});
    BOOST_TEST(detail::local_endpoint(abstract.get()).unix_name() == "phoenix-test-" + bound.to_string());
    BOOST_TEST(option(v4, SOL_SOCKET, SO_ACCEPTCONN) == 1);
}

BOOST_AUTO_TEST_CASE(endpoints_of_both_sides_agree) {
    const owned_fd listener = detail::open_listener(endpoint::loopback_v4(0), {});
    const connection c(listener);
    BOOST_TEST((detail::peer_endpoint(c.client.get()) == detail::local_endpoint(c.accepted.get())));
    BOOST_TEST((detail::peer_endpoint(c.accepted.get()) == detail::local_endpoint(c.client.get())));
    BOOST_CHECK_EXCEPTION(static_cast<void>(detail::peer_endpoint(listener.get())), std::system_error,
                          [](const std::system_error& e) { return e.code() == std::errc::not_connected; });
}

BOOST_AUTO_TEST_CASE(listener_options_reach_the_socket) {
    listener_options o;
    o.reuse_port = true;
    const owned_fd first = detail::open_listener(endpoint::loopback_v6(0), o);
    BOOST_TEST(option(first, SOL_SOCKET, SO_REUSEADDR) == 1);
    BOOST_TEST(option(first, SOL_SOCKET, SO_REUSEPORT) == 1);
    const owned_fd second = detail::open_listener(detail::local_endpoint(first.get()), o); // shares the port
    o.v6_only = false;
    o.reuse_address = false;
    const owned_fd both = detail::open_listener(endpoint::any_v6(0), o);
    BOOST_TEST(option(both, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    const owned_fd v6 = detail::open_listener(endpoint::any_v6(0), {});
    BOOST_TEST(option(v6, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
    BOOST_TEST(option(both, SOL_SOCKET, SO_REUSEADDR) == 0);
}

BOOST_AUTO_TEST_CASE(port_in_use_is_refused_with_the_endpoint) {
    const owned_fd first = detail::open_listener(endpoint::loopback_v4(0), {});
    const endpoint taken = detail::local_endpoint(first.get());
    const std::string message = listen_refusal(taken, {}, std::errc::address_in_use);
    BOOST_TEST(contains(message, "bind " + taken.to_string()));
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused_before_anything_is_bound) {
    const testing::temporary_folder f;
    listener_options o;
    o.backlog = -1;
    BOOST_TEST(
        contains(listen_refusal(socket_in(f), o, std::errc::invalid_argument), "listener_options.backlog"));
    BOOST_TEST(std::filesystem::is_empty(f.path()));
}

BOOST_AUTO_TEST_CASE(unix_path_in_a_folder_that_is_not_there_is_refused) {
    const endpoint where = endpoint::unix_path("/no-such-folder/s");
    BOOST_TEST(contains(listen_refusal(where, {}, std::errc::no_such_file_or_directory), where.to_string()));
}

BOOST_AUTO_TEST_CASE(stale_unix_socket_is_refused_and_named_unless_it_may_be_removed) {
    const testing::temporary_folder f;
    leave_stale(socket_in(f));
    const std::string message = listen_refusal(socket_in(f), {}, std::errc::address_in_use);
    BOOST_TEST(contains(message, "unlink_existing"));
    BOOST_TEST(contains(message, socket_in(f).to_string()));
    listener_options o;
    o.unlink_existing = true;
    const owned_fd listener = detail::open_listener(socket_in(f), o);
    const connection c(listener);
}

BOOST_AUTO_TEST_CASE(unix_socket_with_a_listener_is_never_removed) {
    const testing::temporary_folder f;
    const owned_fd alive = detail::open_listener(socket_in(f), {});
    listener_options o;
    o.unlink_existing = true;
    BOOST_TEST(contains(listen_refusal(socket_in(f), o, std::errc::address_in_use), "another process"));
    BOOST_TEST(contains(listen_refusal(socket_in(f), {}, std::errc::address_in_use), "another process"));
    BOOST_TEST(std::filesystem::is_socket(std::string(socket_in(f).unix_name())));
}

BOOST_AUTO_TEST_CASE(unix_socket_whose_backlog_is_full_is_never_removed) {
    const testing::temporary_folder f;
    listener_options o;
    o.backlog = 1;
    o.unlink_existing = true;
    const owned_fd alive = detail::open_listener(socket_in(f), o);
    std::vector<owned_fd> waiting;
    const endpoint where = socket_in(f);
    do {
        waiting.push_back(detail::open_stream_socket(address_family::local));
    } while (::connect(waiting.back().get(), where.data(), where.size()) == 0);
    BOOST_TEST(errno == EAGAIN);
    BOOST_TEST(contains(listen_refusal(where, o, std::errc::address_in_use), "another process"));
}

BOOST_AUTO_TEST_CASE(file_at_the_unix_path_is_never_removed) {
    const testing::temporary_folder f;
    const std::string path(socket_in(f).unix_name());
    std::FILE* file = std::fopen(path.c_str(), "w");
    BOOST_TEST_REQUIRE(file != nullptr);
    std::fclose(file);
    listener_options o;
    o.unlink_existing = true;
    BOOST_TEST(contains(listen_refusal(socket_in(f), o, std::errc::address_in_use), "not a socket"));
    BOOST_TEST(std::filesystem::is_regular_file(path));
}

BOOST_AUTO_TEST_CASE(link_to_a_stale_unix_socket_is_never_removed) {
    const testing::temporary_folder f;
    leave_stale(endpoint::unix_path(f / "real"));
    std::filesystem::create_symlink(f / "real", f / "s");
    listener_options o;
    o.unlink_existing = true;
    BOOST_TEST(contains(listen_refusal(socket_in(f), o, std::errc::address_in_use), "not a socket"));
    BOOST_TEST(std::filesystem::is_symlink(f / "s"));
}

BOOST_AUTO_TEST_CASE(socket_error_tells_how_a_connect_ended) {
    owned_fd listener = detail::open_listener(endpoint::loopback_v4(0), {});
    const endpoint where = detail::local_endpoint(listener.get());
    listener.reset();
    const owned_fd client = detail::open_stream_socket(address_family::v4);
    const int result = ::connect(client.get(), where.data(), where.size());
    if (result != 0 && errno == EINPROGRESS) {
        wait_for(client, POLLOUT);
        BOOST_TEST((detail::socket_error(client.get()) == std::errc::connection_refused));
        BOOST_TEST(!detail::socket_error(client.get())); // reading clears it
    } else {
        BOOST_TEST(errno == ECONNREFUSED);
    }
    BOOST_TEST((detail::socket_error(-1) == std::errc::bad_file_descriptor));
}

BOOST_AUTO_TEST_CASE(shutdown_closes_the_side_that_was_named) {
    const owned_fd listener = detail::open_listener(endpoint::loopback_v4(0), {});
    const connection c(listener);
    BOOST_TEST(!detail::shutdown(c.client.get(), detail::shutdown_side::send));
    wait_for(c.accepted, POLLIN);
    char byte = 0;
    BOOST_TEST(::recv(c.accepted.get(), &byte, 1, 0) == 0);
    BOOST_TEST(::send(c.accepted.get(), "x", 1, MSG_NOSIGNAL) == 1); // the other side is still open
    wait_for(c.client, POLLIN);
    BOOST_TEST(::recv(c.client.get(), &byte, 1, 0) == 1);
    BOOST_TEST(!detail::shutdown(c.accepted.get(), detail::shutdown_side::both));
    const owned_fd unconnected = detail::open_stream_socket(address_family::v4);
    BOOST_TEST(
        (detail::shutdown(unconnected.get(), detail::shutdown_side::send) == std::errc::not_connected));
    const connection d(listener);
    BOOST_TEST(!detail::shutdown(d.client.get(), detail::shutdown_side::receive));
    BOOST_TEST(::recv(d.client.get(), &byte, 1, 0) == 0);
    BOOST_TEST(::send(d.client.get(), "x", 1, MSG_NOSIGNAL) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
