#include <phoenix/crdt/resettable_counter.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace phoenix::crdt {

namespace detail {

namespace {

std::pair<replica_id, std::uint64_t> key_of(const counter_share& share) noexcept {
    return {share.replica, share.birth};
}

} // namespace

void counter_share::write(byte_writer& out) const {
    out.write_varint(replica.node);
    out.write_varint(replica.incarnation);
    out.write_varint(birth);
    out.write_varint(static_cast<std::uint64_t>(plus));
    out.write_varint(static_cast<std::uint64_t>(minus));
}

counter_share counter_share::read(byte_reader& in) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    counter_share made;
    const std::size_t at = in.position();
    made.replica.node = in.read_varint();
    made.replica.incarnation = in.read_varint();
    made.birth = in.read_varint(max_counter, "the number of a dot");
    made.plus = static_cast<std::int64_t>(in.read_varint(most, "a total"));
    made.minus = static_cast<std::int64_t>(in.read_varint(most, "a total"));
    if (made.birth == 0 || (made.plus == 0 && made.minus == 0)) {
        byte_reader::fail_at(at, "a share that began with a dot and counted something");
    }
    return made;
}

counter_floors counter_floors::read(byte_reader& in) {
    const std::size_t at = in.position();
    counter_floors made{read_value<std::vector<counter_share>>(in)};
    const auto out_of_order = [](const counter_share& a, const counter_share& b) {
        return key_of(a) >= key_of(b);
    };
    if (made.all.empty() || std::ranges::adjacent_find(made.all, out_of_order) != made.all.end()) {
        byte_reader::fail_at(at, "floors by replica and birth, each once, at least one");
    }
    return made;
}

} // namespace detail

using detail::compact_dot;
using detail::counter_floors;
using detail::counter_share;

counter_share resettable_counter_store::unreset(const counter_share& share) const noexcept {
    counter_share rest = share;
    for (const auto& [under, floors] : floors_) {
        const auto found = std::ranges::lower_bound(floors.all, detail::key_of(share), {}, detail::key_of);
        if (found != floors.all.end() && detail::key_of(*found) == detail::key_of(share)) {
            // Floors of concurrent resets: each side's highest counts.
            rest.plus = std::min(rest.plus, share.plus - std::min(found->plus, share.plus));
            rest.minus = std::min(rest.minus, share.minus - std::min(found->minus, share.minus));
        }
    }
    return rest;
}

std::int64_t resettable_counter_store::value() const noexcept {
    __extension__ using wide = __int128;
    wide sum = 0;
    for_each_share([&](compact_dot, const counter_share& share) {
        const counter_share rest = unreset(share);
        sum += wide(rest.plus) - rest.minus;
    });
    return static_cast<std::int64_t>(std::clamp(sum, wide(std::numeric_limits<std::int64_t>::min()),
                                                wide(std::numeric_limits<std::int64_t>::max())));
}

bool resettable_counter_store::is_reset(const counter_share& share) const noexcept {
    const counter_share rest = unreset(share);
    return rest.plus == 0 && rest.minus == 0;
}

bool resettable_counter_store::is_present() const noexcept {
    bool present = false;
    for_each_share([&](compact_dot, const counter_share& share) { present = present || !is_reset(share); });
    return present;
}

counter_floors resettable_counter_store::floors_of_reset() const {
    std::vector<counter_share> floors;
    for_each_share([&](compact_dot, const counter_share& share) { floors.push_back(share); });
    const std::size_t shares = floors.size();
    for (const auto& [under, earlier] : floors_) {
        for (const counter_share& each : earlier.all) {
            const auto is_over = [&](const counter_share& seen) {
                return seen.replica == each.replica && seen.birth >= each.birth;
            };
            if (std::none_of(floors.begin(), floors.begin() + static_cast<std::ptrdiff_t>(shares), is_over)) {
                floors.push_back(each);
            }
        }
    }
    std::ranges::sort(floors, {}, detail::key_of);
    counter_floors merged;
    for (const counter_share& each : floors) {
        if (!merged.all.empty() && detail::key_of(merged.all.back()) == detail::key_of(each)) {
            merged.all.back().plus = std::max(merged.all.back().plus, each.plus);
            merged.all.back().minus = std::max(merged.all.back().minus, each.minus);
        } else {
            merged.all.push_back(each);
        }
    }
    return merged;
}

void resettable_counter_store::explain(explanation& facts, const causal_context& context) const {
    for_each_share([&](compact_dot under, const counter_share& share) {
        const counter_share rest = unreset(share);
        facts.add(is_reset(share) ? explanation::verdict::loses : explanation::verdict::stands,
                  "+" + std::to_string(rest.plus) + " -" + std::to_string(rest.minus),
                  "of +" + std::to_string(share.plus) + " -" + std::to_string(share.minus) +
                      ", the rest was reset",
                  {context.expand(under)});
    });
    for (const auto& [under, floors] : floors_) {
        facts.add(explanation::verdict::stands, {},
                  "a reset that saw " + std::to_string(floors.all.size()) + " shares",
                  {context.expand(under)});
    }
}

void resettable_counter_store::editor::count(const char* what, std::int64_t amount,
                                             std::int64_t counter_share::* side) {
    if (amount < 0) {
        throw_error(errc::negative_amount, std::string(what) + ": expected an amount of at least 0, found " +
                                               std::to_string(amount));
    }
    if (amount == 0) {
        return;
    }
    const auto own =
        std::ranges::find(mine_.shares_, edit_.here(), [](const auto& each) { return each.under.slot(); });
    counter_share share;
    bool begins = true;
    compact_dot before;
    if (own != mine_.shares_.end()) {
        before = own->under;
        begins = mine_.is_reset(own->value);
        if (!begins) {
            share = own->value;
        }
    }
    if (amount > std::numeric_limits<std::int64_t>::max() - share.*side) {
        throw_error(errc::counter_overflow, std::string(what) + " by " + std::to_string(amount) +
                                                ": expected a total of at most 2^63 - 1, it is " +
                                                std::to_string(share.*side) + " already");
    }
    share.*side += amount;

    const compact_dot minted = edit_.mint();
    if (begins) {
        share.replica = edit_.context().replica(minted.slot());
        share.birth = minted.counter();
    }
    if (own != mine_.shares_.end()) {
        edit_.supersede(before);
        mine_.shares_.erase(before);
        edit_.mine.removed.push_back(before);
        if (delta_.shares_.find(edit_.in_delta(before)) != nullptr) {
            delta_.shares_.erase(edit_.in_delta(before));
            edit_.delta.removed.push_back(edit_.in_delta(before));
        }
    }
    mine_.shares_.insert(minted, share);
    edit_.mine.added.push_back(minted);
    delta_.shares_.insert(edit_.in_delta(minted), share);
    edit_.delta.added.push_back(edit_.in_delta(minted));
}

void resettable_counter_store::editor::reset() {
    if (!mine_.is_present()) {
        return;
    }
    counter_floors floors = mine_.floors_of_reset();
    const compact_dot minted = edit_.mint();
    const auto forget = [&](compact_dot before) {
        edit_.supersede(before);
        edit_.mine.removed.push_back(before);
        if (delta_.floors_.find(edit_.in_delta(before)) != nullptr) {
            delta_.floors_.erase(edit_.in_delta(before));
            edit_.delta.removed.push_back(edit_.in_delta(before));
        }
    };
    mine_.floors_.for_each_dot(forget);
    mine_.floors_ = {};
    mine_.floors_.insert(minted, floors);
    edit_.mine.added.push_back(minted);
    delta_.floors_.insert(edit_.in_delta(minted), std::move(floors));
    edit_.delta.added.push_back(edit_.in_delta(minted));
}

void resettable_counter_store::editor::apply(const operation& what) {
    std::visit(
        [this]<class What>(const What& each) {
            if constexpr (std::is_same_v<What, operations::increment>) {
                increment(each.amount);
            } else if constexpr (std::is_same_v<What, operations::decrement>) {
                decrement(each.amount);
            } else {
                reset();
            }
        },
        what);
}

} // namespace phoenix::crdt
