// The receiving end of a state transfer.
//
// Objects are joined as they come, each whole: what was joined stays, whatever becomes of the transfer. The vector that the
// sender captured before the first of them is taken over after the last, and not at all if the transfer breaks. One thread.
#pragma once

#include <phoenix/codec/batch.hpp>
#include <phoenix/codec/messages.hpp>
#include <phoenix/crdt/version_vector.hpp>
#include <phoenix/net/time.hpp>
#include <phoenix/replication/delta/delta_link.hpp>
#include <phoenix/replication/delta/part_assembly.hpp>
#include <phoenix/replication/store/object_store.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace phoenix::replication {

class transfer_target {
public:
    transfer_target(std::uint64_t id, link_id from, net::monotonic_time now) noexcept
        : progress(now), id_(id), from_(from) {}

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

    [[nodiscard]] link_id from() const noexcept { return from_; }

    void begin(const codec::transfer_begin& message);

    /// Each joins what the frame brings, appends the places of the objects that it changed, and returns how many frames have
    /// been joined. Throws errc::protocol_violation when the frame does not follow.
    std::uint64_t take(const codec::transfer_objects_view& message, object_store& objects,
                       std::vector<std::size_t>& changed);
    std::uint64_t take(const codec::transfer_part& message, object_store& objects, std::size_t bytes_max,
                       std::vector<std::size_t>& changed);

    /// What is had now that all has come. Throws errc::protocol_violation when it has not.
    [[nodiscard]] const crdt::version_vector& finish(const codec::transfer_end& message) const;

    /// The latest timestamp that the sender knew when it began.
    [[nodiscard]] const crdt::timestamp& latest() const noexcept { return latest_; }

    /// When something came last.
    net::monotonic_time progress;

private:
    void expect_begun() const;
    void expect_next(std::uint64_t sequence) const;
    void join(object_store& objects, std::uint64_t type, std::string_view key,
              std::span<const std::byte> state, std::vector<std::size_t>& changed);

    std::uint64_t id_;
    link_id from_;
    bool has_begun_ = false;
    crdt::version_vector has_;
    crdt::timestamp latest_;
    part_assembly part_;
    std::uint64_t messages_ = 0;
    std::uint64_t objects_ = 0;
};

} // namespace phoenix::replication
