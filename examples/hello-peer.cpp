// Two processes that share a counter and a set: hello-peer ID PORT PEER_PORT. In two terminals:
//   hello-peer 1 7001 7002
//   hello-peer 2 7002 7001
// Each line that you type is a name for the set, and counts. Stop one, type on at the other, start it again.
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/replication/node.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <thread>

using namespace phoenix;
using counter = crdt::pn_counter;
using names = crdt::or_set<std::string>;

int main(int argc, char** argv) try {
    if (argc != 4) {
        std::cerr << "usage: hello-peer ID PORT PEER_PORT\n";
        return 2;
    }
    replication::type_registry types;
    types.add<counter>("counter");
    types.add<names>("names");

    replication::node_options how;
    how.id = std::stoull(argv[1]);
    how.cluster = "hello";
    how.secret = "a real cluster reads this from a file";
    how.listen = net::endpoint::parse(std::string("127.0.0.1:") + argv[2]);
    how.peers = {std::string("127.0.0.1:") + argv[3]};

    net::loop loop;
    replication::node self(loop, std::move(types), how);
    auto hits = self.open<counter>("hits");
    auto guests = self.open<names>("guests");

    const auto watching = guests.on_change([&](const names& all) {
        std::cout << hits->value() << " greetings from";
        for (const std::string& name : all) {
            std::cout << ' ' << name;
        }
        std::cout << std::endl;
    });

    std::thread([&] {
        for (std::string name; std::getline(std::cin, name);) {
            loop.post([&, name] {
                hits.change([](auto& count, auto& me) { return count.increment(me); });
                guests.edit([&](auto set) { set.add(name); });
            });
        }
    }).detach();
    loop.run(self.run()); // until Ctrl-C
} catch (const std::exception& error) {

    std::cerr << "hello-peer: " << error.what() << '\n';
    return 1;
}
