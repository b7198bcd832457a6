// The sending end of a state transfer: for a peer that lacks batches which are no longer kept.
//
// What this node has is captured first, then every object goes out whole, as it is when its turn comes: that state covers
// what the vector says, and may know more. Objects that changed while the transfer runs follow as batches; writes never
// wait. A peer that had a transfer from this process before gets only what changed since. One thread.
#pragma once

#include <phoenix/codec/batch.hpp>
#include <phoenix/codec/frame.hpp>
#include <phoenix/crdt/bytes.hpp>
#include <phoenix/replication/store/object_store.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace phoenix::replication {

/// How far a peer got in a transfer that broke: the objects before `place` it has as they were at change number `until`. A
/// transfer from this store goes on there, since within one process a peer forgets nothing that it has acknowledged.
struct transfer_mark {
    std::size_t place = 0;
    std::uint64_t until = 0;
};

class transfer_source {
public:
    /// Of the objects that changed after change number `since`, and before `reached.place` only after `reached.until`.
    transfer_source(std::uint64_t id, const object_store& objects, std::uint64_t since,
                    const transfer_mark& reached = {});

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

    /// How many bytes are under way.
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }

    /// The next frame: objects, a part of one, at last the end. Not after that.
    [[nodiscard]] codec::frame next(const object_store& objects, const codec::limits& limits);

    /// What the peer has acknowledged until now, what it had before this transfer among it.
    [[nodiscard]] transfer_mark reached() const noexcept;

    /// The end was sent.
    [[nodiscard]] bool is_over() const noexcept { return is_over_; }

    /// The peer has joined the first `messages` frames. True when that was news.
    bool acked(std::uint64_t messages);

private:
    /// Objects of this transfer's frame, by type and key.
    struct picked {
        const stored_object* object;
        std::size_t begin;
        std::size_t end;
    };

    [[nodiscard]] codec::frame next_part(const codec::limits& limits);
    [[nodiscard]] codec::frame count(codec::frame made);
    [[nodiscard]] bool find_next(const object_store& objects);

    std::uint64_t id_;
    std::uint64_t since_;
    transfer_mark before_;
    /// The store's last change when the transfer began, and how many objects there were.
    std::uint64_t until_;
    std::size_t places_;
    std::size_t place_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t objects_ = 0;
    bool is_over_ = false;

    /// The state of an object that is too large for a frame, as far as it has not been sent.
    const stored_object* large_ = nullptr;
    crdt::byte_writer large_bytes_;
    std::size_t large_sent_ = 0;

    struct flight {
        std::size_t bytes;
        /// Objects before this one are whole when it has arrived.
        std::size_t place;
    };

    std::deque<flight> unacked_;
    std::uint64_t acked_ = 0;
    std::size_t acked_place_ = 0;
    std::size_t in_flight_ = 0;
};

} // namespace phoenix::replication
