// A state type of one's own: its lattice, its bytes, its laws, and two nodes that share an object of it.
#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/laws.hpp>
#include <phoenix/net/when_any.hpp>
#include <phoenix/replication/node.hpp>

#include <chrono>
#include <iostream>
#include <map>

using namespace phoenix;

/// The best lap time of each driver: times only get better, so the least of two is right, in whatever order they come.
struct lap_times {
    std::map<std::string, std::uint32_t> best_ms;

    /// Changes the state and returns the change, itself a state.
    lap_times drive(const std::string& driver, std::uint32_t lap_ms) {
        return delta_and_merge(lap_times{{{driver, lap_ms}}});
    }

    lap_times delta_and_merge(const lap_times& other) {
        lap_times news;
        for (const auto& [driver, lap_ms] : other.best_ms) {
            const auto [at, is_new] = best_ms.try_emplace(driver, lap_ms);
            if (is_new || lap_ms < at->second) {
                news.best_ms[driver] = at->second = lap_ms;
            }
        }
        return news;
    }

    void join(const lap_times& other) { delta_and_merge(other); }

    bool leq(const lap_times& other) const { return lap_times(other).delta_and_merge(*this).is_bottom(); }

    bool is_bottom() const { return best_ms.empty(); }

    friend bool operator==(const lap_times&, const lap_times&) = default;

    void write(crdt::byte_writer& out) const { crdt::write_value(out, best_ms); }

    static lap_times read(crdt::byte_reader& in) { return {crdt::read_value<decltype(best_ms)>(in)}; }
};

replication::node_options options(std::uint64_t id) {
    replication::node_options how;
    how.id = id;
    how.cluster = "racing";
    how.secret = "a real cluster reads this from a file";
    how.listen = net::endpoint::loopback_v4(0);
    return how;
}

net::task<> race(replication::node& pit, replication::node& track) {
    track.open<lap_times>("spa").change([](auto& laps, auto&) { return laps.drive("ann", 107'300); });
    pit.open<lap_times>("spa").change([](auto& laps, auto&) { return laps.drive("bob", 108'100); });
    co_await track.wait_for_holders(track.mark(), 1, std::chrono::seconds(5));
    std::cout << "drivers with a time: " << pit.open<lap_times>("spa")->best_ms.size() << '\n';
}

net::task<> run(replication::node& pit, replication::node& track) {
    co_await net::when_any(pit.run(), track.run(), race(pit, track)); // until the race is over
}

int main() {
    const crdt::laws::subject<lap_times> subject{.mutate = [](auto& laps, auto&, auto& random) {
        return laps.drive(std::to_string(random.below(3)), static_cast<std::uint32_t>(random.below(9)));
    }};
    std::cout << crdt::laws::to_string(crdt::laws::check_all(subject)) << '\n';

    replication::type_registry types;
    types.add<lap_times>("lap_times");
    net::loop loop;
    replication::node pit(loop, types, options(1));
    replication::node track(loop, types, options(2));
    track.dial(pit.local_endpoint()->to_string());
    loop.run(run(pit, track));
}
