#include "measure.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>

#include <malloc.h>

namespace phoenix::crdt::bench {
namespace {

std::string with_commas(std::size_t number) {
    std::string text = std::to_string(number);
    for (std::size_t from_end = 3; from_end < text.size(); from_end += 4) {
        text.insert(text.size() - from_end, 1, ',');
    }
    return text;
}

} // namespace

keys random_keys(std::size_t count, std::uint64_t seed) {
    random_numbers numbers(seed);
    keys made(count);
    std::ranges::generate(made, [&] { return numbers.next(); });
    return made;
}

double processor_time_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

void prepare_heap(heap kind, std::size_t bytes) {
    if (kind == heap::fresh) {
        // Set by hand, the threshold no longer rises with what is freed.
        mallopt(M_MMAP_THRESHOLD, 128 << 10);
        return;
    }
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    void* const all = std::malloc(bytes);
    std::memset(all, 1, bytes);
    keep(all);
    std::free(all);
}

std::size_t heap_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

std::string scene_name(std::string_view type, std::size_t size, std::string_view of) {
    return std::string(type) + ", " + with_commas(size) + ' ' + std::string(of);
}

void report::line(std::string_view label, const char* unit, double value) const {
    std::printf(R"({"name": "%s: %.*s", "value": %.5g, "unit": "%s"})"
                "\n",
                scene_.c_str(), static_cast<int>(label.size()), label.data(), value, unit);
    std::fflush(stdout);
}

void report::line(std::string_view label, const char* unit, double value, const char* rival,
                  double rival_value) const {
    std::printf(R"({"name": "%s: %.*s", "value": %.5g, "unit": "%s", "rival": "%s", "rival_value": %.5g})"
                "\n",
                scene_.c_str(), static_cast<int>(label.size()), label.data(), value, unit, rival,
                rival_value);
    std::fflush(stdout);
}

} // namespace phoenix::crdt::bench
