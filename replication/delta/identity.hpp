// Replicas as the wire names them.
#pragma once

#include <phoenix/codec/identity.hpp>
#include <phoenix/crdt/replica.hpp>
#include <phoenix/crdt/version_vector.hpp>

#include <vector>

namespace phoenix::replication {

[[nodiscard]] inline codec::identity to_wire(const crdt::replica_id& replica) noexcept {
    return {replica.node, replica.incarnation};
}

[[nodiscard]] inline crdt::replica_id from_wire(const codec::identity& identity) noexcept {
    return {identity.node, identity.incarnation};
}

[[nodiscard]] std::vector<codec::vector_entry> to_wire(const crdt::version_vector& has);

[[nodiscard]] crdt::version_vector from_wire(const std::vector<codec::vector_entry>& entries);

} // namespace phoenix::replication
