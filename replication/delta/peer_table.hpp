// What each other node is known to have joined: from its own reports, and from those that others passed on.
//
// A node is known in its latest incarnation: an older one's vector says nothing about a process that started empty. Within
// an incarnation a vector only grows, so reports may come twice, late and by several ways. One thread.
#pragma once

#include <phoenix/crdt/replica.hpp>
#include <phoenix/crdt/version_vector.hpp>
#include <phoenix/replication/delta/change_log.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace phoenix::replication {

struct known_peer {
    crdt::replica_id replica;
    /// Batches that it has joined.
    crdt::version_vector has;
    /// The nodes that it is linked to, by id, as it says to those that it is linked to.
    std::vector<std::uint64_t> neighbours;
    /// What changed in `has`.
    change_log changes;

    [[nodiscard]] bool is_neighbour(std::uint64_t node) const noexcept;
};

class peer_table {
public:
    using map = std::map<std::uint64_t, known_peer>;

    /// The node's entry, made empty when it is not known in this incarnation. Null when a later one is known.
    known_peer* meet(const crdt::replica_id& replica);

    /// Null when the node is not known.
    [[nodiscard]] const known_peer* find(std::uint64_t node) const noexcept;

    /// Notes what a node says or is said to have. Returns true when that was news.
    bool note(const crdt::replica_id& replica, const crdt::version_vector& has);

    /// Notes that it has `origin`'s batches up to `number`.
    bool note(const crdt::replica_id& replica, const crdt::replica_id& origin, std::uint64_t number);

    /// How many nodes have joined `origin`'s batches up to `number`.
    [[nodiscard]] std::size_t holders(const crdt::replica_id& origin, std::uint64_t number) const noexcept;

    /// By node.
    [[nodiscard]] const map& all() const noexcept { return peers_; }

private:
    static bool note(known_peer& known, const crdt::replica_id& origin, std::uint64_t number);

    map peers_;
};

} // namespace phoenix::replication
