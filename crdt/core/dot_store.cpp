#include <phoenix/crdt/core/dot_store.hpp>

namespace phoenix::crdt::detail {

void dot_list::append(compact_dot d) {
    if (!more_) {
        more_ = std::make_unique<std::vector<compact_dot>>();
    }
    more_->push_back(d);
}

} // namespace phoenix::crdt::detail
