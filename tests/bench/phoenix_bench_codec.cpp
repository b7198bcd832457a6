// What frames and batches cost, beside copying the same bytes: a line of JSON each.
//
//   phoenix_bench_codec [--cpu N]
//
// A batch is entries of 64 bytes, keys of 8 and deltas of 56. Writing it ends with a frame to send, its checksum included;
// reading it begins with the bytes of a connection and ends when each entry was seen. The rival copies keys and deltas.
#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/messages.hpp>

#include "crdt/measure.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <sched.h>

namespace {

using namespace phoenix::codec;
using phoenix::crdt::bench::keep;
using phoenix::crdt::bench::repetitions;
using phoenix::crdt::bench::report;
using phoenix::crdt::bench::scene_name;
using phoenix::crdt::bench::stopwatch;

constexpr std::size_t key_bytes = 8;
constexpr std::size_t delta_bytes = 56;
constexpr batch_head head{.origin = {1, 2}, .first = 3, .last = 3, .latest = {4, 5}};

/// Keys ascend: they are numbers, the highest byte first.
[[nodiscard]] std::vector<std::byte> make_entries(std::size_t count) {
    std::vector<std::byte> made(count * (key_bytes + delta_bytes));
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t byte = 0; byte < key_bytes; ++byte) {
            made[i * (key_bytes + delta_bytes) + byte] = static_cast<std::byte>(i >> (8 * (7 - byte)));
        }
    }
    return made;
}

void measure_batch(std::size_t count) {
    const report to(scene_name("batch", count, "entries of 64 bytes"));
    const std::vector<std::byte> entries = make_entries(count);
    const auto entry_at = [&](std::size_t i) {
        return std::span(entries).subspan(i * (key_bytes + delta_bytes), key_bytes + delta_bytes);
    };
    entries_writer writer(limits{});
    frame_reader reader(limits{});
    std::vector<std::byte> copied(entries.size());
    stopwatch write;
    stopwatch copy;
    stopwatch read;
    frame sent;
    const std::size_t rounds = repetitions(count);
    // The clock costs more than a small batch: it is read around all rounds.
    write.time(rounds * count, [&] {
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < count; ++i) {
                const auto each = entry_at(i);
                writer.add(1, each.first(key_bytes), each.subspan(key_bytes));
            }
            sent = writer.finish(head);
        }
    });
    copy.time(rounds * count, [&] {
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < count; ++i) {
                const auto each = entry_at(i);
                std::memcpy(copied.data() + i * each.size(), each.data(), key_bytes);
                std::memcpy(copied.data() + i * each.size() + key_bytes, each.data() + key_bytes,
                            delta_bytes);
                keep(copied);
            }
        }
    });
    read.time(rounds * count, [&] {
        for (std::size_t round = 0; round < rounds; ++round) {
            reader.feed(sent.bytes(), [](const received_frame& received) {
                const batch_view batch = batch_view::read(received.payload(), limits{});
                for (const entry& each : batch.entries()) {
                    keep(each);
                }
            });
        }
    });
    to.line("write, an entry", "ns", write.each_ns(), "copy", copy.each_ns());
    to.line("verify and read, an entry", "ns", read.each_ns(), "copy", copy.each_ns());
}

void measure_small() {
    const report to("ping");
    constexpr std::size_t count = 200'000;
    stopwatch write;
    stopwatch read;
    frame sent;
    write.time(count, [&] {
        for (std::size_t i = 0; i < count; ++i) {
            sent = encode(ping{i});
        }
    });
    frame_reader reader(limits{});
    read.time(count, [&] {
        for (std::size_t i = 0; i < count; ++i) {
            reader.feed(sent.bytes(),
                        [](const received_frame& received) { keep(decode<ping>(received, limits{})); });
        }
    });
    to.line("write", "ns", write.each_ns());
    to.line("verify and read", "ns", read.each_ns());
}

void measure_checksum(std::size_t size) {
    const std::vector<std::byte> data(size);
    stopwatch each;
    const std::size_t rounds = (std::size_t{64} << 20) / size;
    each.time(rounds * size, [&] {
        std::uint32_t crc = 0;
        for (std::size_t round = 0; round < rounds; ++round) {
            crc = crc32c(data, crc);
        }
        keep(crc);
    });
    report(scene_name("crc32c", size, "bytes")).line("a KiB", "ns", 1024 * each.each_ns());
}

void pin_to(std::size_t cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    sched_setaffinity(0, sizeof only, &only);
}

} // namespace

int main(int count, char** words) {
    if (count == 3 && std::string_view(words[1]) == "--cpu") {
        pin_to(std::strtoull(words[2], nullptr, 10));
    } else if (count != 1) {
        std::fprintf(stderr, "usage: phoenix_bench_codec [--cpu N]\n");
        return 2;
    }
    phoenix::crdt::bench::prepare_heap(phoenix::crdt::bench::heap::settled, std::size_t{16} << 20);
    for (const std::size_t entries : {1, 10, 1000, 10'000}) {
        measure_batch(entries);
    }
    measure_small();
    for (const std::size_t size : {64, 512, 4096, 65'536}) {
        measure_checksum(size);
    }
    return 0;
}
