// The replicas of the examples in these tests.
#pragma once

#include <phoenix/crdt/replica.hpp>

namespace phoenix::crdt::testing {

inline constexpr replica_id alice{1, 10};
inline constexpr replica_id bob{2, 10};
inline constexpr replica_id carol{3, 10};

} // namespace phoenix::crdt::testing
