// One's own state type and a small service of it on three simulated machines that are cut off, killed and paused, seed by seed.
#include <phoenix/crdt/bytes.hpp>
#include <phoenix/net/sim/world.hpp>
#include <phoenix/replication/node.hpp>

#include <array>
#include <iostream>

using namespace phoenix;
using namespace std::chrono_literals;

/// The highest bid: the greater of two is right, in whatever order they come.
struct highest_bid {
    std::uint64_t amount = 0;

    highest_bid delta_and_merge(const highest_bid& other) {
        return other.amount > amount ? highest_bid{amount = other.amount} : highest_bid{};
    }

    void join(const highest_bid& other) { delta_and_merge(other); }

    bool leq(const highest_bid& other) const { return amount <= other.amount; }

    bool is_bottom() const { return amount == 0; }

    friend bool operator==(const highest_bid&, const highest_bid&) = default;

    void write(crdt::byte_writer& out) const { crdt::write_value(out, amount); }

    static highest_bid read(crdt::byte_reader& in) { return {crdt::read_value<std::uint64_t>(in)}; }
};

/// The service, from each start of its machine on: it bids once, and shows its users the highest bid.
net::task<> auction(net::sim::node& self, std::uint64_t& shown) {
    replication::type_registry types;
    types.add<highest_bid>("highest_bid");
    replication::node_options how;
    how.id = self.number(); // from 1 on; machine N is at 10.0.0.N
    how.cluster = "auction";
    how.secret = "known to this test alone";
    how.listen = net::endpoint::any_v4(7000);
    how.peers = {"10.0.0." + std::to_string(self.number() % 3 + 1) + ":7000"};
    replication::node peer(self.here(), std::move(types), how);
    auto lot = peer.open<highest_bid>("lot 7");
    const auto watch = lot.on_change([&shown](const highest_bid& bid) { shown = bid.amount; });
    lot.change([&](auto& bid, auto&) { return bid.delta_and_merge({self.here().random() % 1'000'000}); });
    co_await peer.run();
}

/// Whether all three show the same within 60 simulated seconds after the last fault.
bool ends_equal(std::uint64_t seed) {
    net::sim::random_source random(seed);
    net::sim::plan how;
    how.faults = net::sim::fault_plan::drawn_from(random, 10s);
    std::array<std::uint64_t, 3> shown{};
    net::sim::world all(seed, how);
    for (std::uint64_t& each : shown) {
        all.add_node([&each](net::sim::node& self) { return auction(self, each); });
    }
    all.run_for(10s);
    all.calm();
    return all.run_until([&] { return shown[0] == shown[1] && shown[1] == shown[2]; }, 60s);
}

int main(int count, char** arguments) {
    const std::uint64_t only = count > 1 ? std::stoull(arguments[1]) : 0;
    int red = 0;
    for (std::uint64_t seed = only != 0 ? only : 1; seed <= (only != 0 ? only : 100); ++seed) {
        if (!ends_equal(seed)) {
            std::cout << "seed " << seed << " ends with different bids: ./simulate-mine " << seed << '\n';
            ++red;
        }
    }
    std::cout << (red == 0 ? "all ended equal\n" : "");
    return red == 0 ? 0 : 1;
}
