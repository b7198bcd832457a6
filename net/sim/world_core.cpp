#include <phoenix/net/sim/sim_driver.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <algorithm>

namespace phoenix::net::sim {

namespace {

constexpr std::uint16_t first_free_port = 32'768;
constexpr std::uint16_t last_free_port = 60'999;

} // namespace

world_core::world_core(std::uint64_t seed, const plan& how)
    : plan_(how), random_(random_source::mix(seed)), schedule_(seed) {
    plan_.validate();
}

void world_core::at(monotonic_time when, schedule::action what) {
    schedule_.add(std::max(when, now_), std::move(what));
}

bool world_core::step() {
    return step_until(no_deadline);
}

bool world_core::step_until(monotonic_time until) {
    if (schedule_.empty() || schedule_.next() > until) {
        if (until != no_deadline) {
            now_ = std::max(now_, until);
        }
        return false;
    }
    now_ = std::max(now_, schedule_.next());
    ++steps_;
    trace(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    const schedule::action what = schedule_.take();
    what();
    run_touched();
    return true;
}

void world_core::touch(sim_driver& who) {
    touched_.insert(who.number());
    trace(who.number());
}

void world_core::run_touched() {
    while (!touched_.empty()) {
        const node_number first = *touched_.begin();
        touched_.erase(touched_.begin());
        if (sim_driver* const who = find(first)) {
            who->run();
        }
    }
}

nanoseconds world_core::link_time(node_number from, node_number to) noexcept {
    if (from == to) {
        return plan_.loopback_latency;
    }
    nanoseconds time = plan_.latency;
    const auto up_to = [this](nanoseconds most) {
        return nanoseconds(random_.between(0, static_cast<std::uint64_t>(most.count())));
    };
    time += up_to(plan_.jitter);
    if (random_.chance(plan_.tail_rate)) {
        time += up_to(plan_.tail);
    }
    return time;
}

void world_core::enter(sim_driver& who) {
    running_.emplace(who.number(), &who);
}

void world_core::leave(sim_driver& who) noexcept {
    running_.erase(who.number());
    touched_.erase(who.number());
}

sim_driver* world_core::find(node_number number) const noexcept {
    const auto found = running_.find(number);
    return found != running_.end() ? found->second : nullptr;
}

std::uint16_t world_core::take_port(node_number node, address_family family, std::uint16_t wanted) {
    if (wanted != 0) {
        return listening_.contains({node, family, wanted}) ? 0 : wanted;
    }
    for (std::uint32_t tries = last_free_port - first_free_port + 1U; tries > 0; --tries) {
        const std::uint16_t port = outgoing_port(node);
        if (!listening_.contains({node, family, port})) {
            return port;
        }
    }
    return 0;
}

void world_core::listen(const place& where, listening& who) {
    listening_.emplace(where, &who);
}

void world_core::stop_listening(const place& where) noexcept {
    listening_.erase(where);
}

listening* world_core::listener_at(const place& where) const noexcept {
    const auto found = listening_.find(where);
    return found != listening_.end() ? found->second : nullptr;
}

std::uint16_t world_core::outgoing_port(node_number node) noexcept {
    std::uint16_t& last = last_port_.try_emplace(node, last_free_port).first->second;
    last = last == last_free_port ? first_free_port : static_cast<std::uint16_t>(last + 1);
    return last;
}

} // namespace phoenix::net::sim
