#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/part_assembly.hpp>

namespace phoenix::replication {

bool part_assembly::take(const codec::object_part& part, std::size_t bytes_max) {
    if (part.total > bytes_max) {
        throw_error(errc::limit_exceeded, "joining the parts of an object: expected at most " +
                                              std::to_string(bytes_max) + " bytes, found " +
                                              std::to_string(part.total));
    }
    if (empty()) {
        type_ = part.type;
        key_ = key_text(part.key);
        total_ = part.total;
    }
    const bool follows = part.type == type_ && key_text(part.key) == key_ && part.total == total_ &&
                         part.offset == bytes_.size() && !part.bytes.empty() &&
                         part.bytes.size() <= total_ - bytes_.size() &&
                         (part.bytes.size() >= part_bytes_min || part.bytes.size() == total_ - bytes_.size());
    if (!follows) {
        throw_error(errc::protocol_violation,
                    "joining the parts of an object: expected the part from byte " +
                        std::to_string(bytes_.size()) + " of " + std::to_string(total_) + ", found " +
                        std::to_string(part.bytes.size()) + " bytes from byte " +
                        std::to_string(part.offset) + " of " + std::to_string(part.total));
    }
    bytes_.insert(bytes_.end(), part.bytes.begin(), part.bytes.end());
    return bytes_.size() == total_;
}

} // namespace phoenix::replication
