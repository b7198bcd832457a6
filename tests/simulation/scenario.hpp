// What phoenix-sim runs: a world, what is done in it, and what must hold, for any seed.
#pragma once

#include <phoenix/net/sim/plan.hpp>
#include <phoenix/net/sim/statistics.hpp>
#include <phoenix/net/time.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace phoenix::simulation {

/// What one seed gave.
struct outcome {
    /// Empty when all that must hold did.
    std::string failure;
    /// What the seed drew, for people.
    std::string about;
    std::uint64_t trace = 0;
    net::nanoseconds simulated{0};
    std::uint64_t writes = 0;
    /// From the end of the faults until all had healed.
    net::nanoseconds healing{0};
    net::sim::statistics counted;
};

struct run_options {
    std::uint64_t seed = 0;
    /// Nodes say on standard error what they log.
    bool shows_log = false;
    /// Nothing goes wrong.
    bool without_faults = false;
};

struct scenario {
    std::string_view name;
    std::string_view about;
    outcome (*run)(const run_options& how);
};

/// All there are, by name.
[[nodiscard]] std::span<const scenario> all_scenarios() noexcept;

} // namespace phoenix::simulation
