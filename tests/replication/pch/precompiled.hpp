// What nearly every test of this folder includes, compiled once.
#include <phoenix/codec/messages.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>
