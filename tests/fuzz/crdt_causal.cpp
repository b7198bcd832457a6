// The types whose states are dots and a context.
#include <phoenix/crdt/composite.hpp>
#include <phoenix/crdt/flag.hpp>
#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/register.hpp>
#include <phoenix/crdt/resettable_counter.hpp>
#include <phoenix/crdt/rw_set.hpp>

#include "crdt_reader.hpp"

#include <array>
#include <string>
#include <tuple>

namespace {

using namespace phoenix::crdt;
using fuzz::read_all;

struct page {
    or_set_store<std::string> tags;
    resettable_counter_store visits;
    mv_register_store<std::int32_t> mark;
    disable_wins_flag_store open;

    static constexpr auto fields() {
        return std::tuple(field("tags", &page::tags), field("visits", &page::visits),
                          field("mark", &page::mark), field("open", &page::open));
    }
};

constexpr std::array<fuzz::reader, 13> readers{{
    {"or_set", read_all<or_set<std::string>>},
    {"or_set_numbers", read_all<or_set<std::uint64_t>>},
    {"rw_set", read_all<rw_set<std::uint16_t>>},
    {"enable_wins_flag", read_all<enable_wins_flag>},
    {"disable_wins_flag", read_all<disable_wins_flag>},
    {"mv_register", read_all<mv_register<std::string>>},
    {"causal_register", read_all<causal_register<std::string>>},
    {"resettable_counter", read_all<resettable_counter>},
    {"or_map", read_all<or_map<std::string, or_set_store<std::string>>>},
    {"or_map_of_maps", read_all<or_map<std::uint8_t, or_map_store<std::uint8_t, resettable_counter_store>>>},
    {"or_map_of_rw_sets", read_all<or_map<std::uint8_t, rw_set_store<std::uint8_t>>>},
    {"composite", read_all<composite<page>>},
    {"or_map_of_composites", read_all<or_map<std::uint16_t, composite_store<page>>>},
}};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run(readers, data, size);
}
