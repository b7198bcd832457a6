#include <phoenix/crdt/core/span_index.hpp>

namespace phoenix::crdt::detail {

std::size_t span_index::chunk_of(entry wanted) const noexcept {
    if (chunks_.size() <= 1 || chunks_.back().front() <= wanted) {
        return chunks_.empty() ? 0 : chunks_.size() - 1;
    }
    const auto after = std::upper_bound(chunks_.begin(), chunks_.end(), wanted,
                                        [](entry value, const chunk& each) { return value < each.front(); });
    return after == chunks_.begin() ? 0 : static_cast<std::size_t>(after - chunks_.begin()) - 1;
}

void span_index::insert(entry added) {
    if (chunks_.empty()) {
        chunks_.emplace_back();
    }
    const std::size_t at = chunk_of(added);
    chunk& place = chunks_[at];
    place.insert(std::lower_bound(place.begin(), place.end(), added), added);
    if (place.size() <= chunk_size) {
        return;
    }
    // Keys ascend as a rule: then the full chunk stays full.
    const bool appended = at + 1 == chunks_.size() && place.back() == added;
    const auto cut = place.begin() + static_cast<std::ptrdiff_t>(appended ? chunk_size : chunk_size / 2);
    chunk rest(cut, place.end());
    place.erase(cut, place.end());
    chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(rest));
}

void span_index::erase(entry removed) noexcept {
    const std::size_t at = chunk_of(removed);
    chunk& place = chunks_[at];
    place.erase(std::lower_bound(place.begin(), place.end(), removed));
    if (place.empty()) {
        chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(at));
    }
}

const span_index::entry* span_index::at_or_before(std::uint64_t key) const noexcept {
    const entry last{key, ~std::uint32_t(0)};
    if (chunks_.empty() || last < chunks_.front().front()) {
        return nullptr;
    }
    const chunk& place = chunks_[chunk_of(last)];
    return &*(std::upper_bound(place.begin(), place.end(), last) - 1);
}

} // namespace phoenix::crdt::detail
