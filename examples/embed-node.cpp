// A node inside a program that already runs on Asio: embed-node ID PORT PEER_PORT. In two terminals:
//   embed-node 1 7001 7002
//   embed-node 2 7002 7001
// Each counts a visit a second and notes when; both print what the other did. Ctrl-C ends one, which says farewell.
#include <phoenix/crdt/lww_map.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/replication/node.hpp>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <system_error>

using namespace phoenix;
using counter = crdt::pn_counter;
using last_visits = crdt::lww_map<std::string, std::int64_t>;

/// What the program did before: something of Asio's, again and again.
class visitor {
public:
    visitor(asio::io_context& host, replication::node& self)
        : self_(self), visits_(self.open<counter>("visits")), last_(self.open<last_visits>("last")),
          timer_(host) {
        visit_later();
    }

    void stop() { timer_.cancel(); }

private:
    void visit_later() {
        timer_.expires_after(std::chrono::seconds(1));
        timer_.async_wait([this](std::error_code failed) {
            if (!failed) {
                visit();
                visit_later();
            }
        });
    }

    void visit() {
        visits_.change([](auto& count, auto& me) { return count.increment(me); });
        // Who writes last wins, by the node's clock, which is later than all that it has heard of.
        last_.change([&](auto& map, auto& me) {
            return map.put(me, "node " + std::to_string(me.node), visits_->value(), self_.stamp());
        });
    }

    replication::node& self_;
    replication::object<counter> visits_;
    replication::object<last_visits> last_;
    asio::steady_timer timer_;
};

int main(int argc, char** argv) try {
    if (argc != 4) {
        std::cerr << "usage: embed-node ID PORT PEER_PORT\n";
        return 2;
    }
    replication::type_registry types;
    types.add<counter>("counter");
    types.add<last_visits>("last visits");

    replication::node_options how;
    how.id = std::stoull(argv[1]);
    how.cluster = "hello";
    how.secret = "a real cluster reads this from a file";
    how.listen = net::endpoint::parse(std::string("127.0.0.1:") + argv[2]);
    how.peers = {std::string("127.0.0.1:") + argv[3]};

    asio::io_context host;
    net::loop loop(net::make_asio_driver(host));
    replication::node self(loop, std::move(types), how);
    visitor visits(host, self);
    const auto watching = self.on_change_elsewhere([&](const replication::change& seen) {
        if (seen.object.key() != "last") {
            return; // it changes with each visit, as the counter does
        }
        std::cout << self.open<counter>("visits")->value() << " visits; at the last of";
        for (const auto& [who, count] : *self.open<last_visits>("last")) {
            std::cout << ' ' << who << " there were " << count << ';';
        }
        std::cout << std::endl;
    });

    loop.spawn(self.run());
    asio::signal_set signals(host, SIGINT, SIGTERM);
    const auto end = [&] {
        visits.stop();
        signals.cancel();
        loop.stop();
    };
    signals.async_wait([&](std::error_code failed, int) {
        if (!failed) {
            end();
        }
    });
    try {
        host.run();
    } catch (...) {
        // A handler failed: the node says farewell before it is destroyed.
        end();
        host.restart();
        host.run();
        throw;
    }
} catch (const std::exception& error) {

    std::cerr << "embed-node: " << error.what() << '\n';
    return 1;
}
