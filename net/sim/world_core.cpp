#include <phoenix/net/sim/connection.hpp>
#include <phoenix/net/sim/sim_driver.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <algorithm>

namespace phoenix::net::sim {

namespace {

constexpr std::uint16_t first_free_port = 32'768;
constexpr std::uint16_t last_free_port = 60'999;

// A kernel's first attempt to send again what nobody acknowledged.
constexpr nanoseconds first_retransmit = std::chrono::milliseconds(200);

} // namespace

world_core::world_core(std::uint64_t seed, const plan& how)
    : plan_(how), seed_(seed), random_(random_source::mix(seed)), schedule_(seed) {
    plan_.validate();
}

// --- Time, and what happens in it.

void world_core::at(monotonic_time when, schedule::action what) {
    schedule_.add(std::max(when, now_), std::move(what));
}

bool world_core::step_until(monotonic_time until) {
    if (schedule_.empty() || schedule_.next() > until) {
        if (until != no_deadline) {
            now_ = std::max(now_, until);
        }
        return false;
    }
    now_ = std::max(now_, schedule_.next());
    ++statistics_.steps;
    trace(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    const schedule::action what = schedule_.take();
    // A node that waits for something steps from inside.
    const bool was_happening = std::exchange(is_happening_, true);
    what();
    run_touched();
    is_happening_ = was_happening;
    while (!is_happening_ && !when_over_.empty()) {
        const std::vector<schedule::action> due = std::exchange(when_over_, {});
        for (const schedule::action& each : due) {
            each();
        }
        run_touched();
    }
    return true;
}

void world_core::when_over(schedule::action what) {
    if (is_happening_) {
        when_over_.push_back(std::move(what));
    } else {
        what();
    }
}

void world_core::touch(node_number who) {
    touched_.insert(who);
    trace(who);
}

void world_core::run_touched() {
    while (!touched_.empty()) {
        const node_number first = *touched_.begin();
        touched_.erase(touched_.begin());
        machine& touched = at_machine(first);
        if (touched.paused_until > now_) {
            touched.was_touched = true;
        } else if (touched.process != nullptr) {
            touched.process->run();
        }
    }
}

// --- Machines.

machine& world_core::at_machine(node_number number) noexcept {
    return machines_[number];
}

sim_driver* world_core::find(node_number number) const noexcept {
    const auto found = machines_.find(number);
    return found != machines_.end() ? found->second.process : nullptr;
}

void world_core::end_pause(node_number who) {
    machine& paused = at_machine(who);
    paused.paused_until = now_;
    if (std::exchange(paused.was_touched, false)) {
        touch(who);
    }
}

// --- Links.

link& world_core::link_between(node_number from, node_number to) noexcept {
    return links_[{from, to}];
}

monotonic_time world_core::due_over(node_number from, node_number to, std::size_t bytes) {
    if (from == to) {
        return now_ + plan_.loopback_latency;
    }
    nanoseconds time = plan_.latency;
    const auto up_to = [this](nanoseconds most) {
        return nanoseconds(random_.between(0, static_cast<std::uint64_t>(most.count())));
    };
    time += up_to(plan_.jitter);
    if (random_.chance(plan_.tail_rate)) {
        time += up_to(plan_.tail);
    }
    if (plan_.bytes_per_second == 0) {
        return now_ + time;
    }
    constexpr std::uint64_t second = 1'000'000'000;
    link& taken = link_between(from, to);
    taken.free_at = std::max(taken.free_at, now_) + nanoseconds(bytes * second / plan_.bytes_per_second);
    return taken.free_at + time;
}

nanoseconds world_core::retransmit_delay(node_number from, node_number to) {
    // A kernel waits twice as long each time: as long again as it has waited, at most.
    const nanoseconds waited = std::max(now_ - link_between(from, to).stands_since, first_retransmit);
    const auto most = static_cast<std::uint64_t>(std::min(waited, plan_.retransmit_max).count());
    return nanoseconds(random_.between(0, most));
}

void world_core::open_link(node_number from, node_number to) {
    link& opened = link_between(from, to);
    if (!opened.is_open() || !at_machine(to).has_power) {
        return;
    }
    for (const std::shared_ptr<one_way>& each : std::exchange(opened.waiting, {})) {
        each->try_again();
    }
}

void world_core::open_links_to(node_number to) {
    // Those who try again may make links, and the map keeps its order.
    for (const auto& [number, other] : machines_) {
        open_link(number, to);
    }
}

void world_core::count_message(node_number from, node_number to, std::size_t bytes) noexcept {
    if (from != to) {
        ++statistics_.messages;
        statistics_.bytes += bytes;
    }
}

// --- Who listens where.

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
    std::uint16_t& last = at_machine(node).last_port;
    last = last < first_free_port || last == last_free_port ? first_free_port
                                                            : static_cast<std::uint16_t>(last + 1);
    return last;
}

// --- Connections between machines.

void world_core::add_connection(const std::shared_ptr<connection_end>& one) {
    ++statistics_.connections;
    std::erase_if(connections_, [](const auto& each) { return each.expired(); });
    connections_.push_back(one);
}

std::shared_ptr<connection_end> world_core::any_connection(node_number one, node_number other) {
    std::vector<std::shared_ptr<connection_end>> found;
    for (const std::weak_ptr<connection_end>& each : connections_) {
        const std::shared_ptr<connection_end> end = each.lock();
        if (end == nullptr || end->has_failed()) {
            continue;
        }
        const auto [here, there] = end->machines();
        if (one == 0 || (here == one && there == other) || (here == other && there == one)) {
            found.push_back(end);
        }
    }
    return found.empty() ? nullptr : found[random_.below(found.size())];
}

// --- Rare cases that code asks for.

bool world_core::buggify(std::string_view site) {
    if (buggify_stopped_ || plan_.faults.buggify_sites == 0) {
        return false;
    }
    // Of the seed and the name alone: a site that comes or goes leaves the others as they are.
    std::uint64_t name = seed_;
    for (const char each : site) {
        name = random_source::mix(name + static_cast<unsigned char>(each) + 1);
    }
    if (name % 1'000'000 >= plan_.faults.buggify_sites || !random_.chance(plan_.faults.buggify_rate)) {
        return false;
    }
    ++statistics_.buggified;
    trace(name);
    return true;
}

} // namespace phoenix::net::sim
