// The port for clients: one coroutine for each, which reads what has come, does all of it and answers with one write.
#pragma once

#include <phoenix/net/listener.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/replication/node.hpp>

#include "executor.hpp"
#include "protocol.hpp"

#include <cstddef>

namespace resp {

struct server_options {
    std::size_t clients_max = 10'000;
    /// Replies that are written before more requests are read; one reply may be longer.
    std::size_t output_bytes = 64UL * 1024;
    request_limits requests;
};

/// Serves clients until it is stopped or `door` is closed. All must outlive it.
[[nodiscard]] net::task<> serve_clients(net::listener& door, executor& run, replication::node& self,
                                        server_options options);

} // namespace resp
