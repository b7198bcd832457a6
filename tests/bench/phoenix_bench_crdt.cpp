// What the replicated types cost, beside containers that do the bare work: a line of JSON each.
//
//   phoenix_bench_crdt [--only WORDS] [--most N] [--seed N] [--cpu N] [--heap settled|fresh]
//
// Sets and maps are measured with 1,000, 10,000, ... up to N elements (1,000,000), sequences up to 100,000. Ours and the
// rivals take turns within each size, on the same random keys, and small sizes are repeated until they are measurable. All
// times are of the thread's processor clock, with the caches as the work before left them. On a settled heap (the default)
// no memory comes from the system while the clock runs; on a fresh one all large blocks do, and page faults are counted.
#include "crdt/measure.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sched.h>

namespace {

namespace bench = phoenix::crdt::bench;

struct part {
    const char* type;
    const char* of;
    void (*measure)(const bench::report& to, std::size_t size, std::uint64_t seed);
    std::size_t least;
    std::size_t most;
};

constexpr part parts[] = {
    {"or_set", "elements", bench::measure_or_set, 1000, 1'000'000},
    {"or_set's flatness", "elements", bench::measure_or_set_flatness, 1000, 1'000'000},
    {"lww_map", "keys", bench::measure_lww_map, 1000, 1'000'000},
    {"or_map", "keys", bench::measure_or_map, 1000, 1'000'000},
    {"sequence", "edits", bench::measure_sequence, 10'000, 100'000},
};

/// Holds the largest of what is measured at once: two states and the deltas between them.
constexpr std::size_t heap_bytes_each = 600;

struct options {
    std::string_view only;
    std::size_t most = 1'000'000;
    std::uint64_t seed = 1;
    bench::heap heap = bench::heap::settled;
};

void pin_to(std::size_t cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    sched_setaffinity(0, sizeof only, &only);
}

bool read(options& into, std::string_view name, const char* value) {
    if (name == "--only") {
        into.only = value;
    } else if (name == "--most") {
        into.most = std::strtoull(value, nullptr, 10);
    } else if (name == "--seed") {
        into.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--heap") {
        into.heap = std::string_view(value) == "fresh" ? bench::heap::fresh : bench::heap::settled;
    } else if (name == "--cpu") {
        pin_to(std::strtoull(value, nullptr, 10));
    } else {
        return false;
    }
    return true;
}

/// False when no scene has the words in its name.
bool measure_all(const options& wanted) {
    bool any = false;
    for (const part& each : parts) {
        for (std::size_t size = each.least; size <= std::min(wanted.most, each.most); size *= 10) {
            const std::string scene = bench::scene_name(each.type, size, each.of);
            if (scene.find(wanted.only) != std::string::npos) {
                bench::prepare_heap(wanted.heap, size * heap_bytes_each);
                each.measure(bench::report(scene), size, wanted.seed);
                any = true;
            }
        }
    }
    return any;
}

} // namespace

int main(int count, char** words) {
    options wanted;
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count || !read(wanted, words[i], words[i + 1])) {
            std::fprintf(stderr, "usage: phoenix_bench_crdt [--only WORDS] [--most N] [--seed N] [--cpu N] "
                                 "[--heap settled|fresh]\n");
            return 2;
        }
    }
    if (!measure_all(wanted)) {
        std::fprintf(stderr, "expected words of a scene like 'or_set, 1,000 elements', found '%s'\n",
                     std::string(wanted.only).c_str());
        return 2;
    }
    return 0;
}
