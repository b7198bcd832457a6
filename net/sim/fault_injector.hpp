// What makes a plan's faults happen: when the seed says, to whom the seed says, and ends them again.
#pragma once

#include <phoenix/net/sim/fault_plan.hpp>
#include <phoenix/net/sim/machine.hpp>
#include <phoenix/net/sim/random.hpp>
#include <phoenix/net/time.hpp>

#include <cstdint>
#include <functional>
#include <map>

namespace phoenix::net::sim {

class node;
class world;
class world_core;

class fault_injector {
public:
    /// Faults come from now on.
    fault_injector(world& all, world_core& core);

    fault_injector(const fault_injector&) = delete;
    fault_injector& operator=(const fault_injector&) = delete;

    /// Of a new machine.
    [[nodiscard]] nanoseconds draw_clock_skew();

    /// Ends what lasts, and begins nothing any more.
    void calm();

private:
    /// Does it to somebody, and says how it ends; an empty function when nothing lasts, or there was nobody.
    using fault = std::function<void()> (fault_injector::*)(nanoseconds lasts);

    void expect(const fault_rate& rate, fault what);
    void happen(const fault_rate& rate, fault what);
    [[nodiscard]] nanoseconds draw(nanoseconds least, nanoseconds most);
    /// Forward or back, by so much at most.
    [[nodiscard]] nanoseconds draw_either_way(nanoseconds most);
    [[nodiscard]] node& any_node();

    struct pair {
        node* one;
        node* other;
    };

    /// Two that differ. Precondition: there are two.
    [[nodiscard]] pair any_two();

    [[nodiscard]] std::function<void()> partition(nanoseconds lasts);
    [[nodiscard]] std::function<void()> cut(nanoseconds lasts);
    [[nodiscard]] std::function<void()> cut_one_way(nanoseconds lasts);
    [[nodiscard]] std::function<void()> clog(nanoseconds lasts);
    [[nodiscard]] std::function<void()> reset(nanoseconds lasts);
    [[nodiscard]] std::function<void()> silence(nanoseconds lasts);
    [[nodiscard]] std::function<void()> kill(nanoseconds lasts);
    [[nodiscard]] std::function<void()> lose_power(nanoseconds lasts);
    [[nodiscard]] std::function<void()> take_down(bool loses_power);
    [[nodiscard]] std::function<void()> pause(nanoseconds lasts);
    [[nodiscard]] std::function<void()> slow_down(nanoseconds lasts);
    [[nodiscard]] std::function<void()> jump_clock(nanoseconds lasts);

    world& all_;
    world_core& core_;
    random_source random_;
    bool is_calm_ = false;
    /// What ends the faults that last, by their numbers.
    std::map<std::uint64_t, std::function<void()>> ends_;
    std::uint64_t begun_ = 0;
    /// How far clocks were moved: somebody sets them right in the end.
    std::map<node_number, nanoseconds> jumped_;
    std::uint32_t down_ = 0;
};

} // namespace phoenix::net::sim
