// What editing a text costs, beside a string that does the bare work: characters, one an edit.
//
// "at random places": of five edits four insert a character and one erases one, each at a random index, from an empty text
// on. "in runs": twenty characters typed one after the other at a random index, then the next twenty. "on at the end": all
// characters one after the other. Each edit makes its delta. Deltas are joined a thousand at a time, just after their writer
// made them, so that they are as warm as those of a connection.
#include <phoenix/crdt/sequence.hpp>

#include "loops.hpp"

#include <algorithm>

namespace phoenix::crdt::bench {
namespace {

using text = sequence<char32_t>;

constexpr replica_id here{1, 1};
constexpr std::size_t run = 20;

struct edit {
    std::size_t index;
    char32_t typed; // 0: erases
};

using edits = std::vector<edit>;

char32_t letter(random_numbers& numbers) {
    return U'a' + static_cast<char32_t>(numbers.below(26));
}

edits at_random_places(std::size_t count, std::uint64_t seed) {
    random_numbers numbers(seed);
    edits made;
    std::size_t length = 0;
    while (made.size() < count) {
        const bool erases = numbers.below(5) == 0 && length > 0;
        const std::size_t index = numbers.below(erases ? length : length + 1);
        made.push_back({index, erases ? U'\0' : letter(numbers)});
        length = erases ? length - 1 : length + 1;
    }
    return made;
}

edits in_runs(std::size_t count, std::uint64_t seed) {
    random_numbers numbers(seed);
    edits made;
    std::size_t index = 0;
    while (made.size() < count) {
        index = made.size() % run == 0 ? numbers.below(made.size() + 1) : index + 1;
        made.push_back({index, letter(numbers)});
    }
    return made;
}

edits on_at_the_end(std::size_t count, std::uint64_t seed) {
    random_numbers numbers(seed);
    edits made;
    while (made.size() < count) {
        made.push_back({made.size(), letter(numbers)});
    }
    return made;
}

text make(text& into, const edit& each) {
    return each.typed != 0 ? into.insert(here, each.index, each.typed) : into.erase(here, each.index);
}

struct figures {
    stopwatch edit;
    stopwatch join;
    stopwatch read;
    stopwatch string;
    bytes_figures bytes;
    double memory = 0;
};

void measure_string(figures& into, const edits& all) {
    std::u32string found;
    into.string.time(all.size(), [&] {
        for (const edit& each : all) {
            if (each.typed != 0) {
                found.insert(each.index, 1, each.typed);
            } else {
                found.erase(each.index, 1);
            }
        }
    });
    keep(found);
}

void measure_ours(figures& into, const edits& all) {
    const double count = static_cast<double>(all.size());
    const std::size_t before = heap_in_use();
    text found;
    into.edit.time(all.size(), [&] {
        for (const edit& each : all) {
            keep(make(found, each));
        }
    });
    into.memory = static_cast<double>(heap_in_use() - before) / count;
    into.read.time(static_cast<std::size_t>(found.size()), [&] { keep(found.text()); });
    into.bytes.measure(found, all.size());
    text writer;
    text reader;
    time_joins(into.join, all.size(), writer, reader,
               [&](text& of, std::size_t i) { return make(of, all[i]); });
}

void compare(const report& to, const std::string& where, const edits& all, bool ours_first) {
    figures found;
    if (ours_first) {
        measure_ours(found, all);
    }
    measure_string(found, all);
    if (!ours_first) {
        measure_ours(found, all);
    }
    to.line(where + ", all", "s", found.edit.each_ns() * static_cast<double>(all.size()) * 1e-9);
    to.line(where + ", an edit", "ns", found.edit.each_ns(), "string", found.string.each_ns());
    to.line(where + ", join of an edit's delta", "ns", found.join.each_ns());
    to.line(where + ", text, a character", "ns", found.read.each_ns());
    found.bytes.print(to, where + ", ", "an edit");
    to.line(where + ", memory an edit", "bytes", found.memory);
}

} // namespace

void measure_sequence(const report& to, std::size_t count, std::uint64_t seed) {
    const bool ours_first = seed % 2 == 1;
    compare(to, "at random places", at_random_places(count, seed), ours_first);
    compare(to, "in runs", in_runs(count, seed), ours_first);
    compare(to, "on at the end", on_at_the_end(count, seed), ours_first);
}

} // namespace phoenix::crdt::bench
