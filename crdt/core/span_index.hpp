// A sorted list of (key, node) in chunks: what stands at or before a key, in the order of keys.
//
// A sequence finds its spans by dot with it: inserting into the middle moves one chunk and no more, and a copy is a few
// large ones. A key may stand with several nodes.
#pragma once

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace phoenix::crdt::detail {

class span_index {
public:
    struct entry {
        std::uint64_t key = 0;
        std::uint32_t node = 0;

        friend auto operator<=>(const entry&, const entry&) = default;
    };

    [[nodiscard]] bool empty() const noexcept { return chunks_.empty(); }

    /// The entry is not there yet.
    void insert(entry added);

    /// The entry is there.
    void erase(entry removed) noexcept;

    /// The last entry whose key is at most this; null when there is none.
    [[nodiscard]] const entry* at_or_before(std::uint64_t key) const noexcept;

    /// Calls visit(entry) for the entries from `key` on while it returns true.
    template <class Visitor>
    void for_each_from(std::uint64_t key, Visitor&& visit) const {
        const entry first{key, 0};
        for (std::size_t at = chunk_of(first); at < chunks_.size(); ++at) {
            const chunk& each = chunks_[at];
            for (auto place = std::lower_bound(each.begin(), each.end(), first); place != each.end();
                 ++place) {
                if (!visit(*place)) {
                    return;
                }
            }
        }
    }

private:
    using chunk = std::vector<entry>;

    static constexpr std::size_t chunk_size = 256;

    /// The last chunk that does not begin after this entry, else the first.
    [[nodiscard]] std::size_t chunk_of(entry wanted) const noexcept;

    // No chunk is empty.
    boost::container::small_vector<chunk, 1> chunks_;
};

} // namespace phoenix::crdt::detail
