// Messages about who has which batches, and those that frame a state transfer.
//
//   report mine;
//   mine.peers.push_back({.about = here, .has = vector});
//   const frame sent = encode(mine, bounds);
//
// Version vectors are sorted by origin, each origin once, with numbers from 1 on. How they and transfers work stands in
// WIRE.md. Any thread.
#pragma once

#include <phoenix/codec/identity.hpp>
#include <phoenix/codec/message.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace phoenix::codec {

/// What one peer has, as far as the sender of the report knows.
struct peer_report {
    identity about = {};
    /// It has changes of its own that no batch carries yet.
    bool batch_open = false;
    /// Its version vector, or those entries that changed.
    std::vector<vector_entry> has = {};
    /// `neighbours` is all nodes that it is linked to; otherwise nothing is said of them.
    bool tells_neighbours = false;
    /// Ascending, each once.
    std::vector<std::uint64_t> neighbours = {};

    friend bool operator==(const peer_report&, const peer_report&) = default;
};

struct report {
    static constexpr frame_kind kind = frame_kind::report;

    /// By identity, each once.
    std::vector<peer_report> peers = {};
    /// No stamp in what the sender has by now is later.
    stamp latest = {};

    friend bool operator==(const report&, const report&) = default;
};

/// How far a batch in parts has come: it is reported only when it is whole, which may take long.
struct batch_ack {
    static constexpr frame_kind kind = frame_kind::batch_ack;

    /// How many batch_parts came on this connection so far.
    std::uint64_t parts = 0;

    friend bool operator==(const batch_ack&, const batch_ack&) = default;
};

/// Your vector lies below what I still keep: ask for a transfer. `has` is my vector.
struct behind {
    static constexpr frame_kind kind = frame_kind::behind;

    std::vector<vector_entry> has = {};
    /// What a transfer would take, as far as the sender knows.
    std::uint64_t bytes_estimate = 0;

    friend bool operator==(const behind&, const behind&) = default;
};

struct transfer_request {
    static constexpr frame_kind kind = frame_kind::transfer_request;

    /// Chosen by who asks, new for each of its transfers on this connection.
    std::uint64_t transfer = 0;
    /// Whose last transfer_end gave `since`.
    identity since_of = {};
    /// 0 asks for everything.
    std::uint64_t since = 0;

    friend bool operator==(const transfer_request&, const transfer_request&) = default;
};

struct transfer_begin {
    static constexpr frame_kind kind = frame_kind::transfer_begin;

    std::uint64_t transfer = 0;
    /// Captured before the first object; adopted after the end, and not at all without one.
    std::vector<vector_entry> has = {};
    stamp latest = {};
    /// How many will come, as far as the sender knows.
    std::uint64_t objects = 0;

    friend bool operator==(const transfer_begin&, const transfer_begin&) = default;
};

struct transfer_ack {
    static constexpr frame_kind kind = frame_kind::transfer_ack;

    std::uint64_t transfer = 0;
    /// How many transfer_objects and transfer_parts were taken in so far.
    std::uint64_t messages = 0;

    friend bool operator==(const transfer_ack&, const transfer_ack&) = default;
};

struct transfer_end {
    static constexpr frame_kind kind = frame_kind::transfer_end;

    std::uint64_t transfer = 0;
    /// How many transfer_objects and transfer_parts were sent.
    std::uint64_t messages = 0;
    std::uint64_t objects = 0;
    /// The token that a later request may name.
    std::uint64_t since = 0;

    friend bool operator==(const transfer_end&, const transfer_end&) = default;
};

/// From either side: there will be no end.
struct transfer_cancel {
    static constexpr frame_kind kind = frame_kind::transfer_cancel;

    std::uint64_t transfer = 0;
    std::string text = {};

    friend bool operator==(const transfer_cancel&, const transfer_cancel&) = default;
};

[[nodiscard]] frame encode(const report& message, const limits& bounds = {});
[[nodiscard]] frame encode(const batch_ack& message, const limits& bounds = {});
[[nodiscard]] frame encode(const behind& message, const limits& bounds = {});
[[nodiscard]] frame encode(const transfer_request& message, const limits& bounds = {});
[[nodiscard]] frame encode(const transfer_begin& message, const limits& bounds = {});
[[nodiscard]] frame encode(const transfer_ack& message, const limits& bounds = {});
[[nodiscard]] frame encode(const transfer_end& message, const limits& bounds = {});
[[nodiscard]] frame encode(const transfer_cancel& message, const limits& bounds = {});

template <>
report decode<report>(std::span<const std::byte> payload, const limits& bounds);
template <>
batch_ack decode<batch_ack>(std::span<const std::byte> payload, const limits& bounds);
template <>
behind decode<behind>(std::span<const std::byte> payload, const limits& bounds);
template <>
transfer_request decode<transfer_request>(std::span<const std::byte> payload, const limits& bounds);
template <>
transfer_begin decode<transfer_begin>(std::span<const std::byte> payload, const limits& bounds);
template <>
transfer_ack decode<transfer_ack>(std::span<const std::byte> payload, const limits& bounds);
template <>
transfer_end decode<transfer_end>(std::span<const std::byte> payload, const limits& bounds);
template <>
transfer_cancel decode<transfer_cancel>(std::span<const std::byte> payload, const limits& bounds);

} // namespace phoenix::codec
