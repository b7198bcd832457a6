#include "lab.hpp"

#include <algorithm>
#include <stdexcept>

namespace phoenix::replication::testing {

const type_registry& lab_types() {
    static const type_registry made = [] {
        type_registry all;
        all.add<text_set>("set");
        all.add<latest_text>("latest");
        all.add<text_register>("register");
        all.add<counter_map>("counters");
        all.add<crdt::pn_counter>("counter");
        return all;
    }();
    return made;
}

lab::lab(std::size_t nodes, const delta_options& how) : how_(how) {
    for (std::size_t i = 0; i < nodes; ++i) {
        nodes_.push_back(make(i));
    }
}

lab::node lab::make(std::size_t index) {
    node made;
    made.objects = std::make_unique<object_store>(lab_types(), crdt::replica_id{index + 1, ++incarnations_},
                                                  store_options{how_.frames.key_bytes_max, {}});
    made.machine = std::make_unique<delta_machine>(*made.objects, how_);
    return made;
}

void lab::connect(std::size_t a, std::size_t b) {
    const link_id at_a{++links_};
    const link_id at_b{++links_};
    lines_[{a, b}] = {at_a, at_b, {}, {}, false};
    lines_[{b, a}] = {at_b, at_a, {}, {}, false};
    if (!machine(a).link_up(now_, at_a, replica(b)) || !machine(b).link_up(now_, at_b, replica(a))) {
        throw std::logic_error("lab: a link to a process that was overtaken");
    }
}

void lab::connect_all() {
    for (std::size_t a = 0; a < nodes_.size(); ++a) {
        for (std::size_t b = a + 1; b < nodes_.size(); ++b) {
            connect(a, b);
        }
    }
}

void lab::disconnect(std::size_t a, std::size_t b) {
    const auto there = lines_.find({a, b});
    if (there == lines_.end()) {
        return;
    }
    machine(a).link_down(now_, there->second.at_source);
    machine(b).link_down(now_, there->second.at_target);
    lines_.erase(there);
    lines_.erase({b, a});
}

void lab::restart(std::size_t node) {
    for (std::size_t other = 0; other < nodes_.size(); ++other) {
        disconnect(node, other);
    }
    nodes_[node] = make(node);
}

void lab::hold(std::size_t from, std::size_t to, bool held) {
    lines_.at({from, to}).is_held = held;
}

std::size_t lab::held(std::size_t from, std::size_t to) const {
    const line& on = lines_.at({from, to});
    return on.control.size() + on.bulk.size();
}

std::size_t lab::let_through(std::size_t from, std::size_t to, std::size_t count) {
    std::size_t done = 0;
    while (done < count && deliver({from, to}, lines_.at({from, to}))) {
        ++done;
    }
    return done;
}

void lab::lose(std::size_t from, std::size_t to) {
    line& on = lines_.at({from, to});
    on.control.clear();
    on.bulk.clear();
}

bool lab::deliver(const way& between, line& on) {
    std::deque<codec::frame>& queue = on.control.empty() ? on.bulk : on.control;
    if (queue.empty()) {
        return false;
    }
    const codec::frame next = queue.front();
    queue.pop_front();
    machine(between.second).receive(now_, on.at_target, next);
    return true;
}

void lab::receive(std::size_t from, std::size_t to, const codec::frame& frame) {
    machine(to).receive(now_, lines_.at({from, to}).at_target, frame);
}

std::error_code lab::refusal(std::size_t from, std::size_t to, const codec::frame& frame) {
    try {
        receive(from, to, frame);
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

void lab::tick(std::size_t node) {
    const auto output = machine(node).tick(now_);
    for (const auto& [link, frame] : output.frames) {
        for (auto& [between, on] : lines_) {
            if (between.first == node && on.at_source == link) {
                (frame.on() == codec::lane::control ? on.control : on.bulk).push_back(frame);
                sent_[between].push_back(frame);
            }
        }
    }
    for (const auto& [link, why] : output.failed) {
        failures_.push_back(why);
        const auto broken = std::ranges::find_if(lines_, [&](const auto& each) {
            return each.first.first == node && each.second.at_source == link;
        });
        if (broken != lines_.end()) {
            const way between = broken->first;
            disconnect(between.first, between.second);
        }
    }
}

void lab::pass(net::nanoseconds length) {
    const net::monotonic_time end = now_ + length;
    for (;;) {
        bool any = true;
        while (any) {
            any = false;
            for (std::size_t each = 0; each < nodes_.size(); ++each) {
                tick(each);
            }
            for (auto& [between, on] : lines_) {
                while (!on.is_held && deliver(between, on)) {
                    any = true;
                }
            }
        }
        net::monotonic_time next = end;
        for (const node& each : nodes_) {
            next = std::min(next, each.machine->next_tick());
        }
        if (now_ >= end) {
            return;
        }
        now_ = std::max(next, now_ + std::chrono::microseconds(1));
    }
}

std::vector<codec::frame> lab::sent(std::size_t from, std::size_t to, codec::frame_kind kind) {
    std::vector<codec::frame> found;
    std::ranges::copy_if(sent_[{from, to}], std::back_inserter(found),
                         [&](const codec::frame& each) { return each.kind() == kind; });
    return found;
}

delta_options small_buffers() {
    delta_options how;
    how.frames.frame_bytes_max = 1024;
    how.frames.key_bytes_max = 256;
    how.buffer_bytes_max = 2048;
    how.buffer_batches_max = 2;
    return how;
}

void add(lab& bench, std::size_t node, const std::string& key, const std::string& element) {
    bench.set(node, key, [&](auto&& set) { set.add(element); });
}

void fill(lab& bench, std::size_t node, int count) {
    for (int i = 0; i < count; ++i) {
        add(bench, node, "basket " + std::to_string(i), "tea");
        (void)bench.machine(node).seal(bench.now());
    }
}

void flush_buffer(lab& bench, std::size_t node) {
    for (int i = 0; i < 4; ++i) {
        add(bench, node, "flush", std::to_string(i));
        (void)bench.machine(node).seal(bench.now());
    }
}

} // namespace phoenix::replication::testing
