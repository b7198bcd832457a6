// Commands on keys: what one request of one client does, as a pure function of the store. No socket, no clock.
//
//   executor run(node.objects(), peers);
//   client_state client = ...;
//   const outcome done = run.execute(client, request, reply);
//
// The reply is appended. What the caller must do then (close, wait for peers) is in the outcome. What only a node knows,
// the state of peers and links, comes through `cluster`.
#pragma once

#include <phoenix/net/time.hpp>
#include <phoenix/replication/node.hpp>
#include <phoenix/replication/node_status.hpp>
#include <phoenix/replication/store/object_store.hpp>

#include "keyspace.hpp"
#include "protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace resp {

namespace net = phoenix::net;
namespace replication = phoenix::replication;

struct command;

/// The node, as commands see it.
class cluster {
public:
    virtual ~cluster() = default;

    [[nodiscard]] virtual replication::node_status status() const = 0;
    virtual void cut(std::uint64_t node) = 0;
    virtual void heal(std::uint64_t node) = 0;
    /// Sends what was written until now, and names it.
    [[nodiscard]] virtual replication::write_mark mark() = 0;
    /// Since the program started.
    [[nodiscard]] virtual net::nanoseconds uptime() const = 0;
};

/// What a connection has said of itself.
struct client_state {
    std::uint64_t id = 0;
    int protocol = 2;
    std::string address;
    std::string name;
    std::string library;
    std::string library_version;
    /// Null before the first.
    const command* last = nullptr;
    /// Of its last write, once somebody asked for it.
    replication::write_mark mark;
    /// It has written since.
    bool has_written = false;
};

struct outcome {
    enum class kind : std::uint8_t {
        done,
        close, ///< when the reply is sent
        wait, ///< the reply is the number of nodes that hold `mark`, once there are `nodes`, or at the latest after `at_most`
    };

    kind what = kind::done;
    replication::write_mark mark;
    std::size_t nodes = 0;
    net::nanoseconds at_most{0};
};

class executor {
public:
    /// All must outlive it.
    executor(keyspace& keys, cluster& peers) : keys_(keys), peers_(peers) {}

    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;

    /// A connection, until it is removed. `client` stays where it is.
    void add(client_state& client);

    void remove(client_state& client) noexcept { clients_.erase(client.id); }

    /// Throws nothing but std::bad_alloc: what goes wrong is the reply. A request without arguments has none.
    [[nodiscard]] outcome execute(client_state& client, std::span<const std::string_view> request,
                                  reply_writer& reply);

    [[nodiscard]] keyspace& keys() noexcept { return keys_; }

    [[nodiscard]] cluster& peers() noexcept { return peers_; }

    /// By id.
    [[nodiscard]] const std::map<std::uint64_t, client_state*>& clients() const noexcept { return clients_; }

    [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }

    [[nodiscard]] std::uint64_t executed() const noexcept { return executed_; }

private:
    keyspace& keys_;
    cluster& peers_;
    std::map<std::uint64_t, client_state*> clients_;
    std::uint64_t connections_ = 0;
    std::uint64_t executed_ = 0;
};

} // namespace resp
