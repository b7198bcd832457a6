#include <phoenix/replication/delta/identity.hpp>

namespace phoenix::replication {

std::vector<codec::vector_entry> to_wire(const crdt::version_vector& has) {
    std::vector<codec::vector_entry> entries;
    entries.reserve(has.size());
    for (const auto& [replica, number] : has) {
        entries.push_back({to_wire(replica), number});
    }
    return entries;
}

crdt::version_vector from_wire(const std::vector<codec::vector_entry>& entries) {
    crdt::version_vector has;
    for (const codec::vector_entry& each : entries) {
        has.advance(from_wire(each.origin), each.number);
    }
    return has;
}

} // namespace phoenix::replication
