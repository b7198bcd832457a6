#include "options.hpp"

#include <phoenix/config.hpp>
#include <phoenix/net/connect.hpp>
#include <phoenix/replication/delta/delta_options.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>

#include <CLI/CLI.hpp>

namespace resp {

namespace {

namespace net = phoenix::net;

/// The file without the line end that editors leave.
std::string read_secret(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("--secret-file: expected a file that can be read, found none at " + path);
    }
    std::string secret((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    while (secret.ends_with('\n') || secret.ends_with('\r')) {
        secret.pop_back();
    }
    constexpr std::size_t bytes_min = 16;
    if (secret.size() < bytes_min) {
        throw std::runtime_error("--secret-file: expected a secret of at least 16 bytes in " + path +
                                 ", found " + std::to_string(secret.size()));
    }
    return secret;
}

net::endpoint read_address(const std::string& flag, const std::string& text) {
    try {
        return net::endpoint::parse(text);
    } catch (const std::exception& e) {
        throw std::runtime_error(flag + ": expected an address and a port, as 127.0.0.1:7001, found " + text +
                                 ": " + e.what());
    }
}

/// A peer's address may be a name, which is resolved when it is dialled.
void check_peer(const std::string& text) {
    try {
        (void)net::endpoint::parse(text);
    } catch (const std::exception&) {
        try {
            (void)net::host_and_port::parse(text);
        } catch (const std::exception& e) {
            throw std::runtime_error(
                "--peer: expected the --listen of a peer, as 127.0.0.1:7101 or host:7101, found " + text +
                ": " + e.what());
        }
    }
}

} // namespace

parsed_options parse_options(int argc, char** argv) {
    static const std::map<std::string, net::driver_kind> drivers{{"auto", net::driver_kind::automatic},
                                                                 {"uring", net::driver_kind::uring},
                                                                 {"asio", net::driver_kind::asio}};
    static const std::map<std::string, net::log_level> levels{
        {"trace", net::log_level::trace}, {"debug", net::log_level::debug},
        {"info", net::log_level::info},   {"warning", net::log_level::warning},
        {"error", net::log_level::error}, {"off", net::log_level::off}};

    peer_options made;
    std::string listen;
    std::string clients = "127.0.0.1:6379";
    std::string secret_file;
    std::string driver = "auto";
    std::string level = "info";
    bool only_checks = false;

    CLI::App app("phoenix-peer: a node whose keys are the same on all peers, driven by Redis clients");
    app.set_version_flag("--version", "phoenix-peer " PHOENIX_VERSION_STRING);
    app.set_config("--config", "", "A TOML file with these names");
    app.add_option("--id", made.id, "This node's number, its own in the cluster")
        ->required()
        // RESP has no greater integers to tell it in.
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{std::numeric_limits<std::int64_t>::max()}));
    app.add_option("--listen", listen, "HOST:PORT for other peers; nowhere unless said");
    app.add_option("--resp", clients, "HOST:PORT for Redis clients")->capture_default_str();
    app.add_option("--peer", made.peers, "HOST:PORT of a peer to dial; any number");
    app.add_option("--driver", driver, "auto, uring or asio")
        ->check(CLI::IsMember(drivers))
        ->capture_default_str();
    app.add_option("--cluster", made.cluster, "Its name: nodes of others are refused")->required();
    app.add_option("--secret-file", secret_file, "A file with the secret of the cluster, 16 bytes at least")
        ->required();
    app.add_option("--log", level, "The least that is logged: trace, debug, info, warning, error or off")
        ->check(CLI::IsMember(levels))
        ->capture_default_str();
    app.add_option("--delta-buffer-bytes", made.delta_buffer_bytes,
                   "Changes kept for peers that are away; 0 for the library's own bound")
        ->capture_default_str();
    app.add_flag("--check-config", only_checks, "Says whether the options are good, and ends")
        ->configurable(false);
    app.allow_config_extras(CLI::config_extras_mode::error);

    try {
        app.parse(argc, argv);
        if (!listen.empty()) {
            made.listen = read_address("--listen", listen);
        }
        made.resp = read_address("--resp", clients);
        for (const std::string& each : made.peers) {
            check_peer(each);
        }
        made.driver = drivers.at(driver);
        made.log = levels.at(level);
        made.secret = read_secret(secret_file);
        phoenix::replication::delta_options delta;
        if (made.delta_buffer_bytes > 0) {
            delta.buffer_bytes_max = made.delta_buffer_bytes;
        }
        delta.validate();
    } catch (const CLI::ConfigError& e) {
        std::cerr << "phoenix-peer: --config: expected names of options and their values: " << e.what()
                  << '\n';
        return {{}, 2};
    } catch (const CLI::ParseError& e) {
        return {{}, app.exit(e) == 0 ? 0 : 2};
    } catch (const std::exception& e) {
        std::cerr << "phoenix-peer: " << e.what() << '\n';
        return {{}, 2};
    }
    if (only_checks) {
        std::cout << "phoenix-peer: the options are good\n";
        return {std::move(made), 0};
    }
    return {std::move(made), std::nullopt};
}

} // namespace resp
