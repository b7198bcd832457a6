// The part of the delta machine that runs state transfers.
#include <phoenix/codec/messages.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>
#include <phoenix/replication/delta/identity.hpp>

#include <algorithm>
#include <cstdint>

namespace phoenix::replication {

// --- To a peer.

void delta_machine::take_request(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::transfer_request>(frame.payload(), options_.frames);
    if (link.transfer && link.transfer->id() == message.transfer) {
        return;
    }
    if (link.transfer && !link.transfer->is_over()) {
        throw_error(errc::protocol_violation, "expected one transfer at a time, found a request for another");
    }
    const bool is_known =
        from_wire(message.since_of) == objects_.self() && message.since <= objects_.changes();
    const std::uint64_t since = is_known ? message.since : 0;
    const auto broken = broken_off_.find(link.peer.node);
    // What it had before counts only if this one begins where that one did.
    const bool goes_on =
        broken != broken_off_.end() && broken->second.peer == link.peer && broken->second.since == since;
    link.transfer.emplace(message.transfer, objects_, since,
                          goes_on ? broken->second.reached : transfer_mark());
    link.transfer_since = since;
    link.progress = now;
    const crdt::timestamp& latest = objects_.timestamps().last();
    ++counters_.transfers_sent;
    // Before the first object: what is captured here is in what follows.
    const codec::transfer_begin begin{
        message.transfer, news_for(link), {latest.wall_us, latest.logical}, objects_.size()};
    link.transfer_brings = from_wire(begin.has);
    send(link, codec::encode(begin, options_.frames));
}

void delta_machine::break_off(const delta_link& link) {
    if (link.transfer) {
        broken_off_[link.peer.node] = {link.peer, link.transfer_since, link.transfer->reached()};
    }
}

void delta_machine::send_transfer(net::monotonic_time now, delta_link& link) {
    if (!link.transfer) {
        return;
    }
    if (!link.transfer->is_over() && link.transfer->in_flight() < options_.transfer_window_bytes) {
        // The peer is to know which batches cover what it gets: so all of it is in one, what came here without a number
        // too, and it hears of that first.
        publish_uncovered();
        if (has_open_batch()) {
            seal(now);
            // Links that were served before this one have something to be sent.
            wake_at(now);
        }
        if (!has_.leq(link.told)) {
            send_report(now, link);
        }
    }
    while (!link.transfer->is_over() && link.transfer->in_flight() < options_.transfer_window_bytes) {
        send(link, link.transfer->next(objects_, options_.frames));
    }
    if (link.transfer->is_over() && link.transfer_brings.leq(link.has)) {
        link.transfer.reset();
        broken_off_.erase(link.peer.node);
        // What follows may be gone again.
        link.behind_again = {};
        wake_at(now);
    }
}

void delta_machine::take_ack(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::transfer_ack>(frame.payload(), options_.frames);
    if (link.transfer && link.transfer->id() == message.transfer && link.transfer->acked(message.messages)) {
        link.progress = now;
    }
}

// --- From a peer.

void delta_machine::take_behind(delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::behind>(frame.payload(), options_.frames);
    check_vector(link, message.has, has_);
    link.ahead = from_wire(message.has);
}

void delta_machine::request_transfer(net::monotonic_time now) {
    if (incoming_) {
        const net::monotonic_time stalled = net::later(incoming_->progress, options_.stall_max);
        if (stalled > now) {
            wake_at(stalled);
            return;
        }
        delta_link* const link = find_link(incoming_->from());
        send(*link,
             codec::encode(codec::transfer_cancel{incoming_->id(), "nothing came in time"}, options_.frames));
        // It says again that it is ahead; until then others are asked.
        link->ahead = {};
        end_incoming(now);
    }
    for (auto& [id, link] : links_) {
        if (link.ahead.leq(has_)) {
            continue;
        }
        const auto known = covered_.find(link.peer.node);
        const bool is_same = known != covered_.end() && known->second.source == link.peer;
        incoming_.emplace(++transfers_asked_, id, now);
        send(link, codec::encode(codec::transfer_request{transfers_asked_, to_wire(link.peer),
                                                         is_same ? known->second.until : 0},
                                 options_.frames));
        wake_at(net::later(now, options_.stall_max));
        return;
    }
}

transfer_target* delta_machine::incoming(const delta_link& link, std::uint64_t transfer) noexcept {
    return incoming_ && incoming_->from() == link.id && incoming_->id() == transfer ? &*incoming_ : nullptr;
}

void delta_machine::ack(net::monotonic_time now, const delta_link& link, std::uint64_t messages) {
    incoming_->progress = now;
    send(link, codec::encode(codec::transfer_ack{incoming_->id(), messages}, options_.frames));
}

void delta_machine::take_begin(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::transfer_begin>(frame.payload(), options_.frames);
    if (transfer_target* const target = incoming(link, message.transfer)) {
        check_vector(link, message.has, has_);
        target->begin(message);
        target->progress = now;
        fold_in(target->latest());
    }
}

void delta_machine::take_objects(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::transfer_objects_view::read(frame.payload(), options_.frames);
    if (transfer_target* const target = incoming(link, message.transfer())) {
        ack(now, link, target->take(message, objects_, brought_by(link)));
    }
}

void delta_machine::take_transfer_part(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::transfer_part>(frame.payload(), options_.frames);
    if (transfer_target* const target = incoming(link, message.transfer)) {
        ack(now, link, target->take(message, objects_, options_.frames.object_bytes_max, brought_by(link)));
    }
}

void delta_machine::take_end(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::transfer_end>(frame.payload(), options_.frames);
    transfer_target* const target = incoming(link, message.transfer);
    if (target == nullptr) {
        return;
    }
    for (const auto& [origin, number] : target->finish(message)) {
        advance(origin, number);
    }
    link.ahead = {};
    covered_[link.peer.node] = {link.peer, message.since};
    end_incoming(now);
    ++counters_.transfers_joined;
    note_news(now);
}

void delta_machine::take_cancel(net::monotonic_time now, delta_link& link, const codec::frame& frame) {
    const auto message = codec::decode<codec::transfer_cancel>(frame.payload(), options_.frames);
    if (link.transfer && link.transfer->id() == message.transfer) {
        break_off(link);
        link.transfer.reset();
        link.progress = now;
    }
    if (incoming(link, message.transfer) != nullptr) {
        link.ahead = {};
        end_incoming(now);
    }
}

void delta_machine::end_incoming(net::monotonic_time now) {
    const delta_link& link = links_.at(incoming_->from());
    // It told what it has before each frame: that covers what has come.
    cover_by(link.has, now);
    incoming_.reset();
}

void delta_machine::cover_by(const crdt::version_vector& has, net::monotonic_time now) {
    uncovered_until_.merge(has);
    if (publish_due_ == net::no_deadline) {
        publish_due_ = net::later(now, 3 * options_.stall_max);
    }
}

std::vector<std::size_t>& delta_machine::brought_by(const delta_link& link) noexcept {
    return link.has.leq(has_) ? unnumbered_ : uncovered_;
}

void delta_machine::publish_if_due(net::monotonic_time now) {
    publish_all(unnumbered_);
    if (incoming_ || publish_due_ == net::no_deadline) {
        return;
    }
    if (uncovered_until_.leq(has_)) {
        publish_uncovered();
        return;
    }
    const bool is_coming =
        std::ranges::any_of(links_, [&](const auto& each) { return uncovered_until_.leq(each.second.has); });
    if (is_coming && publish_due_ <= now) {
        publish_due_ = net::later(now, options_.stall_max);
    }
    if (publish_due_ > now) {
        wake_at(publish_due_);
        return;
    }
    publish_uncovered();
}

void delta_machine::publish_uncovered() {
    const bool is_covered = !incoming_ && uncovered_until_.leq(has_);
    if (!is_covered) {
        publish_all(uncovered_);
    }
    uncovered_.clear();
    uncovered_until_ = {};
    publish_due_ = net::no_deadline;
}

void delta_machine::publish_all(std::vector<std::size_t>& places) {
    std::ranges::sort(places);
    places.erase(std::ranges::unique(places).begin(), places.end());
    for (const std::size_t place : places) {
        objects_.publish(place);
    }
    counters_.objects_published += places.size();
    places.clear();
}

} // namespace phoenix::replication
