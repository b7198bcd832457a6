// The drivers that the conformance suite runs against: one row each.
//
// To put another driver under the contract, add a row in driver_table.cpp: how to open a world on it, what
// this machine says against it, and whether it works on the kernel's sockets.
#pragma once

#include <phoenix/net/loop.hpp>
#include <phoenix/net/task.hpp>

#include <memory>
#include <span>
#include <string>

namespace phoenix::net::conformance {

/// A loop on one driver, with whatever hosts it.
class world {
public:
    world() = default;
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    virtual ~world() = default;

    [[nodiscard]] virtual loop& here() noexcept = 0;

    /// Drives the loop until `work` has ended; throws what it threw, but returns normally when it was
    /// stopped.
    virtual void run(task<> work) = 0;
};

struct driver_row {
    /// As the names of suites show it.
    const char* name;
    /// What its loops say of themselves.
    const char* driver_name;
    /// Sockets and descriptors are the kernel's.
    bool uses_kernel;
    /// It knows operations on files.
    bool has_files;
    /// The driver is a ring of the kernel's.
    bool has_ring;
    /// The loop drives itself; otherwise somebody else's event loop drives it.
    bool drives_itself;
    std::unique_ptr<world> (*open)(const loop_options& options);
    /// Why this machine does not let the driver run; empty when it does.
    std::string (*refusal)();
};

[[nodiscard]] std::span<const driver_row> all_drivers() noexcept;

} // namespace phoenix::net::conformance
