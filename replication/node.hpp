// A node: what a program opens to share objects with other processes.
//
//   net::loop here;
//   replication::type_registry types;
//   types.add<crdt::pn_counter>("counter");
//   replication::node_options how;
//   how.id = 1;                                          // 1 to 2^64 - 1, one for each node
//   how.cluster = "tea";
//   how.secret = read_secret();                          // the same on all nodes
//   how.listen = net::endpoint::parse("127.0.0.1:7001");
//   how.peers = {"127.0.0.1:7002"};
//   replication::node self(here, std::move(types), how);
//   auto hits = self.open<crdt::pn_counter>("hits");
//   hits.change([](auto& counter, auto& me) { return counter.increment(me); });
//   here.run(self.run());                                // until the loop stops
//
// Objects are changed and read at once, here; changes travel at the end of the turn to every node that is linked, directly
// or by others, and to those that come later. A node that was away gets what it missed, a node that is new gets everything.
// Nothing is kept on disk: what no other node has is gone with the process. Every start is a new life (an incarnation),
// which takes nothing over from the one before.
//
// A node belongs to its loop, on whose thread alone it is used, and must be destroyed before it, after run() has ended:
// loop::stop() ends it, and the loop runs on until it has. Inside an asio::io_context that is for the program to see to, also
// when a handler throws: examples/embed-node.cpp.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/event_timer.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>
#include <phoenix/replication/delta/delta_options.hpp>
#include <phoenix/replication/node_status.hpp>
#include <phoenix/replication/object.hpp>
#include <phoenix/replication/session/mesh.hpp>
#include <phoenix/replication/session/session_options.hpp>
#include <phoenix/replication/store/object_store.hpp>
#include <phoenix/replication/store/type_registry.hpp>
#include <phoenix/replication/subscription.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace phoenix::replication {

struct node_options {
    /// This node's own, from 1 on.
    std::uint64_t id = 0;
    /// This start's, above those of all starts before; 0 takes the wall clock's microseconds since 1970.
    std::uint64_t incarnation = 0;
    /// Nodes of other clusters are refused. Not empty.
    std::string cluster;
    /// Known to all nodes of the cluster and to nobody else: 16 bytes at least, better 32 random ones.
    std::string secret;
    /// Where other nodes can dial this one; port 0 lets the kernel choose. Empty: nowhere.
    std::optional<net::endpoint> listen;
    /// Whom this node dials, as net::connect_to takes it: "HOST:PORT". One direction is enough for two nodes.
    std::vector<std::string> peers;
    /// How far apart the wall clocks of two nodes may be.
    std::chrono::microseconds clock_skew_max = std::chrono::seconds(30);
    /// Name and version of the program, for people.
    std::string software = "phoenix";

    session_options session;
    store_options store;
    delta_options delta;

    /// What opening a node would say, but for addresses and types. Throws errc::invalid_options that names the field.
    void validate() const;
};

/// All that was written at a node until it was asked for.
struct write_mark {
    crdt::replica_id origin;
    std::uint64_t number = 0;
};

class node : private mesh_handler, private change_observer {
public:
    /// Binds the address, if there is one, and talks to nobody before run(). Throws std::system_error: a wrong option
    /// (errc::invalid_options, net::errc::invalid_endpoint), an address that is not to be had.
    node(net::loop& owner, type_registry types, const node_options& how);

    node(const node&) = delete;
    node& operator=(const node&) = delete;
    ~node() override;

    /// One more peer to dial, as node_options::peers; before run().
    void dial(const std::string& address) { mesh_.dial(address); }

    /// Listens, dials and synchronizes until it is stopped; then every peer is told that this node leaves. Once.
    [[nodiscard]] net::task<> run();

    /// Throws errc::unknown_type when T is not registered.
    template <crdt::delta_crdt T>
    [[nodiscard]] object<T> open(std::string key) {
        return object<T>(store_, changes_, std::move(key));
    }

    /// All objects, for who works with many. Its observer is the node.
    [[nodiscard]] object_store& objects() noexcept { return store_; }

    /// A timestamp later than all that this node gave or heard of, for types that order writes by time:
    /// `prices.change([&](auto& map, auto& me) { return map.put(me, "tea", 3, self.stamp()); })`. A clock of one's own would
    /// not hear of the others', and its writes could lose without a word.
    [[nodiscard]] crdt::timestamp stamp() { return store_.stamp(); }

    [[nodiscard]] const object_store& objects() const noexcept { return store_; }

    /// Tells of every object that changed, wherever.
    [[nodiscard]] subscription on_change(change_feed::callback told) {
        return changes_.subscribe(std::move(told));
    }

    /// Tells of every object that others changed: what is written here costs nothing then.
    [[nodiscard]] subscription on_change_elsewhere(change_feed::callback told) {
        return changes_.subscribe(std::move(told), false);
    }

    /// This node in its present life.
    [[nodiscard]] const crdt::replica_id& self() const noexcept { return store_.self(); }

    /// Where it listens: the port that the kernel chose, too.
    [[nodiscard]] std::optional<net::endpoint> local_endpoint() const { return mesh_.local_endpoint(); }

    /// Sends what was changed here until now, at the end of this turn, and names it.
    [[nodiscard]] write_mark mark();

    /// How many other nodes are known to have joined all of it, each in its present life.
    [[nodiscard]] std::size_t holders(const write_mark& mark) const noexcept;

    /// Waits until so many nodes hold it, or for so long, and gives how many do then.
    [[nodiscard]] net::task<std::size_t> wait_for_holders(write_mark mark, std::size_t nodes,
                                                          net::nanoseconds at_most);

    /// Ends the link to a node and has none, whoever dials, until heal: to try what a partition does.
    void cut(std::uint64_t node) { mesh_.cut(node); }

    void heal(std::uint64_t node) { mesh_.heal(node); }

    /// Another process has this node's id and started later: what is written here would not be heard of, so that writing
    /// throws errc::overtaken. Give each process an id of its own.
    [[nodiscard]] bool is_overtaken() const noexcept { return store_.is_frozen(); }

    [[nodiscard]] node_status status() const;

private:
    [[nodiscard]] static net::task<> serve(net::scope& children, node* self);
    [[nodiscard]] net::task<> synchronize();
    [[nodiscard]] net::task<> until_held(write_mark mark, std::size_t nodes);
    void tick();
    void stop_writing(std::uint64_t later);

    // --- What the mesh tells.
    void received(session& from, const codec::received_frame& frame) override;
    [[nodiscard]] std::uint64_t highest_incarnation(std::uint64_t node) const override;
    [[nodiscard]] bool session_up(session& added) override;
    void session_down(session& gone) noexcept override;
    void overtaken(std::uint64_t highest) override;

    // --- What the store tells.
    void changed_here(const stored_object& object) noexcept override;
    void changed_elsewhere(const stored_object& object) noexcept override;
    void note_change(const stored_object& object, bool here) noexcept;

    net::loop& loop_;
    const std::string cluster_;
    const type_registry types_;
    object_store store_;
    delta_machine delta_;
    mesh mesh_;
    change_feed changes_;
    std::map<link_id, session*> links_;
    /// Something happened, or its time has come: there is something to be sent.
    net::event work_;
    net::event_timer next_tick_;
    /// Wakes who waits for holders, after each tick.
    net::event ticked_;
    bool was_linked_ = false;
    bool is_running_ = false;
};

} // namespace phoenix::replication
