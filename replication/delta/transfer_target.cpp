#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/identity.hpp>
#include <phoenix/replication/delta/transfer_target.hpp>

#include <string>
#include <utility>

namespace phoenix::replication {

void transfer_target::begin(const codec::transfer_begin& message) {
    if (has_begun_) {
        throw_error(errc::protocol_violation, "receiving a transfer: it began twice");
    }
    has_begun_ = true;
    has_ = from_wire(message.has);
    latest_ = {message.latest.wall_us, message.latest.logical};
}

void transfer_target::expect_begun() const {
    if (!has_begun_) {
        throw_error(errc::protocol_violation, "receiving a transfer: expected its begin, found an object");
    }
}

void transfer_target::expect_next(std::uint64_t sequence) const {
    expect_begun();
    if (sequence != messages_) {
        throw_error(errc::protocol_violation, "receiving a transfer: expected frame " +
                                                  std::to_string(messages_) + ", found frame " +
                                                  std::to_string(sequence));
    }
}

void transfer_target::join(object_store& objects, std::uint64_t type, std::string_view key,
                           std::span<const std::byte> state, std::vector<std::size_t>& changed) {
    if (const auto place = objects.join_state(type, key, state)) {
        changed.push_back(*place);
    }
    ++objects_;
}

std::uint64_t transfer_target::take(const codec::transfer_objects_view& message, object_store& objects,
                                    std::vector<std::size_t>& changed) {
    expect_next(message.sequence());
    if (!part_.empty()) {
        throw_error(errc::protocol_violation,
                    "receiving a transfer: expected the next part of an object, found others");
    }
    for (const codec::entry& each : message.entries()) {
        join(objects, each.type, key_text(each.key), each.delta, changed);
    }
    return ++messages_;
}

std::uint64_t transfer_target::take(const codec::transfer_part& message, object_store& objects,
                                    std::size_t bytes_max, std::vector<std::size_t>& changed) {
    expect_next(message.sequence);
    if (part_.take(message.part, bytes_max)) {
        const part_assembly whole = std::exchange(part_, {});
        join(objects, whole.type(), whole.key(), whole.bytes(), changed);
    }
    return ++messages_;
}

const crdt::version_vector& transfer_target::finish(const codec::transfer_end& message) const {
    expect_begun();
    if (message.messages != messages_ || message.objects != objects_ || !part_.empty()) {
        throw_error(errc::protocol_violation,
                    "receiving a transfer: expected its end after " + std::to_string(messages_) +
                        " frames and " + std::to_string(objects_) + " objects, found one for " +
                        std::to_string(message.messages) + " and " + std::to_string(message.objects));
    }
    return has_;
}

} // namespace phoenix::replication
