// Links, this node's own batches, and what is sent to whom and when. What arrives is in delta_receive.cpp, state transfers
// in delta_transfer.cpp.
#include <phoenix/config.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>
#include <phoenix/replication/delta/identity.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

namespace phoenix::replication {

namespace {

/// What the writer of changes may keep of its memory between batches.
constexpr std::size_t writer_kept_bytes = 1024UL * 1024;

/// How many entries of vectors one frame takes with certainty: 24 bytes each, and columns beside them.
[[nodiscard]] std::size_t entries_a_frame(const codec::limits& frames) noexcept {
    return std::min<std::size_t>({frames.vector_entries_max, frames.peers_max, frames.frame_bytes_max / 48});
}

/// What it has of the origins that changed after the first `told` changes.
[[nodiscard]] std::vector<codec::vector_entry> changed_since(const known_peer& known, std::uint64_t told) {
    const auto changed = known.changes.since(told);
    if (!changed) {
        return to_wire(known.has);
    }
    std::vector<codec::vector_entry> news;
    for (const crdt::replica_id& origin : *changed) {
        news.push_back({to_wire(origin), known.has.at(origin)});
    }
    return news;
}

} // namespace

delta_machine::delta_machine(object_store& objects, const delta_options& how)
    : objects_(objects), options_(how), log_(how.buffer_bytes_max, how.buffer_batches_max),
      batch_writer_(how.frames) {
    options_.validate();
    if (objects_.options().key_bytes_max > options_.frames.key_bytes_max) {
        throw_error(errc::invalid_options,
                    "delta_options: expected frames.key_bytes_max to be at least the store's, which is " +
                        std::to_string(objects_.options().key_bytes_max) + ", found " +
                        std::to_string(options_.frames.key_bytes_max));
    }
}

delta_machine::~delta_machine() = default;

delta_link* delta_machine::find_link(link_id link) noexcept {
    const auto found = links_.find(link);
    return found != links_.end() ? &found->second : nullptr;
}

bool delta_machine::link_up(net::monotonic_time now, link_id link, const crdt::replica_id& peer,
                            std::uint64_t window_bytes) {
    PHOENIX_ASSERT(peer.node != objects_.self().node, "a node has no link to itself");
    PHOENIX_ASSERT(!links_.contains(link), "each link has a name of its own");
    PHOENIX_ASSERT(!std::ranges::binary_search(neighbours_, peer.node),
                   "one link to each node: take the old one down first");
    check_node(peer, peer);
    if (peers_.meet(peer) == nullptr) {
        return false;
    }
    delta_link& made = links_[link];
    made.id = link;
    made.peer = peer;
    made.window_bytes_max = std::min<std::uint64_t>(window_bytes, options_.window_bytes);
    neighbours_.insert(std::ranges::upper_bound(neighbours_, peer.node), peer.node);
    ++neighbours_revision_;
    note_news(now);
    return true;
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
    break_off(found->second);
    links_.erase(found);
    std::erase_if(output_.frames, [&](const outgoing& each) { return each.link == link; });
    note_news(now);
}

void delta_machine::advance(const crdt::replica_id& origin, std::uint64_t number) {
    if (has_.at(origin) < number) {
        has_.advance(origin, number);
        changes_.note(origin);
    }
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
    publish_if_due(now);
    seal_if_due(now);
    request_transfer(now);
    for (auto& [id, link] : links_) {
        try {
            serve(now, link);
        } catch (const std::system_error& e) {
            output_.failed.push_back({id, e.what()});
        }
    }
    return std::exchange(output_, {});
}

void delta_machine::serve(net::monotonic_time now, delta_link& link) {
    if (peers_.find(link.peer.node)->replica != link.peer) {
        output_.failed.push_back({link.id, "a later process has this peer's id"});
        return;
    }
    if (link.has_reported) {
        send_batches(now, link);
        send_transfer(now, link);
    }
    if (link.parts_told != link.parts_taken) {
        link.parts_told = link.parts_taken;
        send(link, codec::encode(codec::batch_ack{link.parts_taken}, options_.frames));
    }
    if (link.report_due <= now || link.retell_due <= now) {
        send_report(now, link);
    }
    wake_at(std::min(link.report_due, link.retell_due));
    if (!link.window.empty() || link.transfer) {
        const net::monotonic_time stalled = net::later(link.progress, options_.stall_max);
        if (stalled <= now) {
            output_.failed.push_back({link.id, "nothing of what was sent was reported back in time"});
        } else {
            wake_at(stalled);
        }
    }
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
    const std::span<stored_object* const> all = objects_.sorted_pending();
    codec::entries_writer& writer = batch_writer_;
    writer.clear();
    // What is in no logged batch stays pending, whatever is thrown.
    std::size_t settled = 0;
    std::vector<const stored_object*> too_large;
    const auto settle_until = [&](std::size_t end) {
        for (; settled < end; ++settled) {
            if (std::ranges::find(too_large, all[settled]) == too_large.end()) {
                objects_.settle(*all[settled]);
            } else {
                objects_.set_aside(*all[settled]);
            }
        }
    };
    const auto finish = [&](std::size_t end) {
        const codec::batch_head head = next_head();
        log_own(now, head, {writer.finish(head)});
        writer.clear();
        settle_until(end);
    };
    crdt::byte_writer& delta = delta_writer_;
    try {
        for (std::size_t at = 0; at < all.size(); ++at) {
            const stored_object& object = *all[at];
            delta.clear();
            object.write_pending(delta);
            if (delta.size() > options_.frames.object_bytes_max) {
                // It costs itself alone: nobody would take it, and others wait behind it.
                too_large.push_back(&object);
                output_.too_large.push_back({&object.type(), std::string(object.key()), delta.size()});
                continue;
            }
            if (!writer.fits(object.key().size(), delta.size()) && !writer.empty()) {
                finish(at);
            }
            if (writer.fits(object.key().size(), delta.size())) {
                writer.add(object.type().id(), key_bytes_of(object.key()), delta.bytes());
            } else {
                log_in_parts(now, object, delta.bytes());
                settle_until(at + 1);
            }
        }
        if (!writer.empty()) {
            finish(all.size());
        }
        settle_until(all.size());
    } catch (...) {
        objects_.sweep_pending();
        throw;
    }
    objects_.sweep_pending();
    if (delta.capacity() > writer_kept_bytes) {
        delta_writer_ = {};
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
    // The number first: one that is used up for nothing costs a transfer, one that is used twice costs data.
    advance(objects_.self(), head.last);
    log_.append(objects_.self(), std::move(made));
    ++counters_.batches_made;
    // Nobody needs to be told: they are sent the batch.
    note_news(net::later(now, options_.report_interval));
}

// --- Sending.

void delta_machine::find_unsent(delta_link& link) const {
    if (link.unsent_as_of == changes_.count()) {
        return;
    }
    const auto changed = changes_.since(link.unsent_as_of);
    link.unsent_as_of = changes_.count();
    if (changed) {
        std::vector<crdt::replica_id> both;
        std::ranges::set_union(link.unsent, *changed, std::back_inserter(both));
        link.unsent = std::move(both);
    } else {
        link.unsent.clear();
        for (const auto& [origin, last] : has_) {
            link.unsent.push_back(origin);
        }
    }
}

void delta_machine::send_batches(net::monotonic_time now, delta_link& link) {
    find_unsent(link);
    // Two rounds: first the origins behind the one that had the window last, so that a busy one does not keep it.
    const crdt::replica_id served_last = link.served_last;
    bool goes_on = true;
    for (const bool is_behind : {true, false}) {
        for (const crdt::replica_id& origin : link.unsent) {
            if (goes_on && origin != link.peer && (served_last < origin) == is_behind) {
                goes_on = send_batches_of(now, link, origin, has_.at(origin));
            }
        }
    }
    std::erase_if(link.unsent, [&](const crdt::replica_id& origin) {
        return origin == link.peer || has_.at(origin) <= link.sent.at(origin);
    });
}

bool delta_machine::send_batches_of(net::monotonic_time now, delta_link& link, const crdt::replica_id& origin,
                                    std::uint64_t last) {
    std::uint64_t next = link.sent.at(origin) + 1;
    while (next <= last) {
        const logged_batch* const batch = log_.find(origin, next);
        if (batch == nullptr) {
            tell_behind(now, link);
            return true;
        }
        const net::monotonic_time leaves = may_leave(link, origin, *batch);
        if (leaves > now) {
            wake_at(leaves);
            return true;
        }
        if (!link.window.empty() && link.window.bytes() + batch->bytes > link.window_bytes_max) {
            return false;
        }
        if (link.window.empty()) {
            link.progress = now;
        }
        for (const codec::frame& each : batch->frames) {
            link.parts_sent += each.kind() == codec::frame_kind::batch_part ? 1 : 0;
            send(link, each);
        }
        link.window.sent(origin, batch->last, batch->bytes);
        link.sent.advance(origin, batch->last);
        link.served_last = origin;
        ++counters_.batches_sent;
        next = batch->last + 1;
    }
    return true;
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
    if (link.transfer) {
        // What the peer lacks after it is seen then.
        return;
    }
    if (link.behind_again > now) {
        wake_at(link.behind_again);
        return;
    }
    // Said again while it lasts: what the peer asked of another may have come to nothing.
    link.behind_again = net::later(now, options_.stall_max / 4);
    wake_at(link.behind_again);
    send(link, codec::encode(codec::behind{news_for(link), 0}, options_.frames));
}

std::vector<codec::vector_entry> delta_machine::news_for(const delta_link& link) const {
    std::vector<codec::vector_entry> news;
    for (const auto& [origin, number] : has_) {
        if (number > link.has.at(origin) && news.size() < entries_a_frame(options_.frames)) {
            news.push_back({to_wire(origin), number});
        }
    }
    return news;
}

void delta_machine::note_own_words(net::monotonic_time now, delta_link& link,
                                   const crdt::version_vector& has) {
    for (const auto& [origin, number] : has) {
        link.has.advance(origin, number);
        link.sent.advance(origin, number);
    }
    if (link.window.confirm(link.has)) {
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
        link.told_as_of = 0;
        link.told_of.clear();
        link.retell_due = net::later(now, options_.retell_interval);
    }
    link.report_due = net::no_deadline;
    std::vector<codec::peer_report> rows;
    codec::peer_report own;
    own.about = to_wire(objects_.self());
    own.batch_open = has_open_batch();
    own.has = untold(link);
    link.told_as_of = changes_.count();
    own.tells_neighbours = retell || link.told_neighbours != neighbours_revision_;
    if (own.tells_neighbours) {
        own.neighbours = neighbours_;
    }
    if (!own.has.empty() || own.tells_neighbours) {
        for (const codec::vector_entry& each : own.has) {
            link.told.advance(from_wire(each.origin), each.number);
        }
        link.told_neighbours = neighbours_revision_;
        rows.push_back(std::move(own));
    }
    // Those that the peer is linked to tell it themselves.
    const known_peer* const peer = peers_.find(link.peer.node);
    for (const auto& [node, known] : peers_.all()) {
        if (node == link.peer.node || peer->is_neighbour(node)) {
            continue;
        }
        std::uint64_t& told = link.told_of[node];
        if (told != known.changes.count()) {
            rows.push_back({to_wire(known.replica), false, changed_since(known, told), false, {}});
            told = known.changes.count();
        }
    }
    std::ranges::sort(rows, {}, &codec::peer_report::about);
    send_rows(link, std::move(rows));
}

std::vector<codec::vector_entry> delta_machine::untold(const delta_link& link) const {
    std::vector<codec::vector_entry> news;
    const auto add = [&](const crdt::replica_id& origin, std::uint64_t number) {
        if (number > link.told.at(origin)) {
            news.push_back({to_wire(origin), number});
        }
    };
    if (const auto changed = changes_.since(link.told_as_of)) {
        for (const crdt::replica_id& origin : *changed) {
            add(origin, has_.at(origin));
        }
    } else {
        for (const auto& [origin, number] : has_) {
            add(origin, number);
        }
    }
    return news;
}

void delta_machine::send_rows(delta_link& link, std::vector<codec::peer_report> rows) {
    const std::size_t room = entries_a_frame(options_.frames);
    const crdt::timestamp& latest = objects_.timestamps().last();
    codec::report message{{}, {latest.wall_us, latest.logical}};
    std::size_t used = 0;
    const auto flush = [&] {
        if (!message.peers.empty()) {
            send(link, codec::encode(message, options_.frames));
        }
        message.peers.clear();
        used = 0;
    };
    for (codec::peer_report& row : rows) {
        // A row costs about as much as two entries, and its neighbours one each at most.
        const std::size_t fixed = 2 + row.neighbours.size();
        if (used + fixed + row.has.size() > room) {
            flush();
        }
        // What a peer has may be told in pieces, as it only grows.
        while (fixed + row.has.size() > room && fixed < room) {
            codec::peer_report piece = row;
            piece.tells_neighbours = false;
            piece.neighbours.clear();
            const auto end = row.has.begin() + static_cast<std::ptrdiff_t>(room - fixed);
            piece.has.assign(row.has.begin(), end);
            row.has.erase(row.has.begin(), end);
            message.peers.push_back(std::move(piece));
            flush();
        }
        used += fixed + row.has.size();
        message.peers.push_back(std::move(row));
    }
    flush();
}

void delta_machine::begin_life(net::monotonic_time now, std::uint64_t incarnation) {
    seal(now);
    objects_.set_self({objects_.self().node, incarnation});
}

// --- What is known.

std::size_t delta_machine::holders(std::uint64_t number) const noexcept {
    return peers_.holders(objects_.self(), number);
}

} // namespace phoenix::replication
