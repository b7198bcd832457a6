// Parts of an object that is too large for one frame, and the messages that carry them.
//
//   for (std::uint64_t at = 0; at < all.size(); at += most) {
//       const auto piece = all.subspan(at, std::min(most, all.size() - at));
//       send(encode(batch_part{head, {type, key, at, all.size(), piece}}, bounds));
//   }
//
// Parts of one object follow each other on their lane without gaps, and the object is joined when all are there: what a
// part alone says is nothing. All spans are views. Any thread.
#pragma once

#include <phoenix/codec/batch.hpp>
#include <phoenix/codec/message.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace phoenix::codec {

struct object_part {
    std::uint64_t type = 0;
    std::span<const std::byte> key = {};
    /// Where in the object's bytes these begin, and how many there are of all.
    std::uint64_t offset = 0;
    std::uint64_t total = 0;
    /// At least one.
    std::span<const std::byte> bytes = {};
};

/// Of a delta that is a batch by itself. A view into the payload.
struct batch_part {
    static constexpr frame_kind kind = frame_kind::batch_part;

    batch_head head = {};
    object_part part = {};
};

/// Of an object of a state transfer. A view into the payload.
struct transfer_part {
    static constexpr frame_kind kind = frame_kind::transfer_part;

    std::uint64_t transfer = 0;
    object_part part = {};
    /// Its place among the frames of the transfer that carry objects, from 0, transfer_objects counted too.
    std::uint64_t sequence = 0;
};

/// What is left of a frame of `bounds` for the bytes of a part beside a key of this size; 0 when nothing is.
[[nodiscard]] std::size_t part_bytes_max(std::size_t key_bytes, const limits& bounds) noexcept;

[[nodiscard]] frame encode(const batch_part& message, const limits& bounds = {});
[[nodiscard]] frame encode(const transfer_part& message, const limits& bounds = {});

template <>
batch_part decode<batch_part>(std::span<const std::byte> payload, const limits& bounds);
template <>
transfer_part decode<transfer_part>(std::span<const std::byte> payload, const limits& bounds);

} // namespace phoenix::codec
