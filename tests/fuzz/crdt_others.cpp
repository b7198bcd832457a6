// The types that stand without a causal context, the clocks, and what conflict strategies are handed.
#include <phoenix/crdt/bounded_counter.hpp>
#include <phoenix/crdt/causal_context.hpp>
#include <phoenix/crdt/conflict/metrics.hpp>
#include <phoenix/crdt/conflict/resolution.hpp>
#include <phoenix/crdt/conflict/resource_allocation.hpp>
#include <phoenix/crdt/conflict/value.hpp>
#include <phoenix/crdt/conflict/versioned.hpp>
#include <phoenix/crdt/extreme_register.hpp>
#include <phoenix/crdt/grow_counter.hpp>
#include <phoenix/crdt/grow_set.hpp>
#include <phoenix/crdt/hybrid_clock.hpp>
#include <phoenix/crdt/lww_map.hpp>
#include <phoenix/crdt/lww_register.hpp>
#include <phoenix/crdt/operation_batch.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/crdt/pure_types.hpp>
#include <phoenix/crdt/sequence.hpp>
#include <phoenix/crdt/two_phase_set.hpp>
#include <phoenix/crdt/version_vector.hpp>

#include "crdt_reader.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>

namespace {

using namespace phoenix::crdt;
using fuzz::read_all;
using fuzz::read_value_only;

constexpr std::array<fuzz::reader, 26> readers{{
    {"grow_counter", read_all<grow_counter>},
    {"pn_counter", read_all<pn_counter>},
    {"bounded_counter", read_all<bounded_counter<0>>},
    {"grow_set", read_all<grow_set<std::string>>},
    {"two_phase_set", read_all<two_phase_set<std::uint16_t>>},
    {"lww_register", read_all<lww_register<std::string>>},
    {"max_register", read_all<max_register<std::int64_t>>},
    {"min_register", read_all<min_register<std::string>>},
    {"lww_map", read_all<lww_map<std::string, std::string>>},
    {"lww_map_remove", read_all<lww_map<std::uint8_t, std::uint8_t, lww_bias::remove>>},
    {"sequence", read_all<sequence<std::uint8_t>>},
    {"sequence_of_texts", read_all<sequence<std::string>>},
    {"sequence_position", read_value_only<sequence_position>},
    {"pure_set", read_all<pure_set<std::string>>},
    {"pure_register", read_all<pure_register<std::string>>},
    {"pure_counter", read_all<pure_counter>},
    {"version_vector", read_value_only<version_vector>},
    {"timestamp", read_value_only<timestamp>},
    {"causal_context", read_value_only<causal_context>},
    {"containers",
     read_value_only<
         std::map<std::string, std::variant<std::monostate, std::set<double>, std::array<std::int32_t, 2>>>>},
    {"operation_batch", read_value_only<operation_batch<std::string, grow_set<std::string>, pn_counter>>},
    {"conflict_value", read_value_only<conflict::value>},
    {"conflict_versioned", read_value_only<conflict::versioned<conflict::value>>},
    {"conflict_resolution", read_value_only<conflict::resolution<conflict::value>>},
    {"conflict_metric", read_value_only<conflict::metric>},
    {"conflict_claims", read_value_only<conflict::claims>},
}};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run(readers, data, size);
}
