// The batches that a node keeps for those who do not have them yet: its own and those of others, as they came.
//
// A batch is kept as the frames that carry it, one unless its only delta was too large for one, so that forwarding encodes
// nothing. The log is bounded in bytes and in batches: the oldest arrival goes first, whoever still needs it, but never the
// newest. One thread.
#pragma once

#include <phoenix/codec/frame.hpp>
#include <phoenix/crdt/replica.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace phoenix::replication {

struct logged_batch {
    /// Numbers of its origin that it carries.
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::vector<codec::frame> frames;
    std::size_t bytes = 0;
    net::monotonic_time arrived{};
    /// The node that sent it here: this node itself for its own.
    std::uint64_t from_node = 0;
};

class batch_log {
public:
    batch_log(std::size_t bytes_max, std::size_t batches_max) noexcept
        : bytes_max_(bytes_max), batches_max_(batches_max) {}

    /// A batch that follows what the log has of its origin, not always without a gap.
    void append(const crdt::replica_id& origin, logged_batch batch);

    /// The batch with number `number`, null when it is not kept. Valid until the next append.
    [[nodiscard]] const logged_batch* find(const crdt::replica_id& origin, std::uint64_t number) const;

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    [[nodiscard]] std::size_t batches() const noexcept { return arrivals_.size(); }

    /// How many batches had to go.
    [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }

private:
    void evict_oldest();

    std::map<crdt::replica_id, std::deque<logged_batch>> by_origin_;
    /// Origins in the order in which their batches came.
    std::deque<crdt::replica_id> arrivals_;
    std::size_t bytes_max_;
    std::size_t batches_max_;
    std::size_t bytes_ = 0;
    std::uint64_t evicted_ = 0;
};

} // namespace phoenix::replication
