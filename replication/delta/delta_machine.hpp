// Delta synchronization of one node with its peers, as a pure state machine: no socket, no clock, no coroutine.
//
//   delta_machine sync(objects);
//   if (!sync.link_up(now, link, peer)) { ... }     // a session is authenticated
//   sync.receive(now, link, frame);                 // a frame that came on it
//   objects.edit<...>(...);                         // changes made here
//   const auto output = sync.tick(now);             // at the end of each turn, and when next_tick() has come:
//   for (const auto& [link, frame] : output.frames) { ... }        // goes out, in this order
//   for (const auto& [link, why] : output.failed) { ... }          // to be closed
//
// How it works. What changes here is joined into one batch of deltas until it leaves; it gets the next number of this
// replica then. Batches are named (origin, first..last), travel and are forwarded as they were encoded, and are joined where
// they follow without a gap, so what a node has is a version vector. Each is sent once on a link, never to who sent
// it or made it, and again only on a new link, from what the peer says it has. Peers report what they have joined;
// that alone moves the sender's window, and who counts as holding a write. A batch that its receiver is likely to get from
// elsewhere (it is linked to who made it, or to who sent it here) waits for the receiver's report. So every batch that
// reached one peer reaches all, also when its origin dies, and in a full mesh it travels about once to each.
//
// Batches are kept in a bounded log. A peer that needs one that is gone is told so, and asks one of those who told it for
// a state transfer (transfer_source.hpp). What comes in one may know more than the vector that is taken over with it, and
// one that breaks leaves states without any: should the batches behind them be lost with their last holder, nobody else
// would ever get them. So who received them publishes them as its own when they are not covered in time, and at once when
// its sender does not even say to have a batch that could cover them.
//
// A peer that knows the cluster's secret is believed. What breaks the protocol costs its link and no other; what gets past
// the checks stays within the bounds of delta_options, and as long as it speaks of its own batches alone, all others end with
// equal vectors. Equal states are promised while each batch number and each dot stands for one thing, and each peer has joined
// what it reports. Who gives one number to two batches, or brings in a transfer what is in none of the batches that it reports,
// can leave nodes apart for ever, and no check here finds it.
//
// Within one incarnation of a node nothing is forgotten; a node that starts takes a new one (crdt/replica.hpp). Sources: P. S.
// Almeida, A. Shoker, C. Baquero, Delta State Replicated Data Types (2018), the intervals of algorithm 2; V. Enes et al.,
// Efficient Synchronization of State-based CRDTs (2019), for what not to send. One thread, that of its store.
#pragma once

#include <phoenix/codec/frame.hpp>
#include <phoenix/codec/messages.hpp>
#include <phoenix/crdt/version_vector.hpp>
#include <phoenix/net/time.hpp>
#include <phoenix/replication/delta/batch_log.hpp>
#include <phoenix/replication/delta/change_log.hpp>
#include <phoenix/replication/delta/delta_link.hpp>
#include <phoenix/replication/delta/delta_options.hpp>
#include <phoenix/replication/delta/peer_table.hpp>
#include <phoenix/replication/delta/transfer_target.hpp>
#include <phoenix/replication/store/object_store.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace phoenix::replication {

/// What happened so far, each a count since the machine was made.
struct delta_counters {
    std::uint64_t batches_made = 0;
    std::uint64_t batches_joined = 0;
    /// Arrived although they were joined already.
    std::uint64_t batches_redundant = 0;
    std::uint64_t batches_sent = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t transfers_sent = 0;
    std::uint64_t transfers_joined = 0;
    /// Objects that came in transfers and were published again, since no batch that covers them came.
    std::uint64_t objects_published = 0;
    /// Timestamps too far ahead of this node's wall time to be folded into its clock.
    std::uint64_t stamps_refused = 0;
};

class delta_machine {
public:
    struct outgoing {
        link_id link;
        codec::frame frame;
    };

    struct failed_link {
        link_id link;
        std::string why;
    };

    /// What was changed here in an object, and is more than frames.object_bytes_max.
    struct too_large_change {
        const object_type* type;
        std::string key;
        std::size_t bytes;
    };

    struct output {
        std::vector<outgoing> frames;
        std::vector<failed_link> failed;
        /// Changes that no peer can be sent. They stay where they are, and are looked at again when the object changes.
        std::vector<too_large_change> too_large;
    };

    /// `objects` must outlive the machine, and it alone takes what is pending there. Throws errc::invalid_options.
    explicit delta_machine(object_store& objects, const delta_options& how = {});

    delta_machine(const delta_machine&) = delete;
    delta_machine& operator=(const delta_machine&) = delete;
    ~delta_machine();

    /// A link to a peer, over which the frames of each lane arrive in order until it goes down, and none of control after one
    /// of bulk that was sent later; there is no other to the same node. False when a later incarnation of that node is known:
    /// then there is no such link, and the connection is to be closed. Throws errc::limit_exceeded, and there is no link either,
    /// for one node too many and for an incarnation in the future. No more than `window_bytes` of batches is on its way there at
    /// once, nor than the options say.
    [[nodiscard]] bool link_up(net::monotonic_time now, link_id link, const crdt::replica_id& peer,
                               std::uint64_t window_bytes = ~std::uint64_t{0});

    /// What was on its way is lost. Nothing for a link that is not up.
    void link_down(net::monotonic_time now, link_id link);

    /// A frame of delta synchronization that arrived. Throws std::system_error when the peer broke the protocol, with a code
    /// of codec, crdt or replication: the link is to be closed and taken down then. What was joined until then stays; when the
    /// rest does not come in time, it is published as this node's own.
    void receive(net::monotonic_time now, link_id link, const codec::frame& frame);

    /// Says what is to be sent now, and which links are given up; those are still to be taken down. A peer that cannot be
    /// sent what it needs costs its own link alone; when memory ends, what was to be sent stays for the next tick.
    [[nodiscard]] output tick(net::monotonic_time now);

    /// When tick is to be called although nothing happens: no_deadline for never. What happens comes first: tick is also
    /// called after changes in the store and after each turn in which something was received.
    [[nodiscard]] net::monotonic_time next_tick() const noexcept { return next_tick_; }

    /// Closes the open batch, if there is one, and returns the number of the last: who has that has every change that was
    /// made here until now, but those too large for any peer (output::too_large).
    std::uint64_t seal(net::monotonic_time now);

    /// Goes on as a later life of this node, which nobody has heard of yet: what was written until now stays the earlier's.
    void begin_life(net::monotonic_time now, std::uint64_t incarnation);

    /// How many other nodes have joined this node's batches up to `number`, each in its latest incarnation.
    [[nodiscard]] std::size_t holders(std::uint64_t number) const noexcept;

    /// What this node has joined, its own batches among it.
    [[nodiscard]] const crdt::version_vector& has() const noexcept { return has_; }

    /// What is known of others.
    [[nodiscard]] const peer_table& peers() const noexcept { return peers_; }

    [[nodiscard]] const batch_log& log() const noexcept { return log_; }

    [[nodiscard]] const delta_options& options() const noexcept { return options_; }

    [[nodiscard]] const delta_counters& counters() const noexcept { return counters_; }

    [[nodiscard]] const std::map<link_id, delta_link>& links() const noexcept { return links_; }

    /// A transfer to this node is under way.
    [[nodiscard]] bool is_receiving_transfer() const noexcept { return incoming_.has_value(); }

    /// Another process has this node's id and a later incarnation: what is written here may never be heard of.
    [[nodiscard]] bool is_overtaken() const noexcept { return overtaken_; }

private:
    void advance(const crdt::replica_id& origin, std::uint64_t number);
    [[nodiscard]] std::vector<codec::vector_entry> untold(const delta_link& link) const;
    [[nodiscard]] delta_link* find_link(link_id link) noexcept;
    void send(const delta_link& link, codec::frame frame);
    void wake_at(net::monotonic_time when) noexcept;

    // --- Own batches.
    void seal_if_due(net::monotonic_time now);
    [[nodiscard]] bool is_own_under_way() const;
    [[nodiscard]] codec::batch_head next_head() const;
    void log_own(net::monotonic_time now, const codec::batch_head& head, std::vector<codec::frame> frames);
    void log_in_parts(net::monotonic_time now, const stored_object& object, std::span<const std::byte> delta);
    [[nodiscard]] std::vector<codec::vector_entry> news_for(const delta_link& link) const;

    // --- Batches of others.
    void take_batch(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_batch_part(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_batch_ack(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    [[nodiscard]] bool is_news(net::monotonic_time now, delta_link& link, const codec::batch_head& head);
    void joined(net::monotonic_time now, const delta_link& link, const codec::batch_head& head,
                std::vector<codec::frame> frames);
    void fold_in(const crdt::timestamp& latest);
    /// What a peer says that it or another has, `known` until now.
    void check_vector(const delta_link& link, const std::vector<codec::vector_entry>& has,
                      const crdt::version_vector& known);
    void check_room(const delta_link& link, std::size_t known, std::size_t news) const;
    void check_origin(const delta_link& link, const crdt::replica_id& origin, std::uint64_t number);
    void check_node(const crdt::replica_id& from, const crdt::replica_id& replica) const;
    void check_incarnation(const crdt::replica_id& from, const crdt::replica_id& replica) const;

    // --- Sending.
    void serve(net::monotonic_time now, delta_link& link);
    void send_batches(net::monotonic_time now, delta_link& link);
    void find_unsent(delta_link& link) const;
    [[nodiscard]] bool send_batches_of(net::monotonic_time now, delta_link& link,
                                       const crdt::replica_id& origin, std::uint64_t last);
    [[nodiscard]] net::monotonic_time may_leave(const delta_link& link, const crdt::replica_id& origin,
                                                const logged_batch& batch) const;
    void tell_behind(net::monotonic_time now, delta_link& link);
    void note_own_words(net::monotonic_time now, delta_link& link, const crdt::version_vector& has);

    // --- Reports.
    void take_report(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_relayed(net::monotonic_time now, delta_link& link, const crdt::replica_id& about,
                      const crdt::version_vector& has);
    void note_news(net::monotonic_time due) noexcept;
    void send_report(net::monotonic_time now, delta_link& link);

    void send_rows(delta_link& link, std::vector<codec::peer_report> rows);

    [[nodiscard]] bool has_open_batch() const noexcept { return objects_.pending() > 0; }

    // --- Transfers.
    void take_request(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_ack(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void break_off(const delta_link& link);
    void send_transfer(net::monotonic_time now, delta_link& link);
    void take_behind(delta_link& link, const codec::frame& frame);
    void request_transfer(net::monotonic_time now);
    void take_begin(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_objects(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_transfer_part(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_end(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    void take_cancel(net::monotonic_time now, delta_link& link, const codec::frame& frame);
    [[nodiscard]] transfer_target* incoming(const delta_link& link, std::uint64_t transfer) noexcept;
    void ack(net::monotonic_time now, const delta_link& link, std::uint64_t messages);
    void end_incoming(net::monotonic_time now);
    /// Where the places go of objects that the peer brings now, and that are new.
    [[nodiscard]] std::vector<std::size_t>& brought_by(const delta_link& link) noexcept;
    void publish_if_due(net::monotonic_time now);
    void publish_all(std::vector<std::size_t>& places);
    /// Unless it is covered by now.
    void publish_uncovered();
    void cover_by(const crdt::version_vector& has, net::monotonic_time now);

    object_store& objects_;
    delta_options options_;
    crdt::version_vector has_;
    change_log changes_;
    peer_table peers_;
    batch_log log_;
    /// Kept for its memory: a batch is as large as the one before.
    codec::entries_writer batch_writer_;
    /// What seal() writes each change to; kept for its memory.
    crdt::byte_writer delta_writer_;
    std::map<link_id, delta_link> links_;
    /// The nodes at the other ends, by id, and how often that changed.
    std::vector<std::uint64_t> neighbours_;
    std::uint64_t neighbours_revision_ = 0;
    /// When the first of the pending changes was seen.
    net::monotonic_time open_since_ = net::no_deadline;

    std::optional<transfer_target> incoming_;
    std::uint64_t transfers_asked_ = 0;

    /// What the last transfer of each node covered, to be named when the next is asked for.
    struct covered {
        crdt::replica_id source;
        std::uint64_t until = 0;
    };

    std::map<std::uint64_t, covered> covered_;

    /// How far a peer got in a transfer from here that broke.
    struct broken_off {
        crdt::replica_id peer;
        std::uint64_t since = 0;
        transfer_mark reached;
    };

    std::map<std::uint64_t, broken_off> broken_off_;
    /// Places of objects whose state came in transfers and may know more than this node's vector; until that has reached
    /// `uncovered_until_`, or for too long.
    std::vector<std::size_t> uncovered_;
    crdt::version_vector uncovered_until_;
    net::monotonic_time publish_due_ = net::no_deadline;
    /// Places of objects that came in transfers and were new, although everything is here that their sender says to have: no
    /// batch will cover them. Who keeps to the protocol sends no such.
    std::vector<std::size_t> unnumbered_;

    output output_;
    net::monotonic_time next_tick_ = net::no_deadline;
    delta_counters counters_;
    bool overtaken_ = false;
};

} // namespace phoenix::replication
