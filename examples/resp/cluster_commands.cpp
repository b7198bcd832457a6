#include <phoenix/crdt/version_vector.hpp>

#include "command.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace resp {

namespace {

std::string name_of(const crdt::replica_id& replica) {
    return std::to_string(replica.node) + "." + std::to_string(replica.incarnation);
}

/// Writes the pairs of a map, of which it is said how many there are.
class pairs {
public:
    pairs(reply_writer& reply, std::size_t count) : reply_(reply) { reply.map(count); }

    pairs& add(std::string_view name, std::uint64_t value) {
        reply_.bulk(name);
        reply_.integer(static_cast<std::int64_t>(value));
        return *this;
    }

    pairs& add(std::string_view name, std::string_view value) {
        reply_.bulk(name);
        reply_.bulk(value);
        return *this;
    }

    pairs& add(std::string_view name, bool value) {
        reply_.bulk(name);
        reply_.boolean(value);
        return *this;
    }

    /// Before what the caller writes.
    pairs& name(std::string_view name) {
        reply_.bulk(name);
        return *this;
    }

private:
    reply_writer& reply_;
};

void write(reply_writer& reply, const crdt::version_vector& vector) {
    pairs entries(reply, vector.size());
    for (const auto& [replica, number] : vector) {
        entries.add(name_of(replica), number);
    }
}

void write(reply_writer& reply, const replication::link_status& link) {
    pairs(reply, 10)
        .add("peer", link.peer.node)
        .add("incarnation", link.peer.incarnation)
        .add("address", std::string_view(link.address))
        .add("software", std::string_view(link.software))
        .add("dialled", link.dialled)
        .add("round_trip_us", static_cast<std::uint64_t>(link.round_trip.count() / 1000))
        .add("received_bytes", link.received_bytes)
        .add("sent_bytes", link.sent_bytes)
        .add("queued_bytes", std::uint64_t{link.queued_bytes})
        .add("unacknowledged_bytes", std::uint64_t{link.window_bytes});
}

void write(reply_writer& reply, const replication::peer_status& peer) {
    pairs(reply, 6)
        .add("peer", peer.replica.node)
        .add("incarnation", peer.replica.incarnation)
        .add("linked", peer.is_linked)
        .add("cut", peer.is_cut)
        .add("batches_behind", peer.batches_behind)
        .name("vector");
    write(reply, peer.has);
}

template <class All>
void write_all(reply_writer& reply, const All& all) {
    reply.array(all.size());
    for (const auto& each : all) {
        write(reply, each);
    }
}

} // namespace

void run_phoenix_status(call& c) {
    const replication::node_status status = c.owner.peers().status();
    pairs out(c.reply, 22);
    out.add("id", status.self.node)
        .add("incarnation", status.self.incarnation)
        .add("cluster", std::string_view(status.cluster))
        .add("driver", std::string_view(status.driver))
        .add("listens", std::string_view(status.listens ? status.listens->to_string() : "nowhere"))
        .add("overtaken", status.is_overtaken)
        .add("keys", std::uint64_t{c.keys().size()})
        .add("deleted_keys", std::uint64_t{c.keys().deleted()})
        .add("clashing_keys", std::uint64_t{c.keys().clashing()})
        .add("hidden_slots", std::uint64_t{c.keys().hidden_slots()})
        .add("pending_keys", std::uint64_t{status.pending_objects})
        .add("buffered_bytes", std::uint64_t{status.buffered_bytes})
        .add("buffered_batches", std::uint64_t{status.buffered_batches})
        .add("evicted_batches", status.evicted_batches)
        .add("receives_transfer", status.receives_transfer)
        .add("transfers_sent", status.delta.transfers_sent)
        .add("transfers_joined", status.delta.transfers_joined)
        .add("batches_made", status.delta.batches_made)
        .add("batches_joined", status.delta.batches_joined)
        .name("vector");
    write(c.reply, status.has);
    out.name("links");
    write_all(c.reply, status.links);
    out.name("peers");
    write_all(c.reply, status.peers);
}

void run_phoenix_link(call& c) {
    const std::int64_t id = integer_argument(c[2]);
    if (id < 1) {
        refuse("ERR the id of a peer is from 1 on");
    }
    const auto node = static_cast<std::uint64_t>(id);
    const replication::node_status status = c.owner.peers().status();
    if (node == status.self.node) {
        refuse("ERR expected the id of another peer, found this one's own");
    }
    const bool is_known =
        std::ranges::any_of(status.peers, [&](const auto& each) { return each.replica.node == node; });
    if (!is_known) {
        refuse("ERR expected the id of a peer that was linked to this one, found " + std::to_string(node));
    }
    if (c.is(1, "DOWN")) {
        c.owner.peers().cut(node);
    } else if (c.is(1, "UP")) {
        c.owner.peers().heal(node);
    } else {
        refuse("ERR expected DOWN or UP, found '" + std::string(c[1]) + "'");
    }
    c.reply.ok();
}

void run_wait(call& c) {
    const std::int64_t nodes = integer_argument(c[1]);
    const auto timeout = parse_integer(c[2]);
    if (!timeout) {
        refuse("ERR timeout is not an integer or out of range");
    }
    if (*timeout < 0) {
        refuse("ERR timeout is negative");
    }
    if (c.client.has_written) {
        c.client.mark = c.owner.peers().mark();
        c.client.has_written = false;
    }
    c.then.what = outcome::kind::wait;
    c.then.mark = c.client.mark;
    c.then.nodes = nodes > 0 ? static_cast<std::size_t>(nodes) : 0;
    constexpr std::int64_t longest_ms = std::numeric_limits<std::int32_t>::max();
    // 0 is for ever.
    c.then.at_most =
        std::chrono::milliseconds(*timeout == 0 || *timeout > longest_ms ? longest_ms : *timeout);
}

} // namespace resp
