#include <phoenix/crdt/core/dot_store.hpp>

#include <algorithm>

namespace phoenix::crdt::detail {

void dot_list::append(compact_dot d) {
    if (!more_) {
        more_ = std::make_unique<std::vector<compact_dot>>();
    }
    more_->push_back(d);
}

void dot_list::reserve(std::size_t more) {
    if (!more_) {
        more_ = std::make_unique<std::vector<compact_dot>>();
    }
    if (more_->capacity() < more) {
        more_->reserve(std::max(more, 2 * more_->capacity()));
    }
}

} // namespace phoenix::crdt::detail
