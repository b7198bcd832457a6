// The values of a sequence's live elements, by dot: those of one replica side by side in chunks.
//
// Elements never move when the list around them changes, and a run costs its values and no more. What an erased element
// held is destroyed at once; its room goes with the last live element of its chunk.
#pragma once

#include <phoenix/crdt/core/compact_dot.hpp>
#include <phoenix/crdt/core/dot_intervals.hpp>

#include <boost/container/vector.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace phoenix::crdt::detail {

template <class Value>
class sequence_values {
public:
    /// The dot has no value yet.
    void insert(replica_slot slot, std::uint64_t counter, const Value& value) {
        if (slot >= replicas_.size()) {
            replicas_.resize(std::size_t(slot) + 1);
        }
        chunk& place = chunk_for(replicas_[slot], counter);
        place.values[static_cast<std::size_t>(counter - place.first)] = value;
        ++place.live;
    }

    void insert(compact_dot first, std::span<const Value> values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            insert(first.slot(), first.counter() + i, values[i]);
        }
    }

    /// The value of this dot, which has one, and as many of those that follow it as stand beside it.
    [[nodiscard]] std::span<const Value> from(replica_slot slot, std::uint64_t counter) const noexcept {
        const chunk& place = *(after(replicas_[slot], counter) - 1);
        return std::span<const Value>(place.values).subspan(static_cast<std::size_t>(counter - place.first));
    }

    /// Calls visit(values) with the values of these counters, which all have one, part by part.
    template <class Visitor>
    void for_each_part(replica_slot slot, interval counters, Visitor&& visit) const {
        while (counters.first <= counters.last) {
            std::span<const Value> part = from(slot, counters.first);
            part =
                part.first(static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), counters.size())));
            visit(part);
            counters.first += part.size();
        }
    }

    /// All of these counters have a value.
    void erase(replica_slot slot, interval counters) {
        chunks& all = replicas_[slot];
        while (counters.first <= counters.last) {
            const auto place = all.begin() + (after(all, counters.first) - all.begin() - 1);
            const std::uint64_t last = std::min(counters.last, place->end() - 1);
            place->live -= static_cast<std::uint32_t>(last - counters.first + 1);
            if (place->live == 0) {
                all.erase(place);
            } else {
                for (std::uint64_t each = counters.first; each <= last; ++each) {
                    place->values[static_cast<std::size_t>(each - place->first)] = Value();
                }
            }
            counters.first = last + 1;
        }
    }

private:
    struct chunk {
        std::uint64_t first = 0;
        std::uint32_t live = 0;
        // Not std::vector, whose bools are none.
        boost::container::vector<Value> values;

        [[nodiscard]] std::uint64_t end() const noexcept { return first + values.size(); }
    };

    using chunks = std::vector<chunk>;

    static constexpr std::uint64_t chunk_size = 512;
    /// So many vacant places cost less than one more chunk.
    static constexpr std::uint64_t gap_max = 8;

    [[nodiscard]] static auto after(const chunks& all, std::uint64_t counter) noexcept {
        if (!all.empty() && all.back().first <= counter) [[likely]] {
            return all.end();
        }
        return std::upper_bound(all.begin(), all.end(), counter,
                                [](std::uint64_t value, const chunk& each) { return value < each.first; });
    }

    /// A chunk that has room for this counter.
    [[nodiscard]] static chunk& chunk_for(chunks& all, std::uint64_t counter) {
        const auto next = all.begin() + (after(all, counter) - all.begin());
        if (next != all.begin()) {
            chunk& before = *(next - 1);
            if (counter < before.end()) {
                return before;
            }
            if (counter - before.end() <= gap_max && counter - before.first < chunk_size) {
                before.values.resize(static_cast<std::size_t>(counter - before.first + 1));
                return before;
            }
        }
        if (next != all.end() && next->first - counter <= gap_max && next->end() - counter <= chunk_size) {
            next->values.insert(next->values.begin(), static_cast<std::size_t>(next->first - counter),
                                Value());
            next->first = counter;
            return *next;
        }
        chunk added;
        added.first = counter;
        added.values.resize(1);
        return *all.insert(next, std::move(added));
    }

    std::vector<chunks> replicas_;
};

} // namespace phoenix::crdt::detail
