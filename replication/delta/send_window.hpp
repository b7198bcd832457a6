// What was sent on a link and is not known to have been joined at its other end.
//
// Sent is not acked: only what the peer reports counts. One thread.
#pragma once

#include <phoenix/crdt/replica.hpp>
#include <phoenix/crdt/version_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

namespace phoenix::replication {

class send_window {
public:
    void sent(const crdt::replica_id& origin, std::uint64_t last, std::size_t bytes);

    /// Drops what `has` covers; true when that was anything.
    bool confirm(const crdt::version_vector& has);

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    [[nodiscard]] bool empty() const noexcept { return by_origin_.empty(); }

    /// True when a batch of this origin is under way.
    [[nodiscard]] bool has_any_of(const crdt::replica_id& origin) const {
        return by_origin_.contains(origin);
    }

private:
    struct flight {
        std::uint64_t last;
        std::size_t bytes;
    };

    std::map<crdt::replica_id, std::deque<flight>> by_origin_;
    std::size_t bytes_ = 0;
};

} // namespace phoenix::replication
