// The part of the delta machine that takes what arrives.
#include <phoenix/codec/messages.hpp>
#include <phoenix/config.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>
#include <phoenix/replication/delta/identity.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::replication {

namespace {

/// Nobody gets there by counting, and what is added to it does not wrap.
constexpr std::uint64_t number_max = std::uint64_t{1} << 62;

std::string to_text(const crdt::replica_id& replica) {
    return std::to_string(replica.node) + "/" + std::to_string(replica.incarnation);
}

} // namespace

void delta_machine::receive(net::monotonic_time now, link_id id, const codec::frame& frame) {
    delta_link* const link = find_link(id);
    PHOENIX_ASSERT(link != nullptr, "frames are received on links that are up");
    switch (frame.kind()) {
    case codec::frame_kind::batch:
        return take_batch(now, *link, frame);
    case codec::frame_kind::batch_part:
        return take_batch_part(now, *link, frame);
    case codec::frame_kind::batch_ack:
        return take_batch_ack(now, *link, frame);
    case codec::frame_kind::report:
        return take_report(now, *link, frame);
    case codec::frame_kind::behind:
        return take_behind(*link, frame);
    case codec::frame_kind::transfer_request:
        return take_request(now, *link, frame);
    case codec::frame_kind::transfer_begin:
        return take_begin(now, *link, frame);
    case codec::frame_kind::transfer_objects:
        return take_objects(now, *link, frame);
    case codec::frame_kind::transfer_part:
        return take_transfer_part(now, *link, frame);
    case codec::frame_kind::transfer_ack:
        return take_ack(now, *link, frame);
    case codec::frame_kind::transfer_end:
        return take_end(now, *link, frame);
    case codec::frame_kind::transfer_cancel:
        return take_cancel(now, *link, frame);
    case codec::frame_kind::hello:
    case codec::frame_kind::proof:
    case codec::frame_kind::welcome:
    case codec::frame_kind::bye:
    case codec::frame_kind::ping:
    case codec::frame_kind::pong:
        break;
    }
    throw_error(errc::protocol_violation, "expected a frame of delta synchronization, found " +
                                              std::string(codec::to_text(frame.kind())));
}

// --- Batches of others.

void delta_machine::take_batch(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    if (link.parts) {
        throw_error(errc::protocol_violation, "expected the next part of a batch, found another batch");
    }
    const auto batch = codec::batch_view::read(frame.payload(), options_.frames);
    if (!is_news(now, link, batch.head())) {
        return;
    }
    // Before the entries: what is written here from now on is later than what they hold.
    fold_in({batch.head().latest.wall_us, batch.head().latest.logical});
    std::vector<std::size_t> touched;
    try {
        for (const codec::entry& each : batch.entries()) {
            touched.push_back(objects_.join(each.type, key_text(each.key), each.delta));
        }
    } catch (...) {
        // Those are joined, and are in no number that this node has.
        uncovered_.insert(uncovered_.end(), touched.begin(), touched.end());
        crdt::version_vector whole;
        whole.advance(from_wire(batch.head().origin), batch.head().last);
        cover_by(whole, now);
        throw;
    }
    joined(now, link, batch.head(), {frame});
}

void delta_machine::take_batch_part(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::batch_part>(frame.payload(), options_.frames);
    ++link.parts_taken;
    if (!link.parts) {
        if (message.part.offset != 0) {
            throw_error(errc::protocol_violation, "expected the first part of a batch, found one from byte " +
                                                      std::to_string(message.part.offset));
        }
        const bool news = is_news(now, link, message.head);
        link.parts.emplace();
        link.parts->head = message.head;
        link.parts->is_news = news;
    } else if (link.parts->head != message.head) {
        throw_error(errc::protocol_violation,
                    "expected the next part of a batch, found one of another batch");
    }
    if (!link.parts->is_news) {
        if (message.part.offset + message.part.bytes.size() == message.part.total) {
            link.parts.reset();
        }
        return;
    }
    link.parts->frames.push_back(frame);
    if (!link.parts->object.take(message.part, options_.frames.object_bytes_max)) {
        return;
    }
    incoming_parts whole = *std::exchange(link.parts, std::nullopt);
    // Another peer may have brought it meanwhile.
    if (!is_news(now, link, whole.head)) {
        return;
    }
    fold_in({whole.head.latest.wall_us, whole.head.latest.logical});
    objects_.join(whole.object.type(), whole.object.key(), whole.object.bytes());
    joined(now, link, whole.head, std::move(whole.frames));
}

void delta_machine::take_batch_ack(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::batch_ack>(frame.payload(), options_.frames);
    if (message.parts > link.parts_sent) {
        throw_error(errc::protocol_violation, "expected word of at most " + std::to_string(link.parts_sent) +
                                                  " parts of batches, found " +
                                                  std::to_string(message.parts));
    }
    if (message.parts > link.parts_acked) {
        link.parts_acked = message.parts;
        link.progress = now;
    }
}

bool delta_machine::is_news(net::monotonic_time now, delta_link& link, const codec::batch_head& head) {
    const crdt::replica_id origin = from_wire(head.origin);
    check_origin(link, origin, head.last);
    // It passes on what it has itself, and nothing before what comes first.
    crdt::version_vector has;
    has.advance(origin, head.last);
    if (peers_.note(link.peer, origin, head.last)) {
        note_news(net::later(now, options_.report_interval));
    }
    note_own_words(now, link, has);
    link.report_due = now;
    const std::uint64_t had = has_.at(origin);
    check_room(link, has_.size(), had == 0 ? 1 : 0);
    if (head.last <= had) {
        ++counters_.batches_redundant;
        return false;
    }
    if (head.first > had + 1) {
        throw_error(errc::protocol_violation, "joining a batch of " + to_text(origin) + ": expected number " +
                                                  std::to_string(had + 1) + ", found " +
                                                  std::to_string(head.first));
    }
    return true;
}

void delta_machine::joined(net::monotonic_time now, const delta_link& link, const codec::batch_head& head,
                           std::vector<codec::frame> frames) {
    logged_batch made{head.first, head.last, std::move(frames), 0, now, link.peer.node};
    for (const codec::frame& each : made.frames) {
        made.bytes += each.bytes().size();
    }
    const crdt::replica_id origin = from_wire(head.origin);
    advance(origin, head.last);
    log_.append(origin, std::move(made));
    ++counters_.batches_joined;
    note_news(net::later(now, options_.report_interval));
    // Who made it learns at once that it was joined, as does who sent it: writers may wait for that.
    for (auto& [id, other] : links_) {
        if (other.peer == origin) {
            other.report_due = now;
        }
    }
}

void delta_machine::fold_in(const crdt::timestamp& latest) {
    if (latest <= objects_.timestamps().last()) {
        return;
    }
    if (objects_.timestamps().accepts(latest, objects_.wall_time())) {
        objects_.timestamps().receive(latest, objects_.wall_time());
    } else {
        ++counters_.stamps_refused;
    }
}

void delta_machine::check_vector(const delta_link& link, const std::vector<codec::vector_entry>& has,
                                 const crdt::version_vector& known) {
    std::size_t news = 0;
    for (const codec::vector_entry& each : has) {
        const crdt::replica_id origin = from_wire(each.origin);
        check_origin(link, origin, each.number);
        news += known.at(origin) == 0 ? 1 : 0;
    }
    check_room(link, known.size(), news);
}

void delta_machine::check_room(const delta_link& link, std::size_t known, std::size_t news) const {
    if (news > 0 && known + news > options_.origins_max) {
        throw_error(errc::limit_exceeded, to_text(link.peer) + " told of batches of " + std::to_string(news) +
                                              " more processes beside " + std::to_string(known) +
                                              ": expected at most " + std::to_string(options_.origins_max) +
                                              " in all (origins_max)");
    }
}

void delta_machine::check_origin(const delta_link& link, const crdt::replica_id& origin,
                                 std::uint64_t number) {
    const crdt::replica_id& self = objects_.self();
    check_incarnation(link.peer, origin);
    if (number > number_max) {
        throw_error(errc::protocol_violation, to_text(link.peer) + " told of batch " +
                                                  std::to_string(number) + " of " + to_text(origin) +
                                                  ": expected at most " + std::to_string(number_max));
    }
    if (origin.node == self.node && origin.incarnation > self.incarnation) {
        overtaken_ = true;
    }
    if (origin == self && number > has_.at(self)) {
        overtaken_ = true;
        throw_error(errc::overtaken, to_text(link.peer) + " told of batch " + std::to_string(number) +
                                         " of this node, which has made " + std::to_string(has_.at(self)) +
                                         ": another process runs with its id and incarnation");
    }
}

void delta_machine::check_node(const crdt::replica_id& from, const crdt::replica_id& replica) const {
    check_incarnation(from, replica);
    if (peers_.find(replica.node) == nullptr && peers_.all().size() >= options_.nodes_max) {
        throw_error(errc::limit_exceeded, to_text(from) + " told of node " + std::to_string(replica.node) +
                                              ": expected at most " + std::to_string(options_.nodes_max) +
                                              " other nodes (nodes_max)");
    }
}

void delta_machine::check_incarnation(const crdt::replica_id& from, const crdt::replica_id& replica) const {
    const auto ahead =
        std::chrono::duration_cast<std::chrono::microseconds>(options_.incarnation_ahead_max).count();
    const std::uint64_t latest = objects_.wall_time() + static_cast<std::uint64_t>(ahead);
    // Before the store was told the time, nothing lies in the future.
    if (objects_.wall_time() > 0 && replica.incarnation > latest) {
        throw_error(errc::protocol_violation,
                    to_text(from) + " told of " + to_text(replica) +
                        ", which lies in the future: expected an incarnation of at most " +
                        std::to_string(latest) + " now: set the clock of node " +
                        std::to_string(replica.node) + " and start it again");
    }
}

// --- Reports.

void delta_machine::take_report(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::report>(frame.payload(), options_.frames);
    for (const codec::peer_report& each : message.peers) {
        const crdt::replica_id about = from_wire(each.about);
        const known_peer* const known = peers_.find(about.node);
        check_vector(link, each.has,
                     known != nullptr && known->replica == about ? known->has : crdt::version_vector());
    }
    // Objects of a transfer follow the report that covers them: what is written here on what they show is later.
    fold_in({message.latest.wall_us, message.latest.logical});
    for (const codec::peer_report& each : message.peers) {
        const crdt::replica_id about = from_wire(each.about);
        const crdt::version_vector has = from_wire(each.has);
        if (about == link.peer) {
            link.has_reported = true;
            note_own_words(now, link, has);
            known_peer* const known = peers_.meet(about);
            if (known == nullptr) {
                // A later process has its id: the next tick gives the link up.
                continue;
            }
            if (each.tells_neighbours && known->neighbours != each.neighbours) {
                known->neighbours = each.neighbours;
                note_news(net::later(now, options_.report_interval));
            }
            if (peers_.note(about, has)) {
                note_news(net::later(now, options_.report_interval));
            }
        } else if (about.node == objects_.self().node) {
            check_origin(link, about, 0);
        } else if (about.node != link.peer.node) {
            take_relayed(now, link, about, has);
        }
    }
}

void delta_machine::take_relayed(net::monotonic_time now, delta_link& link, const crdt::replica_id& about,
                                 const crdt::version_vector& has) {
    check_node(link.peer, about);
    const known_peer* const known = peers_.find(about.node);
    if (known != nullptr && known->replica == about && std::ranges::binary_search(neighbours_, about.node)) {
        // It tells that itself, and knows better.
        return;
    }
    std::uint64_t& told = link.told_of[about.node];
    const bool peer_knew_all = told == (known != nullptr ? known->changes.count() : 0);
    if (!peers_.note(about, has)) {
        return;
    }
    if (peer_knew_all) {
        // What it said is all that is new: it is not told its own words.
        told = peers_.find(about.node)->changes.count();
    }
    note_news(net::later(now, options_.report_interval));
}

} // namespace phoenix::replication
