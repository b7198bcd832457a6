// A few delta machines on a bench: links are queues that can be held, and time moves when it is told to.
//
//   lab bench(3);
//   bench.connect(0, 1);
//   bench.set(0, "basket", [](auto&& set) { set.add("tea"); });
//   bench.settle();
#pragma once

#include <phoenix/crdt/lww_register.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/crdt/register.hpp>
#include <phoenix/crdt/resettable_counter.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace phoenix::replication::testing {

using text_set = crdt::or_set<std::string>;
using latest_text = crdt::lww_register<std::string>;
using text_register = crdt::causal_register<std::string>;
using counter_map = crdt::or_map<std::string, crdt::resettable_counter_store>;

/// All of the above, and pn_counter.
[[nodiscard]] const type_registry& lab_types();

class lab {
public:
    using way = std::pair<std::size_t, std::size_t>;

    explicit lab(std::size_t nodes, const delta_options& how = {});

    [[nodiscard]] object_store& objects(std::size_t node) { return *nodes_.at(node).objects; }

    [[nodiscard]] delta_machine& machine(std::size_t node) { return *nodes_.at(node).machine; }

    [[nodiscard]] crdt::replica_id replica(std::size_t node) { return objects(node).self(); }

    [[nodiscard]] net::monotonic_time now() const noexcept { return now_; }

    void connect(std::size_t a, std::size_t b);

    /// Connects each with each.
    void connect_all();

    /// What is between them is lost.
    void disconnect(std::size_t a, std::size_t b);

    /// The node's process ends, and one of a later incarnation starts with nothing.
    void restart(std::size_t node);

    /// Frames from `from` to `to` wait from now on, or no more.
    void hold(std::size_t from, std::size_t to, bool held = true);

    /// Delivers up to `count` frames that are held between them, the control lane's first; returns how many there were.
    std::size_t let_through(std::size_t from, std::size_t to, std::size_t count);

    /// Frames that are held between them never arrive.
    void lose(std::size_t from, std::size_t to);

    /// How many frames wait between them.
    [[nodiscard]] std::size_t held(std::size_t from, std::size_t to) const;

    /// Ticks and delivers until time `length` has passed.
    void pass(net::nanoseconds length);

    /// Long enough for everything but stalled links.
    void settle() { pass(std::chrono::seconds(2)); }

    /// All frames that were sent between them, lost ones too.
    [[nodiscard]] const std::vector<codec::frame>& sent(std::size_t from, std::size_t to) {
        return sent_[{from, to}];
    }

    /// Frames of one kind among them.
    [[nodiscard]] std::vector<codec::frame> sent(std::size_t from, std::size_t to, codec::frame_kind kind);

    /// A frame as if it had come from `from`. Throws what the machine throws.
    void receive(std::size_t from, std::size_t to, const codec::frame& frame);

    /// With what code it is refused; none when it is not.
    [[nodiscard]] std::error_code refusal(std::size_t from, std::size_t to, const codec::frame& frame);

    /// Links that machines gave up, with the reason; they were disconnected.
    [[nodiscard]] const std::vector<std::string>& failures() const noexcept { return failures_; }

    template <class Edit>
    void set(std::size_t node, const std::string& key, Edit&& edit) {
        objects(node).edit<text_set>(key, std::forward<Edit>(edit));
    }

    [[nodiscard]] const text_set& set(std::size_t node, const std::string& key) {
        return objects(node).read<text_set>(key);
    }

    void count(std::size_t node, const std::string& key, std::int64_t amount) {
        objects(node).change<crdt::pn_counter>(
            key, [&](auto& counter, const auto& self) { return counter.increment(self, amount); });
    }

    [[nodiscard]] std::int64_t count(std::size_t node, const std::string& key) {
        return objects(node).read<crdt::pn_counter>(key).value();
    }

private:
    struct node {
        std::unique_ptr<object_store> objects;
        std::unique_ptr<delta_machine> machine;
    };

    /// One direction of a link.
    struct line {
        link_id at_source{};
        link_id at_target{};
        std::deque<codec::frame> control;
        std::deque<codec::frame> bulk;
        bool is_held = false;
    };

    [[nodiscard]] node make(std::size_t index);
    void tick(std::size_t node);
    bool deliver(const way& between, line& on);

    delta_options how_;
    std::vector<node> nodes_;
    std::map<way, line> lines_;
    std::map<way, std::vector<codec::frame>> sent_;
    std::vector<std::string> failures_;
    net::monotonic_time now_{std::chrono::seconds(1)};
    std::uint64_t incarnations_ = 0;
    std::uint64_t links_ = 0;
};

/// Frames and buffers so small that a few writes need many.
[[nodiscard]] delta_options small_buffers();

/// Adds an element to the set `key`.
void add(lab& bench, std::size_t node, const std::string& key, const std::string& element);

/// A batch for each of `count` sets "basket <i>".
void fill(lab& bench, std::size_t node, int count);

/// So many batches of a node that its small buffer forgets what came before.
void flush_buffer(lab& bench, std::size_t node);

} // namespace phoenix::replication::testing
