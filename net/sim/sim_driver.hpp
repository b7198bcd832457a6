// The driver of a simulated node: what the kernel would do, done by the world.
//
// A node's loop is hosted by its world: it runs when something happened to the node, for no time at all. An operation
// that could complete at once may do so later, a read or a write that could do all may do a part: the plan says how often.
// Thread rule: the world's.
#pragma once

#include <phoenix/net/driver.hpp>
#include <phoenix/net/sim/connection.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

namespace phoenix::net::sim {

/// A port where connections arrive.
class listening {
public:
    listening(std::size_t backlog, std::size_t holds) noexcept : holds(holds), backlog_(backlog) {}

    [[nodiscard]] bool is_full() const noexcept { return arrived.size() >= backlog_; }

    /// What a connection that arrives takes before it is read.
    const std::size_t holds;
    /// Those that nobody has accepted yet.
    std::deque<std::shared_ptr<connection_end>> arrived;
    accept_op* accepting = nullptr;

private:
    const std::size_t backlog_;
};

class sim_driver final : public driver {
public:
    sim_driver(world_core& around, node_number number);
    ~sim_driver() override;

    [[nodiscard]] world_core& around() const noexcept { return around_; }

    [[nodiscard]] node_number number() const noexcept { return number_; }

    /// 10.x.y.z, where x.y.z is the number of the node.
    [[nodiscard]] static endpoint address_of(node_number number, std::uint16_t port) noexcept;

    /// Whether it has tasks, or is about to take a turn.
    [[nodiscard]] bool is_busy() const noexcept { return busy_ || wake_is_due_; }

    /// Lets the loop do what is to be done now.
    void run();

    /// The process ends: what is submitted from now on is cancelled, and its loop is about to go.
    void end_process() noexcept { has_ended_ = true; }

    /// The op has ended; its node runs when what happens now is over.
    void complete(op& operation, int result);
    /// The same, which a slow process notices late.
    void complete_receive(recv_op& operation, int result);

    /// How much of `most` is done at once: all of it as a rule. Precondition: most > 0.
    [[nodiscard]] std::size_t part_of(std::size_t most);

    /// A connection that arrives from `from`: its side here, or none when nobody listens at `to`; `was_full` tells that
    /// somebody does, and has no room.
    [[nodiscard]] std::shared_ptr<connection_end> arrive(const endpoint& to, const endpoint& from,
                                                         bool& was_full);

    // --- driver
    void bind(loop& owner) override { loop_ = &owner; }

    [[nodiscard]] const driver_capabilities& capabilities() const noexcept override;

    [[nodiscard]] bool runs_here() const noexcept override { return !has_ended_; }

    void give_up() noexcept override;

    [[nodiscard]] bool is_host_thread() const noexcept override { return true; }

    handle& attach(int descriptor) override;
    handle& open_stream(const endpoint& peer, const stream_options& options) override;
    handle& open_listener(const endpoint& local, const listener_options& options) override;
    void configure(handle& connection, const stream_options& options) override;
    void release(handle& target, bool reset) noexcept override;
    endpoint local_endpoint(handle& target) override;
    endpoint peer_endpoint(handle& target) override;

    [[nodiscard]] int native_descriptor(handle&) const noexcept override { return -1; }

    [[nodiscard]] bool submit(op& operation) noexcept override;
    void cancel(op& operation) noexcept override;

    // Nothing is lent: streams receive into buffers of their own.
    void give_back(lent_buffer&) noexcept override {}

    [[nodiscard]] bool can_lend() const noexcept override { return false; }

    void turn(monotonic_time deadline) override;
    void arm(monotonic_time deadline) override;

    void hold(bool busy) override { busy_ = busy; }

    void wake() noexcept override;

    [[nodiscard]] monotonic_time now() noexcept override { return around_.now(); }

    [[nodiscard]] wall_time wall_now() noexcept override;

    [[nodiscard]] std::uint64_t random() noexcept override { return random_.next(); }

    void random_bytes(std::span<std::byte> out) override;

    [[nodiscard]] bool buggify(std::string_view site) override;

private:
    class sim_handle;
    class stream_handle;
    class listener_handle;

    /// The result now, or -EAGAIN: the op waits where it will be found.
    [[nodiscard]] int try_now(op& operation);
    [[nodiscard]] int begin_connect(connect_op& operation);
    void send_request(const std::weak_ptr<connection_end>& from, monotonic_time give_up);
    static void hear_request(world_core& all, const std::weak_ptr<connection_end>& from, node_number there);
    [[nodiscard]] int accept(listening& door, accept_op& operation);
    [[nodiscard]] bool is_here(const endpoint& address) const noexcept;
    [[nodiscard]] node_number node_of(const endpoint& address) const noexcept;
    void let_go_of(handle* target) noexcept;
    void close(handle& target) noexcept;
    /// True when it waited: nothing will complete it any more.
    [[nodiscard]] bool forget(op& operation) noexcept;
    [[nodiscard]] bool is_slow_now() const noexcept;
    /// What a side of a connection takes before it is read.
    [[nodiscard]] std::size_t holds(const stream_options& options) const noexcept;

    /// An op that has its result, and completes later.
    struct late_completion {
        op* operation;
        int result;
        std::uint64_t number;
    };

    void complete_late(op& operation, int result);

    world_core& around_;
    const node_number number_;
    machine& machine_;
    random_source random_;
    loop* loop_ = nullptr;
    bool busy_ = false;
    bool wake_is_due_ = false;
    bool has_ended_ = false;
    std::vector<late_completion> late_;
    std::uint64_t late_count_ = 0;
    /// Since the process ended: what never ends is a mistake of who wrote it.
    std::uint32_t last_turns_ = 0;
    monotonic_time armed_ = no_deadline;
    std::uint64_t arms_ = 0;
    // What is on its way when the driver goes must not find it.
    std::shared_ptr<sim_driver*> self_;
};

} // namespace phoenix::net::sim
