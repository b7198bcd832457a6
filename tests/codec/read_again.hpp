// Whatever a payload of any kind decodes to, encoded anew.
#pragma once

#include <phoenix/codec/messages.hpp>

#include <cstddef>
#include <span>

namespace phoenix::codec::testing {

inline void copy_entries(entries_writer& to, const entries_view& from) {
    for (const entry& each : from) {
        to.add(each.type, each.key, each.delta);
    }
}

/// Decodes under `reading` and encodes under `writing`. Hostile columns may overlap, so that what they say takes up to
/// twelve times their bytes when it is written out.
[[nodiscard]] inline frame read_again(frame_kind kind, std::span<const std::byte> payload,
                                      const limits& reading, const limits& writing) {
    switch (kind) {
    case frame_kind::hello:
        return encode(decode<hello>(payload, reading), writing);
    case frame_kind::proof:
        return encode(decode<proof>(payload, reading), writing);
    case frame_kind::welcome:
        return encode(decode<welcome>(payload, reading), writing);
    case frame_kind::bye:
        return encode(decode<bye>(payload, reading), writing);
    case frame_kind::ping:
        return encode(decode<ping>(payload, reading), writing);
    case frame_kind::pong:
        return encode(decode<pong>(payload, reading), writing);
    case frame_kind::report:
        return encode(decode<report>(payload, reading), writing);
    case frame_kind::batch: {
        const batch_view batch = batch_view::read(payload, reading);
        entries_writer writer(writing);
        copy_entries(writer, batch.entries());
        return writer.finish(batch.head());
    }
    case frame_kind::batch_part:
        return encode(decode<batch_part>(payload, reading), writing);
    case frame_kind::behind:
        return encode(decode<behind>(payload, reading), writing);
    case frame_kind::transfer_request:
        return encode(decode<transfer_request>(payload, reading), writing);
    case frame_kind::transfer_begin:
        return encode(decode<transfer_begin>(payload, reading), writing);
    case frame_kind::transfer_objects: {
        const auto objects = transfer_objects_view::read(payload, reading);
        entries_writer writer(writing);
        copy_entries(writer, objects.entries());
        return writer.finish(objects.transfer(), objects.sequence());
    }
    case frame_kind::transfer_part:
        return encode(decode<transfer_part>(payload, reading), writing);
    case frame_kind::transfer_ack:
        return encode(decode<transfer_ack>(payload, reading), writing);
    case frame_kind::transfer_end:
        return encode(decode<transfer_end>(payload, reading), writing);
    case frame_kind::transfer_cancel:
        return encode(decode<transfer_cancel>(payload, reading), writing);
    case frame_kind::batch_ack:
        return encode(decode<batch_ack>(payload, reading), writing);
    }
    return {};
}

} // namespace phoenix::codec::testing
