#include <phoenix/net/core/frame_pool.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sim/sim_driver.hpp>
#include <phoenix/net/socket_options.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>

namespace phoenix::net::sim {

namespace {

/// What a turn of a loop takes: time goes on though nothing waits for it.
constexpr nanoseconds turn_time = std::chrono::microseconds(1);
/// Up to so much later an operation completes that could complete at once.
constexpr std::uint64_t late_ns_max = 20'000;
/// The same of what a slow process reads.
constexpr std::uint64_t very_late_ns_max = 5'000'000;
/// When the world begins: 2020-09-13T12:26:40Z.
constexpr wall_time first_wall_time{std::chrono::seconds(1'600'000'000)};
/// How often a loop turns at most after its process has ended.
constexpr std::uint32_t last_turns_max = 100'000;
/// What a slow process reads at once.
constexpr std::size_t slow_bytes = 64;

} // namespace

class sim_driver::sim_handle : public handle, public detail::pooled {
public:
    const bool is_listener;
    /// What is not sent yet is dropped when it closes.
    bool resets = false;

protected:
    explicit sim_handle(bool is_listener) noexcept : is_listener(is_listener) {}

    ~sim_handle() = default;
};

class sim_driver::stream_handle final : public sim_handle {
public:
    explicit stream_handle(std::shared_ptr<connection_end> end) noexcept
        : sim_handle(false), end(std::move(end)) {}

    const std::shared_ptr<connection_end> end;
};

class sim_driver::listener_handle final : public sim_handle {
public:
    listener_handle(const endpoint& local, std::size_t backlog, std::size_t holds) noexcept
        : sim_handle(true), local(local), door(backlog, holds) {}

    const endpoint local;
    listening door;
};

sim_driver::sim_driver(world_core& around, node_number number)
    : around_(around), number_(number), machine_(around.at_machine(number)), random_(around.random().next()),
      self_(std::make_shared<sim_driver*>(this)) {
    machine_.process = this;
}

sim_driver::~sim_driver() {
    *self_ = nullptr;
    machine_.process = nullptr;
}

const driver_capabilities& sim_driver::capabilities() const noexcept {
    static constexpr driver_capabilities all{.name = "sim", .hosted = true};
    return all;
}

endpoint sim_driver::address_of(node_number number, std::uint16_t port) noexcept {
    return endpoint::tcp_v4({10, static_cast<std::uint8_t>(number >> 16),
                             static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)},
                            port);
}

wall_time sim_driver::wall_now() noexcept {
    return first_wall_time + around_.now().time_since_epoch() + machine_.clock_offset;
}

bool sim_driver::buggify(std::string_view site) {
    return around_.buggify(site);
}

void sim_driver::random_bytes(std::span<std::byte> out) {
    for (std::byte& each : out) {
        each = static_cast<std::byte>(random_.next() >> 56);
    }
}

// --- Time and turns.

void sim_driver::run() {
    loop_->poll();
}

void sim_driver::wake() noexcept {
    if (wake_is_due_) {
        return;
    }
    wake_is_due_ = true;
    around_.at(around_.now() + turn_time, [self = self_] {
        if (sim_driver* const here = *self) {
            here->wake_is_due_ = false;
            here->around_.touch(here->number_);
        }
    });
}

void sim_driver::arm(monotonic_time deadline) {
    if (deadline == no_deadline) {
        armed_ = no_deadline;
        ++arms_;
        return;
    }
    if (deadline >= armed_) {
        return;
    }
    armed_ = deadline;
    // Not now, though it be due: who looks at the time again and again must see it go on.
    around_.at(std::max(deadline, around_.now() + turn_time), [self = self_, arm = ++arms_] {
        if (sim_driver* const here = *self; here != nullptr && here->arms_ == arm) {
            here->armed_ = no_deadline;
            here->around_.touch(here->number_);
        }
    });
}

void sim_driver::turn(monotonic_time deadline) {
    if (has_ended_) {
        // Nothing that it waits for comes any more.
        ++last_turns_;
        PHOENIX_ASSERT(last_turns_ < last_turns_max, "a simulated process that was ended does not end");
        return;
    }
    // Not later than a turn takes: what polls again and again must see time go on.
    const bool polls = deadline <= around_.now();
    const bool any = around_.step_until(polls ? around_.now() + turn_time : deadline);
    PHOENIX_ASSERT(any || deadline != no_deadline, "a simulated loop waits for what never comes");
}

// --- Sockets.

bool sim_driver::is_here(const endpoint& address) const noexcept {
    const std::uint16_t port = address.port();
    return address == endpoint::loopback_v4(port) || address == endpoint::loopback_v6(port) ||
           address == endpoint::any_v4(port) || address == endpoint::any_v6(port) ||
           address == address_of(number_, port);
}

node_number sim_driver::node_of(const endpoint& address) const noexcept {
    if (is_here(address)) {
        return number_;
    }
    if (address.family() != address_family::v4) {
        return 0;
    }
    const auto* const native = reinterpret_cast<const sockaddr_in*>(address.data());
    const std::uint32_t bytes = ntohl(native->sin_addr.s_addr);
    return bytes >> 24 == 10 ? bytes & 0xff'ffff : 0;
}

handle& sim_driver::attach(int) {
    throw_error(errc::not_supported, "attach a descriptor: a simulated node has none");
}

handle& sim_driver::open_stream(const endpoint& peer, const stream_options& options) {
    if (!peer.is_tcp()) {
        throw_error(errc::not_supported,
                    "open a stream to " + peer.to_string() + ": simulated nodes speak TCP alone");
    }
    const std::uint16_t port = around_.outgoing_port(number_);
    const bool is_local = is_here(peer) && peer != address_of(number_, peer.port());
    const endpoint local = !is_local                             ? address_of(number_, port)
                           : peer.family() == address_family::v6 ? endpoint::loopback_v6(port)
                                                                 : endpoint::loopback_v4(port);
    return *new stream_handle(std::make_shared<connection_end>(*this, local, peer, holds(options)));
}

handle& sim_driver::open_listener(const endpoint& local, const listener_options& options) {
    if (!local.is_tcp()) {
        throw_error(errc::not_supported,
                    "listen at " + local.to_string() + ": simulated nodes speak TCP alone");
    }
    if (!is_here(local)) {
        throw_error(make_error(EADDRNOTAVAIL), "bind " + local.to_string());
    }
    const std::uint16_t port = around_.take_port(number_, local.family(), local.port());
    if (port == 0) {
        throw_error(make_error(EADDRINUSE), "bind " + local.to_string());
    }
    auto* const made = new listener_handle(local.with_port(port), static_cast<std::size_t>(options.backlog),
                                           holds(options.accepted));
    around_.listen({number_, local.family(), port}, made->door);
    return *made;
}

void sim_driver::configure(handle&, const stream_options&) {}

std::size_t sim_driver::holds(const stream_options& options) const noexcept {
    return options.receive_buffer_bytes != 0 ? 2 * options.receive_buffer_bytes
                                             : around_.how().connection_bytes;
}

std::shared_ptr<connection_end> sim_driver::arrive(const endpoint& to, const endpoint& from, bool& was_full) {
    listening* const door = around_.listener_at({number_, to.family(), to.port()});
    was_full = door != nullptr && door->is_full();
    if (door == nullptr || was_full) {
        return nullptr;
    }
    auto made = std::make_shared<connection_end>(*this, to, from, door->holds);
    door->arrived.push_back(made);
    if (door->accepting != nullptr) {
        accept_op& waiting = *std::exchange(door->accepting, nullptr);
        complete(waiting, accept(*door, waiting));
    }
    return made;
}

int sim_driver::accept(listening& door, accept_op& operation) {
    if (door.arrived.empty()) {
        return -EAGAIN;
    }
    operation.accepted = new stream_handle(std::move(door.arrived.front()));
    door.arrived.pop_front();
    return 0;
}

int sim_driver::begin_connect(connect_op& operation) {
    const std::shared_ptr<connection_end>& end = static_cast<stream_handle&>(*operation.target).end;
    if (node_of(end->remote) == 0) {
        return -ENETUNREACH;
    }
    end->connecting = &operation;
    send_request(end, around_.now() + around_.how().connect_timeout);
    return -EAGAIN;
}

void sim_driver::send_request(const std::weak_ptr<connection_end>& from, monotonic_time give_up) {
    const std::shared_ptr<connection_end> end = from.lock();
    if (end == nullptr || end->connecting == nullptr) {
        return;
    }
    const node_number there = node_of(end->remote);
    world_core& all = around_;
    // What a cut swallows is asked again; what a clog holds up is as good as that.
    if (all.link_between(number_, there).is_open()) {
        all.at(all.due_over(number_, there, 0), [&all, from, there] { hear_request(all, from, there); });
    }
    // Nobody may have heard it.
    const monotonic_time again = all.now() + all.how().connect_retry;
    all.at(std::min(again, give_up), [self = self_, from, give_up, is_last = again >= give_up] {
        sim_driver* const here = *self;
        const std::shared_ptr<connection_end> waiting = from.lock();
        if (here == nullptr || waiting == nullptr || waiting->was_heard()) {
            return;
        }
        if (is_last) {
            waiting->fail(-ETIMEDOUT);
        } else {
            here->send_request(from, give_up);
        }
    });
}

void sim_driver::hear_request(world_core& all, const std::weak_ptr<connection_end>& from, node_number there) {
    const std::shared_ptr<connection_end> client = from.lock();
    if (client == nullptr || client->was_heard() || !all.at_machine(there).has_power ||
        all.at_machine(there).starts == 0) {
        return;
    }
    const node_number here = client->owner().number();
    if (!all.link_between(here, there).is_open() || !all.link_between(there, here).is_open()) {
        return;
    }
    bool was_full = false;
    std::shared_ptr<connection_end> server;
    if (sim_driver* const host = all.find(there)) {
        server = host->arrive(client->remote, client->local, was_full);
    }
    if (server != nullptr) {
        connection_end::join(*client, *server);
        server->answer_request();
    } else if (!was_full) {
        all.at(all.due_over(there, here, 0), [from] {
            if (const auto refused = from.lock()) {
                refused->fail(-ECONNREFUSED);
            }
        });
    }
}

endpoint sim_driver::local_endpoint(handle& target) {
    auto& of = static_cast<sim_handle&>(target);
    return of.is_listener ? static_cast<listener_handle&>(of).local
                          : static_cast<stream_handle&>(of).end->local;
}

endpoint sim_driver::peer_endpoint(handle& target) {
    return static_cast<stream_handle&>(target).end->remote;
}

void sim_driver::release(handle& target, bool reset) noexcept {
    target.released = true;
    static_cast<sim_handle&>(target).resets = reset;
    if (target.in_flight == 0) {
        close(target);
    }
}

void sim_driver::close(handle& target) noexcept {
    auto& closing = static_cast<sim_handle&>(target);
    if (closing.is_listener) {
        auto& listener = static_cast<listener_handle&>(closing);
        around_.stop_listening({number_, listener.local.family(), listener.local.port()});
        for (const auto& each : listener.door.arrived) {
            each->release(true);
        }
        delete &listener;
        return;
    }
    auto& stream = static_cast<stream_handle&>(closing);
    stream.end->release(stream.resets);
    delete &stream;
}

void sim_driver::let_go_of(handle* target) noexcept {
    if (target != nullptr && --target->in_flight == 0 && target->released) {
        close(*target);
    }
}

// --- Operations.

bool sim_driver::is_slow_now() const noexcept {
    return machine_.slow_until > around_.now();
}

std::size_t sim_driver::part_of(std::size_t most) {
    if (is_slow_now()) {
        return std::min(most, slow_bytes);
    }
    return most > 1 && random_.chance(around_.how().short_rate) ? random_.between(1, most) : most;
}

int sim_driver::try_now(op& operation) {
    switch (operation.kind) {
    case op_kind::recv: {
        auto& receiving = static_cast<recv_op&>(operation);
        connection_end& end = *static_cast<stream_handle&>(*operation.target).end;
        const int result = end.receive(receiving.buffer);
        if (result == -EAGAIN) {
            end.receiving = &receiving;
        }
        return result;
    }
    case op_kind::send: {
        auto& sending = static_cast<send_op&>(operation);
        connection_end& end = *static_cast<stream_handle&>(*operation.target).end;
        const int result = end.send(sending.pieces);
        if (result == -EAGAIN && !sending.eager) {
            end.sending = &sending;
        }
        return result;
    }
    case op_kind::shutdown:
        return static_cast<stream_handle&>(*operation.target).end->end_sending();
    case op_kind::connect:
        return begin_connect(static_cast<connect_op&>(operation));
    case op_kind::accept: {
        auto& accepting = static_cast<accept_op&>(operation);
        listening& door = static_cast<listener_handle&>(*operation.target).door;
        const int result = accept(door, accepting);
        if (result == -EAGAIN) {
            door.accepting = &accepting;
        }
        return result;
    }
    case op_kind::resolve: {
        auto& asked = static_cast<resolve_op&>(operation);
        const std::string host(asked.host);
        if (host == "localhost") {
            asked.endpoints.push_back(endpoint::loopback_v4(asked.port));
            return 0;
        }
        const std::string port = std::to_string(asked.port);
        for (const std::string& text : {host + ":" + port, "[" + host + "]:" + port}) {
            if (const auto found = endpoint::try_parse(text)) {
                asked.endpoints.push_back(*found);
                return 0;
            }
        }
        return EAI_NONAME;
    }
    default:
        return -EOPNOTSUPP;
    }
}

bool sim_driver::submit(op& operation) noexcept {
    if (has_ended_) {
        operation.result = -ECANCELED;
        operation.state = op_state::done;
        return true;
    }
    const bool is_eager = operation.kind == op_kind::send && static_cast<send_op&>(operation).eager;
    const int result = try_now(operation);
    const bool waits = result == -EAGAIN && !is_eager;
    const bool is_slow = operation.kind == op_kind::recv && is_slow_now();
    if (!waits && !is_slow && !random_.chance(around_.how().late_rate)) {
        operation.result = result;
        operation.state = op_state::done;
        return true;
    }
    operation.state = op_state::in_flight;
    if (operation.target != nullptr) {
        ++operation.target->in_flight;
    }
    if (!waits) {
        complete_late(operation, result);
    }
    return false;
}

void sim_driver::complete_late(op& operation, int result) {
    late_.push_back({&operation, result, ++late_count_});
    const std::uint64_t most = is_slow_now() ? very_late_ns_max : late_ns_max;
    const nanoseconds late(random_.between(1, most));
    around_.at(around_.now() + late, [self = self_, number = late_count_] {
        sim_driver* const here = *self;
        if (here == nullptr) {
            return;
        }
        const auto found = std::ranges::find(here->late_, number, &late_completion::number);
        if (found != here->late_.end()) {
            const late_completion due = *found;
            here->late_.erase(found);
            here->complete(*due.operation, due.result);
        }
    });
}

void sim_driver::give_up() noexcept {
    // Time does not go on for a process that has ended: what has its result has it now, cancelled before or not.
    for (const late_completion& each : std::exchange(late_, {})) {
        complete(*each.operation, each.result);
    }
}

void sim_driver::complete_receive(recv_op& operation, int result) {
    if (is_slow_now()) {
        complete_late(operation, result);
    } else {
        complete(operation, result);
    }
}

void sim_driver::complete(op& operation, int result) {
    operation.result = result;
    handle* const target = operation.target;
    loop_->complete(operation);
    let_go_of(target);
    around_.trace(static_cast<std::uint64_t>(operation.kind) << 32 | static_cast<std::uint32_t>(result));
    around_.touch(number_);
}

bool sim_driver::forget(op& operation) noexcept {
    const auto take = [&operation](auto*& waiting) {
        if (waiting != &operation) {
            return false;
        }
        waiting = nullptr;
        return true;
    };
    if (operation.target == nullptr) {
        return false;
    }
    auto& of = static_cast<sim_handle&>(*operation.target);
    if (of.is_listener) {
        return take(static_cast<listener_handle&>(of).door.accepting);
    }
    connection_end& end = *static_cast<stream_handle&>(of).end;
    return take(end.receiving) || take(end.sending) || take(end.connecting);
}

void sim_driver::cancel(op& operation) noexcept {
    if (!operation.is_cancellable()) {
        return;
    }
    if (!forget(operation)) {
        // It has its result, which is on its way.
        operation.state = op_state::cancelling;
        return;
    }
    handle* const target = operation.target;
    loop_->complete_cancelled(operation);
    let_go_of(target);
}

} // namespace phoenix::net::sim
