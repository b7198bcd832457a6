// What all nodes of a simulated world share: its time, what is going to happen, its machines and the links between them.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/sim/link.hpp>
#include <phoenix/net/sim/machine.hpp>
#include <phoenix/net/sim/plan.hpp>
#include <phoenix/net/sim/random.hpp>
#include <phoenix/net/sim/schedule.hpp>
#include <phoenix/net/sim/statistics.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace phoenix::net::sim {

class connection_end;
class listening;
class sim_driver;

class world_core {
public:
    world_core(std::uint64_t seed, const plan& how);

    world_core(const world_core&) = delete;
    world_core& operator=(const world_core&) = delete;

    // --- Time, and what happens in it.

    [[nodiscard]] monotonic_time now() const noexcept { return now_; }

    [[nodiscard]] const plan& how() const noexcept { return plan_; }

    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

    [[nodiscard]] random_source& random() noexcept { return random_; }

    /// Something happens at `when`, or now when that has passed.
    void at(monotonic_time when, schedule::action what);

    /// The next thing happens, and time with it; then everybody whom it touched runs. When that is later than `until`, time
    /// alone goes on until then, and it gives false; so it does when nothing is left.
    bool step_until(monotonic_time until);

    /// When what happens now is over: at once while nothing does. What ends a node must not run on it.
    void when_over(schedule::action what);

    /// What happens now reaches this machine: its process runs after that.
    void touch(node_number who);

    // --- Machines.

    /// Made when it is first asked for.
    [[nodiscard]] machine& at_machine(node_number number) noexcept;

    /// What runs there now; null for nothing.
    [[nodiscard]] sim_driver* find(node_number number) const noexcept;

    void end_pause(node_number who);

    // --- Links.

    [[nodiscard]] link& link_between(node_number from, node_number to) noexcept;

    /// When what is sent now, over an open link, is there.
    [[nodiscard]] monotonic_time due_over(node_number from, node_number to, std::size_t bytes);

    /// After how long a kernel tries again once a link is open.
    [[nodiscard]] nanoseconds retransmit_delay(node_number from, node_number to);

    /// The link may have opened: those who wait for it try again.
    void open_link(node_number from, node_number to);
    void open_links_to(node_number to);

    void count_message(node_number from, node_number to, std::size_t bytes) noexcept;

    // --- Who listens where. By node, family and port.

    using place = std::tuple<node_number, address_family, std::uint16_t>;

    /// A port that nobody has: `wanted`, or one of the kernel's choice for 0; 0 when there is none.
    [[nodiscard]] std::uint16_t take_port(node_number node, address_family family, std::uint16_t wanted);
    void listen(const place& where, listening& who);
    void stop_listening(const place& where) noexcept;
    [[nodiscard]] listening* listener_at(const place& where) const noexcept;
    /// Of a connection that goes out.
    [[nodiscard]] std::uint16_t outgoing_port(node_number node) noexcept;

    // --- Connections between machines, for faults that befall one of them.

    void add_connection(const std::shared_ptr<connection_end>& one);
    /// One of those between the two, or of all for 0 and 0; null when there is none.
    [[nodiscard]] std::shared_ptr<connection_end> any_connection(node_number one = 0, node_number other = 0);

    // --- Rare cases that code asks for.

    /// True at times, at those sites that the seed switches on.
    [[nodiscard]] bool buggify(std::string_view site);

    /// From now on at none.
    void stop_buggify() noexcept { buggify_stopped_ = true; }

    // --- What is told of it.

    /// Sums up all that happened until now.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_; }

    void trace(std::uint64_t what) noexcept { trace_ = random_source::mix(trace_ ^ what) + trace_; }

    [[nodiscard]] statistics& counted() noexcept { return statistics_; }

private:
    void run_touched();

    const plan plan_;
    const std::uint64_t seed_;
    random_source random_;
    schedule schedule_;
    // Not zero: the time before all time means something to deadlines.
    monotonic_time now_{std::chrono::hours(1)};
    std::uint64_t trace_ = 0;
    statistics statistics_;
    bool is_happening_ = false;
    std::vector<schedule::action> when_over_;
    std::map<node_number, machine> machines_;
    std::map<std::pair<node_number, node_number>, link> links_;
    std::set<node_number> touched_;
    std::map<place, listening*> listening_;
    std::vector<std::weak_ptr<connection_end>> connections_;
    bool buggify_stopped_ = false;
};

} // namespace phoenix::net::sim
