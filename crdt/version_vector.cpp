#include <phoenix/crdt/version_vector.hpp>

#include <algorithm>

namespace phoenix::crdt {

std::uint64_t version_vector::tick(const replica_id& here) {
    const std::uint64_t next = detail::raised_total("tick", at(here), 1);
    totals_.raise(here, 0, next);
    return next;
}

std::uint64_t version_vector::receive(const replica_id& here, const version_vector& other) {
    const std::uint64_t next = detail::raised_total("receive", std::max(at(here), other.at(here)), 1);
    join(other);
    totals_.raise(here, 0, next);
    return next;
}

clock_order version_vector::compare(const version_vector& other) const noexcept {
    bool less = false;
    bool greater = false;
    auto mine = totals_.begin();
    auto theirs = other.totals_.begin();
    while (mine != totals_.end() && theirs != other.totals_.end()) {
        if (mine->key == theirs->key) {
            less = less || mine->total < theirs->total;
            greater = greater || mine->total > theirs->total;
            ++mine;
            ++theirs;
        } else if (mine->key < theirs->key) {
            greater = true;
            ++mine;
        } else {
            less = true;
            ++theirs;
        }
    }
    greater = greater || mine != totals_.end();
    less = less || theirs != other.totals_.end();
    if (less && greater) {
        return clock_order::concurrent;
    }
    return less ? clock_order::less : greater ? clock_order::greater : clock_order::equal;
}

std::size_t version_vector::prune(std::span<const replica_id> keep) {
    std::vector<replica_id> sorted(keep.begin(), keep.end());
    std::ranges::sort(sorted);
    return totals_.erase_if(
        [&](const replica_id& replica) { return !std::ranges::binary_search(sorted, replica); });
}

void version_vector::explain(explanation& facts) const {
    for (const auto& [replica, counter] : *this) {
        facts.path.push_back(detail::replica_text(replica));
        facts.add(explanation::verdict::stands, std::to_string(counter), "events seen");
        facts.path.pop_back();
    }
}

} // namespace phoenix::crdt
