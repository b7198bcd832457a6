// A simulated world: nodes on machines that do not exist, with time, links and luck that a seed draws.
//
//   sim::world all(seed);
//   sim::node& server = all.add_node();
//   sim::node& client = all.add_node();
//   server.here().spawn(serve());                         // its listener is at server.address().with_port(7000)
//   client.here().spawn(ask(server.address().with_port(7000)));
//   all.run_for(10s);                                     // ten simulated seconds, in no time
//   std::cout << all.trace_hash();                        // the same for the same seed, everywhere
//
// Each node has a loop of its own, and everything above `net` runs on it unchanged. Loops run when something happened to their
// node; what they do takes no time, but waiting does. Nodes are reached at their addresses, themselves at the loopback, too.
// Thread rule: a world and all of its nodes belong to one thread.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/loop_options.hpp>
#include <phoenix/net/sim/plan.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace phoenix::net::sim {

class sim_driver;
class world_core;

class node {
public:
    node(world_core& around, std::uint32_t number, const loop_options& options);
    node(const node&) = delete;
    node& operator=(const node&) = delete;
    ~node();

    /// What runs on this node is spawned here. Not run(): the world drives it.
    [[nodiscard]] loop& here() noexcept { return *loop_; }

    /// Where others reach it, with port 0.
    [[nodiscard]] endpoint address() const noexcept;

    /// Whether it has tasks that have not ended.
    [[nodiscard]] bool is_busy() const noexcept;

private:
    sim_driver* driver_;
    std::unique_ptr<loop> loop_;
};

class world {
public:
    /// Throws std::system_error(errc::invalid_options).
    explicit world(std::uint64_t seed, const plan& how = {});
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();

    /// Lives as long as the world. The options' driver is not asked for.
    node& add_node(const loop_options& options = {});

    /// Since the world began.
    [[nodiscard]] nanoseconds elapsed() const noexcept;

    /// Goes on for so long, whether something happens or not.
    void run_for(nanoseconds time);

    /// Goes on until done(), which is asked after each thing that happened; false when so much time has passed before, or
    /// nothing is left that could happen.
    [[nodiscard]] bool run_until(const std::function<bool()>& done, nanoseconds at_most);

    /// Sums up all that has happened: the same for the same seed and plan, whatever compiled it.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept;

private:
    std::unique_ptr<world_core> core_;
    std::vector<std::unique_ptr<node>> nodes_;
    monotonic_time began_;
};

} // namespace phoenix::net::sim
