// What bounds delta synchronization: sizes, and how long things wait.
#pragma once

#include <phoenix/codec/limits.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>

namespace phoenix::replication {

struct delta_options {
    /// Batches kept for peers that do not have them yet. A peer that needs an older one gets a state transfer.
    std::size_t buffer_bytes_max = 64UL * 1024 * 1024;
    std::size_t buffer_batches_max = 64UL * 1024;

    /// How much is sent on one link before the peer says that it has joined it.
    std::size_t window_bytes = 4UL * 1024 * 1024;

    /// How much of a state transfer is under way at once.
    std::size_t transfer_window_bytes = 1024UL * 1024;

    /// How long a change may wait for others to travel with while earlier batches are under way. Without such it
    /// leaves at once.
    net::nanoseconds batch_interval_max = std::chrono::milliseconds(5);

    /// So many changed objects make a batch in any case.
    std::size_t batch_objects_max = 4096;

    /// How long peers that did not send what arrived wait to hear that it was joined.
    net::nanoseconds report_interval = std::chrono::milliseconds(10);

    /// How long a batch waits for its receiver to report it before it is forwarded to one who is linked to its origin
    /// or to who sent it here: longer than a report takes, or everything is sent twice.
    net::nanoseconds forward_delay = std::chrono::milliseconds(30);

    /// How often peers are told all of what this node has, new or not.
    net::nanoseconds retell_interval = std::chrono::seconds(5);

    /// A link on which nothing that was sent is reported for so long is given up, as is a transfer that stands still.
    net::nanoseconds stall_max = std::chrono::seconds(10);

    /// Nodes that may be known, and processes of them that may have made batches: more that a peer tells of cost its link.
    std::size_t nodes_max = 1024;
    std::size_t origins_max = 16UL * 1024;

    /// How far an incarnation, the wall time at which a process started, may lie in the future: more than clocks may be apart.
    net::nanoseconds incarnation_ahead_max = std::chrono::minutes(5);

    /// What frames and objects may hold. The same on all nodes: batches are forwarded as they came.
    codec::limits frames;

    /// Throws errc::invalid_options that names the field.
    void validate() const;
};

} // namespace phoenix::replication
