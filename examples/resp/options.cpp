#include "options.hpp"

#include <phoenix/config.hpp>
#include <phoenix/net/connect.hpp>

#include <charconv>
#include <cstddef>
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

/// The file without the line end that editors leave. A pipe will do, a stream without end will not.
std::string read_secret(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("--secret-file: expected a file that can be read, found none at " + path);
    }
    constexpr std::size_t bytes_min = 16;
    constexpr std::size_t bytes_max = 4096;
    std::string secret(bytes_max + 2, '\0');
    file.read(secret.data(), static_cast<std::streamsize>(secret.size()));
    secret.resize(static_cast<std::size_t>(file.gcount()));
    while (secret.ends_with('\n') || secret.ends_with('\r')) {
        secret.pop_back();
    }
    if (secret.size() < bytes_min || secret.size() > bytes_max) {
        throw std::runtime_error("--secret-file: expected a secret of 16 to 4096 bytes in " + path +
                                 ", found " +
                                 (secret.size() > bytes_max ? "more" : std::to_string(secret.size())));
    }
    return secret;
}

/// In digits alone: other readers of numbers take 010 for 8.
std::uint64_t read_id(const std::string& text) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    // RESP has no greater integers to tell it in.
    constexpr std::uint64_t id_max = std::numeric_limits<std::int64_t>::max();
    const bool is_number = error == std::errc() && end == text.data() + text.size() && !text.starts_with('0');
    if (!is_number || id > id_max) {
        throw std::runtime_error("--id: expected a number from 1 to " + std::to_string(id_max) + ", found " +
                                 text);
    }
    return id;
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

phoenix::replication::node_options peer_options::to_node_options() const {
    phoenix::replication::node_options how;
    how.id = id;
    how.cluster = cluster;
    how.secret = secret;
    how.listen = listen;
    how.peers = peers;
    how.software = "phoenix-peer " PHOENIX_VERSION_STRING;
    if (delta_buffer_bytes > 0) {
        how.delta.buffer_bytes_max = delta_buffer_bytes;
    }
    return how;
}

parsed_options parse_options(int argc, char** argv) {
    static const std::map<std::string, net::driver_kind> drivers{{"auto", net::driver_kind::automatic},
                                                                 {"uring", net::driver_kind::uring},
                                                                 {"asio", net::driver_kind::asio}};
    static const std::map<std::string, net::log_level> levels{
        {"trace", net::log_level::trace}, {"debug", net::log_level::debug},
        {"info", net::log_level::info},   {"warning", net::log_level::warning},
        {"error", net::log_level::error}, {"off", net::log_level::off}};

    peer_options made;
    std::string id;
    std::string listen;
    std::string clients = "127.0.0.1:6379";
    std::string secret_file;
    std::string driver = "auto";
    std::string level = "info";
    bool only_checks = false;

    CLI::App app("phoenix-peer: a node whose keys are the same on all peers, driven by Redis clients");
    app.set_version_flag("--version", "phoenix-peer " PHOENIX_VERSION_STRING);
    app.set_config("--config", "", "A TOML file with these names");
    app.add_option("--id", id, "This node's number, its own in the cluster, from 1 on")->required();
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
        made.id = read_id(id);
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
        made.to_node_options().validate();
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
