#include <phoenix/codec/batch.hpp>
#include <phoenix/codec/detail/batch_head.hpp>
#include <phoenix/codec/detail/flat.hpp>
#include <phoenix/config.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include <delta_generated.h>

namespace phoenix::codec {

namespace {

using detail::bytes;
using detail::column;
using detail::message_builder;
using detail::refuse;
using detail::require_at_most;
using detail::verified;

/// Root, table, vtable, lengths of the columns and padding between them.
constexpr std::size_t fixed_bytes = 224;
constexpr std::size_t bytes_a_run = sizeof(std::uint64_t) + sizeof(std::uint32_t);
constexpr std::size_t bytes_an_entry = 2 * sizeof(std::uint32_t);

[[nodiscard]] std::strong_ordering compare(std::span<const std::byte> a,
                                           std::span<const std::byte> b) noexcept {
    const std::size_t both = std::min(a.size(), b.size());
    const int order = both == 0 ? 0 : std::memcmp(a.data(), b.data(), both);
    return order != 0 ? order <=> 0 : a.size() <=> b.size();
}

void check_runs(const entry_columns& columns) {
    const std::size_t count = columns.key_ends.size();
    detail::require_rows("entries.type_ends", columns.types.size(), columns.type_ends.size());
    detail::require_ascending("entries.types", columns.types);
    for (std::size_t run = 0; run < columns.type_ends.size(); ++run) {
        const std::size_t from = run == 0 ? 0 : columns.type_ends[run - 1];
        if (columns.type_ends[run] <= from) [[unlikely]] {
            refuse("entries.type_ends", "more than " + std::to_string(from), columns.type_ends[run]);
        }
    }
    const std::size_t last = columns.type_ends.empty() ? 0 : columns.type_ends.back();
    if (last != count) [[unlikely]] {
        refuse("entries.type_ends", "an end at the last of " + std::to_string(count) + " entries", last);
    }
}

/// Keys ascend within each run. Precondition: the ends are right.
void check_keys(const entry_columns& columns, const limits& bounds) {
    std::size_t index = 0;
    std::size_t from = 0;
    for (const std::uint32_t run_end : columns.type_ends) {
        for (const std::size_t run_begin = index; index < run_end; ++index) {
            const auto key = columns.keys.subspan(from, columns.key_ends[index] - from);
            require_at_most("entries.keys in bytes", bounds.key_bytes_max, key.size());
            if (index > run_begin) {
                const std::size_t before = index == 1 ? 0 : columns.key_ends[index - 2];
                if (compare(columns.keys.subspan(before, from - before), key) >= 0) [[unlikely]] {
                    refuse("entries.keys[" + std::to_string(index) + "]", "each key of a type once, in order",
                           "one that is not above the one before it");
                }
            }
            from = columns.key_ends[index];
        }
    }
}

template <class Table>
[[nodiscard]] entry_columns read_entries(const Table& flat, const limits& bounds) {
    const entry_columns columns{
        column("entries.types", flat.types()),           column("entries.type_ends", flat.type_ends()),
        column("entries.key_ends", flat.key_ends()),     bytes(flat.keys()),
        column("entries.delta_ends", flat.delta_ends()), bytes(flat.deltas())};
    const std::size_t count = columns.key_ends.size();
    require_at_most("entries.key_ends", bounds.entries_max, count);
    detail::require_rows("entries.delta_ends", count, columns.delta_ends.size());
    check_runs(columns);
    detail::require_ends("entries.key_ends", columns.key_ends, columns.keys.size());
    detail::require_ends("entries.delta_ends", columns.delta_ends, columns.deltas.size());
    check_keys(columns, bounds);
    return columns;
}

} // namespace

entries_writer::entries_writer(const limits& bounds) : bounds_(bounds) {
    bounds.validate();
}

std::size_t entries_writer::bytes() const noexcept {
    return fixed_bytes + bytes_a_run * types_.size() + bytes_an_entry * key_ends_.size() + keys_.size() +
           deltas_.size();
}

bool entries_writer::fits(std::size_t key_bytes, std::size_t delta_bytes) const noexcept {
    return key_bytes <= bounds_.key_bytes_max && has_room(1, key_bytes, delta_bytes);
}

bool entries_writer::has_room(std::size_t entries, std::size_t key_bytes,
                              std::size_t delta_bytes) const noexcept {
    // Each part against a limit first: their sum may not wrap.
    return entries <= bounds_.entries_max - size() && key_bytes <= bounds_.frame_bytes_max &&
           delta_bytes <= bounds_.frame_bytes_max &&
           bytes() + entries * (bytes_a_run + bytes_an_entry) + key_bytes + delta_bytes <=
               bounds_.frame_bytes_max;
}

void entries_writer::add(std::uint64_t type, std::span<const std::byte> key,
                         std::span<const std::byte> delta) {
    PHOENIX_ASSERT(fits(key.size(), delta.size()),
                   "an entry must fit: ask fits() and finish the frame before it");
    if (types_.empty() || types_.back() != type) {
        PHOENIX_ASSERT(types_.empty() || types_.back() < type,
                       "entries must be added by type and key, ascending");
        types_.push_back(type);
        type_ends_.push_back(static_cast<std::uint32_t>(size()));
    } else {
        const std::size_t before = size() == 1 ? 0 : key_ends_[size() - 2];
        PHOENIX_ASSERT(compare(std::span(keys_).subspan(before), key) < 0,
                       "entries must be added by type and key, ascending, each once");
    }
    ++type_ends_.back();
    keys_.insert(keys_.end(), key.begin(), key.end());
    key_ends_.push_back(static_cast<std::uint32_t>(keys_.size()));
    deltas_.insert(deltas_.end(), delta.begin(), delta.end());
    delta_ends_.push_back(static_cast<std::uint32_t>(deltas_.size()));
}

void entries_writer::clear() noexcept {
    types_.clear();
    type_ends_.clear();
    key_ends_.clear();
    keys_.clear();
    delta_ends_.clear();
    deltas_.clear();
}

frame entries_writer::finish(const batch_head& head) {
    detail::check_head("batch", head);
    message_builder out(frame_kind::batch, bounds_, bytes() - fixed_bytes);
    const auto deltas = out.column(std::span<const std::byte>(deltas_));
    const auto keys = out.column(std::span<const std::byte>(keys_));
    const auto delta_ends = out.column(std::span<const std::uint32_t>(delta_ends_));
    const auto key_ends = out.column(std::span<const std::uint32_t>(key_ends_));
    const auto type_ends = out.column(std::span<const std::uint32_t>(type_ends_));
    const auto types = out.column(std::span<const std::uint64_t>(types_));
    frame made = out.finish(wire::CreateBatch(out.flat(), head.origin.node, head.origin.incarnation,
                                              head.first, head.last, head.latest.wall_us, head.latest.logical,
                                              types, type_ends, key_ends, keys, delta_ends, deltas));
    clear();
    return made;
}

frame entries_writer::finish(std::uint64_t transfer, std::uint64_t sequence) {
    message_builder out(frame_kind::transfer_objects, bounds_, bytes() - fixed_bytes);
    const auto deltas = out.column(std::span<const std::byte>(deltas_));
    const auto keys = out.column(std::span<const std::byte>(keys_));
    const auto delta_ends = out.column(std::span<const std::uint32_t>(delta_ends_));
    const auto key_ends = out.column(std::span<const std::uint32_t>(key_ends_));
    const auto type_ends = out.column(std::span<const std::uint32_t>(type_ends_));
    const auto types = out.column(std::span<const std::uint64_t>(types_));
    frame made = out.finish(wire::CreateTransferObjects(out.flat(), transfer, sequence, types, type_ends,
                                                        key_ends, keys, delta_ends, deltas));
    clear();
    return made;
}

entry entries_view::operator[](std::size_t index) const noexcept {
    PHOENIX_ASSERT(index < size(), "expected the index of an entry");
    const auto run = std::ranges::upper_bound(columns_.type_ends, index);
    return at(index, static_cast<std::size_t>(run - columns_.type_ends.begin()));
}

batch_view batch_view::read(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::Batch>(kind, payload, bounds);
    batch_view view;
    view.head_ = detail::read_head(flat);
    detail::check_head("batch", view.head_);
    view.entries_ = entries_view(read_entries(flat, bounds));
    return view;
}

transfer_objects_view transfer_objects_view::read(std::span<const std::byte> payload, const limits& bounds) {
    const auto& flat = verified<wire::TransferObjects>(kind, payload, bounds);
    transfer_objects_view view;
    view.transfer_ = flat.transfer();
    view.sequence_ = flat.sequence();
    view.entries_ = entries_view(read_entries(flat, bounds));
    return view;
}

} // namespace phoenix::codec
