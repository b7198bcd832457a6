// What the add-wins set costs an element, beside hash sets that do the bare work.
//
// "add" includes making its delta. Keys are random and added in that order to an empty set, so the set grows meanwhile; they
// are looked up, removed and joined in the same order, which is random to the set. "join of a delta of 1" takes deltas from a
// writer that made them just before, a thousand at a time, so that they are as warm as those of a connection.
#include <phoenix/crdt/or_set.hpp>

#include "measure.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <unordered_set>

namespace phoenix::crdt::bench {
namespace {

using set = or_set<std::uint64_t>;
using flat_set = boost::unordered_flat_set<std::uint64_t>;
using node_set = std::unordered_set<std::uint64_t>;

constexpr replica_id here{1, 1};
constexpr replica_id there{2, 1};
constexpr std::size_t group = 1000;

struct figures {
    stopwatch add;
    stopwatch remove;
    stopwatch lookup;
    stopwatch iterate;
    stopwatch join_one;
    stopwatch join_group;
    stopwatch join_half;
    stopwatch digest;
    stopwatch delta_since;
    stopwatch encode;
    stopwatch decode;
    double memory = 0;
    double encoded = 0;
};

template <class Set>
void measure_rival(figures& into, const keys& all) {
    const std::size_t count = all.size();
    const std::size_t before = heap_in_use();
    Set found;
    into.add.time(count, [&] {
        for (const std::uint64_t each : all) {
            found.insert(each);
        }
    });
    into.memory = static_cast<double>(heap_in_use() - before) / static_cast<double>(count);
    std::size_t hits = 0;
    into.lookup.time(count, [&] {
        for (const std::uint64_t each : all) {
            hits += found.contains(each) ? 1 : 0;
        }
    });
    into.iterate.time(count, [&] {
        for (const std::uint64_t each : found) {
            hits += each;
        }
    });
    keep(hits);
    Set mine(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count * 2 / 3));
    const Set theirs(all.begin() + static_cast<std::ptrdiff_t>(count / 3), all.end());
    into.join_half.time(count, [&] {
        for (const std::uint64_t each : theirs) {
            mine.insert(each);
        }
    });
    into.remove.time(count, [&] {
        for (const std::uint64_t each : all) {
            found.erase(each);
        }
    });
}

void measure_joins(figures& into, const keys& all) {
    set writer;
    set reader;
    std::vector<set> deltas;
    for (std::size_t from = 0; from < all.size(); from += group) {
        deltas.clear();
        const std::size_t to = std::min(from + group, all.size());
        for (std::size_t i = from; i < to; ++i) {
            deltas.push_back(writer.add(here, all[i]));
        }
        into.join_one.time(to - from, [&] {
            for (const set& each : deltas) {
                reader.join(each);
            }
        });
    }
    set batch;
    writer.edit(here, batch, [&](auto&& editor) {
        for (std::size_t i = 0; i < std::min(group, all.size()); ++i) {
            editor.add(all[i] + 1);
        }
    });
    into.join_group.time(std::min(group, all.size()), [&] { reader.join(batch); });

    // One addition, one removal and one addition elsewhere that the other has not seen.
    const causal_digest known = reader.digest();
    (void)writer.add(here, all[0] + 2);
    (void)writer.remove(here, all[1]);
    into.delta_since.time(1, [&] { keep(writer.delta_since(known)); });
}

void measure_ours(figures& into, const keys& all) {
    const std::size_t count = all.size();
    const std::size_t before = heap_in_use();
    set found;
    into.add.time(count, [&] {
        for (const std::uint64_t each : all) {
            keep(found.add(here, each));
        }
    });
    into.memory = static_cast<double>(heap_in_use() - before) / static_cast<double>(count);
    std::size_t hits = 0;
    into.lookup.time(count, [&] {
        for (const std::uint64_t each : all) {
            hits += found.contains(each) ? 1 : 0;
        }
    });
    into.iterate.time(count, [&] {
        for (const std::uint64_t each : found) {
            hits += each;
        }
    });
    keep(hits);
    into.digest.time(count, [&] { keep(found.digest()); });
    std::vector<std::byte> bytes;
    into.encode.time(count, [&] { bytes = encode(found); });
    into.encoded = static_cast<double>(bytes.size()) / static_cast<double>(count);
    into.decode.time(count, [&] { keep(decode<set>(bytes)); });

    // Two sets that share half of what both hold together: a third alone here, a third shared, a third alone there.
    set mine;
    set theirs;
    for (std::size_t i = count / 3; i < count * 2 / 3; ++i) {
        theirs.join(mine.add(here, all[i]));
    }
    for (std::size_t i = 0; i < count / 3; ++i) {
        (void)mine.add(here, all[i]);
    }
    for (std::size_t i = count * 2 / 3; i < count; ++i) {
        (void)theirs.add(there, all[i]);
    }
    into.join_half.time(count, [&] { mine.join(theirs); });
    measure_joins(into, all);
    into.remove.time(count, [&] {
        for (const std::uint64_t each : all) {
            keep(found.remove(here, each));
        }
    });
}

} // namespace

void measure_or_set(const report& to, std::size_t size, std::uint64_t seed) {
    figures ours;
    figures flat;
    figures nodes;
    for (std::size_t round = 0; round < repetitions(size); ++round) {
        const keys all = random_keys(size, (seed << 32) + round);
        const bool ours_first = (seed + round) % 2 == 1;
        if (ours_first) {
            measure_ours(ours, all);
        }
        measure_rival<flat_set>(flat, all);
        if (!ours_first) {
            measure_ours(ours, all);
        }
        measure_rival<node_set>(nodes, all);
    }
    constexpr const char* flat_insert = "flat set's insert";
    constexpr const char* flat_name = "flat set";
    to.line("add", "ns", ours.add.each_ns(), flat_insert, flat.add.each_ns());
    to.line("add", "ns", ours.add.each_ns(), "std::unordered_set's insert", nodes.add.each_ns());
    to.line("join of a delta of 1", "ns", ours.join_one.each_ns(), flat_insert, flat.add.each_ns());
    to.line("join of a delta of 1,000, an element", "ns", ours.join_group.each_ns(), flat_insert,
            flat.add.each_ns());
    to.line("lookup", "ns", ours.lookup.each_ns(), flat_name, flat.lookup.each_ns());
    to.line("iteration, an element", "ns", ours.iterate.each_ns(), flat_name, flat.iterate.each_ns());
    to.line("remove", "ns", ours.remove.each_ns(), flat_name, flat.remove.each_ns());
    to.line("join of two sets half shared, an element", "ns", ours.join_half.each_ns());
    to.line("join of two sets half shared, an element", "ns", ours.join_half.each_ns(), flat_name,
            flat.join_half.each_ns());
    to.line("digest, an element", "ns", ours.digest.each_ns());
    to.line("delta since a digest, two changes", "ns", ours.delta_since.each_ns());
    to.line("encode, an element", "ns", ours.encode.each_ns());
    to.line("decode, an element", "ns", ours.decode.each_ns());
    to.line("encoded, an element", "bytes", ours.encoded);
    to.line("memory an element, one writer", "bytes", ours.memory, flat_name, flat.memory);
}

} // namespace phoenix::crdt::bench
