// Merging several lists that were made from one, and the longest common subsequence that it stands on.
//
//   merge_lists({a, b, c}, {{a, x, b, c}, {a, b, y}}, 2'000);       // a x b y: c was removed by the second
//
// An item of the ancestor stays if all kept it. What was inserted behind an item, or at the front, stands
// there run by run in the order of the lists. Throws errc::limit_exceeded when a list differs from the
// ancestor in more than `edits_max` items. Time O((n + edits) edits) comparisons of numbers, memory 4 edits^2
// bytes. Sources: E. Myers, An O(ND) Difference Algorithm and Its Variations (1986). Any thread.
#pragma once

#include <phoenix/crdt/conflict/value.hpp>

#include <cstddef>
#include <span>

namespace phoenix::crdt::conflict {

[[nodiscard]] value::list merge_lists(const value::list& ancestor, std::span<const value::list* const> made,
                                      std::size_t edits_max);

/// What all of them have in common, found list by list in their order. One list is its own.
[[nodiscard]] value::list common_subsequence(std::span<const value::list* const> lists,
                                             std::size_t edits_max);

} // namespace phoenix::crdt::conflict
