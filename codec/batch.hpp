// Batches: many deltas in one frame, in columns, verified once and read in place.
//
//   entries_writer writer(bounds);
//   if (writer.fits(key.size(), delta.size()))
//       writer.add(type, key, delta);
//   const frame sent = writer.finish(batch_head{.origin = here, .first = 7, .last = 7, .latest = now});
//
//   const batch_view batch = batch_view::read(received.payload(), bounds);
//   for (const entry& each : batch.entries())
//       store.join(each.type, each.key, each.delta);
//
// A batch is the deltas of its origin with the numbers first to last, joined; it is forwarded as it is. The frames of a
// state transfer hold whole objects in the same columns. Entries are sorted by type and key (as unsigned bytes, a prefix
// first), each once. Reading is linear and allocates nothing. Any thread; a writer belongs to one at a time.
#pragma once

#include <phoenix/codec/frame.hpp>
#include <phoenix/codec/identity.hpp>
#include <phoenix/codec/limits.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

namespace phoenix::codec {

struct batch_head {
    identity origin = {};
    /// From 1 on, first <= last.
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    /// No stamp in the deltas is later.
    stamp latest = {};

    friend bool operator==(const batch_head&, const batch_head&) = default;
};

/// Spans into the payload or into what the writer was given.
struct entry {
    std::uint64_t type = 0;
    std::span<const std::byte> key = {};
    std::span<const std::byte> delta = {};
};

/// Collects entries for one frame; its memory is kept for the next.
class entries_writer {
public:
    explicit entries_writer(const limits& bounds);

    /// One more entry of this size, of whatever type, would still stay within the limits.
    [[nodiscard]] bool fits(std::size_t key_bytes, std::size_t delta_bytes) const noexcept;

    /// The same of several entries, of these sizes together.
    [[nodiscard]] bool has_room(std::size_t entries, std::size_t key_bytes,
                                std::size_t delta_bytes) const noexcept;

    /// Copies key and delta. Precondition: it fits, and stands behind all that were added since the last clear().
    void add(std::uint64_t type, std::span<const std::byte> key, std::span<const std::byte> delta);

    [[nodiscard]] std::size_t size() const noexcept { return key_ends_.size(); }

    [[nodiscard]] bool empty() const noexcept { return key_ends_.empty(); }

    /// The payload will take no more than this.
    [[nodiscard]] std::size_t bytes() const noexcept;

    void clear() noexcept;

    /// A batch frame; the writer is empty then. Throws errc::malformed_message for a head that no batch has.
    [[nodiscard]] frame finish(const batch_head& head);

    /// A transfer_objects frame; the writer is empty then.
    [[nodiscard]] frame finish(std::uint64_t transfer, std::uint64_t sequence);

private:
    limits bounds_;
    std::vector<std::uint64_t> types_;
    std::vector<std::uint32_t> type_ends_;
    std::vector<std::uint32_t> key_ends_;
    std::vector<std::byte> keys_;
    std::vector<std::uint32_t> delta_ends_;
    std::vector<std::byte> deltas_;
};

/// The columns of entries as they lie on the wire.
struct entry_columns {
    std::span<const std::uint64_t> types;
    std::span<const std::uint32_t> type_ends;
    std::span<const std::uint32_t> key_ends;
    std::span<const std::byte> keys;
    std::span<const std::uint32_t> delta_ends;
    std::span<const std::byte> deltas;
};

/// A range of entries; a view into the payload.
class entries_view {
public:
    class iterator {
    public:
        using iterator_concept = std::forward_iterator_tag;
        using iterator_category = std::input_iterator_tag; // it gives values, not references
        using value_type = entry;
        using difference_type = std::ptrdiff_t;
        using reference = entry;
        using pointer = void;

        iterator() = default;

        [[nodiscard]] entry operator*() const noexcept { return columns_->at(index_, run_); }

        iterator& operator++() noexcept {
            ++index_;
            run_ += index_ == columns_->columns_.type_ends[run_] ? 1 : 0;
            return *this;
        }

        iterator operator++(int) noexcept {
            const iterator before = *this;
            ++*this;
            return before;
        }

        friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.index_ == b.index_; }

    private:
        friend class entries_view;

        iterator(const entries_view& columns, std::size_t index) noexcept
            : columns_(&columns), index_(index) {}

        const entries_view* columns_ = nullptr;
        std::size_t index_ = 0;
        std::size_t run_ = 0;
    };

    entries_view() = default;

    [[nodiscard]] std::size_t size() const noexcept { return columns_.key_ends.size(); }

    [[nodiscard]] bool empty() const noexcept { return columns_.key_ends.empty(); }

    /// O(log types). Precondition: index < size().
    [[nodiscard]] entry operator[](std::size_t index) const noexcept;

    /// Valid as long as the view.
    [[nodiscard]] iterator begin() const noexcept { return {*this, 0}; }

    [[nodiscard]] iterator end() const noexcept { return {*this, size()}; }

private:
    friend class batch_view;
    friend class transfer_objects_view;

    explicit entries_view(const entry_columns& columns) noexcept : columns_(columns) {}

    [[nodiscard]] entry at(std::size_t index, std::size_t run) const noexcept {
        const std::size_t key_from = index == 0 ? 0 : columns_.key_ends[index - 1];
        const std::size_t delta_from = index == 0 ? 0 : columns_.delta_ends[index - 1];
        return {.type = columns_.types[run],
                .key = columns_.keys.subspan(key_from, columns_.key_ends[index] - key_from),
                .delta = columns_.deltas.subspan(delta_from, columns_.delta_ends[index] - delta_from)};
    }

    entry_columns columns_;
};

/// A verified batch; a view into the payload.
class batch_view {
public:
    static constexpr frame_kind kind = frame_kind::batch;

    /// Throws std::system_error (errc::malformed_message, limit_exceeded) that names the field. The payload begins at a
    /// multiple of 8 and outlives the view.
    [[nodiscard]] static batch_view read(std::span<const std::byte> payload, const limits& bounds);

    [[nodiscard]] const batch_head& head() const noexcept { return head_; }

    [[nodiscard]] const entries_view& entries() const noexcept { return entries_; }

private:
    batch_view() = default;

    batch_head head_;
    entries_view entries_;
};

/// Whole objects of a state transfer; a view into the payload.
class transfer_objects_view {
public:
    static constexpr frame_kind kind = frame_kind::transfer_objects;

    /// As batch_view::read.
    [[nodiscard]] static transfer_objects_view read(std::span<const std::byte> payload, const limits& bounds);

    [[nodiscard]] std::uint64_t transfer() const noexcept { return transfer_; }

    /// Its place among the frames of the transfer that carry objects, from 0, transfer_parts counted too.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }

    [[nodiscard]] const entries_view& entries() const noexcept { return entries_; }

private:
    transfer_objects_view() = default;

    std::uint64_t transfer_ = 0;
    std::uint64_t sequence_ = 0;
    entries_view entries_;
};

} // namespace phoenix::codec
