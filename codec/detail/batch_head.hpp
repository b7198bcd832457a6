// The head that batches and their parts have in common.
#pragma once

#include <phoenix/codec/batch.hpp>
#include <phoenix/codec/detail/checks.hpp>

#include <string>
#include <string_view>

namespace phoenix::codec::detail {

template <class Table>
[[nodiscard]] batch_head read_head(const Table& flat) {
    return {.origin = {flat.node(), flat.incarnation()},
            .first = flat.first(),
            .last = flat.last(),
            .latest = {flat.latest_wall_us(), flat.latest_logical()}};
}

inline void check_head(std::string_view message, const batch_head& head) {
    if (head.first == 0) [[unlikely]] {
        refuse(std::string(message) + ".first", "a number from 1 on", head.first);
    }
    if (head.last < head.first) [[unlikely]] {
        refuse(std::string(message) + ".last", "first, " + std::to_string(head.first) + ", or more",
               head.last);
    }
}

} // namespace phoenix::codec::detail
