// Resolution by what a value means: the context's data type chooses.
//
//   context<value> visits{.data_type = "counter", .siblings = {...}, .ancestor = value(5)};
//   resolve(visits, semantic<value>());
//   resolve(page, map_merge({.by_key = {{"visits", counter_merge()}, {"owner", first_writer<value>()}}}));
//
// Siblings that another sibling had seen when it was written are left out first: their effect is in the
// other. Then:
//
// - "counter": the ancestor plus the sum of the siblings' differences to it; without an ancestor, the sum.
//   Integers, or reals; a total beyond 64 bits stays unresolved. This is right when each sibling was made
//   from the ancestor; where some of them share writes that it does not have, pn_counter counts, and no merge
//   of totals does.
// - "set": what was added by anybody, and what nobody removed of the ancestor; without an ancestor, the
//   union. An element that one removed and another merely kept is removed, or a removal would be undone by
//   any concurrent write.
// - "map": key by key, each by its strategy. Who left a key as in the ancestor has no say in it. A key that
//   one removed and another changed stays as changed; a key that nobody changed is removed if anybody removed
//   it. A key that stays unresolved leaves the map unresolved.
// - "list": three ways along the longest common subsequences with the ancestor. What anybody removed is gone;
//   what they inserted at one place stands there run by run, in the order of their dots, equal runs of two
//   writers twice. Without an ancestor, what all siblings have in common takes its place. Beyond edits_max
//   differences it stays unresolved.
// - "register", and every unknown data type: the last writer.
//
// Siblings that are not all of the kind that the data type wants fall to the last writer; an ancestor of
// another kind counts as none. For types other than `value`, semantic<V>() is the last writer. Source of the
// list merge: S. Khanna, K. Kunal, B. Pierce, A Formal Investigation of Diff3 (2007). Any thread.
#pragma once

#include <phoenix/crdt/conflict/strategy.hpp>
#include <phoenix/crdt/conflict/value.hpp>
#include <phoenix/crdt/conflict/writer_order.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <string>

namespace phoenix::crdt::conflict {

[[nodiscard]] outcome<value> decide_semantic(const context<value>& about);

template <byte_value Value>
[[nodiscard]] strategy<Value> semantic() {
    if constexpr (std::same_as<Value, value>) {
        return {"semantic", decide_semantic};
    } else {
        return {"semantic", last_writer<Value>().decide};
    }
}

[[nodiscard]] strategy<value> counter_merge();
[[nodiscard]] strategy<value> set_merge();

struct list_options {
    /// Differences between a sibling and the ancestor up to which they are looked for; 1 to 10'000. The time
    /// grows with this times the lengths, the memory with its square (16 bytes for 2, 16 MB for 2'000).
    std::size_t edits_max = 2'000;

    /// Throws errc::invalid_operation that names the field, what it holds and what it may.
    void validate() const;
};

[[nodiscard]] strategy<value> list_merge(const list_options& options = {});

struct map_rules {
    std::map<std::string, strategy<value>, std::less<>> by_key = {};
    /// For all other keys. The key's context has the data type "set", "map" or "list" when all its values are
    /// that, else "register": which integers are counters only by_key can say.
    strategy<value> otherwise = semantic<value>();

    /// Throws errc::invalid_operation that names the strategy that has no function.
    void validate() const;
};

[[nodiscard]] strategy<value> map_merge(map_rules rules = {});

} // namespace phoenix::crdt::conflict
