// What all nodes of a simulated world share: its time, what is going to happen, who listens where.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/sim/plan.hpp>
#include <phoenix/net/sim/random.hpp>
#include <phoenix/net/sim/schedule.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace phoenix::net::sim {

class sim_driver;
class listening;

/// Nodes count from 1.
using node_number = std::uint32_t;

class world_core {
public:
    world_core(std::uint64_t seed, const plan& how);

    world_core(const world_core&) = delete;
    world_core& operator=(const world_core&) = delete;

    [[nodiscard]] monotonic_time now() const noexcept { return now_; }

    [[nodiscard]] const plan& how() const noexcept { return plan_; }

    [[nodiscard]] random_source& random() noexcept { return random_; }

    /// Something happens at `when`, or now when that has passed.
    void at(monotonic_time when, schedule::action what);

    /// The next thing happens, and time with it; then everybody whom it touched runs. False when nothing is left.
    bool step();
    /// The same unless it is later than `until`: then time alone goes on until then, and it gives false.
    bool step_until(monotonic_time until);

    /// What happens now reaches this node: its loop runs after that.
    void touch(sim_driver& who);

    /// How long what is sent now takes.
    [[nodiscard]] nanoseconds link_time(node_number from, node_number to) noexcept;

    // --- Who is there.

    /// Drivers of nodes that run.
    void enter(sim_driver& who);
    void leave(sim_driver& who) noexcept;
    [[nodiscard]] sim_driver* find(node_number number) const noexcept;

    // --- Who listens where. By node, family and port.

    using place = std::tuple<node_number, address_family, std::uint16_t>;

    /// A port that nobody has: `wanted`, or one of the kernel's choice for 0; 0 when there is none.
    [[nodiscard]] std::uint16_t take_port(node_number node, address_family family, std::uint16_t wanted);
    void listen(const place& where, listening& who);
    void stop_listening(const place& where) noexcept;
    [[nodiscard]] listening* listener_at(const place& where) const noexcept;
    /// Of a connection that goes out.
    [[nodiscard]] std::uint16_t outgoing_port(node_number node) noexcept;

    /// Sums up all that happened until now.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_; }

    void trace(std::uint64_t what) noexcept { trace_ = random_source::mix(trace_ ^ what) + trace_; }

    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

private:
    void run_touched();

    const plan plan_;
    random_source random_;
    schedule schedule_;
    // Not zero: the time before all time means something to deadlines.
    monotonic_time now_{std::chrono::hours(1)};
    std::uint64_t trace_ = 0;
    std::uint64_t steps_ = 0;
    std::map<node_number, sim_driver*> running_;
    std::set<node_number> touched_;
    std::map<place, listening*> listening_;
    std::map<node_number, std::uint16_t> last_port_;
};

} // namespace phoenix::net::sim
