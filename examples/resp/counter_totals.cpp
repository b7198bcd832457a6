#include "counter_totals.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace resp {

namespace {

__extension__ using wide = __int128;

void join(floored_total& mine, const floored_total& theirs) noexcept {
    mine.total = std::max(mine.total, theirs.total);
    mine.floor = std::max(mine.floor, theirs.floor);
}

bool leq(const floored_total& mine, const floored_total& theirs) noexcept {
    return mine.total <= theirs.total && mine.floor <= theirs.floor;
}

/// The least that brings `before` up to `after`: a floor never without a total that is as high.
floored_total since(const floored_total& after, const floored_total& before) noexcept {
    const std::uint64_t floor = after.floor > before.floor ? after.floor : 0;
    return {after.total > before.total ? after.total : floor, floor};
}

void write(crdt::byte_writer& out, const floored_total& value) {
    out.write_varint(value.total);
    out.write_varint(value.floor);
}

floored_total read(crdt::byte_reader& in) {
    const std::uint64_t total = in.read_varint();
    return {total, in.read_varint(total, "a floor of at most its total")};
}

/// Counters by field, where there are none.
const field_counters::table& nothing() {
    static const field_counters::table empty;
    return empty;
}

} // namespace

void counter_totals::share::join(const share& theirs) noexcept {
    resp::join(up, theirs.up);
    resp::join(down, theirs.down);
}

bool counter_totals::share::leq(const share& theirs) const noexcept {
    return resp::leq(up, theirs.up) && resp::leq(down, theirs.down);
}

counter_totals::share counter_totals::share::since(const share& before) const noexcept {
    return {replica, resp::since(up, before.up), resp::since(down, before.down)};
}

std::int64_t counter_totals::value() const noexcept {
    wide sum = 0;
    for (const share& each : shares_) {
        sum += static_cast<wide>(each.up.rest()) - static_cast<wide>(each.down.rest());
    }
    return static_cast<std::int64_t>(std::clamp<wide>(sum, std::numeric_limits<std::int64_t>::min(),
                                                      std::numeric_limits<std::int64_t>::max()));
}

bool counter_totals::is_present() const noexcept {
    return std::ranges::any_of(shares_,
                               [](const share& each) { return each.up.rest() > 0 || each.down.rest() > 0; });
}

counter_totals::share& counter_totals::share_of(const crdt::replica_id& replica) {
    const auto place = std::ranges::lower_bound(shares_, replica, {}, &share::replica);
    return place != shares_.end() && place->replica == replica ? *place
                                                               : *shares_.insert(place, {replica, {}, {}});
}

bool counter_totals::count(const crdt::replica_id& here, std::int64_t amount, counter_totals& delta) {
    if (amount == 0) {
        return true;
    }
    const std::uint64_t size =
        amount > 0 ? static_cast<std::uint64_t>(amount) : 0 - static_cast<std::uint64_t>(amount);
    floored_total share::* const direction = amount > 0 ? &share::up : &share::down;
    const auto found = std::ranges::lower_bound(shares_, here, {}, &share::replica);
    if (found != shares_.end() && found->replica == here &&
        ((*found).*direction).total > std::numeric_limits<std::uint64_t>::max() - size) {
        return false;
    }
    floored_total& told = delta.share_of(here).*direction;
    floored_total& mine = share_of(here).*direction;
    mine.total += size;
    told.total = mine.total;
    return true;
}

void counter_totals::reset(counter_totals& delta) {
    for (share& each : shares_) {
        if (each.up.rest() == 0 && each.down.rest() == 0) {
            continue;
        }
        share& told = delta.share_of(each.replica);
        for (floored_total share::* const direction : {&share::up, &share::down}) {
            floored_total& mine = each.*direction;
            if (mine.rest() > 0) {
                mine.floor = mine.total;
                told.*direction = mine;
            }
        }
    }
}

void counter_totals::join(const counter_totals& theirs) {
    if (&theirs == this) {
        return;
    }
    for (const share& each : theirs.shares_) {
        share_of(each.replica).join(each);
    }
}

counter_totals counter_totals::delta_and_merge(const counter_totals& theirs) {
    counter_totals fresh;
    if (&theirs == this) {
        return fresh;
    }
    for (const share& each : theirs.shares_) {
        share& mine = share_of(each.replica);
        if (each.leq(mine)) {
            continue;
        }
        const share before = mine;
        mine.join(each);
        fresh.shares_.push_back(mine.since(before));
    }
    return fresh;
}

bool counter_totals::leq(const counter_totals& theirs) const noexcept {
    return std::ranges::all_of(shares_, [&](const share& mine) {
        const auto place = std::ranges::lower_bound(theirs.shares_, mine.replica, {}, &share::replica);
        return place != theirs.shares_.end() && place->replica == mine.replica && mine.leq(*place);
    });
}

void counter_totals::write(crdt::byte_writer& out) const {
    out.write_varint(shares_.size());
    for (const share& each : shares_) {
        crdt::write_value(out, each.replica);
        resp::write(out, each.up);
        resp::write(out, each.down);
    }
}

counter_totals counter_totals::read(crdt::byte_reader& in) {
    counter_totals made;
    for (std::size_t left = in.read_count(6, "shares of a counter"); left > 0; --left) {
        const std::size_t at = in.position();
        const auto replica = crdt::read_value<crdt::replica_id>(in);
        const floored_total up = resp::read(in);
        const floored_total down = resp::read(in);
        if (!made.shares_.empty() && replica <= made.shares_.back().replica) {
            crdt::byte_reader::fail_at(at, "replicas in ascending order, each once");
        }
        if (up.total == 0 && down.total == 0) {
            crdt::byte_reader::fail_at(at, "a total above zero");
        }
        made.shares_.push_back({replica, up, down});
    }
    return made;
}

field_counters::field_counters(const field_counters& other)
    : counters_(other.counters_ != nullptr ? std::make_unique<counters>(*other.counters_) : nullptr) {}

field_counters& field_counters::operator=(const field_counters& other) {
    if (&other != this) {
        *this = field_counters(other);
    }
    return *this;
}

const field_counters::table& field_counters::all() const noexcept {
    return counters_ != nullptr ? counters_->by_field : nothing();
}

const counter_totals* field_counters::find(std::string_view field) const {
    const auto found = all().find(field);
    return found != all().end() ? &found->second : nullptr;
}

template <class Change>
decltype(auto) field_counters::change(std::string_view field, Change&& change) {
    if (counters_ == nullptr) {
        counters_ = std::make_unique<counters>();
    }
    auto place = counters_->by_field.find(field);
    if (place == counters_->by_field.end()) {
        place = counters_->by_field.emplace(std::string(field), counter_totals()).first;
    }

    /// Counts again when the change is done, whatever came of it, and leaves no counter that says nothing.
    struct keep_count {
        ~keep_count() {
            all.present = all.present - (was_present ? 1 : 0) + (place->second.is_present() ? 1 : 0);
            if (place->second.is_bottom()) {
                all.by_field.erase(place);
            }
        }

        counters& all;
        table::iterator place;
        bool was_present;
    };

    const keep_count counted{*counters_, place, place->second.is_present()};
    return std::forward<Change>(change)(place->second);
}

bool field_counters::count(std::string_view field, const crdt::replica_id& here, std::int64_t amount,
                           field_counters& delta) {
    if (amount == 0) {
        return true;
    }
    return delta.change(field, [&](counter_totals& told) {
        return change(field, [&](counter_totals& mine) { return mine.count(here, amount, told); });
    });
}

void field_counters::reset(std::string_view field, field_counters& delta) {
    const counter_totals* const found = find(field);
    if (found != nullptr && found->is_present()) {
        delta.change(field, [&](counter_totals& told) {
            change(field, [&](counter_totals& mine) { mine.reset(told); });
        });
    }
}

void field_counters::reset(field_counters& delta) {
    if (present() > 0) {
        for (const auto& [field, counter] : all()) {
            reset(field, delta);
        }
    }
}

void field_counters::join(const field_counters& theirs) {
    if (&theirs == this) {
        return;
    }
    for (const auto& [field, counter] : theirs.all()) {
        change(field, [&](counter_totals& mine) { mine.join(counter); });
    }
}

field_counters field_counters::delta_and_merge(const field_counters& theirs) {
    field_counters fresh;
    if (&theirs == this) {
        return fresh;
    }
    for (const auto& [field, counter] : theirs.all()) {
        const counter_totals news =
            change(field, [&](counter_totals& mine) { return mine.delta_and_merge(counter); });
        if (!news.is_bottom()) {
            fresh.change(field, [&](counter_totals& told) { told.join(news); });
        }
    }
    return fresh;
}

bool field_counters::leq(const field_counters& theirs) const {
    return std::ranges::all_of(all(), [&](const auto& each) {
        const counter_totals* const found = theirs.find(each.first);
        return found != nullptr && each.second.leq(*found);
    });
}

void field_counters::write(crdt::byte_writer& out) const {
    out.write_varint(all().size());
    for (const auto& [field, counter] : all()) {
        out.write_string(field);
        counter.write(out);
    }
}

field_counters field_counters::read(crdt::byte_reader& in) {
    const std::size_t at = in.position();
    auto by_field = crdt::read_value<std::map<std::string, counter_totals>>(in);
    field_counters made;
    for (auto& [field, counter] : by_field) {
        if (counter.is_bottom()) {
            crdt::byte_reader::fail_at(at, "counters that have counted");
        }
        made.change(field, [&](counter_totals& mine) { mine = std::move(counter); });
    }
    return made;
}

} // namespace resp
