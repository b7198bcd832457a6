// What the add-wins set costs an element, beside hash sets that do the bare work.
//
// "add" includes making its delta. Keys are random and added in that order to an empty set, so the set grows meanwhile; they
// are looked up, removed and joined in the same order, which is random to the set. "join of a delta of 1" takes deltas from a
// writer that made them just before, a thousand at a time, so that they are as warm as those of a connection.
#include <phoenix/crdt/or_set.hpp>

#include "loops.hpp"

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
    bytes_figures bytes;
    double memory = 0;
};

/// Adds all keys to an empty set, looks them up and goes through them; what both ours and a rival can.
template <class Set, class Add>
[[nodiscard]] Set fill(figures& into, const keys& all, Add&& add) {
    const std::size_t before = heap_in_use();
    Set found;
    time_each(into.add, all, [&](std::uint64_t each) { return add(found, each); });
    into.memory = static_cast<double>(heap_in_use() - before) / static_cast<double>(all.size());
    time_lookups(into.lookup, all, found);
    time_iteration(into.iterate, found);
    return found;
}

template <class Set>
void measure_rival(figures& into, const keys& all) {
    Set found = fill<Set>(into, all, [](Set& to, std::uint64_t each) { return to.insert(each).second; });
    const std::size_t count = all.size();
    Set mine(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count * 2 / 3));
    const Set theirs(all.begin() + static_cast<std::ptrdiff_t>(count / 3), all.end());
    into.join_half.time(count, [&] {
        for (const std::uint64_t each : theirs) {
            mine.insert(each);
        }
    });
    time_each(into.remove, all, [&](std::uint64_t each) { return found.erase(each); });
}

void measure_joins(figures& into, const keys& all) {
    set writer;
    set reader;
    time_joins(into.join_one, all.size(), writer, reader,
               [&](set& of, std::size_t i) { return of.add(here, all[i]); });
    set batch;
    const std::size_t several = std::min<std::size_t>(1000, all.size());
    writer.edit(here, batch, [&](auto&& editor) {
        for (std::size_t i = 0; i < several; ++i) {
            editor.add(all[i] + 1);
        }
    });
    into.join_group.time(several, [&] { reader.join(batch); });

    // One addition, one removal and one addition elsewhere that the other has not seen.
    const causal_digest known = reader.digest();
    (void)writer.add(here, all[0] + 2);
    (void)writer.remove(here, all[1]);
    into.delta_since.time(1, [&] { keep(writer.delta_since(known)); });
}

/// Two sets that share half of what both hold together: a third alone here, a third shared, a third alone there.
void measure_half_shared(figures& into, const keys& all) {
    const std::size_t count = all.size();
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
}

void measure_ours(figures& into, const keys& all) {
    set found = fill<set>(into, all, [](set& to, std::uint64_t each) { return to.add(here, each); });
    into.digest.time(all.size(), [&] { keep(found.digest()); });
    into.bytes.measure(found, all.size());
    measure_half_shared(into, all);
    measure_joins(into, all);
    time_each(into.remove, all, [&](std::uint64_t each) { return found.remove(here, each); });
}

} // namespace

void measure_or_set(const report& to, std::size_t size, std::uint64_t seed) {
    figures ours;
    figures flat;
    figures nodes;
    take_turns(
        size, seed, [&](const keys& all) { measure_ours(ours, all); },
        [&](const keys& all) {
            measure_rival<flat_set>(flat, all);
            measure_rival<node_set>(nodes, all);
        });
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
    ours.bytes.print(to, "", "an element");
    to.line("memory an element, one writer", "bytes", ours.memory, flat_name, flat.memory);
}

} // namespace phoenix::crdt::bench
