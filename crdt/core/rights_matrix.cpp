#include <phoenix/crdt/core/rights_matrix.hpp>

#include <algorithm>
#include <limits>

namespace phoenix::crdt::detail {

rights_matrix rights_matrix::mint(const char* call, const replica_id& here, std::uint64_t amount) {
    const std::uint64_t total = raised_total(call, totals_.find(here)[minted], amount);
    rights_matrix delta;
    delta.totals_.raise(here, minted, amount == 0 ? 0 : total);
    totals_.join(delta.totals_);
    return delta;
}

rights_matrix rights_matrix::spend(const char* call, const replica_id& here, std::uint64_t amount) {
    require(call, here, amount);
    const std::uint64_t total = raised_total(call, totals_.find(here)[spent], amount);
    rights_matrix delta;
    delta.totals_.raise(here, spent, amount == 0 ? 0 : total);
    totals_.join(delta.totals_);
    return delta;
}

rights_matrix rights_matrix::give(const char* call, const replica_id& here, const replica_id& to,
                                  std::uint64_t amount) {
    require(call, here, amount);
    rights_matrix delta;
    if (here != to) {
        const way between(here, to);
        const std::uint64_t total = raised_total(call, given_.find(between)[0], amount);
        delta.given_.raise(between, 0, amount == 0 ? 0 : total);
        given_.join(delta.given_);
    }
    return delta;
}

std::uint64_t rights_matrix::rights(const replica_id& replica) const noexcept {
    constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
    const auto total = totals_.find(replica);
    const auto [received, given] = flow_of(replica);
    const wide_sum held = wide_sum(total[minted]) - total[spent] + received - given;
    return held < 0 ? 0 : held > highest ? highest : static_cast<std::uint64_t>(held);
}

void rights_matrix::join(const rights_matrix& theirs) {
    totals_.join(theirs.totals_);
    given_.join(theirs.given_);
}

rights_matrix rights_matrix::delta_and_merge(const rights_matrix& theirs) {
    rights_matrix fresh = theirs.newer_than(*this);
    join(fresh);
    return fresh;
}

bool rights_matrix::leq(const rights_matrix& theirs) const noexcept {
    return totals_.leq(theirs.totals_) && given_.leq(theirs.given_);
}

rights_matrix rights_matrix::newer_than(const rights_matrix& theirs) const {
    rights_matrix newer;
    newer.totals_ = totals_.newer_than(theirs.totals_);
    newer.given_ = given_.newer_than(theirs.given_);
    return newer;
}

std::vector<rights_matrix> rights_matrix::decompose() const {
    std::vector<rights_matrix> parts;
    for (auto& each : totals_.decompose()) {
        parts.emplace_back().totals_ = std::move(each);
    }
    for (auto& each : given_.decompose()) {
        parts.emplace_back().given_ = std::move(each);
    }
    return parts;
}

// The replicas, each once; minted and spent of each; then who gave to whom, as places in the list of
// replicas. A pair of replicas costs three bytes so, not thirty.
void rights_matrix::write(byte_writer& out) const {
    const std::vector<replica_id> all = replicas();
    out.write_varint(all.size());
    const replica_id* previous = nullptr;
    for (const replica_id& each : all) {
        write_replica(out, each, previous);
        const auto total = totals_.find(each);
        out.write_varint(total[minted]);
        out.write_varint(total[spent]);
        previous = &each;
    }
    const auto place = [&](const replica_id& replica) {
        return static_cast<std::uint64_t>(std::ranges::lower_bound(all, replica) - all.begin());
    };
    out.write_varint(given_.size());
    for (const auto& each : given_) {
        out.write_varint(place(each.key.first));
        out.write_varint(place(each.key.second));
        out.write_varint(each.total[0]);
    }
}

rights_matrix rights_matrix::read(byte_reader& in) {
    rights_matrix made;
    const std::size_t start = in.position();
    std::vector<replica_id> all;
    for (std::size_t left = in.read_count(4, "replicas with rights"); left > 0; --left) {
        const replica_id replica = read_replica(in, all.empty() ? nullptr : &all.back());
        all.push_back(replica);
        const std::uint64_t first = in.read_varint();
        const std::uint64_t second = in.read_varint();
        if (first > 0 || second > 0) {
            made.totals_.append(replica, {first, second});
        }
    }
    way last;
    for (std::size_t left = in.read_count(3, "gifts of rights"); left > 0; --left) {
        const std::size_t at = in.position();
        const std::uint64_t from = in.read_varint();
        const std::uint64_t to = in.read_varint();
        const std::uint64_t total = in.read_varint();
        if (from >= all.size() || to >= all.size() || from == to || total == 0) {
            byte_reader::fail_at(at, "a gift above zero between two of the replicas");
        }
        const way between(all[from], all[to]);
        if (!made.given_.empty() && between <= last) {
            byte_reader::fail_at(at, "gifts in ascending order, each once");
        }
        made.given_.append(between, {total});
        last = between;
    }
    if (made.replicas().size() != all.size()) {
        byte_reader::fail_at(start, "replicas that minted, spent, gave or received");
    }
    return made;
}

void rights_matrix::explain(explanation& facts) const {
    for (const replica_id& each : replicas()) {
        const auto total = totals_.find(each);
        const auto [received, given] = flow_of(each);
        facts.path.push_back(replica_text(each));
        facts.add(explanation::verdict::stands, std::to_string(rights(each)),
                  "rights: minted " + std::to_string(total[minted]) + ", received " +
                      std::to_string(saturated(received)) + ", gave " + std::to_string(saturated(given)) +
                      ", spent " + std::to_string(total[spent]));
        facts.path.pop_back();
    }
}

rights_matrix::flow rights_matrix::flow_of(const replica_id& replica) const noexcept {
    flow found;
    for (const auto& each : given_) {
        if (each.key.first == replica) {
            found.given += each.total[0];
        } else if (each.key.second == replica) {
            found.received += each.total[0];
        }
    }
    return found;
}

std::vector<replica_id> rights_matrix::replicas() const {
    std::vector<replica_id> all;
    for (const auto& each : totals_) {
        all.push_back(each.key);
    }
    for (const auto& each : given_) {
        all.push_back(each.key.first);
        all.push_back(each.key.second);
    }
    std::ranges::sort(all);
    const auto repeated = std::ranges::unique(all);
    all.erase(repeated.begin(), repeated.end());
    return all;
}

void rights_matrix::require(const char* call, const replica_id& here, std::uint64_t amount) const {
    if (const std::uint64_t held = rights(here); amount > held) {
        throw_error(errc::insufficient_rights, std::string(call) + ": expected at most the " +
                                                   std::to_string(held) + " rights of replica " +
                                                   replica_text(here) + ", found " + std::to_string(amount));
    }
}

} // namespace phoenix::crdt::detail
