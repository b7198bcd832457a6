#include "schedule.hpp"

#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/crdt/register.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

namespace phoenix::replication::testing {

namespace {

using namespace std::chrono_literals;
using small_set = crdt::or_set<std::uint16_t>;
using large_set = crdt::or_set<std::string>;
using last_write = crdt::causal_register<std::uint32_t>;

const type_registry& types() {
    static const type_registry made = [] {
        type_registry all;
        all.add<small_set>("small set");
        all.add<large_set>("large set");
        all.add<crdt::pn_counter>("counter");
        all.add<last_write>("register");
        return all;
    }();
    return made;
}

/// All objects of one node, or what a model says of them.
struct content {
    std::map<std::string, small_set> small;
    std::map<std::string, large_set> large;
    std::map<std::string, crdt::pn_counter> counters;
    std::map<std::string, last_write> registers;

    template <class T>
    [[nodiscard]] auto& of() {
        if constexpr (std::is_same_v<T, small_set>) {
            return small;
        } else if constexpr (std::is_same_v<T, large_set>) {
            return large;
        } else if constexpr (std::is_same_v<T, crdt::pn_counter>) {
            return counters;
        } else {
            return registers;
        }
    }

    void join(const content& other) {
        const auto each = [](auto& mine, const auto& theirs) {
            for (const auto& [key, state] : theirs) {
                mine[key].join(state);
            }
        };
        each(small, other.small);
        each(large, other.large);
        each(counters, other.counters);
        each(registers, other.registers);
    }

    [[nodiscard]] bool leq(const content& other) const {
        const auto each = [](const auto& mine, const auto& theirs) {
            return std::ranges::all_of(mine, [&](const auto& entry) {
                const auto found = theirs.find(entry.first);
                return found != theirs.end() ? entry.second.leq(found->second) : entry.second.is_bottom();
            });
        };
        return each(small, other.small) && each(large, other.large) && each(counters, other.counters) &&
               each(registers, other.registers);
    }
};

/// What one replica wrote, by the number of the batch that it left with.
struct written {
    std::map<std::uint64_t, content> by_number;
    content open;
};

struct node {
    node(const crdt::replica_id& self, const delta_options& how)
        : objects(std::make_unique<object_store>(types(), self, store_options{how.frames.key_bytes_max, {}})),
          machine(std::make_unique<delta_machine>(*objects, how)) {}

    std::unique_ptr<object_store> objects;
    std::unique_ptr<delta_machine> machine;
    /// Something happened since the last tick.
    bool is_restless = false;
};

/// The two directions of a link, each with a lane that overtakes the other.
struct wire {
    std::array<std::size_t, 2> ends{};
    /// Whether each end believes that the link is up.
    std::array<bool, 2> is_up{};
    std::array<link_id, 2> names{};
    /// To end 0 and to end 1.
    std::array<std::array<std::deque<codec::frame>, 2>, 2> queues;
    /// Both ends have the same connection: what one sends, the other gets.
    bool is_whole = false;
};

} // namespace

struct schedule::world {
    explicit world(std::uint64_t seed) : random(seed) {}

    std::mt19937_64 random;
    delta_options options;
    std::vector<node> nodes;
    std::vector<wire> wires;
    std::map<crdt::replica_id, written> histories;
    net::monotonic_time now{1s};
    std::uint64_t incarnations = 0;
    std::uint64_t names = 0;
    std::uint32_t value = 0;
    /// Frames go missing, come twice or in another order though their link stands: receivers may refuse what comes.
    bool is_lossy = false;
    bool restarts = false;
    std::string wrong;
    schedule_counts* counts = nullptr;

    std::size_t draw(std::size_t below) { return random() % below; }

    bool one_in(std::size_t many) { return draw(many) == 0; }

    void complain(const std::string& what) {
        if (wrong.empty()) {
            wrong = what;
        }
    }

    // --- The cluster.

    crdt::replica_id next_replica(std::size_t index) { return {index + 1, ++incarnations}; }

    void build() {
        options.frames.frame_bytes_max = 1024;
        options.frames.key_bytes_max = 64;
        options.frames.entries_max = 8;
        options.buffer_bytes_max = one_in(2) ? 2048 : 1024 * 1024;
        options.buffer_batches_max = one_in(3) ? 3 : 10'000;
        options.window_bytes = one_in(2) ? 1024 : 64 * 1024;
        options.transfer_window_bytes = one_in(2) ? 512 : 64 * 1024;
        options.batch_objects_max = one_in(2) ? 2 : 100;
        options.retell_interval = 250ms;
        options.stall_max = 500ms;
        is_lossy = one_in(3);
        restarts = one_in(3);
        const std::size_t count = 3 + draw(3);
        for (std::size_t i = 0; i < count; ++i) {
            nodes.emplace_back(next_replica(i), options);
        }
        const std::size_t shape = draw(3);
        for (std::size_t a = 0; a < count; ++a) {
            for (std::size_t b = a + 1; b < count; ++b) {
                const bool is_line = b == a + 1;
                const bool is_ring = is_line || (a == 0 && b == count - 1);
                if (shape == 0 ? is_line : shape == 1 ? is_ring : true) {
                    wires.emplace_back().ends = {a, b};
                }
            }
        }
    }

    // --- Links.

    void connect(wire& w) {
        w.queues = {};
        w.is_whole = true;
        for (const std::size_t end : {0U, 1U}) {
            w.names[end] = link_id(++names);
            w.is_up[end] = true;
            if (!machine(w, end).link_up(now, w.names[end], nodes[w.ends[1 - end]].objects->self())) {
                complain("a link to the latest process of a node was refused");
            }
            nodes[w.ends[end]].is_restless = true;
        }
    }

    /// The connection is gone; the ends have still to notice.
    void cut(wire& w) {
        w.is_whole = false;
        w.queues = {};
        ++counts->cuts;
    }

    void notice(wire& w, std::size_t end) {
        if (w.is_up[end]) {
            w.is_up[end] = false;
            if (machine(w, end).is_receiving_transfer()) {
                ++counts->transfers_broken;
            }
            machine(w, end).link_down(now, w.names[end]);
            nodes[w.ends[end]].is_restless = true;
        }
    }

    delta_machine& machine(const wire& w, std::size_t end) { return *nodes[w.ends[end]].machine; }

    void deliver(wire& w, std::size_t end) {
        auto& lanes = w.queues[end];
        const std::size_t first = draw(2);
        for (const std::size_t lane : {first, 1 - first}) {
            if (lanes[lane].empty()) {
                continue;
            }
            const codec::frame frame = lanes[lane].front();
            lanes[lane].pop_front();
            counts->parts += frame.kind() == codec::frame_kind::batch_part;
            counts->parts += frame.kind() == codec::frame_kind::transfer_part;
            nodes[w.ends[end]].is_restless = true;
            try {
                machine(w, end).receive(now, w.names[end], frame);
            } catch (const std::system_error& e) {
                ++counts->refusals;
                if (!is_lossy) {
                    complain(std::string("a frame was refused though none was lost: ") + e.what());
                }
                cut(w);
                notice(w, end);
            }
            return;
        }
    }

    void harm_a_frame(wire& w, std::size_t end) {
        auto& lane = w.queues[end][draw(2)];
        if (lane.empty()) {
            return;
        }
        const std::size_t at = draw(lane.size());
        switch (draw(3)) {
        case 0:
            lane.erase(lane.begin() + static_cast<std::ptrdiff_t>(at));
            ++counts->frames_lost;
            break;
        case 1:
            lane.insert(lane.begin() + static_cast<std::ptrdiff_t>(at), codec::frame(lane[at]));
            ++counts->frames_doubled;
            break;
        default:
            std::swap(lane[at], lane[draw(lane.size())]);
            ++counts->frames_swapped;
        }
    }

    // --- Nodes.

    void tick(std::size_t index) {
        node& of = nodes[index];
        of.is_restless = false;
        const auto output = of.machine->tick(now);
        note_sealed(of);
        for (const auto& [link, frame] : output.frames) {
            for (wire& w : wires) {
                for (const std::size_t end : {0U, 1U}) {
                    if (w.ends[end] == index && w.is_up[end] && w.names[end] == link && w.is_whole) {
                        w.queues[1 - end][static_cast<std::size_t>(frame.on())].push_back(frame);
                    }
                }
            }
        }
        for (const auto& [link, why] : output.failed) {
            for (wire& w : wires) {
                for (const std::size_t end : {0U, 1U}) {
                    if (w.ends[end] == index && w.is_up[end] && w.names[end] == link) {
                        cut(w);
                        notice(w, end);
                    }
                }
            }
        }
    }

    void note_sealed(node& of) {
        const crdt::replica_id& self = of.objects->self();
        written& history = histories[self];
        const std::uint64_t number = of.machine->has().at(self);
        if (of.objects->pending() == 0 && number > 0) {
            history.by_number[number].join(history.open);
            history.open = {};
        }
    }

    template <class T, class Change>
    void change(std::size_t index, const std::string& key, Change&& change) {
        node& of = nodes[index];
        of.objects->change<T>(key, [&](T& state, const crdt::replica_id& self) {
            const T delta = change(state, self);
            histories[self].open.of<T>()[key].join(delta);
            return delta;
        });
        of.is_restless = true;
        ++counts->writes;
    }

    void write(std::size_t index) {
        const std::string key(1, static_cast<char>('a' + draw(4)));
        const auto element = static_cast<std::uint16_t>(draw(6));
        switch (draw(7)) {
        case 0:
        case 1:
            return change<small_set>(index, key,
                                     [&](auto& set, auto& self) { return set.add(self, element); });
        case 2:
            return change<small_set>(index, key,
                                     [&](auto& set, auto& self) { return set.remove(self, element); });
        case 3:
            return change<crdt::pn_counter>(index, key, [&](auto& counter, auto& self) {
                return one_in(3) ? counter.decrement(self, 2) : counter.increment(self, 3);
            });
        case 4:
            return change<last_write>(index, key, [&](auto& reg, auto& self) {
                return reg.set(self, ++value, nodes[index].objects->stamp());
            });
        case 5:
            // Some do not fit into a frame, alone or with others.
            return change<large_set>(index, key, [&](auto& set, auto& self) {
                return set.add(self, std::string(one_in(4) ? 3000 : 300, static_cast<char>('0' + draw(4))));
            });
        default:
            return change<large_set>(index, key, [&](auto& set, auto& self) {
                return one_in(3) ? set.clear(self)
                                 : set.remove(self, std::string(300, static_cast<char>('0' + draw(4))));
            });
        }
    }

    void restart(std::size_t index) {
        for (wire& w : wires) {
            for (const std::size_t end : {0U, 1U}) {
                if (w.ends[end] == index) {
                    cut(w);
                    w.is_up[end] = false;
                }
            }
        }
        count(nodes[index]);
        nodes[index] = node(next_replica(index), options);
        ++counts->restarts;
    }

    void count(const node& of) {
        const delta_counters& seen = of.machine->counters();
        counts->batches_joined += seen.batches_joined;
        counts->batches_redundant += seen.batches_redundant;
        counts->transfers += seen.transfers_joined;
        counts->published += seen.objects_published;
        counts->evictions += of.machine->log().evicted();
    }

    // --- What happens.

    void step() {
        wire& w = wires[draw(wires.size())];
        const std::size_t end = draw(2);
        const std::size_t index = draw(nodes.size());
        switch (draw(12)) {
        case 0:
        case 1:
            write(index);
            break;
        case 2:
        case 3:
            now += std::chrono::microseconds(draw(8000));
            break;
        case 4:
            if (one_in(4)) {
                cut(w);
            } else if (!w.is_up[0] && !w.is_up[1]) {
                connect(w);
            }
            break;
        case 5:
            if (!w.is_whole) {
                notice(w, end);
            }
            break;
        case 6:
            if (is_lossy && one_in(3)) {
                harm_a_frame(w, end);
            } else if (restarts && one_in(20)) {
                restart(index);
            }
            break;
        default:
            deliver(w, end);
        }
        for (std::size_t each = 0; each < nodes.size(); ++each) {
            if ((nodes[each].is_restless && !one_in(4)) || nodes[each].machine->next_tick() <= now) {
                tick(each);
            }
        }
    }

    [[nodiscard]] bool is_quiet() const {
        return std::ranges::all_of(nodes, [&](const node& each) {
            return each.objects->pending() == 0 && each.machine->has() == nodes[0].machine->has() &&
                   !each.machine->is_receiving_transfer();
        });
    }

    /// Everything is connected and stays so, until all is still or too much time has gone.
    void heal() {
        const net::monotonic_time end = now + 60s;
        net::monotonic_time still_since = now;
        while (now < end) {
            for (wire& w : wires) {
                if (!w.is_whole) {
                    notice(w, 0);
                    notice(w, 1);
                    connect(w);
                }
            }
            for (std::size_t each = 0; each < nodes.size(); ++each) {
                if (nodes[each].is_restless || nodes[each].machine->next_tick() <= now) {
                    tick(each);
                }
            }
            bool any = false;
            for (wire& w : wires) {
                for (const std::size_t end_of : {0U, 1U}) {
                    while (w.is_whole && !(w.queues[end_of][0].empty() && w.queues[end_of][1].empty())) {
                        deliver(w, end_of);
                        any = true;
                    }
                }
            }
            if (!is_quiet()) {
                still_since = now;
            }
            if (now - still_since > 5s) {
                return;
            }
            now += any ? 1ms : 20ms;
        }
        complain("the cluster did not come to rest within a minute");
    }

    // --- What must hold.

    template <class T>
    void compare(const content& least, const content& most) {
        const auto& at_least = const_cast<content&>(least).of<T>();
        const auto& at_most = const_cast<content&>(most).of<T>();
        for (const auto& [key, state] : at_most) {
            const T& reference = nodes[0].objects->read<T>(key);
            for (const node& each : nodes) {
                if (each.objects->read<T>(key) != reference) {
                    complain("nodes differ in " + key + " of " + types().at<T>().name());
                }
            }
            if (!reference.leq(state)) {
                complain(key + " of " + types().at<T>().name() + " holds what nobody wrote");
            }
            const auto needed = at_least.find(key);
            if (needed != at_least.end() && !needed->second.leq(reference)) {
                complain(key + " of " + types().at<T>().name() + " has lost what was written");
            }
        }
    }

    void judge() {
        content least;
        content most;
        for (const auto& [replica, history] : histories) {
            for (const auto& [number, what] : history.by_number) {
                most.join(what);
                if (number <= nodes[0].machine->has().at(replica)) {
                    least.join(what);
                }
            }
            most.join(history.open);
        }
        compare<small_set>(least, most);
        compare<large_set>(least, most);
        compare<crdt::pn_counter>(least, most);
        compare<last_write>(least, most);
        if (!restarts && !most.leq(least)) {
            complain("nobody restarted, and not all that was written came through");
        }
        for (const node& each : nodes) {
            const std::size_t bound = options.buffer_bytes_max + 64 * 1024;
            if (each.machine->log().bytes() > bound ||
                each.machine->log().batches() > options.buffer_batches_max) {
                complain("a buffer holds more than it may");
            }
            for (const auto& [id, link] : each.machine->links()) {
                if (!link.window.empty()) {
                    complain("something is still under way when all is still");
                }
            }
            count(each);
        }
    }
};

schedule::schedule(std::uint64_t seed) : world_(std::make_unique<world>(seed)) {}

schedule::~schedule() = default;

std::string schedule::run(schedule_counts& counts) {
    world_->counts = &counts;
    ++counts.schedules;
    world_->build();
    const std::size_t steps = 50 + world_->draw(400);
    for (std::size_t i = 0; i < steps && world_->wrong.empty(); ++i) {
        world_->step();
    }
    if (world_->wrong.empty()) {
        world_->heal();
    }
    if (world_->wrong.empty()) {
        world_->judge();
    }
    return world_->wrong;
}

} // namespace phoenix::replication::testing
