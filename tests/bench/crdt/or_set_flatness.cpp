// What must not grow with the set: small deltas beside large states, contexts with many gaps, many replicas, and clearing.
//
// Each figure is an operation's, or an element's where all are handled; read it down the sizes.
#include <phoenix/crdt/or_set.hpp>

#include "loops.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace phoenix::crdt::bench {
namespace {

using set = or_set<std::uint64_t>;

constexpr replica_id here{1, 1};
constexpr replica_id there{2, 1};
constexpr std::size_t operations = 1000;
constexpr std::size_t elements_a_replica = 20;

double small_against_large(const set& large, const keys& all) {
    set writer = large;
    const set delta = writer.add(there, all.front());
    stopwatch each;
    std::size_t yes = 0;
    each.time(operations, [&] {
        for (std::size_t i = 0; i < operations; ++i) {
            yes += delta.leq(writer) ? 1 : 0;
        }
    });
    keep(yes);
    return each.each_ns();
}

double joins_of_removals(const set& large, const keys& all) {
    set writer = large;
    set reader = large;
    stopwatch each;
    time_joins(each, operations, writer, reader,
               [&](set& of, std::size_t i) { return of.remove(there, all[i]); });
    return each.each_ns();
}

struct gap_figures {
    double beyond;
    double within;
};

/// Of a writer's deltas every other one came; then come new ones, each beyond another gap, and some of those missed.
gap_figures joins_among_gaps(const keys& all) {
    set writer;
    set reader;
    std::vector<set> missed;
    const std::size_t every = std::max<std::size_t>(1, all.size() / 2 / operations);
    for (std::size_t i = 0; i < all.size(); ++i) {
        set delta = writer.add(here, all[i]);
        if (i % 2 == 0) {
            reader.join(delta);
        } else if (i / 2 % every == 0) {
            missed.push_back(std::move(delta));
        }
    }
    stopwatch beyond;
    time_joins(beyond, operations, writer, reader, [&](set& of, std::size_t i) {
        (void)of.add(here, all[i % all.size()] + 1);
        return of.add(here, all[i % all.size()] + 2);
    });
    stopwatch within;
    within.time(missed.size(), [&] {
        for (const set& each : missed) {
            reader.join(each);
        }
    });
    return {beyond.each_ns(), within.each_ns()};
}

double joins_of_many_replicas(const keys& all) {
    const std::size_t replicas = std::max<std::size_t>(1, all.size() / elements_a_replica);
    const auto writer_of = [&](std::size_t i) {
        return replica_id{1 + i % replicas, 1};
    };
    set writer;
    for (std::size_t i = 0; i < all.size(); ++i) {
        (void)writer.add(writer_of(i), all[i]);
    }
    set reader = writer;
    stopwatch each;
    time_joins(each, operations, writer, reader,
               [&](set& of, std::size_t i) { return of.add(writer_of(i * 7), all[i] + 1); });
    return each.each_ns();
}

double clear_all(const set& large) {
    set writer = large;
    stopwatch each;
    each.time(writer.size(), [&] { keep(writer.clear(there)); });
    return each.each_ns();
}

} // namespace

void measure_or_set_flatness(const report& to, std::size_t size, std::uint64_t seed) {
    const keys all = random_keys(size, seed << 32);
    set large;
    for (const std::uint64_t each : all) {
        (void)large.add(here, each);
    }
    to.line("leq of a delta of 1", "ns", small_against_large(large, all));
    to.line("join of a removal's delta", "ns", joins_of_removals(large, all));
    const gap_figures gaps = joins_among_gaps(all);
    to.line("join of a delta of 1 that leaves a gap more, a gap for two elements", "ns", gaps.beyond);
    to.line("join of a delta of 1 that closes one of these gaps", "ns", gaps.within);
    to.line("join of a delta of 1, a replica for 20 elements", "ns", joins_of_many_replicas(all));
    to.line("clear, an element", "ns", clear_all(large));
}

} // namespace phoenix::crdt::bench
