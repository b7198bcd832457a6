#include <phoenix/config.hpp>
#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/serve.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/with_scope.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/session/mesh.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

namespace phoenix::replication {

namespace {

constexpr std::string_view component = "replication.session";

/// What a stranger may send at once: hellos, proofs and farewells are smaller.
constexpr std::uint32_t stranger_frame_bytes_max = 4096;

[[nodiscard]] std::string to_text(const crdt::replica_id& replica) {
    return std::to_string(replica.node) + "/" + std::to_string(replica.incarnation);
}

[[nodiscard]] std::string what_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "something that is not a std::exception";
    }
}

/// Null for other failures.
[[nodiscard]] std::optional<handshake_refused> refusal_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const handshake_refused& e) {
        return e;
    } catch (...) {
        return std::nullopt;
    }
}

/// What a peer is told with which a handshake failed; nothing to who refused or is gone.
[[nodiscard]] std::vector<codec::frame> parting_after(const handshake& greeting,
                                                      const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const handshake_refused& e) {
        if (!e.is_by_peer()) {
            return greeting.parting(e);
        }
    } catch (const std::system_error& e) {
        if (e.code().category() == codec::category()) {
            return {handshake_refused(farewell::protocol_violation, e.what(), 0, false).bye()};
        }
        if (e.code() == net::errc::timed_out) {
            return {handshake_refused(farewell::too_slow, "the handshake was not finished in time", 0, false)
                        .bye()};
        }
    } catch (...) {
    }
    return {};
}

/// Whether the lower of the two nodes dialled, when this one is on `side`.
[[nodiscard]] bool is_dialled_by_lower(handshake::side side, std::uint64_t self,
                                       std::uint64_t peer) noexcept {
    return (side == handshake::side::dialer) == (self < peer);
}

} // namespace

mesh::mesh(net::loop& owner, handshake_options who, session_options how, mesh_handler& handler)
    : loop_(owner), who_(std::move(who)), options_(std::move(how)), handler_(handler) {
    who_.validate();
    options_.validate();
}

mesh::~mesh() = default;

void mesh::listen(const net::endpoint& local) {
    PHOENIX_ASSERT(!door_, "a mesh listens at one address");
    net::listener_options options;
    options.accepted = options_.stream;
    options.unlink_existing = true;
    door_.emplace(loop_, local, options);
}

std::optional<net::endpoint> mesh::local_endpoint() const {
    return door_ ? std::optional(door_->local_endpoint()) : std::nullopt;
}

void mesh::dial(const std::string& address) {
    if (!net::endpoint::try_parse(address)) {
        static_cast<void>(net::host_and_port::parse(address));
    }
    dialled_.push_back({address, 0, {}});
}

net::task<> mesh::run() {
    co_await net::with_scope(&mesh::serve, this);
}

net::task<> mesh::serve(net::scope& children, mesh* self) {
    for (dialled_address& each : self->dialled_) {
        children.spawn(self->keep_dialling(each));
    }
    if (self->door_) {
        const auto handler = [self](net::stream connection) {
            return self->accept(std::move(connection));
        };
        co_await net::serve(*self->door_, handler);
    }
    co_await children.join();
}

session* mesh::find(std::uint64_t node) const noexcept {
    const auto found = nodes_.find(node);
    return found != nodes_.end() ? found->second.current : nullptr;
}

void mesh::close(session& which, farewell why, const std::string& text) {
    retire(which);
    which.end(handshake_refused(why, text, 0, false));
}

void mesh::cut(std::uint64_t node) {
    known_node& known = node_of(node);
    known.is_cut = true;
    known.is_wanted.reset();
    if (session* const current = known.current) {
        close(*current, farewell::cut,
              "node " + std::to_string(who_.self.node) + " was told to have no link to this peer");
    }
}

void mesh::heal(std::uint64_t node) {
    const auto found = nodes_.find(node);
    if (found == nodes_.end()) {
        return;
    }
    found->second.is_cut = false;
    if (found->second.current == nullptr) {
        found->second.is_wanted.set();
    }
}

bool mesh::is_cut(std::uint64_t node) const {
    const auto found = nodes_.find(node);
    return found != nodes_.end() && found->second.is_cut;
}

void mesh::set_self(const crdt::replica_id& self) {
    PHOENIX_ASSERT(self.node == who_.self.node, "a node keeps its id in all its lives");
    who_.self = self;
}

mesh::known_node& mesh::node_of(std::uint64_t id) {
    const auto [at, is_new] = nodes_.try_emplace(id);
    if (is_new) {
        at->second.is_wanted.set();
    }
    return at->second;
}

// --- Connections.

net::task<> mesh::accept(net::stream connection) {
    ++counters_.accepted;
    codec::limits bounds = who_.frames;
    bounds.frame_bytes_max = std::min(bounds.frame_bytes_max, stranger_frame_bytes_max);
    frame_stream frames(std::move(connection), bounds);
    co_await converse(std::move(frames), handshake::side::acceptor, nullptr);
}

net::task<> mesh::keep_dialling(dialled_address& target) {
    net::nanoseconds pause = options_.first_pause;
    for (;;) {
        if (target.node != 0) {
            co_await node_of(target.node).is_wanted.wait();
        }
        const net::monotonic_time began = loop_.now();
        co_await dial_once(target);
        if (loop_.now() - began > options_.longest_pause) {
            pause = options_.first_pause;
        }
        co_await net::sleep_for(jittered(pause));
        pause = std::min(2 * pause, options_.longest_pause);
    }
}

net::task<> mesh::dial_once(dialled_address& target) {
    std::exception_ptr failure;
    std::optional<frame_stream> frames;
    try {
        net::stream connection = co_await net::with_deadline(net::connect_to(target.text, options_.stream),
                                                             options_.connect_deadline);
        codec::limits bounds = who_.frames;
        bounds.frame_bytes_max = std::min(bounds.frame_bytes_max, stranger_frame_bytes_max);
        frames.emplace(std::move(connection), bounds);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) {
        ++counters_.dialled;
        target.failure.clear();
        co_await converse(std::move(*frames), handshake::side::dialer, &target);
        co_return;
    }
    if (net::loop::is_cancellation(failure)) {
        std::rethrow_exception(failure);
    }
    const std::string why = what_of(failure);
    const bool is_news = why != target.failure;
    target.failure = why;
    loop_.log(is_news ? net::log_level::info : net::log_level::debug, component, "dial",
              "dialling " + target.text + ", again and again: " + why);
}

net::nanoseconds mesh::jittered(net::nanoseconds pause) noexcept {
    const auto half = static_cast<std::uint64_t>(pause.count() / 2);
    return pause - net::nanoseconds(static_cast<std::int64_t>(loop_.random() % (half + 1)));
}

net::task<> mesh::converse(frame_stream frames, handshake::side side, dialled_address* target) {
    const std::string address =
        target != nullptr ? target->text : frames.connection().peer_endpoint().to_string();
    std::exception_ptr failure;
    std::optional<session_peer> peer;
    const std::uint64_t greeted_as = who_.self.incarnation;
    try {
        peer = co_await greet(frames, side, target);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        if (net::loop::is_cancellation(failure)) {
            std::rethrow_exception(failure);
        }
        const std::optional<handshake_refused> refused = refusal_of(failure);
        if (refused && refused->why() == farewell::replaced) {
            note_second(address, failure);
            co_return;
        }
        ++counters_.refused;
        // Who made room for others was told of by who did that. Each reason has a limit of its own.
        if (frames.connection().is_open()) {
            loop_.log(net::log_level::warning, component, refused ? to_text(refused->why()) : "broken",
                      "no session with " + address + ": " + what_of(failure));
        }
        if (refused && refused->is_by_peer() && refused->highest_incarnation() >= who_.self.incarnation) {
            handler_.overtaken(refused->highest_incarnation());
        }
        co_return;
    }
    if (greeted_as != who_.self.incarnation) {
        // The peer would take what comes for the words of an earlier life: it is met again in this one.
        loop_.log(net::log_level::info, component, "new-life",
                  "no session with " + address + ": this node began another life while they met");
        co_return;
    }
    const crdt::replica_id replica = peer->replica;
    session talk(loop_, session_id{++sessions_made_}, std::move(frames), std::move(*peer), side, address,
                 options_);
    admit(talk);
    const bool is_admitted = !talk.is_ending();
    if (is_admitted) {
        ++counters_.sessions;
        loop_.log(net::log_level::info, component, "up",
                  "session with node " + to_text(replica) + " at " + address +
                      (side == handshake::side::dialer ? ", dialled" : ", accepted"));
    }
    try {
        co_await talk.run(handler_);
    } catch (...) {
        failure = std::current_exception();
    }
    retire(talk);
    if (net::loop::is_cancellation(failure)) {
        std::rethrow_exception(failure);
    }
    if (is_admitted) {
        loop_.log(net::log_level::info, component, "down",
                  "session with node " + to_text(replica) + " at " + address + " ended: " + what_of(failure));
    } else {
        note_second(address, failure);
    }
    if (const auto ended = refusal_of(failure);
        ended && ended->is_by_peer() && ended->highest_incarnation() >= who_.self.incarnation) {
        handler_.overtaken(ended->highest_incarnation());
    }
}

// --- Strangers.

void mesh::note_second(const std::string& address, const std::exception_ptr& why) {
    loop_.log(net::log_level::debug, component, "second",
              "no second session with the node at " + address + ": " + what_of(why));
}

net::task<session_peer> mesh::greet(frame_stream& frames, handshake::side side, dialled_address* target) {
    handshake::moment at;
    at.wall_us = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(loop_.wall_now().time_since_epoch()).count());
    loop_.random_bytes(at.nonce);
    handshake greeting(
        side, who_, at, [this](std::uint64_t node) { return handler_.highest_incarnation(node); },
        [this, side](const crdt::replica_id& peer) { check_wanted(peer, side); });
    // Whom this node dials it has chosen itself.
    const bool is_stranger = side == handshake::side::acceptor;
    if (is_stranger && strangers_.size() >= options_.strangers_max) {
        let_oldest_stranger_go();
    }
    const auto place =
        is_stranger ? strangers_.insert(strangers_.end(), &frames.connection()) : strangers_.end();
    std::exception_ptr failure;
    std::optional<session_peer> peer;
    try {
        peer = co_await net::with_deadline(shake_hands(frames, greeting), options_.handshake_deadline);
    } catch (...) {
        failure = std::current_exception();
    }
    // Who was let go is off the list already.
    if (is_stranger && frames.connection().is_open()) {
        strangers_.erase(place);
    }
    if (target != nullptr && greeting.is_authenticated()) {
        // Also when it was refused: while there is a session with this node, it is not dialled again.
        target->node = greeting.peer().replica.node;
    }
    if (failure) {
        try {
            for (const codec::frame& each : parting_after(greeting, failure)) {
                // Small enough to be copied; the stream's end sends it.
                co_await frames.write(each);
            }
        } catch (const std::system_error&) {
            // Gone already.
        }
        std::rethrow_exception(failure);
    }
    frames.set_limits(who_.frames);
    co_return std::move(*peer);
}

net::task<session_peer> mesh::shake_hands(frame_stream& frames, handshake& greeting) {
    co_await frames.write(greeting.hello());
    while (!greeting.is_complete()) {
        const std::optional<codec::received_frame> received = co_await frames.read();
        if (!received) {
            net::throw_error(net::errc::end_of_stream, "the peer closed the connection during the handshake");
        }
        const std::vector<codec::frame> answers = greeting.receive(received->share());
        if (greeting.is_authenticated()) {
            frames.set_limits(who_.frames);
        }
        for (const codec::frame& each : answers) {
            co_await frames.write(each);
        }
    }
    co_return greeting.peer();
}

void mesh::let_oldest_stranger_go() {
    ++counters_.evicted;
    loop_.log(net::log_level::warning, component, "evicted",
              "more than " + std::to_string(options_.strangers_max) +
                  " connections have not proved who they are: the oldest is closed");
    strangers_.front()->reset();
    strangers_.pop_front();
}

// --- One session to each peer.

void mesh::check_wanted(const crdt::replica_id& peer, handshake::side side) {
    const known_node& node = node_of(peer.node);
    const auto refuse = [](farewell why, const std::string& text, std::uint64_t highest) {
        throw handshake_refused(why, text, highest, false);
    };
    if (node.is_cut) {
        refuse(farewell::cut,
               "node " + std::to_string(who_.self.node) + " was told to have no link to this peer", 0);
    }
    if (node.current == nullptr) {
        return;
    }
    const std::uint64_t present = node.current->peer().replica.incarnation;
    if (peer.incarnation < present) {
        refuse(farewell::overtaken,
               "a later process of node " + std::to_string(peer.node) + " has a session here", present);
    }
    const bool present_stays = is_dialled_by_lower(node.current->side(), who_.self.node, peer.node);
    if (peer.incarnation == present && present_stays &&
        !is_dialled_by_lower(side, who_.self.node, peer.node)) {
        refuse(farewell::replaced, "the session that the lower node dialled stays", 0);
    }
}

void mesh::admit(session& added) {
    const crdt::replica_id& peer = added.peer().replica;
    try {
        // Once more: another connection may have come first.
        check_wanted(peer, added.side());
    } catch (const handshake_refused& e) {
        added.end(e);
        return;
    }
    known_node& node = node_of(peer.node);
    if (node.current != nullptr) {
        close(*node.current, farewell::replaced, "a later connection to this node takes its place");
    }
    bool is_up = false;
    try {
        is_up = handler_.session_up(added);
    } catch (const std::system_error& e) {
        added.end(handshake_refused(farewell::protocol_violation, e.what(), 0, false));
        return;
    }
    if (!is_up) {
        added.end(handshake_refused(farewell::overtaken,
                                    "a later process of node " + std::to_string(peer.node) + " is known here",
                                    handler_.highest_incarnation(peer.node), false));
        return;
    }
    node.current = &added;
    node.is_wanted.reset();
}

void mesh::retire(session& gone) noexcept {
    const auto found = nodes_.find(gone.peer().replica.node);
    if (found == nodes_.end() || found->second.current != &gone) {
        return;
    }
    found->second.current = nullptr;
    if (!found->second.is_cut) {
        found->second.is_wanted.set();
    }
    handler_.session_down(gone);
}

} // namespace phoenix::replication
