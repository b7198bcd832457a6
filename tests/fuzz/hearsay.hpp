// What a peer said of objects outside batches that were taken: in a transfer, or in a batch that was refused halfway.
//
// A delta machine believes that batches bring it to everybody, once it has all those that the peer says to have, and
// publishes it as its own when they do not come. Who lies can send batches of those numbers that hold something else: what
// it said then reaches nobody else, and no check finds it. That is what `believed` gives: it alone may be missing elsewhere.
#pragma once

#include <phoenix/codec/batch.hpp>
#include <phoenix/codec/limits.hpp>
#include <phoenix/codec/messages.hpp>
#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/version_vector.hpp>
#include <phoenix/replication/delta/identity.hpp>
#include <phoenix/replication/delta/part_assembly.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace phoenix::replication::testing {

class hearsay {
public:
    explicit hearsay(const codec::limits& bounds) : bounds_(bounds) {}

    /// The transfer whose frames count from now on; 0 for none.
    void asked(std::uint64_t transfer) {
        asked_ = transfer;
        part_ = {};
    }

    /// A frame of a transfer, after the machine has looked at it. Before it came, the peer had told of `told`, and not all of
    /// that was here: otherwise the machine believes nothing.
    void in_transfer(const codec::frame& frame, const crdt::version_vector& told, bool is_believed) {
        try {
            if (frame.kind() == codec::frame_kind::transfer_objects) {
                const auto message = codec::transfer_objects_view::read(frame.payload(), bounds_);
                if (message.transfer() == asked_ && is_believed) {
                    note(message.entries(), told);
                }
                return;
            }
            const auto message = codec::decode<codec::transfer_part>(frame.payload(), bounds_);
            if (message.transfer == asked_ && part_.take(message.part, bounds_.object_bytes_max)) {
                if (is_believed) {
                    said_.push_back({told, part_.type(), part_.key(), {}});
                    said_.back().bytes.assign(part_.bytes().begin(), part_.bytes().end());
                }
                part_ = {};
            }
        } catch (const std::system_error&) {
            // It was refused, and its link is gone.
        }
    }

    /// A batch that was refused after some of its entries were joined.
    void in_broken(const codec::frame& frame) {
        const auto batch = codec::batch_view::read(frame.payload(), bounds_);
        crdt::version_vector told;
        told.advance(from_wire(batch.head().origin), batch.head().last);
        note(batch.entries(), told);
    }

    /// What of it all, in one object, a node that has joined `has` takes for covered.
    template <class T>
    [[nodiscard]] T believed(std::uint64_t type, std::string_view key,
                             const crdt::version_vector& has) const {
        T all;
        for (const piece& each : said_) {
            if (each.type == type && each.key == key && each.told.leq(has)) {
                try {
                    all.join(crdt::decode<T>(each.bytes));
                } catch (const std::system_error&) {
                    // It was not joined either.
                }
            }
        }
        return all;
    }

private:
    struct piece {
        crdt::version_vector told;
        std::uint64_t type;
        std::string key;
        std::vector<std::byte> bytes;
    };

    template <class Entries>
    void note(const Entries& entries, const crdt::version_vector& told) {
        for (const codec::entry& each : entries) {
            said_.push_back({told, each.type, std::string(key_text(each.key)), {}});
            said_.back().bytes.assign(each.delta.begin(), each.delta.end());
        }
    }

    codec::limits bounds_;
    std::uint64_t asked_ = 0;
    part_assembly part_;
    std::vector<piece> said_;
};

} // namespace phoenix::replication::testing
