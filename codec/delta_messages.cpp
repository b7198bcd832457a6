#include <phoenix/codec/delta_messages.hpp>
#include <phoenix/codec/detail/flat.hpp>

#include <string_view>

#include <delta_generated.h>

namespace phoenix::codec {

namespace {

using detail::column;
using detail::message_builder;
using detail::refuse;
using detail::require_at_most;
using detail::require_rows;
using detail::rows;
using detail::text;
using detail::verified;

constexpr std::uint8_t batch_open_flag = 1;
constexpr std::uint8_t tells_neighbours_flag = 2;

/// A report as it lies on the wire: a row a peer, and the version vectors and neighbours of all in a column each.
struct report_columns {
    std::span<const identity> about;
    std::span<const std::uint8_t> flags;
    std::span<const std::uint32_t> has_ends;
    std::span<const vector_entry> has;
    std::span<const std::uint32_t> neighbour_ends;
    std::span<const std::uint64_t> neighbours;

    [[nodiscard]] std::span<const vector_entry> has_of(std::size_t row) const noexcept {
        const std::size_t from = row == 0 ? 0 : has_ends[row - 1];
        return has.subspan(from, has_ends[row] - from);
    }

    [[nodiscard]] std::span<const std::uint64_t> neighbours_of(std::size_t row) const noexcept {
        const std::size_t from = row == 0 ? 0 : neighbour_ends[row - 1];
        return neighbours.subspan(from, neighbour_ends[row] - from);
    }
};

void check_report(const report_columns& columns, const limits& bounds) {
    const std::size_t count = columns.about.size();
    require_at_most("report.about", bounds.peers_max, count);
    require_at_most("report.has", bounds.vector_entries_max, columns.has.size());
    require_at_most("report.neighbours", bounds.neighbours_max, columns.neighbours.size());
    require_rows("report.flags", count, columns.flags.size());
    require_rows("report.has_ends", count, columns.has_ends.size());
    require_rows("report.neighbour_ends", count, columns.neighbour_ends.size());
    detail::require_ends("report.has_ends", columns.has_ends, columns.has.size());
    detail::require_ends("report.neighbour_ends", columns.neighbour_ends, columns.neighbours.size());
    detail::require_ascending("report.about", columns.about);
    for (std::size_t row = 0; row < count; ++row) {
        if ((columns.flags[row] & ~(batch_open_flag | tells_neighbours_flag)) != 0) {
            refuse("report.flags", "no flags but 1 and 2", columns.flags[row]);
        }
        if ((columns.flags[row] & tells_neighbours_flag) == 0 && !columns.neighbours_of(row).empty()) {
            refuse("report.neighbours", "none of a peer without the flag 2",
                   columns.neighbours_of(row).size());
        }
        detail::require_version_vector("report.has", columns.has_of(row));
        detail::require_ascending("report.neighbours", columns.neighbours_of(row));
    }
}

void check_has(std::string_view place, std::span<const vector_entry> has, const limits& bounds) {
    require_at_most(place, bounds.vector_entries_max, has.size());
    detail::require_version_vector(place, has);
}

template <class Row>
[[nodiscard]] std::vector<Row> owned(std::span<const Row> values) {
    return {values.begin(), values.end()};
}

} // namespace

frame encode(const report& message, const limits& bounds) {
    std::vector<identity> about;
    std::vector<std::uint8_t> flags;
    std::vector<std::uint32_t> has_ends;
    std::vector<vector_entry> has;
    std::vector<std::uint32_t> neighbour_ends;
    std::vector<std::uint64_t> neighbours;
    for (const peer_report& each : message.peers) {
        about.push_back(each.about);
        flags.push_back(static_cast<std::uint8_t>((each.batch_open ? batch_open_flag : 0) |
                                                  (each.tells_neighbours ? tells_neighbours_flag : 0)));
        has.insert(has.end(), each.has.begin(), each.has.end());
        has_ends.push_back(static_cast<std::uint32_t>(has.size()));
        neighbours.insert(neighbours.end(), each.neighbours.begin(), each.neighbours.end());
        neighbour_ends.push_back(static_cast<std::uint32_t>(neighbours.size()));
    }
    const report_columns columns{about, flags, has_ends, has, neighbour_ends, neighbours};
    check_report(columns, bounds);
    message_builder out(report::kind, bounds, 25 * about.size() + 24 * has.size() + 8 * neighbours.size());
    const auto flat_about = out.rows<wire::Identity>(columns.about);
    const auto flat_flags = out.column(columns.flags);
    const auto flat_has_ends = out.column(columns.has_ends);
    const auto flat_has = out.rows<wire::VectorEntry>(columns.has);
    const auto flat_neighbour_ends = out.column(columns.neighbour_ends);
    const auto flat_neighbours = out.column(columns.neighbours);
    return out.finish(wire::CreateReport(out.flat(), flat_about, flat_flags, flat_has_ends, flat_has,
                                         flat_neighbour_ends, flat_neighbours, message.latest.wall_us,
                                         message.latest.logical));
}

template <>
report decode<report>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::Report>(report::kind, payload, bounds);
    const report_columns columns{rows<identity>("report.about", flat.about()),
                                 column("report.flags", flat.flags()),
                                 column("report.has_ends", flat.has_ends()),
                                 rows<vector_entry>("report.has", flat.has()),
                                 column("report.neighbour_ends", flat.neighbour_ends()),
                                 column("report.neighbours", flat.neighbours())};
    check_report(columns, bounds);
    report message;
    message.latest = {flat.latest_wall_us(), flat.latest_logical()};
    message.peers.reserve(columns.about.size());
    for (std::size_t row = 0; row < columns.about.size(); ++row) {
        message.peers.push_back({.about = columns.about[row],
                                 .batch_open = (columns.flags[row] & batch_open_flag) != 0,
                                 .has = owned(columns.has_of(row)),
                                 .tells_neighbours = (columns.flags[row] & tells_neighbours_flag) != 0,
                                 .neighbours = owned(columns.neighbours_of(row))});
    }
    return message;
}

frame encode(const batch_ack& message, const limits& bounds) {
    message_builder out(batch_ack::kind, bounds, 0);
    return out.finish(wire::CreateBatchAck(out.flat(), message.parts));
}

template <>
batch_ack decode<batch_ack>(std::span<const std::byte> payload, const limits& bounds) {
    return {.parts = verified<wire::BatchAck>(batch_ack::kind, payload, bounds).parts()};
}

frame encode(const behind& message, const limits& bounds) {
    check_has("behind.has", message.has, bounds);
    message_builder out(behind::kind, bounds, 24 * message.has.size());
    const auto has = out.rows<wire::VectorEntry>(std::span(message.has));
    return out.finish(wire::CreateBehind(out.flat(), has, message.bytes_estimate));
}

template <>
behind decode<behind>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::Behind>(behind::kind, payload, bounds);
    const auto has = rows<vector_entry>("behind.has", flat.has());
    check_has("behind.has", has, bounds);
    return {.has = owned(has), .bytes_estimate = flat.bytes_estimate()};
}

frame encode(const transfer_request& message, const limits& bounds) {
    message_builder out(transfer_request::kind, bounds, 0);
    return out.finish(wire::CreateTransferRequest(out.flat(), message.transfer, message.since_of.node,
                                                  message.since_of.incarnation, message.since));
}

template <>
transfer_request decode<transfer_request>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::TransferRequest>(transfer_request::kind, payload, bounds);
    return {.transfer = flat.transfer(),
            .since_of = {flat.since_node(), flat.since_incarnation()},
            .since = flat.since()};
}

frame encode(const transfer_begin& message, const limits& bounds) {
    check_has("transfer_begin.has", message.has, bounds);
    message_builder out(transfer_begin::kind, bounds, 24 * message.has.size());
    const auto has = out.rows<wire::VectorEntry>(std::span(message.has));
    return out.finish(wire::CreateTransferBegin(out.flat(), message.transfer, has, message.latest.wall_us,
                                                message.latest.logical, message.objects));
}

template <>
transfer_begin decode<transfer_begin>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::TransferBegin>(transfer_begin::kind, payload, bounds);
    const auto has = rows<vector_entry>("transfer_begin.has", flat.has());
    check_has("transfer_begin.has", has, bounds);
    return {.transfer = flat.transfer(),
            .has = owned(has),
            .latest = {flat.latest_wall_us(), flat.latest_logical()},
            .objects = flat.objects()};
}

frame encode(const transfer_ack& message, const limits& bounds) {
    message_builder out(transfer_ack::kind, bounds, 0);
    return out.finish(wire::CreateTransferAck(out.flat(), message.transfer, message.messages));
}

template <>
transfer_ack decode<transfer_ack>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::TransferAck>(transfer_ack::kind, payload, bounds);
    return {.transfer = flat.transfer(), .messages = flat.messages()};
}

frame encode(const transfer_end& message, const limits& bounds) {
    message_builder out(transfer_end::kind, bounds, 0);
    return out.finish(wire::CreateTransferEnd(out.flat(), message.transfer, message.messages, message.objects,
                                              message.since));
}

template <>
transfer_end decode<transfer_end>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::TransferEnd>(transfer_end::kind, payload, bounds);
    return {.transfer = flat.transfer(),
            .messages = flat.messages(),
            .objects = flat.objects(),
            .since = flat.since()};
}

frame encode(const transfer_cancel& message, const limits& bounds) {
    require_at_most("transfer_cancel.text in bytes", bounds.text_bytes_max, message.text.size());
    message_builder out(transfer_cancel::kind, bounds, message.text.size());
    const auto reason = out.text(message.text);
    return out.finish(wire::CreateTransferCancel(out.flat(), message.transfer, reason));
}

template <>
transfer_cancel decode<transfer_cancel>(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::TransferCancel>(transfer_cancel::kind, payload, bounds);
    require_at_most("transfer_cancel.text in bytes", bounds.text_bytes_max, text(flat.text()).size());
    return {.transfer = flat.transfer(), .text = std::string(text(flat.text()))};
}

} // namespace phoenix::codec
