// Which of several writes counts as the last: a total order, the same on all replicas.
//
//   const auto found = resolve(about, last_writer<std::string>());       // or first_writer
//
// Writes are ordered by hybrid time, then replica, then the hash of the value's bytes, then the dot's
// counter: no two siblings are equal in it, and equal times decide nothing by chance. Any thread.
#pragma once

#include <phoenix/crdt/conflict/strategy.hpp>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace phoenix::crdt::conflict {

struct writer_order {
    timestamp time;
    replica_id replica;
    std::uint64_t value_hash = 0;
    std::uint64_t counter = 0;

    friend auto operator<=>(const writer_order&, const writer_order&) = default;
};

template <byte_value Value>
[[nodiscard]] writer_order order_of(const sibling<Value>& written) {
    return {written.time, written.by.replica, bytes_hash(written.value), written.by.counter};
}

/// From the last write to the first. Valid while the set lives unchanged.
template <byte_value Value>
[[nodiscard]] std::vector<const sibling<Value>*> newest_first(const sibling_set<Value>& siblings) {
    std::vector<std::pair<writer_order, const sibling<Value>*>> ordered;
    for (const sibling<Value>& each : siblings) {
        ordered.emplace_back(order_of(each), &each);
    }
    std::ranges::sort(ordered, std::ranges::greater(), [](const auto& each) { return each.first; });
    std::vector<const sibling<Value>*> newest;
    for (const auto& [order, each] : ordered) {
        newest.push_back(each);
    }
    return newest;
}

/// A write, in a reason: its dot and its time.
template <byte_value Value>
[[nodiscard]] std::string write_text(const sibling<Value>& written) {
    return to_text(written.by) + " at " + to_text(written.time);
}

template <byte_value Value>
[[nodiscard]] strategy<Value> last_writer() {
    return {"last_writer", [](const context<Value>& about) {
                const sibling<Value>& last = *newest_first(about.siblings).front();
                return outcome<Value>::resolved(last.value, "the last of " +
                                                                std::to_string(about.siblings.size()) +
                                                                " writes, " + write_text(last));
            }};
}

template <byte_value Value>
[[nodiscard]] strategy<Value> first_writer() {
    return {"first_writer", [](const context<Value>& about) {
                const sibling<Value>& first = *newest_first(about.siblings).back();
                return outcome<Value>::resolved(first.value, "the first of " +
                                                                 std::to_string(about.siblings.size()) +
                                                                 " writes, " + write_text(first));
            }};
}

} // namespace phoenix::crdt::conflict
