#include <phoenix/codec/session_messages.hpp>
#include <phoenix/config.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/with_scope.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/node.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace phoenix::replication {

namespace {

constexpr std::string_view component = "replication.node";

[[nodiscard]] link_id link_of(const session& talk) noexcept {
    return link_id{static_cast<std::uint64_t>(talk.id())};
}

[[nodiscard]] std::uint64_t wall_us(net::loop& of) noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(of.wall_now().time_since_epoch()).count());
}

/// The incarnation is the time of the start: above those of all starts before, as long as the clock does not go back.
[[nodiscard]] crdt::replica_id begin_life(net::loop& owner, const node_options& how) {
    how.validate();
    return {how.id, how.incarnation != 0 ? how.incarnation : wall_us(owner)};
}

/// Set as long as it lives.
class running_mark {
public:
    explicit running_mark(bool& mark) noexcept : mark_(mark) { mark_ = true; }

    running_mark(const running_mark&) = delete;
    running_mark& operator=(const running_mark&) = delete;

    ~running_mark() { mark_ = false; }

private:
    bool& mark_;
};

[[nodiscard]] handshake_options handshake_of(const node_options& how, const type_registry& types,
                                             const crdt::replica_id& self) {
    handshake_options made;
    made.self = self;
    made.cluster = how.cluster;
    made.secret = how.secret;
    made.clock_skew_max = how.clock_skew_max;
    for (const auto& each : types.all()) {
        made.types.push_back({each->name(), each->fingerprint()});
    }
    std::ranges::sort(made.types, {}, &codec::type_entry::name);
    made.window_bytes = how.delta.window_bytes;
    made.frames = how.delta.frames;
    made.software = how.software;
    return made;
}

} // namespace

void node_options::validate() const {
    if (id == 0) {
        throw_error(errc::invalid_options, "node_options: expected id to be from 1 on, found 0");
    }
    handshake_of(*this, type_registry(), {id, 1}).validate();
    session.validate();
    delta.validate();
}

node::node(net::loop& owner, type_registry types, const node_options& how)
    : loop_(owner), cluster_(how.cluster), types_(std::move(types)),
      store_(types_, begin_life(owner, how), how.store), delta_(store_, how.delta),
      mesh_(owner, handshake_of(how, types_, store_.self()), how.session, *this), next_tick_(owner, work_) {
    // Time stands still within a turn, so that a turn's writes cost one look at the clock.
    store_.set_wall_clock([this, read_at = net::monotonic_time::min(), read = std::uint64_t{0}]() mutable {
        if (const net::monotonic_time now = loop_.now(); now != read_at) {
            read_at = now;
            read = wall_us(loop_);
        }
        return read;
    });
    for (const std::string& each : how.peers) {
        mesh_.dial(each);
    }
    if (how.listen) {
        mesh_.listen(*how.listen);
    }
    store_.set_observer(this);
}

node::~node() {
    PHOENIX_ASSERT(!is_running_,
                   "a node is destroyed after its run() has ended: stop the loop and let it run until then");
    store_.set_observer(nullptr);
}

net::task<> node::run() {
    PHOENIX_ASSERT(!is_running_, "a node runs once: run() is under way already");
    const running_mark mark(is_running_);
    co_await net::with_scope(&node::serve, this);
}

net::task<> node::serve(net::scope& children, node* self) {
    children.spawn(self->synchronize());
    co_await self->mesh_.run();
    co_await children.join();
}

net::task<> node::synchronize() {
    for (;;) {
        co_await work_.wait();
        work_.reset();
        tick();
    }
}

void node::tick() {
    changes_.deliver([this](const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& e) {
            loop_.log(net::log_level::error, component, "callback",
                      std::string("a subscriber's callback failed: ") + e.what());
        } catch (...) {
            loop_.log(net::log_level::error, component, "callback",
                      "a subscriber's callback failed: something that is not a std::exception");
        }
    });
    delta_machine::output out = delta_.tick(loop_.now());
    for (delta_machine::outgoing& each : out.frames) {
        if (const auto found = links_.find(each.link); found != links_.end()) {
            found->second->send(std::move(each.frame));
        }
    }
    for (const delta_machine::too_large_change& each : out.too_large) {
        loop_.log(net::log_level::error, component, "too large",
                  "what was changed in " + each.type->name() + " \"" + each.key + "\" is " +
                      std::to_string(each.bytes) + " bytes: expected at most " +
                      std::to_string(delta_.options().frames.object_bytes_max) +
                      " (delta.frames.object_bytes_max); no peer hears of it");
    }
    for (const delta_machine::failed_link& each : out.failed) {
        if (const auto found = links_.find(each.link); found != links_.end()) {
            mesh_.close(*found->second, farewell::too_slow, each.why);
        }
    }
    next_tick_.set(delta_.next_tick());
    ticked_.set();
    ticked_.reset();
}

// --- Writes and who holds them.

write_mark node::mark() {
    const write_mark made{store_.self(), delta_.seal(loop_.now())};
    work_.set();
    return made;
}

std::size_t node::holders(const write_mark& mark) const noexcept {
    return delta_.peers().holders(mark.origin, mark.number);
}

net::task<> node::until_held(write_mark mark, std::size_t nodes) {
    while (holders(mark) < nodes) {
        co_await ticked_.wait();
    }
}

net::task<std::size_t> node::wait_for_holders(write_mark mark, std::size_t nodes, net::nanoseconds at_most) {
    if (holders(mark) < nodes) {
        try {
            co_await net::with_deadline(until_held(mark, nodes), at_most);
        } catch (const std::system_error& e) {
            if (e.code() != net::errc::timed_out) {
                throw;
            }
        }
    }
    co_return holders(mark);
}

// --- What the mesh tells.

void node::received(session& from, const codec::received_frame& frame) {
    try {
        delta_.receive(loop_.now(), link_of(from), frame.share());
    } catch (...) {
        delta_.link_down(loop_.now(), link_of(from));
        work_.set();
        if (delta_.is_overtaken()) {
            stop_writing(0);
        }
        throw;
    }
    work_.set();
    if (delta_.is_overtaken()) {
        stop_writing(0);
    }
}

std::uint64_t node::highest_incarnation(std::uint64_t node) const {
    std::uint64_t highest = 0;
    if (const known_peer* const known = delta_.peers().find(node)) {
        highest = known->replica.incarnation;
    }
    // Others may have passed on the batches of a life that never was linked here.
    for (const auto& [origin, number] : delta_.has()) {
        if (origin.node == node) {
            highest = std::max(highest, origin.incarnation);
        }
    }
    return highest;
}

bool node::session_up(session& added) {
    const link_id link = link_of(added);
    if (!delta_.link_up(loop_.now(), link, added.peer().replica, added.peer().window_bytes)) {
        return false;
    }
    links_.emplace(link, &added);
    was_linked_ = true;
    work_.set();
    return true;
}

void node::session_down(session& gone) noexcept {
    links_.erase(link_of(gone));
    delta_.link_down(loop_.now(), link_of(gone));
    work_.set();
}

void node::overtaken(std::uint64_t highest) {
    if (was_linked_ || is_overtaken()) {
        stop_writing(highest);
        return;
    }
    // A start with a clock that was set back: nobody has heard of this life, so another takes over what it wrote.
    delta_.begin_life(loop_.now(), std::max(highest + 1, wall_us(loop_)));
    mesh_.set_self(store_.self());
    loop_.log(net::log_level::warning, component, "new-life",
              "node " + std::to_string(self().node) + " was known in incarnation " + std::to_string(highest) +
                  ": the clock may have been set back; this is incarnation " +
                  std::to_string(self().incarnation) + " now");
}

void node::stop_writing(std::uint64_t later) {
    if (is_overtaken()) {
        return;
    }
    store_.freeze();
    loop_.log(net::log_level::error, component, "overtaken",
              "another process runs as node " + std::to_string(self().node) +
                  (later != 0 ? ", since " + std::to_string(later) + " (microseconds since 1970)" : "") +
                  ": this one writes no more; give each process an id of its own");
}

// --- What the store tells.

void node::changed_here(const stored_object& object) noexcept {
    note_change(object, true);
}

void node::changed_elsewhere(const stored_object& object) noexcept {
    note_change(object, false);
}

void node::note_change(const stored_object& object, bool here) noexcept {
    work_.set();
    try {
        changes_.note(object, here);
    } catch (const std::bad_alloc&) {
        loop_.log(net::log_level::error, component, "feed", "out of memory: subscribers miss changes");
    }
}

// --- Status.

node_status node::status() const {
    node_status now;
    now.self = store_.self();
    now.cluster = cluster_;
    now.driver = loop_.driver_name();
    now.listens = mesh_.local_endpoint();
    now.is_overtaken = is_overtaken();
    now.objects = store_.size();
    now.pending_objects = store_.pending();
    now.has = delta_.has();
    for (const auto& [id, link] : delta_.links()) {
        const auto found = links_.find(id);
        if (found == links_.end()) {
            continue;
        }
        const session& talk = *found->second;
        link_status one;
        one.peer = link.peer;
        one.software = talk.peer().software;
        one.address = talk.address();
        one.dialled = talk.side() == handshake::side::dialer;
        one.round_trip = talk.round_trip();
        one.received_bytes = talk.connection().received_bytes();
        one.sent_bytes = talk.connection().sent_bytes();
        one.queued_bytes = talk.queued_bytes();
        one.window_bytes = link.window.bytes();
        one.sends_transfer = link.transfer.has_value();
        now.links.push_back(std::move(one));
    }
    std::ranges::sort(now.links, {}, &link_status::peer);
    for (const auto& [id, known] : delta_.peers().all()) {
        peer_status one;
        one.replica = known.replica;
        one.is_linked = mesh_.find(id) != nullptr;
        one.is_cut = mesh_.is_cut(id);
        for (const auto& [origin, number] : delta_.has()) {
            // What is its own it has.
            if (origin != known.replica) {
                one.batches_behind += number - std::min(number, known.has.at(origin));
            }
        }
        one.has = known.has;
        now.peers.push_back(std::move(one));
    }
    now.buffered_bytes = delta_.log().bytes();
    now.buffered_batches = delta_.log().batches();
    now.evicted_batches = delta_.log().evicted();
    now.receives_transfer = delta_.is_receiving_transfer();
    now.delta = delta_.counters();
    now.sessions = mesh_.counters();
    return now;
}

} // namespace phoenix::replication
