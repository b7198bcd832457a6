// One direction of a simulated connection: messages that arrive in the order in which they were sent, or not at all.
//
// Each takes the time of its link. While the link is cut or clogged they wait, and so they do while the other machine has
// no power: a kernel sends again what nobody acknowledged. It does so for plan::retransmit_timeout; then the sender's side
// fails with ETIMEDOUT. Who has forgotten the connection answers with a reset.
#pragma once

#include <phoenix/net/sim/machine.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

namespace phoenix::net::sim {

class connection_end;
class world_core;

class one_way : public std::enable_shared_from_this<one_way> {
public:
    enum class if_gone : std::uint8_t { nothing, reset };

    one_way(world_core& around, node_number from, node_number to, std::weak_ptr<connection_end> sender,
            std::weak_ptr<connection_end> receiver);

    one_way(const one_way&) = delete;
    one_way& operator=(const one_way&) = delete;

    /// Calls what(receiver) when the message is there, after all that were sent before.
    void send(std::size_t bytes, if_gone answer, std::function<void(connection_end&)> what);

    /// The link may be open again.
    void try_again();

    /// Nothing arrives any more, what is on its way neither, and nobody is told: something between the two has forgotten the
    /// connection.
    void fall_silent() noexcept { is_silent_ = true; }

    /// What is on its way does not arrive.
    void drop() noexcept { messages_.clear(); }

private:
    struct message {
        std::size_t bytes;
        if_gone answer;
        monotonic_time due;
        std::function<void(connection_end&)> what;
    };

    void expect_first(monotonic_time when);
    void arrive();
    void deliver(message arrived);
    /// The first message cannot arrive now.
    void stand_still();

    world_core& around_;
    const node_number from_;
    const node_number to_;
    const std::weak_ptr<connection_end> sender_;
    const std::weak_ptr<connection_end> receiver_;
    /// What a machine without power had still to send is gone.
    const std::uint32_t power_losses_;
    std::deque<message> messages_;
    monotonic_time last_due_{};
    /// An event for the first message is in the schedule.
    bool is_expected_ = false;
    bool stands_still_ = false;
    bool is_silent_ = false;
    /// How often it stood still: who gave up waiting for one end of that must not take another for it.
    std::uint64_t stops_ = 0;
};

} // namespace phoenix::net::sim
