#include <phoenix/net/sim/sim_driver.hpp>
#include <phoenix/net/sim/world.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <utility>

namespace phoenix::net::sim {

node::node(world_core& around, std::uint32_t number, const loop_options& options) {
    auto backend = std::make_unique<sim_driver>(around, number);
    driver_ = backend.get();
    loop_ = std::make_unique<loop>(std::move(backend), options);
}

node::~node() = default;

endpoint node::address() const noexcept {
    return driver_->address();
}

bool node::is_busy() const noexcept {
    return driver_->is_busy();
}

world::world(std::uint64_t seed, const plan& how)
    : core_(std::make_unique<world_core>(seed, how)), began_(core_->now()) {}

world::~world() = default;

node& world::add_node(const loop_options& options) {
    const auto number = static_cast<std::uint32_t>(nodes_.size() + 1);
    return *nodes_.emplace_back(std::make_unique<node>(*core_, number, options));
}

nanoseconds world::elapsed() const noexcept {
    return core_->now() - began_;
}

void world::run_for(nanoseconds time) {
    const monotonic_time until = later(core_->now(), time);
    while (core_->step_until(until)) {
    }
}

bool world::run_until(const std::function<bool()>& done, nanoseconds at_most) {
    const monotonic_time until = later(core_->now(), at_most);
    while (!done()) {
        if (!core_->step_until(until)) {
            return done();
        }
    }
    return true;
}

std::uint64_t world::trace_hash() const noexcept {
    return core_->trace_hash();
}

} // namespace phoenix::net::sim
