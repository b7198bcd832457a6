#include "cluster.hpp"

#include <phoenix/net/sleep.hpp>

#include <algorithm>
#include <utility>

#include <resp/redis_value.hpp>

namespace phoenix::simulation {

namespace {

using namespace std::chrono_literals;
using resp::redis_value;

constexpr std::uint16_t port = 7000;
constexpr std::uint64_t judge_id = 1'000'000;

replication::type_registry make_types() {
    replication::type_registry types;
    types.add<redis_value>("redis_value");
    return types;
}

/// Counters are apart from what is set and deleted, so that what was counted is known.
constexpr std::string_view counter_prefix = "count:";

} // namespace

struct cluster::member {
    std::size_t index = 0;
    net::sim::node* runs_on = nullptr;
    /// While its process runs.
    replication::node* peer = nullptr;
};

// --- Shapes.

cluster_shape cluster_shape::drawn_from(net::sim::random_source& random) {
    cluster_shape drawn;
    drawn.nodes = random.between(3, 7);
    drawn.dials.resize(drawn.nodes);
    const auto dial = [&](std::size_t from, std::size_t to) {
        auto& dials = drawn.dials[from];
        if (from != to && std::ranges::find(dials, to) == dials.end()) {
            dials.push_back(to);
        }
    };
    // Each dials one that came before it: all are connected. Who dials whom is drawn, too.
    enum class topology : std::uint8_t { line, ring, star, mesh, tree };
    const auto kind = static_cast<topology>(random.below(5));
    for (std::size_t at = 1; at < drawn.nodes; ++at) {
        const std::size_t from = kind == topology::star   ? 0
                                 : kind == topology::tree ? random.below(at)
                                                          : at - 1;
        if (random.below(2) == 0) {
            dial(at, from);
        } else {
            dial(from, at);
        }
        for (std::size_t other = 0; kind == topology::mesh && other < at; ++other) {
            dial(at, other);
        }
    }
    if (kind == topology::ring) {
        dial(drawn.nodes - 1, 0);
    }
    if (kind == topology::tree) {
        // Now and then a second way.
        const std::size_t from = random.below(drawn.nodes);
        dial(from, random.below(drawn.nodes));
    }

    drawn.write_every = std::chrono::milliseconds(random.between(2, 50));
    drawn.keys = random.between(1, 40);
    drawn.value_bytes = random.between(1, 4) == 1 ? random.between(1'000, 20'000) : random.between(1, 100);
    if (random.below(2) == 0) {
        // What is larger than a frame travels in parts.
        const auto frame = static_cast<std::uint32_t>(random.between(1'024, 16'384) / 8 * 8);
        drawn.delta.frames.frame_bytes_max = frame;
        drawn.delta.frames.key_bytes_max = 64;
        drawn.delta.frames.entries_max = static_cast<std::uint32_t>(random.between(1, 64));
        drawn.delta.buffer_bytes_max = frame * random.between(1, 20);
        drawn.delta.buffer_batches_max = random.between(2, 200);
        drawn.delta.window_bytes = frame * random.between(1, 20);
        drawn.delta.transfer_window_bytes = frame * random.between(1, 20);
    }
    if (random.below(4) == 0) {
        drawn.delta.batch_interval_max = 0ns;
    }
    return drawn;
}

std::string cluster_shape::describe() const {
    std::string text = std::to_string(nodes) + " nodes, dialling";
    for (std::size_t from = 0; from < dials.size(); ++from) {
        for (const std::size_t to : dials[from]) {
            text += " " + std::to_string(from + 1) + "-" + std::to_string(to + 1);
        }
    }
    text += "; a write every " + std::to_string(write_every / 1us) + " us, " + std::to_string(keys) +
            " keys, values of " + std::to_string(value_bytes) + " bytes, buffer of " +
            std::to_string(delta.buffer_bytes_max) + " bytes and " +
            std::to_string(delta.buffer_batches_max) + " batches, frames of " +
            std::to_string(delta.frames.frame_bytes_max) + " bytes";
    return text;
}

// --- What runs.

cluster::cluster(std::uint64_t seed, const net::sim::plan& how, cluster_shape shape)
    : shape_(std::move(shape)), types_(make_types()), all_written_(types_, {judge_id, 1}),
      must_stay_(types_, {judge_id + 1, 1}), world_(seed, how) {
    for (std::size_t index = 0; index < shape_.nodes; ++index) {
        member& added = *members_.emplace_back(std::make_unique<member>());
        added.index = index;
    }
    for (const auto& each : members_) {
        net::loop_options options = net::sim::node::silent();
        if (shape_.shows_log) {
            options.log.sink = [number = each->index + 1](const net::log_record& said) {
                const std::string message =
                    "node " + std::to_string(number) + ": " + std::string(said.message);
                net::log_record shown = said;
                shown.message = message;
                net::log_to_stderr(shown);
            };
            options.log.messages_per_window = 1'000;
        }
        each->runs_on = &world_.add_node(
            [this, own = each.get()](net::sim::node& self) {
                self.here().spawn(write(self, *own));
                return serve(self, *own);
            },
            options);
    }
}

cluster::~cluster() = default;

replication::node_options cluster::options_of(std::size_t index) const {
    replication::node_options how;
    how.id = index + 1;
    how.cluster = "simulated";
    how.secret = "a secret of some length";
    how.listen = net::endpoint::any_v4(port);
    for (const std::size_t other : shape_.dials[index]) {
        // As sim::node::address, of nodes that need not be there yet.
        how.peers.push_back("10.0.0." + std::to_string(other + 1) + ":" + std::to_string(port));
    }
    how.session = shape_.session;
    how.delta = shape_.delta;
    how.store.key_bytes_max = shape_.delta.frames.key_bytes_max;
    return how;
}

net::task<> cluster::serve(net::sim::node& self, member& own) {
    replication::node peer(self.here(), types_, options_of(own.index));

    const struct leaving {
        explicit leaving(member& own) noexcept : own(own) {}

        leaving(const leaving&) = delete;
        leaving& operator=(const leaving&) = delete;

        ~leaving() { own.peer = nullptr; }

        member& own;
    } at_end(own);

    own.peer = &peer;
    co_await peer.run();
}

net::task<> cluster::write(net::sim::node& self, member& own) {
    for (;;) {
        const auto most = static_cast<std::uint64_t>(2 * shape_.write_every.count());
        const net::nanoseconds pause(self.here().random() % (most + 1));
        co_await net::sleep_for(pause);
        if (own.peer == nullptr) {
            continue;
        }
        if (own.peer->is_overtaken()) {
            // Its clock was set back, and it was linked before it heard of its later life: whoever supervises it starts it anew.
            ++restarts_;
            world_.kill(self);
            world_.after(1s, [this, &self] { world_.start(self); });
            co_return;
        }
        if (is_writing_) {
            write_once(self.here(), *own.peer);
        }
    }
}

void cluster::write_once(net::loop& here, replication::node& peer) {
    const auto below = [&](std::uint64_t bound) {
        return here.random() % bound;
    };
    replication::object_store& objects = peer.objects();
    const std::string name = std::to_string(below(shape_.keys));
    const std::string element = std::to_string(below(10));
    const auto text = [&] {
        // One after the other: in what order arguments are evaluated is the compiler's affair.
        const auto letter = static_cast<char>('a' + below(26));
        return std::string(1 + below(shape_.value_bytes), letter);
    };
    const crdt::timestamp now = peer.stamp();
    std::string key = "key:" + name;
    ++writes_;
    switch (below(10)) {
    case 0:
    case 1: {
        key = std::string(counter_prefix) + name;
        const auto amount = static_cast<std::int64_t>(below(20)) - 5;
        objects.edit<redis_value>(key, [&](auto& value) {
            if (value.count(amount)) {
                counted_[key] += amount;
            }
        });
        break;
    }
    case 2:
        objects.edit<redis_value>(key, [&](auto& value) { value.set_string(text(), now); });
        break;
    case 3:
    case 4:
        objects.edit<redis_value>(key, [&](auto& value) { value.add_member(element); });
        break;
    case 5:
        objects.edit<redis_value>(key, [&](auto& value) { value.remove_member(element); });
        break;
    case 6:
        objects.edit<redis_value>(key, [&](auto& value) { value.set_field(element, text(), now); });
        break;
    case 7:
        objects.edit<redis_value>(key,
                                  [&](auto& value) { static_cast<void>(value.count_field(element, 1)); });
        break;
    case 8:
        objects.edit<redis_value>(key, [&](auto& value) { value.remove_field(element); });
        break;
    default:
        objects.edit<redis_value>(key, [&](auto& value) { value.remove(); });
        break;
    }
    remember(peer, key);
}

// --- What must hold.

namespace {

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string state_of(const replication::stored_object& object) {
    crdt::byte_writer out;
    object.write_state(out);
    return text_of(out.bytes());
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

} // namespace

void cluster::remember(const replication::node& peer, std::string_view key) {
    const replication::object_type& type = types_.at<redis_value>();
    const std::string state = state_of(*peer.objects().find_object(type, key));
    all_written_.join(type.id(), key, bytes_of(state));
}

cluster::contents cluster::contents_of(const replication::node& peer) {
    const std::string bottom = text_of(crdt::encode(redis_value()));
    contents found;
    const replication::object_store& objects = peer.objects();
    for (std::size_t place = 0; place < objects.places(); ++place) {
        const replication::stored_object& object = objects.at(place);
        // What was written by a change that changed nothing is as good as not there.
        if (std::string state = state_of(object); state != bottom) {
            found.emplace(object.key(), std::move(state));
        }
    }
    return found;
}

void cluster::expect_no_loss() {
    restarts_expected_ = restarts_;
    const std::uint64_t type = types_.at<redis_value>().id();
    for (const auto& each : members_) {
        if (each->peer == nullptr) {
            continue;
        }
        for (const auto& [key, state] : contents_of(*each->peer)) {
            must_stay_.join(type, key, bytes_of(state));
        }
    }
}

std::string cluster::judge() {
    const replication::object_type& type = types_.at<redis_value>();
    contents first;
    for (const auto& each : members_) {
        const std::string who = "node " + std::to_string(each->index + 1);
        if (!each->runs_on->failure().empty()) {
            return who + " ended: " + each->runs_on->failure();
        }
        if (each->peer == nullptr) {
            return who + " does not run";
        }
        const contents here = contents_of(*each->peer);
        if (each == members_.front()) {
            first = here;
        }
        for (const auto& [key, state] : first) {
            const auto found = here.find(key);
            if (found == here.end() || found->second != state) {
                return who + (found == here.end() ? " lacks " : " differs from node 1 in ") + key;
            }
        }
        for (const auto& [key, state] : here) {
            if (!first.contains(key)) {
                return who + " has " + key + ", which node 1 lacks";
            }
        }
    }
    for (const auto& [key, state] : first) {
        if (all_written_.join_state(type.id(), key, bytes_of(state))) {
            // Known from now on: it is said again and again.
            unheard_of_ = "nobody wrote what all hold in " + key;
        }
        if (restarts_ != restarts_expected_) {
            // What only the one had that was started again is gone.
            continue;
        }
        // What all hold is a bound of what must stay: joined, it must be just that.
        must_stay_.join(type.id(), key, bytes_of(state));
        if (state_of(*must_stay_.find_object(type, key)) != state) {
            return "all have lost a part of " + key;
        }
    }
    if (!unheard_of_.empty()) {
        return unheard_of_;
    }
    for (std::size_t place = 0; place < must_stay_.places() && restarts_ == restarts_expected_; ++place) {
        if (!first.contains(must_stay_.at(place).key())) {
            return "all have lost " + std::string(must_stay_.at(place).key());
        }
    }
    return judge_counters(*members_.front()->peer);
}

std::string cluster::judge_counters(const replication::node& peer) const {
    const net::sim::statistics& came = world_.counted();
    if (came.kills + came.power_losses > 0) {
        return {};
    }
    for (const auto& [key, sum] : counted_) {
        const auto found = peer.objects().read<redis_value>(key).string().number();
        if (found.value_or(0) != sum) {
            return key + " is " + std::to_string(found.value_or(0)) + ", and " + std::to_string(sum) +
                   " was counted";
        }
    }
    return {};
}

std::string cluster::describe_nodes() const {
    const auto name = [](const crdt::replica_id& replica) {
        return std::to_string(replica.node) + "/" + std::to_string(replica.incarnation % 100'000'000);
    };
    const auto vector = [&](const crdt::version_vector& has) {
        std::string text;
        for (const auto& [replica, number] : has) {
            text += " " + name(replica) + ":" + std::to_string(number);
        }
        return text;
    };
    std::string text;
    for (const auto& each : members_) {
        if (each->peer == nullptr) {
            text += "node " + std::to_string(each->index + 1) + " does not run\n";
            continue;
        }
        const replication::node_status status = each->peer->status();
        text += "node " + name(status.self) + (status.is_overtaken ? " is overtaken" : "") +
                (status.receives_transfer ? " receives a transfer" : "") + ", has" + vector(status.has) +
                "; " + std::to_string(status.buffered_batches) + " batches buffered\n";
        for (const auto& link : status.links) {
            text += "    link to " + name(link.peer) + ": " + std::to_string(link.queued_bytes) +
                    " bytes queued, " + std::to_string(link.window_bytes) + " unacknowledged" +
                    (link.sends_transfer ? ", sends a transfer" : "") + "\n";
        }
        for (const auto& peer : status.peers) {
            text += "    knows that " + name(peer.replica) + " has" + vector(peer.has) + "\n";
        }
    }
    return text;
}

std::uint64_t cluster::batches_sent() const {
    std::uint64_t sum = 0;
    for (const auto& each : members_) {
        if (each->peer != nullptr) {
            sum += each->peer->status().delta.batches_sent;
        }
    }
    return sum;
}

} // namespace phoenix::simulation
