// A value under each of a few dots: the siblings of a register, the shares of a counter.
//
// A value never changes under its dot; a new value comes under a new dot that removes the old one.
#pragma once

#include <phoenix/crdt/core/dot_store.hpp>

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <utility>

namespace phoenix::crdt::detail {

template <byte_value Value>
class dot_fun {
public:
    struct entry {
        compact_dot under;
        Value value;
    };

    using storage = boost::container::small_vector<entry, 1>;

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    /// By slot and counter.
    [[nodiscard]] typename storage::const_iterator begin() const noexcept { return entries_.begin(); }

    [[nodiscard]] typename storage::const_iterator end() const noexcept { return entries_.end(); }

    template <class Visitor>
    void for_each_dot(Visitor&& visit) const {
        for (const entry& each : entries_) {
            visit(each.under);
        }
    }

    [[nodiscard]] const Value* find(compact_dot d) const noexcept {
        const auto place = lower_bound(d);
        return place != entries_.end() && place->under == d ? &place->value : nullptr;
    }

    void insert(compact_dot d, Value value) {
        const auto place = lower_bound(d);
        PHOENIX_ASSERT(place == entries_.end() || place->under != d, "a dot is minted once");
        entries_.insert(place, entry{d, std::move(value)});
    }

    void erase(compact_dot d) {
        const auto place = lower_bound(d);
        if (place != entries_.end() && place->under == d) {
            entries_.erase(place);
        }
    }

    void join(const dot_fun& theirs, const join_scope& scope, dot_changes& changes) {
        changes.added.make_room(theirs.size());
        changes.removed.make_room(size());
        const auto went = [&](const entry& mine) {
            if (!scope.they_saw(mine.under) || theirs.find(scope.to_theirs(mine.under)) != nullptr) {
                return false;
            }
            changes.removed.push_back(mine.under);
            return true;
        };
        entries_.erase(std::remove_if(entries_.begin(), entries_.end(), went), entries_.end());
        for (const entry& each : theirs.entries_) {
            const compact_dot d = scope.to_mine(each.under);
            if (!scope.we_saw(d)) {
                insert(d, each.value);
                changes.added.push_back(d);
            }
        }
    }

    void clear(dot_changes& changes) {
        changes.removed.make_room(size());
        for_each_dot([&](compact_dot each) { changes.removed.push_back(each); });
        entries_.clear();
    }

    [[nodiscard]] dot_fun restricted(const slot_map& slots, const causal_context& wanted) const {
        dot_fun kept;
        for (const entry& each : entries_) {
            if (is_wanted(each.under, slots, wanted)) {
                kept.insert(slots(each.under), each.value);
            }
        }
        return kept;
    }

    [[nodiscard]] bool equals(const dot_fun& theirs, const slot_map& slots) const {
        return size() == theirs.size() && std::ranges::all_of(entries_, [&](const entry& each) {
                   const Value* const found =
                       slots.knows(each.under) ? theirs.find(slots(each.under)) : nullptr;
                   return found != nullptr && *found == each.value;
               });
    }

    void write(byte_writer& out, const slot_ranks& ranks) const {
        boost::container::small_vector<std::pair<compact_dot, const Value*>, 4> sorted;
        for (const entry& each : entries_) {
            sorted.emplace_back(ranks(each.under), &each.value);
        }
        std::ranges::sort(sorted, {}, [](const auto& each) { return each.first; });
        out.write_varint(sorted.size());
        for (const auto& [ranked, value] : sorted) {
            write_dot(out, ranked);
            write_value(out, *value);
        }
    }

    [[nodiscard]] static dot_fun read(byte_reader& in, const causal_context& context) {
        dot_fun made;
        for (std::size_t left = in.read_count(2, "dots with values"); left > 0; --left) {
            const std::size_t at = in.position();
            const compact_dot d = read_dot(in, context);
            if (!made.empty() && d <= made.entries_.back().under) {
                byte_reader::fail_at(at, "dots in ascending order, each once");
            }
            made.entries_.push_back(entry{d, read_value<Value>(in)});
        }
        return made;
    }

private:
    [[nodiscard]] auto lower_bound(compact_dot d) const noexcept {
        return std::ranges::lower_bound(entries_, d, {}, &entry::under);
    }

    storage entries_;
};

} // namespace phoenix::crdt::detail
