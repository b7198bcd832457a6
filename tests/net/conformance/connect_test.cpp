#include <phoenix/net/event.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/with_scope.hpp>

#include "../temporary_folder.hpp"
#include "child.hpp"
#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

#include <sys/socket.h>
#include <unistd.h>

namespace phoenix::net::conformance {

namespace {

std::string unique_abstract_name(const driver_row& row) {
    return std::string("@phoenix-conformance-") + row.name + "-" + std::to_string(::getpid());
}

task<> exchange(endpoint where) {
    loop& here = co_await this_loop();
    listener door(here, where);
    connection pair = co_await connect_pair(door);
    BOOST_TEST(pair.client.peer_endpoint().to_string() == door.local_endpoint().to_string());
    BOOST_TEST(pair.server.local_endpoint().to_string() == door.local_endpoint().to_string());
    BOOST_TEST(pair.server.peer_endpoint().to_string() == pair.client.local_endpoint().to_string());
    if (where.is_tcp()) {
        BOOST_TEST(door.local_endpoint().port() != 0);
        BOOST_TEST(pair.client.local_endpoint().port() != 0);
    }
    co_await pair.client.write("over");
    const std::string over = co_await read_text(pair.server, 4);
    BOOST_TEST(over == "over");
    co_await pair.server.write("and back");
    const std::string back = co_await read_text(pair.client, 8);
    BOOST_TEST(back == "and back");
    co_await pair.client.close();
    const std::string rest = co_await read_to_end(pair.server);
    BOOST_TEST(rest == "");
}

task<> dial(endpoint where) {
    const stream made = co_await connect(where);
}

task<> dial_closed_port() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    door.close();
    co_await turns(3);
    const std::error_code refused = co_await code_of(dial(where));
    check_code(refused, std::errc::connection_refused);
    BOOST_TEST((retry_advice(refused) == retry::later));
    // A refusal costs nothing but itself.
    listener again(here, where);
    const connection pair = co_await connect_pair(again);
    BOOST_TEST(pair.client.is_open());
}

task<> dial_nobody(endpoint where, std::errc expected) {
    const std::error_code code = co_await code_of(dial(where));
    check_code(code, expected);
}

task<> keep_code(endpoint where, std::error_code& code) {
    code = co_await code_of(dial(where));
}

task<> by_name(std::string host) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    auto both = co_await when_all(connect_to_host(host, door.local_endpoint().port()), accept_one(door));
    BOOST_TEST(std::get<0>(both).peer_endpoint().to_string() == door.local_endpoint().to_string());
}

task<> by_text(std::string host) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const std::string text = host + ":" + std::to_string(door.local_endpoint().port());
    auto both = co_await when_all(connect_to(text), accept_one(door));
    BOOST_TEST(std::get<0>(both).peer_endpoint().to_string() == door.local_endpoint().to_string());
}

class gathering_point {
public:
    explicit gathering_point(std::size_t expected) : expected_(expected) {}

    void arrive() {
        if (++arrived_ == expected_) {
            all_.set();
        }
    }

    [[nodiscard]] event& all() { return all_; }

private:
    std::size_t expected_;
    std::size_t arrived_ = 0;
    event all_;
};

task<> one_of_many(endpoint where, std::size_t number, gathering_point& together) {
    stream peer = co_await connect(where);
    together.arrive();
    co_await together.all().wait();
    // From here on all of them are open.
    const std::string said = "number " + std::to_string(number);
    co_await peer.write(said);
    const std::string answer = co_await read_text(peer, said.size());
    BOOST_TEST(answer == said);
    co_await peer.close();
}

task<> find_backlog_full(endpoint where) {
    const std::error_code code = co_await code_of(dial(where));
    BOOST_TEST((code == std::errc::resource_unavailable_try_again), code.message());
    BOOST_TEST((retry_advice(code) == retry::later));
}

task<> serve_echo(scope& connections, listener& door, std::size_t count) {
    for (std::size_t left = count; left > 0; --left) {
        stream peer = co_await door.accept();
        connections.spawn(echo(std::move(peer)));
    }
    co_await connections.join();
}

task<> dial_many(scope& clients, endpoint where, std::size_t count) {
    gathering_point together(count);
    for (std::size_t number = 0; number < count; ++number) {
        clients.spawn(one_of_many(where, number, together));
    }
    co_await clients.join();
}

task<> many_at_once(std::size_t count) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    co_await when_all(with_scope(serve_echo, std::ref(door), count),
                      with_scope(dial_many, door.local_endpoint(), count));
}

} // namespace

CONFORMANCE_CASE(connect_v4, needs_nothing) {
    row.open(loop_options())->run(exchange(endpoint::loopback_v4(0)));
}

CONFORMANCE_CASE(connect_v6, needs_v6) {
    row.open(loop_options())->run(exchange(endpoint::loopback_v6(0)));
}

CONFORMANCE_CASE(connect_unix_path, needs_kernel) {
    const testing::temporary_folder folder;
    row.open(loop_options())->run(exchange(endpoint::unix_path(folder / "socket")));
}

CONFORMANCE_CASE(connect_unix_abstract, needs_kernel) {
    row.open(loop_options())->run(exchange(endpoint::unix_path(unique_abstract_name(row))));
}

CONFORMANCE_CASE(connect_by_name, needs_kernel) {
    row.open(loop_options())->run(by_name("localhost"));
}

CONFORMANCE_CASE(connect_by_text, needs_kernel) {
    row.open(loop_options())->run(by_text("localhost"));
    row.open(loop_options())->run(by_text("127.0.0.1"));
}

CONFORMANCE_CASE(refused, needs_nothing) {
    row.open(loop_options())->run(dial_closed_port());
}

CONFORMANCE_CASE(refused_unix, needs_kernel) {
    const testing::temporary_folder folder;
    const auto world = row.open(loop_options());
    const endpoint where = endpoint::unix_path(folder / "socket");
    world->run(dial_nobody(where, std::errc::no_such_file_or_directory));
    {
        const listener left_behind(world->here(), where);
    }
    world->run(turns(3));
    world->run(dial_nobody(where, std::errc::connection_refused));
}

CONFORMANCE_CASE(unix_backlog_full, needs_kernel) {
    const testing::temporary_folder folder;
    const endpoint where = endpoint::unix_path(folder / "socket");
    const int door = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_TEST_REQUIRE(::bind(door, where.data(), where.size()) == 0);
    BOOST_TEST_REQUIRE(::listen(door, 0) == 0);
    const int first = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_TEST_REQUIRE(::connect(first, where.data(), where.size()) == 0);
    row.open(loop_options())->run(find_backlog_full(where));
    ::close(first);
    ::close(door);
}

CONFORMANCE_CASE(unreachable, needs_kernel | needs_own_network) {
    BOOST_TEST(in_child([&row] {
                   enter_own_network();
                   std::error_code code;
                   row.open(loop_options())->run(keep_code(endpoint::loopback_v4(9), code));
                   expect(code == std::errc::network_unreachable,
                          "expected an unreachable network, found " + code.message());
                   expect(retry_advice(code) == retry::later, "expected advice to retry later");
               }) == "");
}

CONFORMANCE_CASE(thousand_connections, needs_kernel) {
    constexpr std::size_t count = 1000;
    BOOST_REQUIRE(raise_descriptor_limit() > 2 * count + 50);
    row.open(loop_options())->run(many_at_once(count));
}

} // namespace phoenix::net::conformance
