// What the add-wins set costs an element, beside hash sets that do the bare work: a line of JSON each.
//
//   phoenix_bench_crdt [--cpu N] [--most N]      sizes of 1,000, 10,000, ... up to N elements (1,000,000)
//
// "add" includes making its delta; "join a delta" takes deltas from a writer that made them just before, a thousand at a
// time, so that they are as warm as those of a connection. Ours and the rivals take turns within each size, on the same
// random keys, and small sizes are repeated until they are measurable.
#include <phoenix/crdt/or_set.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <malloc.h>
#include <sched.h>

namespace {

using namespace phoenix::crdt;

using set = or_set<std::uint64_t>;
using flat_set = boost::unordered_flat_set<std::uint64_t>;
using node_set = std::unordered_set<std::uint64_t>;
using keys = std::vector<std::uint64_t>;

constexpr replica_id here{1, 1};
constexpr replica_id there{2, 1};
constexpr std::size_t group = 1000;

std::uint64_t next_key(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e37'79b9'7f4a'7c15U);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9U;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebU;
    return z ^ (z >> 31);
}

keys random_keys(std::size_t count, std::uint64_t seed) {
    keys made(count);
    std::generate(made.begin(), made.end(), [&] { return next_key(seed); });
    return made;
}

template <class Value>
void keep(const Value& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

/// A sum of times over an amount of work.
class stopwatch {
public:
    template <class Work>
    void time(std::size_t amount, Work&& work) {
        const double from = processor_time();
        work();
        spent_ += processor_time() - from;
        amount_ += amount;
    }

    [[nodiscard]] double each() const { return spent_ / static_cast<double>(amount_); }

private:
    /// Of this thread, in nanoseconds: other work on the machine does not count.
    [[nodiscard]] static double processor_time() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
    }

    double spent_ = 0;
    std::size_t amount_ = 0;
};

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
};

std::size_t heap_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

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

void print(const char* what, std::size_t size, const char* unit, double value, const char* rival,
           double rival_value) {
    std::printf("{\"name\": \"%s, %zu elements\", \"value\": %.4g, \"unit\": \"%s\"", what, size, value,
                unit);
    if (rival != nullptr) {
        std::printf(", \"rival\": \"%s\", \"rival_value\": %.4g", rival, rival_value);
    }
    std::printf("}\n");
}

void measure(std::size_t size) {
    constexpr std::size_t work = 2'000'000;
    figures ours;
    figures flat;
    figures nodes;
    for (std::size_t round = 0; round < std::max<std::size_t>(1, work / size / 4); ++round) {
        const keys all = random_keys(size, round * 1'000'003 + size);
        measure_rival<flat_set>(flat, all);
        measure_ours(ours, all);
        measure_rival<node_set>(nodes, all);
    }
    constexpr const char* flat_name = "flat hash set";
    print("add", size, "ns", ours.add.each(), "flat hash set's insert", flat.add.each());
    print("add", size, "ns", ours.add.each(), "std::unordered_set's insert", nodes.add.each());
    print("join a delta of 1", size, "ns", ours.join_one.each(), "flat hash set's insert", flat.add.each());
    print("join a delta of 1,000, an element", size, "ns", ours.join_group.each(), "flat hash set's insert",
          flat.add.each());
    print("lookup", size, "ns", ours.lookup.each(), flat_name, flat.lookup.each());
    print("iterate, an element", size, "ns", ours.iterate.each(), flat_name, flat.iterate.each());
    print("remove", size, "ns", ours.remove.each(), flat_name, flat.remove.each());
    print("join two sets half shared, an element", size, "ns", ours.join_half.each(), flat_name,
          flat.join_half.each());
    print("digest, an element", size, "ns", ours.digest.each(), nullptr, 0);
    print("delta since a digest, two changes", size, "ns", ours.delta_since.each(), nullptr, 0);
    print("encode, an element", size, "ns", ours.encode.each(), nullptr, 0);
    print("decode, an element", size, "ns", ours.decode.each(), nullptr, 0);
    print("memory an element, one writer", size, "bytes", ours.memory, flat_name, flat.memory);
    std::fflush(stdout);
}

} // namespace

int main(int count, char** words) {
    std::size_t most = 1'000'000;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view option = words[i];
        if (option == "--cpu") {
            cpu_set_t only;
            CPU_ZERO(&only);
            CPU_SET(static_cast<std::size_t>(std::atoi(words[i + 1])), &only);
            sched_setaffinity(0, sizeof only, &only);
        } else if (option == "--most") {
            most = static_cast<std::size_t>(std::atoll(words[i + 1]));
        } else {
            std::fprintf(stderr, "usage: phoenix_bench_crdt [--cpu N] [--most N]\n");
            return 2;
        }
    }
    for (std::size_t size = 1000; size <= most; size *= 10) {
        measure(size);
    }
    return 0;
}
