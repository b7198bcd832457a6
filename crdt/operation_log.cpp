#include <phoenix/crdt/operation_log.hpp>

namespace phoenix::crdt {

void operation_log_digest::write(byte_writer& out) const {
    seen.write(out);
    logged.write(out);
    settled.write(out);
}

operation_log_digest operation_log_digest::read(byte_reader& in) {
    operation_log_digest made;
    made.seen = causal_context::read(in);
    const std::size_t at = in.position();
    made.logged = causal_context::read(in);
    made.settled = causal_context::read(in);
    if (!made.seen.includes(made.logged) || !made.seen.includes(made.settled) ||
        !made.logged.common_with(made.settled).empty()) {
        byte_reader::fail_at(at, "dots that were seen, each logged or settled and not both");
    }
    return made;
}

namespace detail {

causal_context gone_from(const operation_log_digest& all) {
    return all.seen.without(all.logged).without(all.settled);
}

causal_context read_timestamp(byte_reader& in, const dot& of) {
    const std::size_t at = in.position();
    causal_context made = causal_context::read(in);
    if (made.max(of.replica) >= of.counter) {
        byte_reader::fail_at(at, "a timestamp from before its operation");
    }
    return made;
}

std::vector<replica_id> replicas_of(const causal_context& context) {
    std::vector<replica_id> replicas;
    for (const replica_slot slot : context.sorted_slots()) {
        replicas.push_back(context.replica(slot));
    }
    return replicas;
}

void write_seen_dot(byte_writer& out, const dot& d, const std::vector<replica_id>& replicas) {
    const auto place = std::ranges::lower_bound(replicas, d.replica);
    out.write_varint(static_cast<std::uint64_t>(place - replicas.begin()));
    out.write_varint(d.counter);
}

dot read_seen_dot(byte_reader& in, const std::vector<replica_id>& replicas) {
    const std::size_t at = in.position();
    const std::uint64_t rank = in.read_varint();
    const std::uint64_t counter = in.read_varint(max_counter, "the number of an operation");
    if (rank >= replicas.size() || counter == 0) {
        byte_reader::fail_at(at, "a dot that the log has seen");
    }
    return {replicas[rank], counter};
}

} // namespace detail

} // namespace phoenix::crdt
