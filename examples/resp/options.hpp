// What phoenix-peer is started with: flags, or a TOML file with the same names.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/loop_options.hpp>
#include <phoenix/replication/node.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace resp {

struct peer_options {
    std::uint64_t id = 0;
    std::optional<phoenix::net::endpoint> listen;
    phoenix::net::endpoint resp;
    std::vector<std::string> peers;
    phoenix::net::driver_kind driver = phoenix::net::driver_kind::automatic;
    std::string cluster;
    std::string secret;
    phoenix::net::log_level log = phoenix::net::log_level::info;
    std::size_t delta_buffer_bytes = 0; ///< 0: the library's own

    [[nodiscard]] phoenix::replication::node_options to_node_options() const;
};

struct parsed_options {
    peer_options options;
    /// Set when the program is to end at once, with this code: help, version, a check, or an error that was said.
    std::optional<int> exit_code;
};

/// Says on standard output or error what there is to say.
[[nodiscard]] parsed_options parse_options(int argc, char** argv);

} // namespace resp
