// A cluster of delta machines and nothing else: links are queues, time is a number, and what happens next is drawn from a
// seed. Three to five nodes in a line, a ring or a full mesh write, and lose links, frames, processes and batches
// from buffers that are too small; then all heals, and all must hold the same.
//
//   BOOST_TEST(schedule(seed).run(counts) == "");
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace phoenix::replication::testing {

/// What was seen in many schedules, to know that they test something.
struct schedule_counts {
    std::uint64_t schedules = 0;
    std::uint64_t writes = 0;
    std::uint64_t batches_joined = 0;
    std::uint64_t batches_redundant = 0;
    std::uint64_t parts = 0;
    std::uint64_t cuts = 0;
    std::uint64_t frames_lost = 0;
    std::uint64_t frames_doubled = 0;
    std::uint64_t frames_swapped = 0;
    std::uint64_t restarts = 0;
    std::uint64_t evictions = 0;
    std::uint64_t transfers = 0;
    std::uint64_t transfers_broken = 0;
    std::uint64_t published = 0;
    std::uint64_t refusals = 0;
};

class schedule {
public:
    explicit schedule(std::uint64_t seed);
    ~schedule();

    /// Runs it and says what was wrong, in words; empty when nothing was.
    [[nodiscard]] std::string run(schedule_counts& counts);

private:
    struct world;
    std::unique_ptr<world> world_;
};

} // namespace phoenix::replication::testing
