// What a loop is opened with.
#pragma once

#include <phoenix/net/log.hpp>

#include <cstddef>
#include <cstdint>

namespace phoenix::net {

enum class driver_kind : std::uint8_t {
    automatic, ///< io_uring; Asio, with one line in the log that says why, where the kernel refuses io_uring
    uring,     ///< io_uring or an error
    asio,      ///< Asio on an io_context of the loop's own
};

struct loop_options {
    driver_kind driver = driver_kind::automatic;
    log_options log = {};
    /// Calls from other threads that may wait to run; 2 to 1'048'576, rounded up to a power of two.
    std::size_t post_capacity = 1024;
    /// Operations that may complete without waiting before the sockets get their turn; 1 to 1'000'000.
    std::uint32_t inline_budget = 256;
    /// Buffers that the driver lends to receivers, shared by all streams; 2 to 32'768, a power of two.
    std::uint32_t receive_buffers = 256;
    /// The size of each; 1 KiB to 1 MiB. They become resident as they are used for the first time.
    std::uint32_t receive_buffer_bytes = 32 * 1024;
    /// Blocks in which streams gather small writes; 1 KiB to 1 MiB.
    std::uint32_t write_block_bytes = 64 * 1024;
    /// Submission queue of a ring; 8 to 32'768. Its completion queue is eight times as large.
    std::uint32_t ring_entries = 512;

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may.
    void validate() const;
};

} // namespace phoenix::net
