// The sessions of one node: who it listens to, whom it dials, and that there is one session to each peer.
//
//   mesh sessions(loop, handshake_options, session_options, handler);
//   sessions.listen(endpoint);                      // throws when the address is not to be had
//   sessions.dial("10.0.0.2:7000");                 // again and again, as long as the mesh runs
//   co_await sessions.run();                        // until it is stopped
//
// A connection is a stranger's until its peer has proved who it is; what a stranger can cost is bounded in time, bytes and
// number. When two nodes dial each other, the connection that was dialled by the lower id stays, on both sides; of two that
// were dialled by the same side the later one stays, since the earlier is dead to who dialled again. A node that starts
// anew replaces its own earlier session.
//
// Dialling names nobody: who answers says who it is. The loop's thread.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/replication/session/handshake.hpp>
#include <phoenix/replication/session/session.hpp>
#include <phoenix/replication/session/session_options.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace phoenix::replication {

/// Whom a mesh serves.
class mesh_handler : public session_receiver {
public:
    /// The latest incarnation that is known of a node, 0 if none is.
    [[nodiscard]] virtual std::uint64_t highest_incarnation(std::uint64_t node) const = 0;

    /// A session is there. False when a later incarnation of its peer is known, and std::system_error for a peer that is not
    /// taken: then there is none.
    [[nodiscard]] virtual bool session_up(session& added) = 0;

    /// A session that was up is not any more.
    virtual void session_down(session& gone) noexcept = 0;

    /// A peer that belongs to the cluster knows this node in a later life: `highest` is its incarnation.
    virtual void overtaken(std::uint64_t highest) = 0;
};

struct mesh_counters {
    std::uint64_t accepted = 0;
    std::uint64_t dialled = 0;
    std::uint64_t sessions = 0;
    /// Handshakes that failed, of either side.
    std::uint64_t refused = 0;
    /// Strangers that made room for others.
    std::uint64_t evicted = 0;
};

class mesh {
public:
    /// `handler` must outlive it. Throws errc::invalid_options.
    mesh(net::loop& owner, handshake_options who, session_options how, mesh_handler& handler);

    mesh(const mesh&) = delete;
    mesh& operator=(const mesh&) = delete;
    ~mesh();

    /// Binds and listens, before run(). Once.
    void listen(const net::endpoint& local);

    /// Where it listens.
    [[nodiscard]] std::optional<net::endpoint> local_endpoint() const;

    /// An address as net::connect_to takes it; before run(). Throws net::errc::invalid_endpoint.
    void dial(const std::string& address);

    /// Until it is stopped; then every peer is told that this node leaves. Throws when the listener fails. Once.
    [[nodiscard]] net::task<> run();

    /// The session with a node; null for none.
    [[nodiscard]] session* find(std::uint64_t node) const noexcept;

    /// Ends a session that is up.
    void close(session& which, farewell why, const std::string& text);

    /// Ends the session with a node and has none until heal().
    void cut(std::uint64_t node);
    void heal(std::uint64_t node);

    [[nodiscard]] bool is_cut(std::uint64_t node) const;

    /// This node in a new life: for handshakes from now on.
    void set_self(const crdt::replica_id& self);

    [[nodiscard]] const mesh_counters& counters() const noexcept { return counters_; }

private:
    struct known_node {
        session* current = nullptr;
        bool is_cut = false;
        /// Set while there is no session and none is forbidden.
        net::event is_wanted;
    };

    struct dialled_address {
        std::string text;
        /// Who answered there last; 0 before.
        std::uint64_t node = 0;
        /// Why the last attempt failed: said once, not each time.
        std::string failure;
    };

    [[nodiscard]] static net::task<> serve(net::scope& children, mesh* self);
    [[nodiscard]] net::task<> accept(net::stream connection);
    [[nodiscard]] net::task<> keep_dialling(dialled_address& target);
    [[nodiscard]] net::task<> dial_once(dialled_address& target);
    [[nodiscard]] net::task<> converse(frame_stream frames, handshake::side side, dialled_address* target);
    void note_second(const std::string& address, const std::exception_ptr& why);
    /// `target` for a connection that was dialled, or null; it learns who answers.
    [[nodiscard]] net::task<session_peer> greet(frame_stream& frames, handshake::side side,
                                                dialled_address* target);
    [[nodiscard]] net::task<session_peer> shake_hands(frame_stream& frames, handshake& greeting);

    /// Throws handshake_refused when there is to be no session with a peer, or the one that is there stays.
    void check_wanted(const crdt::replica_id& peer, handshake::side side);
    /// Takes it up in place of the one that is there, or ends it.
    void admit(session& added);
    void retire(session& gone) noexcept;
    [[nodiscard]] known_node& node_of(std::uint64_t id);
    void let_oldest_stranger_go();
    void log_end(std::string_view with, const std::exception_ptr& why);
    [[nodiscard]] net::nanoseconds jittered(net::nanoseconds pause) noexcept;

    net::loop& loop_;
    handshake_options who_;
    session_options options_;
    mesh_handler& handler_;
    std::optional<net::listener> door_;
    std::list<dialled_address> dialled_;
    std::map<std::uint64_t, known_node> nodes_;
    /// Accepted, oldest first; they have not proved who they are.
    std::list<net::stream*> strangers_;
    std::uint64_t sessions_made_ = 0;
    mesh_counters counters_;
};

} // namespace phoenix::replication
