// Links, this node's own batches, and what is sent to whom and when. What arrives is in delta_receive.cpp, state transfers
// in delta_transfer.cpp.
#include <phoenix/config.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>
#include <phoenix/replication/delta/identity.hpp>

#include <algorithm>
#include <utility>

namespace phoenix::replication {

delta_machine::delta_machine(object_store& objects, const delta_options& how)
    : objects_(objects), options_(how), log_(how.buffer_bytes_max, how.buffer_batches_max) {
    options_.validate();
}

delta_machine::~delta_machine() = default;

delta_link* delta_machine::find_link(link_id link) noexcept {
    const auto found = links_.find(link);
    return found != links_.end() ? &found->second : nullptr;
}

void delta_machine::link_up(net::monotonic_time now, link_id link, const crdt::replica_id& peer) {
    PHOENIX_ASSERT(peer.node != objects_.self().node, "a node has no link to itself");
    const known_peer* const known = peers_.meet(peer);
    PHOENIX_ASSERT(known != nullptr, "a process that was overtaken is refused by the session");
    PHOENIX_ASSERT(!links_.contains(link), "each link has a name of its own");
    PHOENIX_ASSERT(!std::ranges::binary_search(neighbours_, peer.node),
                   "one link to each node: take the old one down first");
    delta_link& made = links_[link];
    made.id = link;
    made.peer = peer;
    neighbours_.insert(std::ranges::upper_bound(neighbours_, peer.node), peer.node);
    ++neighbours_revision_;
    note_news(now);
}

void delta_machine::link_down(net::monotonic_time now, link_id link) {
    const auto found = links_.find(link);
    if (found == links_.end()) {
        return;
    }
    std::erase(neighbours_, found->second.peer.node);
    ++neighbours_revision_;
    if (incoming_ && incoming_->from() == link) {
        end_incoming(now);
    }
    links_.erase(found);
    std::erase_if(output_.frames, [&](const outgoing& each) { return each.link == link; });
    note_news(now);
}

void delta_machine::send(const delta_link& link, codec::frame frame) {
    counters_.bytes_sent += frame.bytes().size();
    output_.frames.push_back({link.id, std::move(frame)});
}

void delta_machine::wake_at(net::monotonic_time when) noexcept {
    next_tick_ = std::min(next_tick_, when);
}

delta_machine::output delta_machine::tick(net::monotonic_time now) {
    next_tick_ = net::no_deadline;
    publish_uncovered(now);
    seal_if_due(now);
    request_transfer(now);
    for (auto& [id, link] : links_) {
        if (peers_.find(link.peer.node)->replica != link.peer) {
            output_.failed.push_back({id, "a later process has this peer's id"});
            continue;
        }
        if (link.has_reported) {
            send_batches(now, link);
            send_transfer(now, link);
        }
        if (link.report_due <= now || link.retell_due <= now) {
            send_report(now, link);
        }
        wake_at(std::min(link.report_due, link.retell_due));
        if (!link.window.empty() || link.transfer) {
            const net::monotonic_time stalled = net::later(link.progress, options_.stall_max);
            if (stalled <= now) {
                output_.failed.push_back({id, "nothing of what was sent was reported back in time"});
            } else {
                wake_at(stalled);
            }
        }
    }
    return std::exchange(output_, {});
}

// --- Own batches.

void delta_machine::seal_if_due(net::monotonic_time now) {
    if (!has_open_batch()) {
        open_since_ = net::no_deadline;
        return;
    }
    if (open_since_ == net::no_deadline) {
        open_since_ = now;
    }
    const net::monotonic_time due = net::later(open_since_, options_.batch_interval_max);
    if (due <= now || objects_.pending() >= options_.batch_objects_max || !is_own_under_way()) {
        seal(now);
    } else {
        wake_at(due);
    }
}

bool delta_machine::is_own_under_way() const {
    // Without anybody to send to, changes gather as if a batch were under way.
    return links_.empty() || std::ranges::any_of(links_, [&](const auto& each) {
               return each.second.window.has_any_of(objects_.self());
           });
}

codec::batch_head delta_machine::next_head() const {
    const std::uint64_t number = has_.at(objects_.self()) + 1;
    const crdt::timestamp& latest = objects_.timestamps().last();
    return {to_wire(objects_.self()), number, number, {latest.wall_us, latest.logical}};
}

std::uint64_t delta_machine::seal(net::monotonic_time now) {
    codec::entries_writer writer(options_.frames);
    const auto finish = [&] {
        const codec::batch_head head = next_head();
        log_own(now, head, {writer.finish(head)});
        writer.clear();
    };
    objects_.take_pending([&](const stored_object& object, std::span<const std::byte> delta) {
        if (!writer.fits(object.key().size(), delta.size()) && !writer.empty()) {
            finish();
        }
        if (writer.fits(object.key().size(), delta.size())) {
            writer.add(object.type().id(), key_bytes_of(object.key()), delta);
        } else {
            log_in_parts(now, object, delta);
        }
    });
    if (!writer.empty()) {
        finish();
    }
    open_since_ = net::no_deadline;
    return has_.at(objects_.self());
}

void delta_machine::log_in_parts(net::monotonic_time now, const stored_object& object,
                                 std::span<const std::byte> delta) {
    const codec::batch_head head = next_head();
    const std::size_t part_max = codec::part_bytes_max(object.key().size(), options_.frames);
    std::vector<codec::frame> frames;
    for (std::size_t offset = 0; offset < delta.size(); offset += part_max) {
        const auto bytes = delta.subspan(offset, std::min(part_max, delta.size() - offset));
        codec::batch_part part;
        part.head = head;
        part.part = {object.type().id(), key_bytes_of(object.key()), offset, delta.size(), bytes};
        frames.push_back(codec::encode(part, options_.frames));
    }
    log_own(now, head, std::move(frames));
}

void delta_machine::log_own(net::monotonic_time now, const codec::batch_head& head,
                            std::vector<codec::frame> frames) {
    logged_batch made{head.first, head.last, std::move(frames), 0, now, objects_.self().node};
    for (const codec::frame& each : made.frames) {
        made.bytes += each.bytes().size();
    }
    log_.append(objects_.self(), std::move(made));
    has_.advance(objects_.self(), head.last);
    ++counters_.batches_made;
    // Nobody needs to be told: they are sent the batch.
    note_news(net::later(now, options_.report_interval));
}

// --- Sending.

void delta_machine::send_batches(net::monotonic_time now, delta_link& link) {
    for (const auto& [origin, last] : has_) {
        if (origin == link.peer) {
            continue;
        }
        std::uint64_t next = link.sent.at(origin) + 1;
        while (next <= last) {
            const logged_batch* const batch = log_.find(origin, next);
            if (batch == nullptr) {
                tell_behind(now, link);
                break;
            }
            const net::monotonic_time leaves = may_leave(link, origin, *batch);
            if (leaves > now) {
                wake_at(leaves);
                break;
            }
            if (!link.window.empty() && link.window.bytes() + batch->bytes > options_.window_bytes) {
                return;
            }
            if (link.window.empty()) {
                link.progress = now;
            }
            for (const codec::frame& each : batch->frames) {
                send(link, each);
            }
            link.window.sent(origin, batch->last, batch->bytes);
            link.sent.advance(origin, batch->last);
            ++counters_.batches_sent;
            next = batch->last + 1;
        }
    }
}

net::monotonic_time delta_machine::may_leave(const delta_link& link, const crdt::replica_id& origin,
                                             const logged_batch& batch) const {
    if (batch.from_node == objects_.self().node) {
        return batch.arrived;
    }
    const known_peer* const peer = peers_.find(link.peer.node);
    const bool comes_anyway = peer->is_neighbour(origin.node) || peer->is_neighbour(batch.from_node);
    return comes_anyway ? net::later(batch.arrived, options_.forward_delay) : batch.arrived;
}

void delta_machine::tell_behind(net::monotonic_time now, delta_link& link) {
    if (link.transfer && !link.transfer->is_over()) {
        return;
    }
    if (link.behind_again > now) {
        wake_at(link.behind_again);
        return;
    }
    // Said again while it lasts: what the peer asked of another may have come to nothing.
    link.behind_again = net::later(now, options_.stall_max / 4);
    wake_at(link.behind_again);
    send(link, codec::encode(codec::behind{to_wire(has_), 0}, options_.frames));
}

void delta_machine::note_progress(net::monotonic_time now, delta_link& link) {
    const known_peer* const peer = peers_.find(link.peer.node);
    if (peer->replica != link.peer) {
        return;
    }
    link.sent.merge(peer->has);
    if (link.window.confirm(peer->has)) {
        link.progress = now;
    }
}

// --- Reports.

void delta_machine::note_news(net::monotonic_time due) noexcept {
    for (auto& [id, link] : links_) {
        link.report_due = std::min(link.report_due, due);
    }
}

void delta_machine::send_report(net::monotonic_time now, delta_link& link) {
    const bool retell = link.retell_due <= now;
    if (retell) {
        link.told = {};
        link.told_of.clear();
        link.retell_due = net::later(now, options_.retell_interval);
    }
    link.report_due = net::no_deadline;
    codec::report message;
    codec::peer_report own;
    own.about = to_wire(objects_.self());
    own.batch_open = has_open_batch();
    for (const auto& [origin, number] : has_) {
        if (number > link.told.at(origin)) {
            own.has.push_back({to_wire(origin), number});
        }
    }
    if (retell || link.told_neighbours != neighbours_revision_) {
        own.tells_neighbours = true;
        own.neighbours = neighbours_;
    }
    if (!own.has.empty() || own.tells_neighbours || own.batch_open != link.told_open) {
        link.told.merge(has_);
        link.told_open = own.batch_open;
        link.told_neighbours = neighbours_revision_;
        message.peers.push_back(std::move(own));
    }
    // Those that the peer is linked to tell it themselves.
    const known_peer* const peer = peers_.find(link.peer.node);
    for (const auto& [node, known] : peers_.all()) {
        if (node == link.peer.node || peer->is_neighbour(node)) {
            continue;
        }
        std::uint64_t& told = link.told_of[node];
        if (told != known.revision) {
            told = known.revision;
            message.peers.push_back({to_wire(known.replica),
                                     known.settles_with > known.has.at(known.replica),
                                     to_wire(known.has),
                                     false,
                                     {}});
        }
    }
    if (!message.peers.empty()) {
        std::ranges::sort(message.peers, {}, &codec::peer_report::about);
        send(link, codec::encode(message, options_.frames));
    }
}

// --- What is known.

std::size_t delta_machine::holders(std::uint64_t number) const noexcept {
    return peers_.holders(objects_.self(), number);
}

} // namespace phoenix::replication
