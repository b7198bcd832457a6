// What the maps cost a key, beside a flat hash map that does the bare work: 64-bit keys and values.
//
// "put" includes making its delta, and for the last-writer-wins map a timestamp that is given to it; the observed-remove map
// holds a multi-value register a key. Keys are random and put in that order into an empty map, then put again. Deltas are
// joined a thousand at a time, just after their writer made them.
#include <phoenix/crdt/lww_map.hpp>
#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>

#include "measure.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>

namespace phoenix::crdt::bench {
namespace {

constexpr replica_id here{1, 1};
constexpr std::size_t group = 1000;

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
    stopwatch erase;
    stopwatch join_one;
    stopwatch encode;
    stopwatch decode;
    double memory = 0;
    double encoded = 0;
};

template <class Kind>
void measure_joins(figures& into, const keys& all) {
    typename Kind::map writer;
    typename Kind::map reader;
    std::vector<typename Kind::map> deltas;
    std::uint64_t now = 0;
    for (std::size_t from = 0; from < all.size(); from += group) {
        deltas.clear();
        const std::size_t to = std::min(from + group, all.size());
        for (std::size_t i = from; i < to; ++i) {
            deltas.push_back(Kind::put(writer, all[i], i, ++now));
        }
        into.join_one.time(to - from, [&] {
            for (const auto& each : deltas) {
                reader.join(each);
            }
        });
    }
}

template <class Kind>
void measure(figures& into, const keys& all) {
    const std::size_t count = all.size();
    const std::size_t before = heap_in_use();
    typename Kind::map found;
    std::uint64_t now = 0;
    const auto put_all = [&] {
        for (const std::uint64_t each : all) {
            ++now;
            keep(Kind::put(found, each, now, now));
        }
    };
    into.put.time(count, put_all);
    into.memory = static_cast<double>(heap_in_use() - before) / static_cast<double>(count);
    into.put_again.time(count, put_all);
    std::size_t hits = 0;
    into.lookup.time(count, [&] {
        for (const std::uint64_t each : all) {
            hits += found.contains(each) ? 1 : 0;
        }
    });
    keep(hits);
    if constexpr (!std::same_as<Kind, bare>) {
        std::vector<std::byte> bytes;
        into.encode.time(count, [&] { bytes = encode(found); });
        into.encoded = static_cast<double>(bytes.size()) / static_cast<double>(count);
        into.decode.time(count, [&] { keep(decode<typename Kind::map>(bytes)); });
        measure_joins<Kind>(into, all);
    }
    into.erase.time(count, [&] {
        for (const std::uint64_t each : all) {
            keep(Kind::erase(found, each, ++now));
        }
    });
}

template <class Kind>
void compare(const report& to, std::size_t size, std::uint64_t seed) {
    figures ours;
    figures flat;
    for (std::size_t round = 0; round < repetitions(size); ++round) {
        const keys all = random_keys(size, (seed << 32) + round);
        const bool ours_first = (seed + round) % 2 == 1;
        if (ours_first) {
            measure<Kind>(ours, all);
        }
        measure<bare>(flat, all);
        if (!ours_first) {
            measure<Kind>(ours, all);
        }
    }
    constexpr const char* flat_put = "flat map's put";
    constexpr const char* flat_name = "flat map";
    to.line("put", "ns", ours.put.each_ns(), flat_put, flat.put.each_ns());
    to.line("put over a value", "ns", ours.put_again.each_ns(), flat_put, flat.put_again.each_ns());
    to.line("join of a delta of 1", "ns", ours.join_one.each_ns(), flat_put, flat.put.each_ns());
    to.line("lookup", "ns", ours.lookup.each_ns(), flat_name, flat.lookup.each_ns());
    to.line("erase", "ns", ours.erase.each_ns(), flat_name, flat.erase.each_ns());
    to.line("encode, a key", "ns", ours.encode.each_ns());
    to.line("decode, a key", "ns", ours.decode.each_ns());
    to.line("encoded, a key", "bytes", ours.encoded);
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
