#include <phoenix/codec/detail/batch_head.hpp>
#include <phoenix/codec/detail/flat.hpp>
#include <phoenix/codec/object_part.hpp>

#include <string>
#include <string_view>

#include <delta_generated.h>

namespace phoenix::codec {

namespace {

using detail::message_builder;
using detail::refuse;
using detail::require_at_most;
using detail::verified;

/// Root, table, vtable, lengths of the columns and padding between them.
constexpr std::size_t fixed_bytes = 192;

template <class Table>
[[nodiscard]] object_part read_part(const Table& flat) {
    return {.type = flat.type(),
            .key = detail::bytes(flat.key()),
            .offset = flat.offset(),
            .total = flat.total(),
            .bytes = detail::bytes(flat.bytes())};
}

void check_part(std::string_view message, const object_part& part, const limits& bounds) {
    const std::string name(message);
    require_at_most(name + ".key in bytes", bounds.key_bytes_max, part.key.size());
    require_at_most(name + ".total", bounds.object_bytes_max, part.total);
    if (part.bytes.empty()) [[unlikely]] {
        refuse(name + ".bytes", "at least one", "none");
    }
    if (part.bytes.size() > part.total || part.offset > part.total - part.bytes.size()) [[unlikely]] {
        refuse(name + ".offset", "an end within the " + std::to_string(part.total) + " bytes of the object",
               std::to_string(part.bytes.size()) + " bytes at " + std::to_string(part.offset));
    }
}

} // namespace

std::size_t part_bytes_max(std::size_t key_bytes, const limits& bounds) noexcept {
    const std::size_t taken = fixed_bytes + key_bytes;
    return taken < bounds.frame_bytes_max ? bounds.frame_bytes_max - taken : 0;
}

frame encode(const batch_part& message, const limits& bounds) {
    const object_part& part = message.part;
    detail::check_head("batch_part", message.head);
    check_part("batch_part", part, bounds);
    message_builder out(batch_part::kind, bounds, part.key.size() + part.bytes.size());
    const auto bytes = out.column(part.bytes);
    const auto key = out.column(part.key);
    const batch_head& head = message.head;
    return out.finish(wire::CreateBatchPart(out.flat(), head.origin.node, head.origin.incarnation, head.first,
                                            head.last, head.latest.wall_us, head.latest.logical, part.type,
                                            key, part.offset, part.total, bytes));
}

template <>
batch_part decode<batch_part>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::BatchPart>(batch_part::kind, payload, bounds);
    const batch_part message{.head = detail::read_head(flat), .part = read_part(flat)};
    detail::check_head("batch_part", message.head);
    check_part("batch_part", message.part, bounds);
    return message;
}

frame encode(const transfer_part& message, const limits& bounds) {
    const object_part& part = message.part;
    check_part("transfer_part", part, bounds);
    message_builder out(transfer_part::kind, bounds, part.key.size() + part.bytes.size());
    const auto bytes = out.column(part.bytes);
    const auto key = out.column(part.key);
    return out.finish(wire::CreateTransferPart(out.flat(), message.transfer, message.sequence, part.type, key,
                                               part.offset, part.total, bytes));
}

template <>
transfer_part decode<transfer_part>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::TransferPart>(transfer_part::kind, payload, bounds);
    const transfer_part message{
        .transfer = flat.transfer(), .part = read_part(flat), .sequence = flat.sequence()};
    check_part("transfer_part", message.part, bounds);
    return message;
}

} // namespace phoenix::codec
