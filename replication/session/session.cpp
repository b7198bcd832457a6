#include <phoenix/codec/session_messages.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/with_scope.hpp>
#include <phoenix/replication/session/session.hpp>

#include <exception>
#include <utility>

namespace phoenix::replication {

session::session(net::loop& owner, session_id id, frame_stream connection, session_peer peer,
                 handshake::side which, std::string address, const session_options& how)
    : loop_(owner), id_(id), frames_(std::move(connection)), peer_(std::move(peer)), side_(which),
      address_(std::move(address)), options_(how), heard_(owner.now()) {}

void session::send(codec::frame frame) {
    if (ending_) {
        return;
    }
    (frame.on() == codec::lane::control ? control_ : bulk_).push(std::move(frame));
    has_output_.set();
    if (control_.bytes > options_.control_bytes_max) {
        end(handshake_refused(farewell::too_slow,
                              "the peer left more than " + std::to_string(options_.control_bytes_max) +
                                  " bytes of control untaken",
                              0, false));
    }
}

void session::queue::push(codec::frame frame) {
    bytes += frame.bytes().size();
    frames.push_back(std::move(frame));
}

codec::frame session::queue::pop() {
    codec::frame first = std::move(frames.front());
    frames.pop_front();
    bytes -= first.bytes().size();
    return first;
}

void session::end(const handshake_refused& why) {
    if (ending_) {
        return;
    }
    ending_.emplace(why);
    bulk_ = {};
    control_.push(ending_->bye());
    has_output_.set();
    is_ending_.set();
}

void session::throw_end() const {
    throw handshake_refused(*ending_);
}

net::task<> session::run(session_receiver& receiver) {
    std::exception_ptr failure;
    try {
        co_await net::with_scope(&session::serve, this, &receiver);
    } catch (...) {
        failure = std::current_exception();
    }
    if (net::loop::is_cancellation(failure)) {
        // It is small enough to be copied: this does not wait, which a stopped coroutine cannot.
        const codec::frame bye = handshake_refused(farewell::leaving, "the node stops", 0, false).bye();
        try {
            co_await frames_.write(bye);
        } catch (const std::system_error&) {
            // The peer will see the end of the connection.
        }
    }
    std::rethrow_exception(failure);
}

net::task<> session::serve(net::scope& children, session* self, session_receiver* receiver) {
    children.spawn(self->write());
    children.spawn(self->watch());
    children.spawn(self->bound_farewell());
    co_await self->read(*receiver);
}

net::task<> session::read(session_receiver& receiver) {
    for (;;) {
        const std::optional<codec::received_frame> received = co_await frames_.read();
        if (!received) {
            net::throw_error(net::errc::end_of_stream, "the peer closed the connection without a farewell");
        }
        try {
            take(receiver, *received);
        } catch (const handshake_refused&) {
            throw;
        } catch (const std::exception& e) {
            end(handshake_refused(farewell::protocol_violation, e.what(), 0, false));
        }
    }
}

void session::take(session_receiver& receiver, const codec::received_frame& frame) {
    if (ending_) {
        return;
    }
    if (frame.kind() == codec::frame_kind::ping) {
        send(codec::encode(codec::pong{codec::decode<codec::ping>(frame.payload(), {}).token}));
    } else if (frame.kind() == codec::frame_kind::pong) {
        if (codec::decode<codec::pong>(frame.payload(), {}).token == pings_) {
            round_trip_ = loop_.now() - pinged_;
        }
    } else if (frame.kind() == codec::frame_kind::bye) {
        const auto message = codec::decode<codec::bye>(frame.payload(), {});
        throw handshake_refused(static_cast<farewell>(message.code), message.text,
                                message.highest_incarnation, true);
    } else {
        receiver.received(*this, frame);
    }
}

net::task<> session::write() {
    for (;;) {
        while (!control_.frames.empty() || !bulk_.frames.empty()) {
            const codec::frame next = (!control_.frames.empty() ? control_ : bulk_).pop();
            co_await frames_.write(next);
        }
        if (ending_) {
            co_await frames_.connection().flush();
            throw_end();
        }
        co_await has_output_.wait();
        has_output_.reset();
    }
}

net::task<> session::watch() {
    for (;;) {
        co_await net::sleep_for(options_.ping_interval);
        const net::monotonic_time now = loop_.now();
        if (frames_.received_bytes() != heard_bytes_) {
            heard_bytes_ = frames_.received_bytes();
            heard_ = now;
        }
        if (now - heard_ >= options_.silence_max) {
            // Nothing is left to say to who does not listen.
            throw handshake_refused(farewell::too_slow,
                                    "nothing came from the peer for " +
                                        std::to_string((now - heard_) / std::chrono::milliseconds(1)) + " ms",
                                    0, false);
        }
        pinged_ = now;
        send(codec::encode(codec::ping{++pings_}));
    }
}

net::task<> session::bound_farewell() {
    co_await is_ending_.wait();
    co_await net::sleep_for(options_.farewell_time);
    throw_end();
}

} // namespace phoenix::replication
