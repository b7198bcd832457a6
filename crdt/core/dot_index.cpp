#include <phoenix/crdt/core/dot_index.hpp>

namespace phoenix::crdt::detail {

std::uint32_t dot_index::find(compact_dot d) const noexcept {
    const auto found = directory_.find(page_of(d));
    return found == directory_.end() ? no_position : pages_[found->second].positions[place_of(d)];
}

dot_index::page& dot_index::open_page(std::uint64_t number) {
    if (free_.empty()) {
        // Room for every page: erase() must not fail.
        if (free_.capacity() <= pages_.size()) {
            free_.reserve(2 * pages_.size() + 1);
        }
        pages_.grow();
        free_.push_back(static_cast<std::uint32_t>(pages_.size() - 1));
    }
    const auto [found, is_new] = directory_.try_emplace(number, free_.back());
    if (is_new) {
        free_.pop_back();
        page& made = pages_[found->second];
        made.positions.fill(no_position);
        made.used = 0;
    }
    recent_number_ = number;
    recent_ = &pages_[found->second];
    return *recent_;
}

void dot_index::erase(compact_dot d) noexcept {
    const auto found = directory_.find(page_of(d));
    if (found == directory_.end()) {
        return;
    }
    page& where = pages_[found->second];
    std::uint32_t& place = where.positions[place_of(d)];
    if (place == no_position) {
        return;
    }
    place = no_position;
    if (--where.used == 0) {
        if (found->first == recent_number_) {
            recent_number_ = ~std::uint64_t(0);
        }
        free_.push_back(found->second);
        directory_.erase(found);
    }
}

} // namespace phoenix::crdt::detail
