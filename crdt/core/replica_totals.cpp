#include <phoenix/crdt/core/replica_totals.hpp>

#include <limits>

namespace phoenix::crdt::detail {

namespace {

constexpr auto highest = std::numeric_limits<std::uint64_t>::max();

std::uint64_t zigzag(std::uint64_t difference) noexcept {
    const auto as_signed = static_cast<std::int64_t>(difference);
    return (difference << 1) ^ static_cast<std::uint64_t>(as_signed >> 63);
}

std::uint64_t unzigzag(std::uint64_t raw) noexcept {
    return (raw >> 1) ^ (0 - (raw & 1));
}

} // namespace

void write_replica(byte_writer& out, const replica_id& replica, const replica_id* previous) {
    const replica_id before = previous != nullptr ? *previous : replica_id{};
    out.write_varint(replica.node - before.node);
    if (previous != nullptr && replica.node == before.node) {
        out.write_varint(replica.incarnation - before.incarnation - 1);
    } else {
        // Nodes that were started in the same hours have incarnations that lie close, in either direction.
        out.write_varint(zigzag(replica.incarnation - before.incarnation));
    }
}

replica_id read_replica(byte_reader& in, const replica_id* previous) {
    const replica_id before = previous != nullptr ? *previous : replica_id{};
    const std::size_t at = in.position();
    const std::uint64_t gap = in.read_varint();
    const std::uint64_t difference = in.read_varint();
    const bool same_node = previous != nullptr && gap == 0;
    if (gap > highest - before.node || (same_node && difference >= highest - before.incarnation)) {
        byte_reader::fail_at(at, "a replica of 64-bit numbers above the one before");
    }
    return {before.node + gap, before.incarnation + (same_node ? difference + 1 : unzigzag(difference))};
}

std::string replica_text(const replica_id& replica) {
    return std::to_string(replica.node) + "." + std::to_string(replica.incarnation);
}

std::uint64_t unsigned_amount(const char* call, std::int64_t amount) {
    if (amount < 0) {
        throw_error(errc::negative_amount,
                    std::string(call) + ": expected an amount of 0 or more, found " + std::to_string(amount));
    }
    return static_cast<std::uint64_t>(amount);
}

std::uint64_t raised_total(const char* call, std::uint64_t total, std::uint64_t amount) {
    if (amount > highest - total) {
        throw_error(errc::counter_overflow, std::string(call) +
                                                ": expected a total of at most 2^64 - 1, found " +
                                                std::to_string(total) + " and " + std::to_string(amount) +
                                                " more: use a smaller unit, or a new counter");
    }
    return total + amount;
}

std::int64_t saturated(wide_sum value) noexcept {
    using limits = std::numeric_limits<std::int64_t>;
    return value < limits::min()   ? limits::min()
           : value > limits::max() ? limits::max()
                                   : static_cast<std::int64_t>(value);
}

} // namespace phoenix::crdt::detail
