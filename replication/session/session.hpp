// One authenticated connection to a peer: two lanes out, frames in, and a watch over silence.
//
//   session talk(loop, id, std::move(frames), peer, side, address, options);
//   talk.send(frame);                       // control overtakes bulk
//   co_await talk.run(handler);             // until it ends, which it says by throwing
//
// Frames of control leave before all of bulk that the stream has not taken yet (net::stream_options::write_limit_bytes). Pings
// and pongs are the session's own; every other frame goes to the handler. What is sent is queued without waiting: who sends
// bulk bounds what is under way, as the delta machine's windows do, and more control than session_options::control_bytes_max
// ends the session. The loop's thread.
#pragma once

#include <phoenix/codec/frame.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/time.hpp>
#include <phoenix/replication/session/frame_stream.hpp>
#include <phoenix/replication/session/handshake.hpp>
#include <phoenix/replication/session/session_options.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace phoenix::replication {

/// Sessions of one node, in the order in which they came; never used again.
enum class session_id : std::uint64_t {};

class session;

/// Whom a session serves.
class session_receiver {
public:
    virtual ~session_receiver() = default;

    /// A frame that arrived, valid during the call. What it throws ends the session; the peer is told what() of a
    /// std::exception.
    virtual void received(session& from, const codec::received_frame& frame) = 0;
};

class session {
public:
    /// `how` must outlive it.
    session(net::loop& owner, session_id id, frame_stream connection, session_peer peer,
            handshake::side which, std::string address, const session_options& how);

    session(const session&) = delete;
    session& operator=(const session&) = delete;

    [[nodiscard]] session_id id() const noexcept { return id_; }

    [[nodiscard]] const session_peer& peer() const noexcept { return peer_; }

    /// Which side this node is.
    [[nodiscard]] handshake::side side() const noexcept { return side_; }

    /// Where the peer was dialled, or came from.
    [[nodiscard]] const std::string& address() const noexcept { return address_; }

    /// Queues a frame. Nothing once it is ending.
    void send(codec::frame frame);

    /// Ends it from this side: what is queued in bulk is dropped, the peer is told why, for at most
    /// session_options::farewell_time, and run() throws. Nothing when it is ending already.
    void end(const handshake_refused& why);

    [[nodiscard]] bool is_ending() const noexcept { return ending_.has_value(); }

    /// Serves until the session ends, and throws why: handshake_refused when one of the two ended it, errc::canceled when it
    /// was stopped (the peer is told that this node leaves then), what the socket threw, or what the peer's bytes are not.
    [[nodiscard]] net::task<> run(session_receiver& receiver);

    [[nodiscard]] const frame_stream& connection() const noexcept { return frames_; }

    /// Of the last ping that was answered; zero before.
    [[nodiscard]] net::nanoseconds round_trip() const noexcept { return round_trip_; }

    /// What the stream has not taken yet, in both lanes.
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return control_.bytes + bulk_.bytes; }

private:
    [[nodiscard]] static net::task<> serve(net::scope& children, session* self, session_receiver* receiver);
    [[nodiscard]] net::task<> read(session_receiver& receiver);
    [[nodiscard]] net::task<> write();
    [[nodiscard]] net::task<> watch();
    [[nodiscard]] net::task<> bound_farewell();

    void take(session_receiver& receiver, const codec::received_frame& frame);
    [[noreturn]] void throw_end() const;

    net::loop& loop_;
    session_id id_;
    frame_stream frames_;
    session_peer peer_;
    handshake::side side_;
    std::string address_;
    const session_options& options_;

    struct queue {
        std::deque<codec::frame> frames;
        std::size_t bytes = 0;

        void push(codec::frame frame);
        [[nodiscard]] codec::frame pop();
    };

    queue control_;
    queue bulk_;
    net::event has_output_;

    std::optional<handshake_refused> ending_;
    net::event is_ending_;

    net::monotonic_time heard_{};
    std::uint64_t heard_bytes_ = 0;
    std::uint64_t pings_ = 0;
    net::monotonic_time pinged_{};
    net::nanoseconds round_trip_{0};
};

} // namespace phoenix::replication
