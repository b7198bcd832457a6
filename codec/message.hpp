// How payloads become messages: what all kinds share.
//
//   const ping asked = decode<ping>(received, bounds);
//   peer.queue(encode(pong{asked.token}));
//
// Decoding verifies the payload as a FlatBuffer of one table without nested buffers, and then holds it to the rules of its
// kind. What breaks them throws std::system_error (errc::malformed_message, limit_exceeded) that names the field. Encoding
// keeps to the same rules and throws the same errors, so that no frame is made that its reader refuses. Any thread.
#pragma once

#include <phoenix/codec/frame_reader.hpp>
#include <phoenix/codec/limits.hpp>

#include <cstddef>
#include <span>

namespace phoenix::codec {

/// Each message specializes this. The payload begins at a multiple of 8, as a frame's does. Messages own what they hold,
/// unless they say otherwise.
template <class Message>
[[nodiscard]] Message decode(std::span<const std::byte> payload, const limits& bounds) = delete;

template <class Message>
[[nodiscard]] Message decode(const received_frame& received, const limits& bounds) {
    PHOENIX_ASSERT(received.kind() == Message::kind, "a frame must be decoded as what its kind says");
    return decode<Message>(received.payload(), bounds);
}

} // namespace phoenix::codec
