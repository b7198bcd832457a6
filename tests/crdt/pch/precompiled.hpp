// What nearly every test of this folder includes, compiled once.
#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/dot_map.hpp>
#include <phoenix/crdt/laws.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>
