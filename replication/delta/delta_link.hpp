// One link to a peer, as the delta machine sees it: what was sent on it, told, and is under way.
#pragma once

#include <phoenix/crdt/replica.hpp>
#include <phoenix/crdt/version_vector.hpp>
#include <phoenix/net/time.hpp>
#include <phoenix/replication/delta/part_assembly.hpp>
#include <phoenix/replication/delta/send_window.hpp>
#include <phoenix/replication/delta/transfer_source.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace phoenix::replication {

/// A link of the machine, named by who made it: one name, one link, never used again.
enum class link_id : std::uint64_t {};

/// A batch that arrives in parts.
struct incoming_parts {
    codec::batch_head head;
    /// Otherwise it is known already, and its parts are only passed over.
    bool is_news = false;
    part_assembly object;
    std::vector<codec::frame> frames;
};

struct delta_link {
    link_id id{};
    crdt::replica_id peer;

    // --- What the peer gets.

    /// It has said what it has: until then nothing is sent.
    bool has_reported = false;
    /// What it has, in its own words: what others say of it moves nothing here.
    crdt::version_vector has;
    /// What it has or was sent, without gaps.
    crdt::version_vector sent;
    /// Origins of which there is more than that, in order, as of so many changes of what is here.
    std::vector<crdt::replica_id> unsent;
    std::uint64_t unsent_as_of = 0;
    send_window window;
    /// What it may hold.
    std::uint64_t window_bytes_max = 0;
    /// When something that was sent was last reported, or first sent.
    net::monotonic_time progress{};
    /// It needs batches that are not kept, and was told so; not again before `behind_again`.
    net::monotonic_time behind_again{};
    /// Parts of batches, and how many of them it says to have.
    std::uint64_t parts_sent = 0;
    std::uint64_t parts_acked = 0;
    std::optional<transfer_source> transfer;
    std::uint64_t transfer_since = 0;
    /// What it will have when the transfer has ended.
    crdt::version_vector transfer_brings;
    /// Whose batch was the last to leave when the window was full: others come first next time.
    crdt::replica_id served_last;

    // --- What the peer was told.

    crdt::version_vector told;
    /// After so many changes of what is here.
    std::uint64_t told_as_of = 0;
    std::uint64_t told_neighbours = 0;
    /// After how many changes it was told of others, by node.
    std::map<std::uint64_t, std::uint64_t> told_of;
    /// When it is told what is new: no_deadline while nothing is.
    net::monotonic_time report_due = net::no_deadline;
    /// When it is told everything once more, so that nothing depends on one report.
    net::monotonic_time retell_due{};

    // --- What comes from it.

    std::optional<incoming_parts> parts;
    /// Parts of batches that came, and how many of them it was told of.
    std::uint64_t parts_taken = 0;
    std::uint64_t parts_told = 0;
    /// What it has, when it said that it keeps too little for this node.
    crdt::version_vector ahead;
};

} // namespace phoenix::replication
