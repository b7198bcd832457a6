// The port for clients on a real socket.
#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/with_scope.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

#include <resp/server.hpp>

namespace resp {

namespace {

using namespace std::chrono_literals;

class lonely_cluster final : public cluster {
public:
    explicit lonely_cluster(replication::node& self) : self_(self) {}

    [[nodiscard]] replication::node_status status() const override { return self_.status(); }

    void cut(std::uint64_t node) override { self_.cut(node); }

    void heal(std::uint64_t node) override { self_.heal(node); }

    [[nodiscard]] replication::write_mark mark() override { return self_.mark(); }

    [[nodiscard]] net::nanoseconds uptime() const override { return 0ns; }

private:
    replication::node& self_;
};

replication::type_registry redis_types() {
    replication::type_registry types;
    types.add<redis_value>("redis_value");
    return types;
}

replication::node_options alone() {
    replication::node_options how;
    how.id = 1;
    how.cluster = "lab";
    how.secret = "a secret of some length";
    return how;
}

/// A node that has no peers, and its port.
struct bench {
    explicit bench(net::loop& owner)
        : self(owner, redis_types(), alone()), around(self), keys(self.objects()), run(keys, around),
          door(owner, net::endpoint::loopback_v4(0)) {}

    replication::node self;
    lonely_cluster around;
    keyspace keys;
    executor run;
    net::listener door;
};

/// Reads until `end` has come at the end.
net::task<std::string> read_to(net::stream& peer, std::string_view end) {
    std::string all;
    while (!all.ends_with(end)) {
        const auto data = co_await peer.read_some();
        BOOST_TEST_REQUIRE(!data.empty(), "the server closed the connection after: " << all);
        all.append(reinterpret_cast<const char*>(data.data()), data.size());
    }
    co_return all;
}

net::task<> until_clients(bench& here, std::size_t count) {
    while (here.run.clients().size() != count) {
        co_await net::sleep_for(1ms);
    }
}

using talk = net::task<> (*)(bench&);

net::task<> serve_while(net::scope& children, bench* here, talk body) {
    children.spawn(here->self.run());
    children.spawn(serve_clients(here->door, here->run, here->self, {}));
    co_await net::with_deadline(body(*here), 10s);
}

void on_a_port(talk body) {
    net::loop owner;
    owner.run([](net::loop& on, talk what) -> net::task<> {
        bench here(on);
        co_await net::with_scope(&serve_while, &here, what);
    }(owner, body));
}

net::task<> pipelines(bench& here) {
    net::stream peer = co_await net::connect(here.door.local_endpoint());
    co_await peer.write("SET a 1\r\nINCR a\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\nNONE\r\n");
    const std::string said = co_await read_to(peer, "with args beginning with: \r\n");
    BOOST_TEST(said == "+OK\r\n:2\r\n$1\r\n2\r\n-ERR unknown command 'NONE', with args beginning with: \r\n");
    co_await peer.write("*1\r\n:1\r\n");
    const std::string refused = co_await read_to(peer, "got ':'\r\n");
    BOOST_TEST(refused == "-ERR Protocol error: expected '$', got ':'\r\n");
    const auto end = co_await peer.read_some();
    BOOST_TEST(end.empty());
    co_await until_clients(here, 0);
}

net::task<> leaves_while_it_waits(bench& here) {
    {
        net::stream peer = co_await net::connect(here.door.local_endpoint());
        co_await peer.write("SET a 1\r\nWAIT 1 0\r\n");
        const std::string said = co_await read_to(peer, "+OK\r\n");
        BOOST_TEST(said == "+OK\r\n");
        BOOST_TEST(here.run.clients().size() == 1U);
    }
    // Nobody holds it, and it would have waited for weeks.
    co_await until_clients(here, 0);
}

net::task<> leaves_with_requests_behind(bench& here) {
    {
        net::stream together = co_await net::connect(here.door.local_endpoint());
        co_await together.write("WAIT 1 0\r\nGET a\r\nGE");
        net::stream later = co_await net::connect(here.door.local_endpoint());
        co_await later.write("SET a 1\r\nWAIT 1 0\r\n");
        const std::string said = co_await read_to(later, "+OK\r\n");
        BOOST_TEST(said == "+OK\r\n");
        co_await later.write("PING\r\n");
        co_await later.flush();
        BOOST_TEST(here.run.clients().size() == 2U);
    }
    co_await until_clients(here, 0);
}

net::task<> sends_much_while_it_waits(bench& here) {
    net::stream peer = co_await net::connect(here.door.local_endpoint());
    std::string asked = "WAIT 1 50\r\n";
    std::string expected = ":0\r\n";
    // More than is read ahead, in one piece and behind it.
    for (int i = 0; i < 60'000; ++i) {
        asked += "PING\r\n";
        expected += "+PONG\r\n";
    }
    asked += "ECHO end\r\n";
    expected += "$3\r\nend\r\n";
    co_await peer.write(asked);
    const std::string said = co_await read_to(peer, "end\r\n");
    BOOST_TEST((said == expected));
}

net::task<> send_all(net::stream& peer, std::string_view text) {
    co_await peer.write(text);
    co_await peer.flush();
}

net::task<> sends_without_end_while_it_waits(bench& here) {
    net::stream peer = co_await net::connect(here.door.local_endpoint());
    co_await peer.write("WAIT 1 0\r\n");
    // More than what is read ahead and what the kernel holds on the way.
    const std::string much(64UL * 1024 * 1024, 'x');
    bool was_taken = true;
    try {
        co_await net::with_deadline(send_all(peer, much), 1s);
    } catch (const std::system_error& e) {
        was_taken = e.code() != net::errc::timed_out;
    }
    BOOST_TEST(!was_taken);
}

net::task<> sends_while_it_waits(bench& here) {
    net::stream peer = co_await net::connect(here.door.local_endpoint());
    co_await peer.write("SET a 1\r\nWAIT 1 100\r\n");
    const std::string before = co_await read_to(peer, "+OK\r\n");
    BOOST_TEST(before == "+OK\r\n");
    net::loop& on = co_await net::this_loop();
    const net::monotonic_time began = on.now();
    co_await peer.write("GET a\r\nWAIT 1 1\r\nGE");
    co_await net::sleep_for(5ms);
    co_await peer.write("T b\r\n");
    const std::string said = co_await read_to(peer, "$-1\r\n");
    BOOST_TEST(said == ":0\r\n$1\r\n1\r\n:0\r\n$-1\r\n");
    BOOST_TEST((on.now() - began >= 90ms));
}

} // namespace

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(a_pipeline_is_answered_in_order_and_an_error_ends_it) {
    on_a_port(pipelines);
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_while_it_waits_is_let_go) {
    on_a_port(leaves_while_it_waits);
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_with_requests_behind_a_wait_is_let_go) {
    on_a_port(leaves_with_requests_behind);
}

BOOST_AUTO_TEST_CASE(more_than_is_read_ahead_waits_and_is_answered) {
    on_a_port(sends_much_while_it_waits);
}

BOOST_AUTO_TEST_CASE(what_is_read_ahead_of_a_wait_has_a_bound) {
    on_a_port(sends_without_end_while_it_waits);
}

BOOST_AUTO_TEST_CASE(what_a_client_sends_while_it_waits_is_answered_after_it) {
    on_a_port(sends_while_it_waits);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace resp
