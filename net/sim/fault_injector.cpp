#include <phoenix/net/sim/fault_injector.hpp>
#include <phoenix/net/sim/world.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <utility>
#include <vector>

namespace phoenix::net::sim {

fault_injector::fault_injector(world& all, world_core& core)
    // A stream of its own: a world without faults draws what it would draw anyway.
    : all_(all), core_(core), random_(random_source::mix(core.seed() ^ 0x6661'756c'7473'0000U)) {
    const fault_plan& how = core_.how().faults;
    expect(how.partitions, &fault_injector::partition);
    expect(how.cuts, &fault_injector::cut);
    expect(how.one_way_cuts, &fault_injector::cut_one_way);
    expect(how.clogs, &fault_injector::clog);
    expect(how.resets, &fault_injector::reset);
    expect(how.silences, &fault_injector::silence);
    expect(how.kills, &fault_injector::kill);
    expect(how.power_losses, &fault_injector::lose_power);
    expect(how.pauses, &fault_injector::pause);
    expect(how.slow_readers, &fault_injector::slow_down);
    expect(how.clock_jumps, &fault_injector::jump_clock);
}

void fault_injector::expect(const fault_rate& rate, fault what) {
    if (rate.every == nanoseconds(0)) {
        return;
    }
    core_.at(core_.now() + draw(nanoseconds(0), 2 * rate.every), [this, &rate, what] { happen(rate, what); });
}

void fault_injector::happen(const fault_rate& rate, fault what) {
    if (is_calm_) {
        return;
    }
    const nanoseconds lasts = draw(rate.shortest, rate.longest);
    if (all_.nodes().size() > 1) {
        if (std::function<void()> end = (this->*what)(lasts)) {
            const std::uint64_t number = ++begun_;
            ends_.emplace(number, std::move(end));
            core_.at(core_.now() + lasts, [this, number] {
                if (const auto found = ends_.extract(number)) {
                    found.mapped()();
                }
            });
        }
    }
    expect(rate, what);
}

void fault_injector::calm() {
    is_calm_ = true;
    core_.stop_buggify();
    for (const auto& [number, end] : std::exchange(ends_, {})) {
        end();
    }
    for (const auto& [number, by] : std::exchange(jumped_, {})) {
        core_.at_machine(number).clock_offset -= by;
    }
}

nanoseconds fault_injector::draw(nanoseconds least, nanoseconds most) {
    return nanoseconds(
        random_.between(static_cast<std::uint64_t>(least.count()), static_cast<std::uint64_t>(most.count())));
}

nanoseconds fault_injector::draw_either_way(nanoseconds most) {
    return draw(nanoseconds(0), 2 * most) - most;
}

nanoseconds fault_injector::draw_clock_skew() {
    return draw_either_way(core_.how().faults.clock_skew);
}

node& fault_injector::any_node() {
    return *all_.nodes()[random_.below(all_.nodes().size())];
}

fault_injector::pair fault_injector::any_two() {
    const std::size_t nodes = all_.nodes().size();
    const std::size_t one = random_.below(nodes);
    const std::size_t other = (one + 1 + random_.below(nodes - 1)) % nodes;
    return {all_.nodes()[one].get(), all_.nodes()[other].get()};
}

// --- Links.

std::function<void()> fault_injector::partition(nanoseconds) {
    const auto& nodes = all_.nodes();
    // One is here and another is there, whatever the coin says of the rest.
    const pair apart = any_two();
    std::vector<node*> here;
    std::vector<node*> there;
    for (const auto& each : nodes) {
        const bool is_here = each.get() == apart.one || (each.get() != apart.other && random_.below(2) == 0);
        (is_here ? here : there).push_back(each.get());
    }
    for (const node* one : here) {
        for (const node* other : there) {
            all_.cut(*one, *other);
        }
    }
    return [this, here = std::move(here), there = std::move(there)] {
        for (const node* one : here) {
            for (const node* other : there) {
                all_.heal(*one, *other);
            }
        }
    };
}

std::function<void()> fault_injector::cut(nanoseconds) {
    const pair ends = any_two();
    all_.cut(*ends.one, *ends.other);
    return [this, ends] {
        all_.heal(*ends.one, *ends.other);
    };
}

std::function<void()> fault_injector::cut_one_way(nanoseconds) {
    const pair ends = any_two();
    all_.cut_one_way(*ends.one, *ends.other);
    return [this, ends] {
        all_.heal_one_way(*ends.one, *ends.other);
    };
}

std::function<void()> fault_injector::clog(nanoseconds) {
    const pair ends = any_two();
    all_.clog(*ends.one, *ends.other);
    return [this, ends] {
        all_.unclog(*ends.one, *ends.other);
    };
}

// --- Connections.

std::function<void()> fault_injector::reset(nanoseconds) {
    const pair ends = any_two();
    all_.reset_connection(*ends.one, *ends.other);
    return {};
}

std::function<void()> fault_injector::silence(nanoseconds) {
    const pair ends = any_two();
    all_.silence_connection(*ends.one, *ends.other);
    return {};
}

// --- Nodes.

std::function<void()> fault_injector::kill(nanoseconds) {
    return take_down(false);
}

std::function<void()> fault_injector::lose_power(nanoseconds) {
    return take_down(true);
}

std::function<void()> fault_injector::take_down(bool loses_power) {
    node& who = any_node();
    if (down_ >= core_.how().faults.down_max || !who.is_up()) {
        return {};
    }
    ++down_;
    if (loses_power) {
        all_.lose_power(who);
    } else {
        all_.kill(who);
    }
    return [this, &who] {
        --down_;
        all_.start(who);
    };
}

std::function<void()> fault_injector::pause(nanoseconds lasts) {
    const node& who = any_node();
    all_.pause(who, lasts);
    return [this, &who] {
        all_.resume(who);
    };
}

std::function<void()> fault_injector::slow_down(nanoseconds lasts) {
    const node& who = any_node();
    all_.slow_down(who, lasts);
    return [this, &who] {
        all_.slow_down(who, nanoseconds(0));
    };
}

std::function<void()> fault_injector::jump_clock(nanoseconds) {
    const node& who = any_node();
    const nanoseconds by = draw_either_way(core_.how().faults.clock_jump);
    all_.jump_clock(who, by);
    jumped_[who.number()] += by;
    return {};
}

} // namespace phoenix::net::sim
