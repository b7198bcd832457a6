// Runs many seeds of a scenario in processes of their own, so that a seed that crashes or never ends is found like any other.
#pragma once

#include "scenario.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace phoenix::simulation {

struct seed_range {
    std::uint64_t first = 1;
    /// Included.
    std::uint64_t last = 1;
};

struct seed_result {
    std::uint64_t seed = 0;
    /// Empty for a green one.
    std::string failure;
    /// None of a process that died.
    outcome found;
};

struct runner_options {
    run_options run;
    /// Processes at once.
    unsigned jobs = 1;
    /// A seed that takes longer is a red one.
    std::chrono::seconds seed_time_max{60};
    /// Each seed is run twice, and must do the same.
    bool twice = false;
};

/// Calls told(result) for each seed, as they end. Until all are through or told() gives false.
void run_seeds(const scenario& what, seed_range seeds, const runner_options& how,
               const std::function<bool(const seed_result&)>& told);

/// One seed, here; with runner_options::twice in mind.
[[nodiscard]] outcome run_seed(const scenario& what, const runner_options& how);

} // namespace phoenix::simulation
