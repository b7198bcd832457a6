// A simulated world: nodes on machines that do not exist, with time, links and luck that a seed draws.
//
//   sim::world all(seed);
//   sim::node& server = all.add_node(&serve);             // task<> serve(sim::node&): listens at port 7000
//   sim::node& client = all.add_node();
//   client.here().spawn(ask(server.address().with_port(7000)));
//   all.cut(server, client);
//   all.run_for(10s);                                     // ten simulated seconds, in no time
//   all.heal(server, client);
//   std::cout << all.trace_hash();                        // the same for the same seed, everywhere
//
// Each node has a loop of its own, and everything above `net` runs on it unchanged. Loops run when something happened to their
// node; what they do takes no time, but waiting does. Nodes are reached at their addresses, themselves at the loopback, too.
// Faults are made by name, here, or come by themselves as the plan says (plan.hpp). Those that end a node take effect when
// what happens now is over. Thread rule: a world and all of its nodes belong to one thread.
#pragma once

#include <phoenix/net/loop_options.hpp>
#include <phoenix/net/sim/node.hpp>
#include <phoenix/net/sim/plan.hpp>
#include <phoenix/net/sim/statistics.hpp>
#include <phoenix/net/time.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace phoenix::net::sim {

class fault_injector;
class world_core;

class world {
public:
    /// Throws std::system_error(errc::invalid_options).
    explicit world(std::uint64_t seed, const plan& how = {});
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();

    /// Lives as long as the world, and runs from now on. The options' driver is not asked for.
    node& add_node(program runs = {}, const loop_options& options = node::silent());

    [[nodiscard]] const std::vector<std::unique_ptr<node>>& nodes() const noexcept { return nodes_; }

    // --- Time.

    /// Since the world began.
    [[nodiscard]] nanoseconds elapsed() const noexcept;

    /// Goes on for so long, whether something happens or not.
    void run_for(nanoseconds time);

    /// Goes on until done(), which is asked after each thing that happened; false when so much time has passed before, or
    /// nothing is left that could happen.
    [[nodiscard]] bool run_until(const std::function<bool()>& done, nanoseconds at_most);

    /// Calls what() once so much time has passed, on no node.
    void after(nanoseconds time, std::function<void()> what);

    // --- Faults of links. Several of a link add up; it is open again when each has ended.

    /// Connections stand still, and requests for new ones are not heard.
    void cut(const node& one, const node& other);
    void heal(const node& one, const node& other);
    void cut_one_way(const node& from, const node& to);
    void heal_one_way(const node& from, const node& to);
    /// One way stands still, as in a one-way cut, and is counted apart: requests for connections are not heard, and asked again.
    void clog(const node& from, const node& to);
    void unclog(const node& from, const node& to);

    /// Ends a connection between the two, in the middle of whatever it carries: false when there is none.
    bool reset_connection(const node& one, const node& other);
    /// Nothing arrives on a connection between the two any more, and neither is told: false when there is none.
    bool silence_connection(const node& one, const node& other);

    // --- Faults of nodes.

    void kill(node& who);
    void lose_power(node& who);
    /// No fault: while it unwinds, the world goes on.
    void stop(node& who);
    /// Begins the program anew. Nothing for a node that is up.
    void start(node& who);
    /// Its process stands still for so long; its kernel does not.
    void pause(const node& who, nanoseconds time);
    void resume(const node& who);
    /// Its process reads little at a time, and late, for so long from now on.
    void slow_down(const node& who, nanoseconds time);
    /// Moves its wall clock.
    void jump_clock(const node& who, nanoseconds by);

    /// From now on nothing goes wrong by itself: what the plan's faults did ends, nodes that they ended are started, and clocks
    /// that they moved are set back.
    void calm();

    // --- What happened.

    [[nodiscard]] const statistics& counted() const noexcept;

    /// Sums up all that has happened: the same for the same seed and plan, whatever compiled it.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept;

private:
    void end(node& who, ending how);

    std::unique_ptr<world_core> core_;
    std::vector<std::unique_ptr<node>> nodes_;
    std::unique_ptr<fault_injector> faults_;
    monotonic_time began_;
};

} // namespace phoenix::net::sim
