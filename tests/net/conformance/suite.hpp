// How a case of the conformance suite is written and registered.
//
//   CONFORMANCE_CASE(half_close, needs_nothing) {
//       const auto world = row.open(loop_options());
//       world->run(end_one_side());
//   }
//
// The case becomes conformance_<driver>/half_close for each row of the driver table that has what the case
// needs. Where the machine refuses the driver, or what the case needs, it is reported as skipped, with the
// reason. Each case must leave no descriptor behind and end within a minute.
#pragma once

#include "driver_table.hpp"

namespace phoenix::net::conformance {

enum case_needs : unsigned {
    needs_nothing = 0,
    /// The kernel's sockets: descriptors, limits, processes, threads.
    needs_kernel = 1,
    /// A driver that is a ring; with needs_kernel.
    needs_ring = 2,
    /// The loopback address of version 6.
    needs_v6 = 4,
    /// A network namespace of its own in a child process; with needs_kernel.
    needs_own_network = 8,
    /// Files.
    needs_files = 16,
};

constexpr case_needs operator|(case_needs left, case_needs right) noexcept {
    return static_cast<case_needs>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

class case_registration {
public:
    using function = void (*)(const driver_row& row);

    case_registration(const char* name, const char* file, unsigned line, case_needs needs, function run);
};

/// Kills the process with a line that names the case when it does not end in time. One at a time.
class watchdog {
public:
    explicit watchdog(const std::string& name, unsigned seconds = 60);
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog();
};

} // namespace phoenix::net::conformance

#define CONFORMANCE_CASE(name, needs)                                                                        \
    static void conformance_##name(const ::phoenix::net::conformance::driver_row& row);                      \
    static const ::phoenix::net::conformance::case_registration registration_##name(                         \
        #name, __FILE__, __LINE__, needs, &conformance_##name);                                              \
    static void conformance_##name([[maybe_unused]] const ::phoenix::net::conformance::driver_row& row)
