#include <phoenix/codec/messages.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/part_assembly.hpp>
#include <phoenix/replication/delta/transfer_source.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace phoenix::replication {

transfer_source::transfer_source(std::uint64_t id, const object_store& objects, std::uint64_t since,
                                 const transfer_mark& reached)
    : id_(id), since_(since), before_(reached), until_(objects.changes()), places_(objects.places()) {}

transfer_mark transfer_source::reached() const noexcept {
    return acked_place_ >= before_.place ? transfer_mark{acked_place_, until_} : before_;
}

bool transfer_source::find_next(const object_store& objects) {
    if (place_ < before_.place) {
        place_ = std::min(before_.place, objects.find_changed(place_, std::max(since_, before_.until)));
    }
    if (place_ >= before_.place) {
        place_ = std::min(places_, objects.find_changed(place_, since_));
    }
    return place_ < places_;
}

codec::frame transfer_source::next(const object_store& objects, const codec::limits& limits) {
    if (large_ != nullptr) {
        return next_part(limits);
    }
    codec::entries_writer writer(limits);
    crdt::byte_writer states;
    std::vector<picked> all;
    std::size_t key_bytes = 0;
    while (find_next(objects)) {
        const stored_object& object = objects.at(place_);
        const std::size_t begin = states.size();
        object.write_state(states);
        if (!writer.has_room(all.size() + 1, key_bytes + object.key().size(), states.size())) {
            if (all.empty()) {
                if (states.size() > limits.object_bytes_max) {
                    throw_error(errc::limit_exceeded, "sending object \"" + std::string(object.key()) +
                                                          "\": expected at most " +
                                                          std::to_string(limits.object_bytes_max) +
                                                          " bytes, found " + std::to_string(states.size()));
                }
                large_ = &object;
                large_bytes_ = std::move(states);
                large_sent_ = 0;
                ++place_;
                ++objects_;
                return next_part(limits);
            }
            break;
        }
        all.push_back({&object, begin, states.size()});
        key_bytes += object.key().size();
        ++place_;
        ++objects_;
    }
    if (all.empty()) {
        is_over_ = true;
        return codec::encode(codec::transfer_end{id_, messages_, objects_, until_}, limits);
    }
    std::ranges::sort(all, [](const picked& a, const picked& b) {
        return std::pair(a.object->type().id(), std::string_view(a.object->key())) <
               std::pair(b.object->type().id(), std::string_view(b.object->key()));
    });
    for (const picked& each : all) {
        writer.add(each.object->type().id(), key_bytes_of(each.object->key()),
                   states.bytes().subspan(each.begin, each.end - each.begin));
    }
    return count(writer.finish(id_, messages_));
}

codec::frame transfer_source::next_part(const codec::limits& limits) {
    const auto rest = large_bytes_.bytes().subspan(large_sent_);
    const auto part = rest.first(std::min(rest.size(), codec::part_bytes_max(large_->key().size(), limits)));
    codec::transfer_part made;
    made.transfer = id_;
    made.part = {large_->type().id(), key_bytes_of(large_->key()), large_sent_, large_bytes_.size(), part};
    made.sequence = messages_;
    codec::frame encoded = codec::encode(made, limits);
    large_sent_ += part.size();
    if (large_sent_ == large_bytes_.size()) {
        large_ = nullptr;
        large_bytes_ = {};
    }
    return count(std::move(encoded));
}

codec::frame transfer_source::count(codec::frame made) {
    ++messages_;
    unacked_.push_back({made.bytes().size(), large_ == nullptr ? place_ : place_ - 1});
    in_flight_ += made.bytes().size();
    return made;
}

bool transfer_source::acked(std::uint64_t messages) {
    bool any = false;
    while (acked_ < messages && !unacked_.empty()) {
        in_flight_ -= unacked_.front().bytes;
        acked_place_ = unacked_.front().place;
        unacked_.pop_front();
        ++acked_;
        any = true;
    }
    return any;
}

} // namespace phoenix::replication
