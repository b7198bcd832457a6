// The loops that the parts share: the same work on every type, in the same order, so that their figures compare.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include "measure.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace phoenix::crdt::bench {

/// Ours and the rivals take turns on the same random keys, often enough to be measurable: the seed says who begins.
template <class Ours, class Rivals>
void take_turns(std::size_t size, std::uint64_t seed, Ours&& ours, Rivals&& rivals) {
    for (std::size_t round = 0; round < repetitions(size); ++round) {
        const keys all = random_keys(size, (seed << 32) + round);
        const bool ours_first = (seed + round) % 2 == 1;
        if (ours_first) {
            ours(all);
        }
        rivals(all);
        if (!ours_first) {
            ours(all);
        }
    }
}

/// change(key) of all keys, in their order.
template <class Change>
void time_each(stopwatch& into, const keys& all, Change&& change) {
    into.time(all.size(), [&] {
        for (const std::uint64_t each : all) {
            keep(change(each));
        }
    });
}

template <class Container>
void time_lookups(stopwatch& into, const keys& all, const Container& found) {
    std::size_t hits = 0;
    into.time(all.size(), [&] {
        for (const std::uint64_t each : all) {
            hits += found.contains(each) ? 1 : 0;
        }
    });
    keep(hits);
}

template <class Container>
void time_iteration(stopwatch& into, const Container& found) {
    std::uint64_t sum = 0;
    into.time(found.size(), [&] {
        for (const std::uint64_t each : found) {
            sum += each;
        }
    });
    keep(sum);
}

/// A reader joins what change(writer, i) returns for i from 0 to count - 1, a group at a time just after the writer made it,
/// so that deltas are as warm as those of a connection.
template <class State, class Change>
void time_joins(stopwatch& into, std::size_t count, State& writer, State& reader, Change&& change) {
    constexpr std::size_t group = 1000;
    std::vector<State> deltas;
    for (std::size_t from = 0; from < count; from += group) {
        deltas.clear();
        const std::size_t to = std::min(from + group, count);
        for (std::size_t i = from; i < to; ++i) {
            deltas.push_back(change(writer, i));
        }
        into.time(to - from, [&] {
            for (const State& each : deltas) {
                reader.join(each);
            }
        });
    }
}

/// What the canonical bytes of a state cost, by the number of what is counted in it.
class bytes_figures {
public:
    template <class State>
    void measure(const State& state, std::size_t count) {
        std::vector<std::byte> bytes;
        encode_.time(count, [&] { bytes = encode(state); });
        decode_.time(count, [&] { keep(decode<State>(bytes)); });
        size_ = static_cast<double>(bytes.size()) / static_cast<double>(count);
    }

    void print(const report& to, const std::string& prefix, const std::string& each) const {
        to.line(prefix + "encode, " + each, "ns", encode_.each_ns());
        to.line(prefix + "decode, " + each, "ns", decode_.each_ns());
        to.line(prefix + "encoded, " + each, "bytes", size_);
    }

private:
    stopwatch encode_;
    stopwatch decode_;
    double size_ = 0;
};

} // namespace phoenix::crdt::bench
