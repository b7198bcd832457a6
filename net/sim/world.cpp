#include <phoenix/net/sim/connection.hpp>
#include <phoenix/net/sim/fault_injector.hpp>
#include <phoenix/net/sim/world.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <algorithm>
#include <utility>

namespace phoenix::net::sim {

world::world(std::uint64_t seed, const plan& how)
    : core_(std::make_unique<world_core>(seed, how)), began_(core_->now()) {
    faults_ = std::make_unique<fault_injector>(*this, *core_);
}

world::~world() = default;

node& world::add_node(program runs, const loop_options& options) {
    const auto number = static_cast<node_number>(nodes_.size() + 1);
    core_->at_machine(number).clock_offset = faults_->draw_clock_skew();
    return *nodes_.emplace_back(std::make_unique<node>(*core_, number, std::move(runs), options));
}

// --- Time.

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

void world::after(nanoseconds time, std::function<void()> what) {
    core_->at(later(core_->now(), time), std::move(what));
}

// --- Faults of links.

void world::cut(const node& one, const node& other) {
    cut_one_way(one, other);
    cut_one_way(other, one);
}

void world::heal(const node& one, const node& other) {
    heal_one_way(one, other);
    heal_one_way(other, one);
}

void world::cut_one_way(const node& from, const node& to) {
    link& way = core_->link_between(from.number(), to.number());
    ++way.cuts;
    ++core_->counted().cuts;
    way.stands_since = core_->now();
}

void world::heal_one_way(const node& from, const node& to) {
    link& way = core_->link_between(from.number(), to.number());
    if (way.cuts > 0) {
        --way.cuts;
        core_->open_link(from.number(), to.number());
    }
}

void world::clog(const node& from, const node& to) {
    link& way = core_->link_between(from.number(), to.number());
    ++way.clogs;
    ++core_->counted().clogs;
    way.stands_since = core_->now();
}

void world::unclog(const node& from, const node& to) {
    link& way = core_->link_between(from.number(), to.number());
    if (way.clogs > 0) {
        --way.clogs;
        core_->open_link(from.number(), to.number());
    }
}

bool world::reset_connection(const node& one, const node& other) {
    const auto found = core_->any_connection(one.number(), other.number());
    if (found != nullptr) {
        ++core_->counted().resets;
        found->break_off();
    }
    return found != nullptr;
}

bool world::silence_connection(const node& one, const node& other) {
    const auto found = core_->any_connection(one.number(), other.number());
    if (found != nullptr) {
        ++core_->counted().silences;
        found->fall_silent();
    }
    return found != nullptr;
}

// --- Faults of nodes.

void world::end(node& who, ending how) {
    core_->when_over([this, &who, how] {
        if (who.is_up()) {
            core_->counted().kills += how == ending::killed ? 1 : 0;
            core_->counted().power_losses += how == ending::lost_power ? 1 : 0;
            who.end(how);
        }
    });
}

void world::kill(node& who) {
    end(who, ending::killed);
}

void world::lose_power(node& who) {
    end(who, ending::lost_power);
}

void world::stop(node& who) {
    resume(who);
    end(who, ending::stopped);
}

void world::start(node& who) {
    core_->when_over([&who] {
        if (!who.is_up()) {
            who.start();
        }
    });
}

void world::pause(const node& who, nanoseconds time) {
    ++core_->counted().pauses;
    machine& paused = core_->at_machine(who.number());
    paused.paused_until = std::max(paused.paused_until, later(core_->now(), time));
    core_->at(paused.paused_until, [core = core_.get(), number = who.number()] {
        if (core->at_machine(number).paused_until <= core->now()) {
            core->end_pause(number);
        }
    });
}

void world::resume(const node& who) {
    core_->end_pause(who.number());
}

void world::slow_down(const node& who, nanoseconds time) {
    core_->counted().slow_readers += time > nanoseconds(0) ? 1 : 0;
    core_->at_machine(who.number()).slow_until = later(core_->now(), time);
}

void world::jump_clock(const node& who, nanoseconds by) {
    ++core_->counted().clock_jumps;
    core_->at_machine(who.number()).clock_offset += by;
}

void world::calm() {
    faults_->calm();
}

// --- What happened.

const statistics& world::counted() const noexcept {
    return core_->counted();
}

std::uint64_t world::trace_hash() const noexcept {
    return core_->trace_hash();
}

} // namespace phoenix::net::sim
