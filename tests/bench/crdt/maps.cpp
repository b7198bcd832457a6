// What the maps cost a key, beside a flat hash map that does the bare work: 64-bit keys and values.
//
// "put" includes making its delta, and for the last-writer-wins map a timestamp that is given to it; the observed-remove map
// holds a multi-value register a key. Keys are random and put in that order into an empty map, then put again. Deltas are
// joined a thousand at a time, just after their writer made them.
#include <phoenix/crdt/lww_map.hpp>
#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>

#include "loops.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <concepts>

namespace phoenix::crdt::bench {
namespace {

constexpr replica_id here{1, 1};

/// Each kind of map: how it puts, erases and finds. `now` grows by one a call.
struct last_writer_wins {
    using map = lww_map<std::uint64_t, std::uint64_t>;

    static map put(map& into, std::uint64_t key, std::uint64_t value, std::uint64_t now) {
        return into.put(here, key, value, {now, 0});
    }

    static map erase(map& from, std::uint64_t key, std::uint64_t now) {
        return from.remove(here, key, {now, 0});
    }
};

struct observed_remove {
    using map = or_map<std::uint64_t, mv_register_store<std::uint64_t>>;

    static map put(map& into, std::uint64_t key, std::uint64_t value, std::uint64_t /*now*/) {
        return into.update(here, key, [&](auto&& below) { below.set(value); });
    }

    static map erase(map& from, std::uint64_t key, std::uint64_t /*now*/) { return from.remove(here, key); }
};

struct bare {
    using map = boost::unordered_flat_map<std::uint64_t, std::uint64_t>;

    static bool put(map& into, std::uint64_t key, std::uint64_t value, std::uint64_t /*now*/) {
        return into.insert_or_assign(key, value).second;
    }

    static bool erase(map& from, std::uint64_t key, std::uint64_t /*now*/) { return from.erase(key) > 0; }
};

struct figures {
    stopwatch put;
    stopwatch put_again;
    stopwatch lookup;
    stopwatch iterate;
    stopwatch erase;
    stopwatch join_one;
    stopwatch digest;
    bytes_figures bytes;
    double memory = 0;
};

template <class Kind>
void measure(figures& into, const keys& all) {
    using map = typename Kind::map;
    const std::size_t before = heap_in_use();
    map found;
    std::uint64_t now = 0;
    const auto put = [&](std::uint64_t key) {
        ++now;
        return Kind::put(found, key, now, now);
    };
    time_each(into.put, all, put);
    into.memory = static_cast<double>(heap_in_use() - before) / static_cast<double>(all.size());
    time_each(into.put_again, all, put);
    time_lookups(into.lookup, all, found);
    std::size_t seen = 0;
    into.iterate.time(all.size(), [&] {
        for (const auto& each : found) {
            keep(each);
            ++seen;
        }
    });
    keep(seen);
    if constexpr (!std::same_as<Kind, bare>) {
        into.digest.time(all.size(), [&] { keep(found.digest()); });
        into.bytes.measure(found, all.size());
        map writer;
        map reader;
        std::uint64_t written = 0;
        time_joins(into.join_one, all.size(), writer, reader,
                   [&](map& of, std::size_t i) { return Kind::put(of, all[i], i, ++written); });
    }
    time_each(into.erase, all, [&](std::uint64_t key) { return Kind::erase(found, key, ++now); });
}

template <class Kind>
void compare(const report& to, std::size_t size, std::uint64_t seed) {
    figures ours;
    figures flat;
    take_turns(
        size, seed, [&](const keys& all) { measure<Kind>(ours, all); },
        [&](const keys& all) { measure<bare>(flat, all); });
    constexpr const char* flat_put = "flat map's put";
    constexpr const char* flat_name = "flat map";
    to.line("put", "ns", ours.put.each_ns(), flat_put, flat.put.each_ns());
    to.line("put over a value", "ns", ours.put_again.each_ns(), flat_put, flat.put_again.each_ns());
    to.line("join of a delta of 1", "ns", ours.join_one.each_ns(), flat_put, flat.put.each_ns());
    to.line("lookup", "ns", ours.lookup.each_ns(), flat_name, flat.lookup.each_ns());
    to.line("erase", "ns", ours.erase.each_ns(), flat_name, flat.erase.each_ns());
    to.line("iteration, a key", "ns", ours.iterate.each_ns(), flat_name, flat.iterate.each_ns());
    to.line("digest, a key", "ns", ours.digest.each_ns());
    ours.bytes.print(to, "", "a key");
    to.line("memory a key", "bytes", ours.memory, flat_name, flat.memory);
}

} // namespace

void measure_lww_map(const report& to, std::size_t size, std::uint64_t seed) {
    compare<last_writer_wins>(to, size, seed);
}

void measure_or_map(const report& to, std::size_t size, std::uint64_t seed) {
    compare<observed_remove>(to, size, seed);
}

} // namespace phoenix::crdt::bench
