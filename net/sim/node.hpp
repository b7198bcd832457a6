// One node of a simulated world: a machine, and the process that runs on it.
//
//   sim::node& server = all.add_node([](sim::node& self) { return serve(self); });    // a task<>: what main() would be
//   all.kill(server);              // as by SIGKILL: the task is cancelled and unwinds, in a process that reaches nobody any more
//   all.start(server);             // the program begins anew
//
// What a program holds in its coroutine goes with the process, in the order in which it would go at a stop. Thread rule: the
// world's.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/loop_options.hpp>
#include <phoenix/net/sim/machine.hpp>
#include <phoenix/net/task.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace phoenix::net::sim {

class node;
class sim_driver;
class world_core;

/// What a node runs, from each of its starts until it ends or the node does. A stop of it at the node's end is a request
/// as any other: what it awaits then ends at once, and nothing that it does reaches anybody.
using program = std::function<task<>(node& self)>;

/// How a process ends.
enum class ending : std::uint8_t {
    stopped,   ///< by a stop of its loop: it unwinds, and reaches others while it does
    killed,    ///< as by SIGKILL: its kernel ends its connections, and files keep what was written
    lost_power ///< with its machine: nobody is told, and what was not synchronized is lost
};

class node {
public:
    /// For the world.
    node(world_core& around, node_number number, program runs, loop_options options);
    node(const node&) = delete;
    node& operator=(const node&) = delete;
    ~node();

    /// From 1 on, in the order in which they were added.
    [[nodiscard]] node_number number() const noexcept { return number_; }

    /// Whether it runs.
    [[nodiscard]] bool is_up() const noexcept { return loop_ != nullptr; }

    /// What runs on this node is spawned here. Not run(): the world drives it. Precondition: is_up().
    [[nodiscard]] loop& here() noexcept;

    /// Where others reach it, with port 0.
    [[nodiscard]] endpoint address() const noexcept;

    /// Whether it has tasks that have not ended.
    [[nodiscard]] bool is_busy() const noexcept;

    /// How often it was started.
    [[nodiscard]] std::uint32_t starts() const noexcept;

    /// What its programs threw until now, other than that they were stopped: empty as a rule.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

    /// Options of a loop that logs nothing: faults make many words.
    [[nodiscard]] static loop_options silent();

    // --- For the world.

    void start();
    void end(ending how);

private:
    [[nodiscard]] task<> run_program();

    world_core& around_;
    const node_number number_;
    const program program_;
    const loop_options options_;
    sim_driver* driver_ = nullptr;
    std::unique_ptr<loop> loop_;
    std::string failure_;
};

} // namespace phoenix::net::sim
