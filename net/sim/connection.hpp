// One side of a simulated connection: what has arrived and was not read, what may still be sent, and how it ended.
//
// The two sides share nothing: all that passes between them are messages (one_way.hpp). Room is a credit: reading gives it
// back to the sender, a link's time later.
#pragma once

#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/op.hpp>
#include <phoenix/net/sim/one_way.hpp>
#include <phoenix/net/time.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace phoenix::net::sim {

class sim_driver;

class connection_end : public std::enable_shared_from_this<connection_end> {
public:
    connection_end(sim_driver& owner, const endpoint& local, const endpoint& remote,
                   std::size_t holds) noexcept
        : local(local), remote(remote), owner_(owner), holds_(holds) {}

    connection_end(const connection_end&) = delete;
    connection_end& operator=(const connection_end&) = delete;

    [[nodiscard]] sim_driver& owner() const noexcept { return owner_; }

    /// How much may be on its way to this side and unread here.
    [[nodiscard]] std::size_t holds() const noexcept { return holds_; }

    /// Joins the two sides of a connection. The side that accepts may send from now on, the one that asked for it when it has
    /// the answer.
    static void join(connection_end& asking, connection_end& accepting);

    /// Of this side and, once it is joined, the other.
    [[nodiscard]] std::pair<node_number, node_number> machines() const noexcept;

    [[nodiscard]] bool has_failed() const noexcept { return failure_ != 0; }

    /// Whether somebody accepts it: there is nothing left to ask for.
    [[nodiscard]] bool was_heard() const noexcept { return was_heard_; }

    // --- What its own node does. Results are those of the system calls; -EAGAIN: not now.

    [[nodiscard]] int receive(std::span<std::byte> into);
    [[nodiscard]] int send(std::span<const iovec> pieces);
    [[nodiscard]] int end_sending();
    /// Nobody here reads or writes any more.
    void release(bool reset);

    /// Who waits for it.
    recv_op* receiving = nullptr;
    send_op* sending = nullptr;
    connect_op* connecting = nullptr;

    endpoint local;
    endpoint remote;

    /// The other side refused, or is not there.
    void fail(int result);

    void reset_arrives() { fail(-ECONNRESET); }

    // --- Faults of what is between the two.

    /// Both sides are told that the connection is no more, and what was on its way is lost.
    void break_off();
    /// From now on nothing arrives at either side, and nobody is told.
    void fall_silent() noexcept;

    /// The side that accepts says so.
    void answer_request();

private:
    // --- What comes from the other side.
    void answer_arrives();
    void data_arrives(std::vector<std::byte> data);
    void end_arrives();
    void room_arrives(std::size_t bytes);

    /// Calls what(other side) when it is there.
    void pass(std::size_t bytes, one_way::if_gone answer, std::function<void(connection_end&)> what);

    void wake_receiver();
    void wake_sender();

    sim_driver& owner_;
    const std::size_t holds_;
    std::weak_ptr<connection_end> other_;
    node_number other_number_ = 0;
    /// From when it is joined.
    std::shared_ptr<one_way> out_;
    bool was_heard_ = false;
    bool joined_ = false;
    std::deque<std::byte> unread_;
    std::size_t credit_ = 0;
    bool sending_ended_ = false;
    bool end_came_ = false;
    bool released_ = false;
    int failure_ = 0;
};

} // namespace phoenix::net::sim
