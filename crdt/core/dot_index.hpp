// Where each dot stands: from a dot to the position of the entry that holds it.
//
// Dots come in runs, so positions stand in pages of 32 consecutive counters; a dense run costs about five bytes a
// dot, and a page goes when its last dot goes.
#pragma once

#include <phoenix/crdt/core/blocks.hpp>
#include <phoenix/crdt/core/compact_dot.hpp>
#include <phoenix/crdt/core/key_hash.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace phoenix::crdt::detail {

inline constexpr std::uint32_t no_position = 0xffff'ffff;

class dot_index {
public:
    dot_index() = default;

    dot_index(const dot_index&) = delete;
    dot_index& operator=(const dot_index&) = delete;

    // Pages stay where they are.
    dot_index(dot_index&&) noexcept = default;
    dot_index& operator=(dot_index&&) noexcept = default;

    ~dot_index() = default;

    [[nodiscard]] std::uint32_t find(compact_dot d) const noexcept;

    /// A dot that is there already stays where it was: one that stands under two keys came from hostile bytes, which the
    /// reader of the state refuses.
    void insert(compact_dot d, std::uint32_t position) {
        page& where = page_of(d) == recent_number_ ? *recent_ : open_page(page_of(d));
        std::uint32_t& place = where.positions[place_of(d)];
        if (place == no_position) [[likely]] {
            place = position;
            ++where.used;
        }
    }

    /// Nothing when it is not there.
    void erase(compact_dot d) noexcept;

private:
    static constexpr std::uint64_t page_bits = 5;
    static constexpr std::size_t page_size = std::size_t(1) << page_bits;

    struct page {
        std::array<std::uint32_t, page_size> positions;
        std::uint32_t used = 0;
    };

    [[nodiscard]] static std::uint64_t page_of(compact_dot d) noexcept { return d.word() >> page_bits; }

    [[nodiscard]] static std::size_t place_of(compact_dot d) noexcept { return d.word() & (page_size - 1); }

    [[nodiscard]] page& open_page(std::uint64_t number);

    boost::unordered_flat_map<std::uint64_t, std::uint32_t, key_hash<std::uint64_t>> directory_;
    // In blocks: pages stay where they are, and a large index has no unused half.
    blocks<page> pages_;
    std::vector<std::uint32_t> free_;
    // Where the last insertion went: counters ascend, so the next one goes there as a rule.
    std::uint64_t recent_number_ = ~std::uint64_t(0);
    page* recent_ = nullptr;
};

} // namespace phoenix::crdt::detail
