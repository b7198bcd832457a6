// What a node says of itself and of others: who is linked, who is behind and by how much, what is buffered.
#pragma once

#include <phoenix/crdt/replica.hpp>
#include <phoenix/crdt/version_vector.hpp>
#include <phoenix/net/time.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>
#include <phoenix/replication/session/mesh.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace phoenix::replication {

struct link_status {
    crdt::replica_id peer;
    std::string software;
    std::string address;
    /// This node dialled; otherwise it accepted.
    bool dialled = false;
    net::nanoseconds round_trip{0};
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
    /// Left to the peer's slowness.
    std::size_t queued_bytes = 0;
    /// Sent, and not yet reported as joined.
    std::size_t window_bytes = 0;
    bool sends_transfer = false;
};

struct peer_status {
    crdt::replica_id replica;
    bool is_linked = false;
    /// Its link is cut by mesh::cut.
    bool is_cut = false;
    /// Batches that this node has and the peer is not known to have joined; 0 for who is not behind.
    std::uint64_t batches_behind = 0;
    crdt::version_vector has;
};

struct node_status {
    crdt::replica_id self;
    std::string cluster;
    /// "uring", "asio".
    std::string driver;
    std::optional<net::endpoint> listens;
    bool is_overtaken = false;
    std::size_t objects = 0;
    /// Changed here, in no batch yet.
    std::size_t pending_objects = 0;
    crdt::version_vector has;
    std::vector<link_status> links;
    /// By node, each in its latest incarnation.
    std::vector<peer_status> peers;
    std::size_t buffered_bytes = 0;
    std::size_t buffered_batches = 0;
    std::uint64_t evicted_batches = 0;
    bool receives_transfer = false;
    delta_counters delta;
    mesh_counters sessions;
};

} // namespace phoenix::replication
