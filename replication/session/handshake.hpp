// How two nodes come to trust each other, as a pure state machine: no socket, no clock, no random number.
//
//   handshake greeting(handshake::side::dialer, options, {wall_us, nonce}, highest_incarnation_of);
//   send(greeting.hello());
//   for (const codec::frame& answer : greeting.receive(frame)) { send(answer); }      // for each frame, until
//   if (greeting.is_complete()) { ... greeting.peer() ... }
//
// Both say hello at once; then the dialer proves that it knows the cluster's secret, then the acceptor, and each welcomes the
// other. A proof is an HMAC over both hellos, so over both nonces, identities and incarnations: the secret is never sent, and
// no proof serves twice, for the other side, or for other hellos. Until a peer has proved it, it is a stranger: it is told
// nothing but a hello, and nothing that it says changes anything here. codec/WIRE.md has the bytes.
//
// What does not go well ends in a handshake_refused; parting() is to be sent before the connection is closed. One thread.
#pragma once

#include <phoenix/codec/frame.hpp>
#include <phoenix/codec/limits.hpp>
#include <phoenix/codec/session_messages.hpp>
#include <phoenix/crdt/replica.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/session/mac.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace phoenix::replication {

/// Why a connection is closed, as the wire tells it in a `bye`.
enum class farewell : std::uint16_t {
    leaving = 0,        ///< the node shuts down
    protocol_violation, ///< a frame that this point of the conversation does not allow
    wire_version,       ///< no version that both speak
    other_cluster,      ///< the clusters have different names
    wrong_proof,        ///< the secrets differ, or somebody replays
    own_node,           ///< both are the same node
    clock_skew,         ///< the wall clocks are too far apart
    overtaken,          ///< a later process has this node's id
    types_differ,       ///< a type that only one side has, or that has two layouts
    replaced,           ///< another connection to the same peer stays
    too_slow,           ///< a deadline passed
    cut,                ///< somebody who runs the node wants no link to this peer
};

/// The words for a code of a bye; "unknown reason" for one of a later version.
[[nodiscard]] std::string to_text(farewell why);

/// The end of a handshake. what() says what was expected and found, by whom it was refused, and what to do.
class handshake_refused : public std::system_error {
public:
    handshake_refused(farewell why, const std::string& text, std::uint64_t highest_incarnation, bool by_peer);

    [[nodiscard]] farewell why() const noexcept { return why_; }

    /// True when the peer refused: it is not answered.
    [[nodiscard]] bool is_by_peer() const noexcept { return by_peer_; }

    /// With farewell::overtaken: the highest incarnation of the refused node; it takes a higher one, or stops writing.
    [[nodiscard]] std::uint64_t highest_incarnation() const noexcept { return highest_incarnation_; }

    /// How the peer is told.
    [[nodiscard]] codec::frame bye() const;

private:
    farewell why_;
    std::string text_;
    std::uint64_t highest_incarnation_;
    bool by_peer_;
};

struct handshake_options {
    /// Node from 1 on; every start takes an incarnation above all that it had.
    crdt::replica_id self;
    /// Nodes of other clusters are refused. Not empty.
    std::string cluster;
    /// Known to all nodes of the cluster, and to nobody else: 16 bytes at least, better 32 random ones.
    std::string secret;
    /// How far apart two nodes' wall clocks may be.
    std::chrono::microseconds clock_skew_max = std::chrono::seconds(30);
    /// By name; the same on all nodes (type_registry).
    std::vector<codec::type_entry> types;
    /// Bulk bytes that a peer may send before they are reported.
    std::uint64_t window_bytes = std::uint64_t{4} * 1024 * 1024;
    codec::limits frames;
    /// Name and version, for people.
    std::string software = "phoenix";

    /// Throws errc::invalid_options that names the field.
    void validate() const;
};

/// What is known of a peer that has proved that it belongs here.
struct session_peer {
    crdt::replica_id replica;
    std::string software;
    std::uint64_t features = 0;
    std::uint64_t window_bytes = 0;
};

class handshake {
public:
    enum class side : std::uint8_t { dialer, acceptor };

    /// What is new for each connection.
    struct moment {
        std::uint64_t wall_us = 0;
        /// Random, from a source that cannot be guessed, never used before.
        std::array<std::byte, 32> nonce{};
    };

    /// `highest_incarnation_of(node)` is the latest incarnation that is known of a node, 0 if none is. `admit(peer)` may
    /// refuse a peer that has proved itself: it throws handshake_refused. `how` and what both refer to outlive the
    /// handshake. Throws errc::invalid_options.
    handshake(side which, const handshake_options& how, const moment& at,
              std::function<std::uint64_t(std::uint64_t)> highest_incarnation_of,
              std::function<void(const crdt::replica_id&)> admit = {});

    /// What is sent first.
    [[nodiscard]] const codec::frame& hello() const noexcept { return hello_; }

    /// Takes the peer's next frame and returns what to answer. Throws handshake_refused, and std::system_error with a code
    /// of codec for a payload that is malformed. Not after either, and not once it is complete.
    [[nodiscard]] std::vector<codec::frame> receive(const codec::frame& frame);

    /// What a peer that receive() refused is sent: this side's proof, if only that is missing for the peer to believe the
    /// farewell, and the farewell.
    [[nodiscard]] std::vector<codec::frame> parting(const handshake_refused& why) const;

    /// Both have proved who they are and welcomed each other.
    [[nodiscard]] bool is_complete() const noexcept { return expected_ == expected::nothing; }

    /// The peer has proved that it knows the secret.
    [[nodiscard]] bool is_authenticated() const noexcept {
        return expected_ == expected::welcome || expected_ == expected::nothing;
    }

    /// What it says of itself; to be believed once it is_authenticated().
    [[nodiscard]] const session_peer& peer() const noexcept { return peer_; }

private:
    enum class expected : std::uint8_t { hello, proof, welcome, nothing };

    [[nodiscard]] std::vector<codec::frame> take_hello(const codec::frame& frame);
    [[nodiscard]] std::vector<codec::frame> take_proof(const codec::frame& frame);
    void take_welcome(const codec::frame& frame);
    void compare_types(const std::vector<codec::type_entry>& theirs) const;
    [[nodiscard]] codec::frame proof_of(side which) const;
    [[nodiscard]] digest256 mac_of(side which) const;
    [[nodiscard]] codec::frame welcome() const;

    side side_;
    const handshake_options& how_;
    moment at_;
    std::function<std::uint64_t(std::uint64_t)> highest_incarnation_of_;
    std::function<void(const crdt::replica_id&)> admit_;
    /// The peer has, or was answered with, this side's proof.
    bool has_proved_ = false;
    expected expected_ = expected::hello;
    codec::frame hello_;
    codec::frame their_hello_;
    std::uint64_t their_wall_us_ = 0;
    session_peer peer_;
};

} // namespace phoenix::replication
