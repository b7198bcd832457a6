// The entries of a dot_fun in the order that all replicas agree on: by replica and counter. The store itself
// stands by slot, which every state numbers in its own way.
#pragma once

#include <phoenix/crdt/core/dot_fun.hpp>

#include <boost/container/small_vector.hpp>

#include <algorithm>

namespace phoenix::crdt::detail {

template <class Value>
using sibling_list = boost::container::small_vector<const typename dot_fun<Value>::entry*, 4>;

/// Valid until the store changes.
template <class Value>
[[nodiscard]] sibling_list<Value> siblings_by_dot(const dot_fun<Value>& store,
                                                  const causal_context& context) {
    sibling_list<Value> list;
    for (const auto& each : store) {
        list.push_back(&each);
    }
    if (list.size() > 1) {
        std::ranges::sort(list, {}, [&](const auto* each) { return context.expand(each->under); });
    }
    return list;
}

} // namespace phoenix::crdt::detail
