#include <phoenix/replication/delta/peer_table.hpp>

#include <algorithm>

namespace phoenix::replication {

bool known_peer::is_neighbour(std::uint64_t node) const noexcept {
    return std::ranges::binary_search(neighbours, node);
}

known_peer* peer_table::meet(const crdt::replica_id& replica) {
    known_peer& known = peers_[replica.node];
    if (replica.incarnation < known.replica.incarnation) {
        return nullptr;
    }
    if (replica != known.replica) {
        known.replica = replica;
        known.has = {};
        known.neighbours.clear();
        known.changes.forget();
    }
    return &known;
}

const known_peer* peer_table::find(std::uint64_t node) const noexcept {
    const auto found = peers_.find(node);
    return found != peers_.end() ? &found->second : nullptr;
}

bool peer_table::note(known_peer& known, const crdt::replica_id& origin, std::uint64_t number) {
    if (known.has.at(origin) >= number) {
        return false;
    }
    known.has.advance(origin, number);
    known.changes.note(origin);
    return true;
}

bool peer_table::note(const crdt::replica_id& replica, const crdt::version_vector& has) {
    known_peer* const known = meet(replica);
    if (known == nullptr) {
        return false;
    }
    bool any = false;
    for (const auto& [origin, number] : has) {
        any = note(*known, origin, number) || any;
    }
    return any;
}

bool peer_table::note(const crdt::replica_id& replica, const crdt::replica_id& origin, std::uint64_t number) {
    known_peer* const known = meet(replica);
    return known != nullptr && note(*known, origin, number);
}

std::size_t peer_table::holders(const crdt::replica_id& origin, std::uint64_t number) const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        peers_, [&](const auto& each) { return each.second.has.at(origin) >= number; }));
}

} // namespace phoenix::replication
