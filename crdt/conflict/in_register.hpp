// Conflicts in a causal_register, which knows the time of each write: for strategies that choose.
//
//   causal_register<settings> running;
//   if (in_conflict(running)) {
//       const auto found = resolve(context_of(running, {.current = last_good}), configuration(check));
//       if (found) { send(apply(running, here, found.result(), now)); }
//   }
//
// Siblings have times and no clocks. A resolution takes the place of those siblings that it was made of and
// still stand; one that came since stays, in conflict with it. When replicas resolve at once, two equal
// values stand side by side, which is no conflict. The register does not know that they were resolutions: so
// this is for strategies that come to the same value when they meet their own result (the writers,
// configuration, state_machine, unions of sets). What adds up (counters, lists, allocations) would add its
// results up again: versioned.hpp is for that. Any thread.
#pragma once

#include <phoenix/crdt/causal_context.hpp>
#include <phoenix/crdt/conflict/resolution.hpp>
#include <phoenix/crdt/register.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace phoenix::crdt::conflict {

/// `about` with the register's siblings.
template <class Value>
[[nodiscard]] context<Value> context_of(const causal_register<Value>& stored, context<Value> about = {}) {
    std::vector<sibling<Value>> all;
    for (const auto& [by, time, value] : stored.siblings()) {
        all.push_back({by, time, {}, value});
    }
    about.siblings = std::move(all);
    about.replaces.clear();
    return about;
}

/// Siblings with different values stand side by side.
template <class Value>
[[nodiscard]] bool in_conflict(const causal_register<Value>& stored) {
    const Value* const shown = stored.value();
    return std::ranges::any_of(stored.siblings(), [&](const auto& each) { return !(each.value == *shown); });
}

/// Writes the resolution in place of what it was made of, and returns the change: bottom when none of that
/// stands.
template <class Value>
causal_register<Value> apply(causal_register<Value>& stored, const replica_id& here,
                             const resolution<Value>& decided, const timestamp& time) {
    causal_context resolved;
    for (const dot& each : decided.supersedes) {
        resolved.insert(each);
    }
    return stored.resolve(here, decided.value, time, resolved);
}

} // namespace phoenix::crdt::conflict
