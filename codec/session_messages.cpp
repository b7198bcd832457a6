#include <phoenix/codec/detail/flat.hpp>
#include <phoenix/codec/session_messages.hpp>

#include <algorithm>
#include <string_view>

#include <session_generated.h>

namespace phoenix::codec {

namespace {

using detail::bytes;
using detail::column;
using detail::message_builder;
using detail::refuse;
using detail::require_at_most;
using detail::text;
using detail::verified;

template <std::size_t Size>
[[nodiscard]] std::array<std::byte, Size> exactly(std::string_view place,
                                                  const flatbuffers::Vector<std::uint8_t>* values) {
    const auto found = bytes(values);
    if (found.size() != Size) {
        refuse(place, std::to_string(Size) + " bytes", found.size());
    }
    std::array<std::byte, Size> taken;
    std::ranges::copy(found, taken.begin());
    return taken;
}

void check_hello(std::uint16_t wire_min, std::uint16_t wire_max, std::string_view cluster,
                 const limits& bounds) {
    if (wire_min == 0) {
        refuse("hello.wire_min", "a version from 1 on", std::uint64_t{0});
    }
    if (wire_max < wire_min) {
        refuse("hello.wire_max", "wire_min, " + std::to_string(wire_min) + ", or more", wire_max);
    }
    require_at_most("hello.cluster in bytes", bounds.name_bytes_max, cluster.size());
}

/// The types of a welcome as they lie on the wire.
struct type_columns {
    std::span<const std::byte> names;
    std::span<const std::uint32_t> name_ends;
    std::span<const std::uint64_t> fingerprints;

    [[nodiscard]] std::string_view name(std::size_t index) const noexcept {
        const std::size_t from = index == 0 ? 0 : name_ends[index - 1];
        return {reinterpret_cast<const char*>(names.data()) + from, name_ends[index] - from};
    }
};

void check_welcome(std::string_view software, std::uint32_t frame_bytes_max, std::uint64_t window_bytes,
                   const type_columns& types, const limits& bounds) {
    constexpr std::uint64_t least_frame = 1024;
    require_at_most("welcome.software in bytes", bounds.text_bytes_max, software.size());
    if (frame_bytes_max < least_frame) {
        refuse("welcome.frame_bytes_max", std::to_string(least_frame) + " or more", frame_bytes_max);
    }
    if (window_bytes < frame_bytes_max) {
        refuse("welcome.window_bytes", "frame_bytes_max, " + std::to_string(frame_bytes_max) + ", or more",
               window_bytes);
    }
    require_at_most("welcome.types", bounds.types_max, types.fingerprints.size());
    detail::require_rows("welcome.type_name_ends", types.fingerprints.size(), types.name_ends.size());
    detail::require_ends("welcome.type_name_ends", types.name_ends, types.names.size());
    for (std::size_t i = 0; i < types.fingerprints.size(); ++i) {
        require_at_most("welcome.type_names in bytes", bounds.name_bytes_max, types.name(i).size());
        if (types.name(i).empty()) {
            refuse("welcome.type_names", "a name for each type", "an empty one");
        }
        if (i > 0 && types.name(i) <= types.name(i - 1)) {
            refuse("welcome.type_names", "each name once, in order", types.name(i));
        }
    }
}

void check_text(std::string_view place, std::string_view value, const limits& bounds) {
    require_at_most(place, bounds.text_bytes_max, value.size());
}

} // namespace

frame encode(const hello& message, const limits& bounds) {
    check_hello(message.wire_min, message.wire_max, message.cluster, bounds);
    message_builder out(hello::kind, bounds, message.cluster.size() + message.nonce.size());
    const auto cluster = out.text(message.cluster);
    const auto nonce = out.column(std::span(message.nonce));
    return out.finish(wire::CreateHello(out.flat(), message.wire_min, message.wire_max, cluster,
                                        message.self.node, message.self.incarnation, message.wall_us, nonce),
                      wire::HelloIdentifier());
}

template <>
hello decode<hello>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::Hello>(hello::kind, payload, bounds, wire::HelloIdentifier());
    check_hello(flat.wire_min(), flat.wire_max(), text(flat.cluster()), bounds);
    return {.wire_min = flat.wire_min(),
            .wire_max = flat.wire_max(),
            .cluster = std::string(text(flat.cluster())),
            .self = {flat.node(), flat.incarnation()},
            .wall_us = flat.wall_us(),
            .nonce = exactly<32>("hello.nonce", flat.nonce())};
}

frame encode(const proof& message, const limits& bounds) {
    message_builder out(proof::kind, bounds, message.mac.size());
    const auto mac = out.column(std::span(message.mac));
    return out.finish(wire::CreateProof(out.flat(), mac));
}

template <>
proof decode<proof>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::Proof>(proof::kind, payload, bounds);
    return {.mac = exactly<32>("proof.mac", flat.mac())};
}

frame encode(const welcome& message, const limits& bounds) {
    std::string names;
    std::vector<std::uint32_t> name_ends;
    std::vector<std::uint64_t> fingerprints;
    for (const type_entry& each : message.types) {
        names += each.name;
        name_ends.push_back(static_cast<std::uint32_t>(names.size()));
        fingerprints.push_back(each.fingerprint);
    }
    const type_columns types{std::as_bytes(std::span(names)), name_ends, fingerprints};
    check_welcome(message.software, message.frame_bytes_max, message.window_bytes, types, bounds);
    message_builder out(welcome::kind, bounds,
                        message.software.size() + names.size() + 12 * message.types.size());
    const auto software = out.text(message.software);
    const auto flat_names = out.column(types.names);
    const auto flat_ends = out.column(types.name_ends);
    const auto flat_fingerprints = out.column(types.fingerprints);
    return out.finish(wire::CreateWelcome(
        out.flat(), software, message.features, message.frame_bytes_max, message.window_bytes, flat_names,
        flat_ends, flat_fingerprints, message.entries_max, message.key_bytes_max, message.object_bytes_max));
}

template <>
welcome decode<welcome>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::Welcome>(welcome::kind, payload, bounds);
    const type_columns types{bytes(flat.type_names()),
                             column("welcome.type_name_ends", flat.type_name_ends()),
                             column("welcome.type_fingerprints", flat.type_fingerprints())};
    check_welcome(text(flat.software()), flat.frame_bytes_max(), flat.window_bytes(), types, bounds);
    welcome message{.software = std::string(text(flat.software())),
                    .features = flat.features(),
                    .frame_bytes_max = flat.frame_bytes_max(),
                    .window_bytes = flat.window_bytes(),
                    .types = {},
                    .entries_max = flat.entries_max(),
                    .key_bytes_max = flat.key_bytes_max(),
                    .object_bytes_max = flat.object_bytes_max()};
    message.types.reserve(types.fingerprints.size());
    for (std::size_t i = 0; i < types.fingerprints.size(); ++i) {
        message.types.push_back({std::string(types.name(i)), types.fingerprints[i]});
    }
    return message;
}

frame encode(const bye& message, const limits& bounds) {
    check_text("bye.text in bytes", message.text, bounds);
    message_builder out(bye::kind, bounds, message.text.size());
    const auto reason = out.text(message.text);
    return out.finish(wire::CreateBye(out.flat(), message.code, reason, message.highest_incarnation));
}

template <>
bye decode<bye>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::Bye>(bye::kind, payload, bounds);
    check_text("bye.text in bytes", text(flat.text()), bounds);
    return {.code = flat.code(),
            .text = std::string(text(flat.text())),
            .highest_incarnation = flat.highest_incarnation()};
}

frame encode(const ping& message, const limits& bounds) {
    message_builder out(ping::kind, bounds, 0);
    return out.finish(wire::CreatePing(out.flat(), message.token));
}

template <>
ping decode<ping>(std::span<const std::byte> payload, const limits& bounds) {
    return {.token = verified<wire::Ping>(ping::kind, payload, bounds).token()};
}

frame encode(const pong& message, const limits& bounds) {
    message_builder out(pong::kind, bounds, 0);
    return out.finish(wire::CreatePong(out.flat(), message.token));
}

template <>
pong decode<pong>(std::span<const std::byte> payload, const limits& bounds) {
    return {.token = verified<wire::Pong>(pong::kind, payload, bounds).token()};
}

} // namespace phoenix::codec
