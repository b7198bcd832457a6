// What arrives on a connection: frames that a reader cuts, and what the messages in them do with payloads from anywhere.
//
// An input is a stream of frames, fed in pieces. The mutator changes payloads of frames and then makes their headers right
// again, so that mutants get past the checksum; now and then it leaves them wrong, or mutates the stream as it is. At exit
// it prints how often payloads of each kind were taken and refused.
#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/error.hpp>
#include <phoenix/codec/messages.hpp>

#include "../codec/random_frames.hpp"
#include "../codec/read_again.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <system_error>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace phoenix::codec;

constexpr limits reading{.frame_bytes_max = 64 * 1024};
/// What hostile columns that overlap say takes more bytes than they do.
constexpr limits writing{.frame_bytes_max = 16 * 1024 * 1024};

void expect(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

struct tally {
    std::array<std::uint64_t, 256> taken{};
    std::array<std::uint64_t, 256> refused{};

    ~tally() {
        for (std::size_t number = 0; number < taken.size(); ++number) {
            const auto name = to_text(static_cast<frame_kind>(number));
            if (!name.empty()) {
                std::fprintf(stderr, "%-18.*s %12llu taken %12llu refused\n", static_cast<int>(name.size()),
                             name.data(), static_cast<unsigned long long>(taken[number]),
                             static_cast<unsigned long long>(refused[number]));
            }
        }
    }
};

tally counted;

void expect_sound(const received_frame& received) {
    const auto number = static_cast<std::size_t>(received.kind());
    std::optional<frame> first;
    try {
        first = testing::read_again(received.kind(), received.payload(), reading, writing);
    } catch (const std::system_error& e) {
        expect(e.code() == errc::malformed_message || e.code() == errc::limit_exceeded);
        ++counted.refused[number];
        return;
    }
    ++counted.taken[number];
    const frame second = testing::read_again(first->kind(), first->payload(), writing, writing);
    expect(std::ranges::equal(first->bytes(), second.bytes()));
}

/// The frames of a stream that is fed in pieces of this size, and whether it was refused.
struct cut_stream {
    std::vector<frame> frames = {};
    bool refused = false;

    cut_stream(std::span<const std::byte> stream, std::size_t piece_size) {
        frame_reader reader(reading);
        try {
            while (!stream.empty()) {
                // On the heap and no longer than it is, so that a read beyond its end is found.
                const auto piece = stream.first(std::min(piece_size, stream.size()));
                const std::vector<std::byte> exact(piece.begin(), piece.end());
                reader.feed(exact, [&](const received_frame& received) {
                    expect(received.payload().size() <= reading.frame_bytes_max);
                    frames.push_back(received.share());
                });
                expect(reader.buffered() < frame_bytes(reading.frame_bytes_max));
                stream = stream.subspan(piece.size());
            }
        } catch (const std::system_error& e) {
            expect(e.code().category() == category());
            refused = true;
        }
    }
};

/// Where the frames of a stream begin, as far as their headers go.
[[nodiscard]] std::vector<std::size_t> starts(std::span<const std::uint8_t> stream) {
    std::vector<std::size_t> found;
    for (std::size_t at = 0; at + frame_header::size <= stream.size();) {
        found.push_back(at);
        const auto* const from = reinterpret_cast<const std::byte*>(stream.data() + at);
        at += frame_bytes(frame_header::read(from).length);
    }
    return found;
}

/// A frame of this payload with a right header.
void append(std::vector<std::uint8_t>& out, frame_kind kind, std::span<const std::uint8_t> payload) {
    const frame made = frame::make(kind, std::as_bytes(payload));
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(made.bytes().data());
    out.insert(out.end(), bytes, bytes + made.bytes().size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto stream = std::as_bytes(std::span(data, size));
    const cut_stream whole(stream, size);
    // The last byte has no better use than to choose the other cut.
    const cut_stream in_pieces(stream, 1 + data[size - 1] % 64);
    expect(whole.refused == in_pieces.refused);
    expect(std::ranges::equal(whole.frames, in_pieces.frames, [](const frame& a, const frame& b) {
        return std::ranges::equal(a.bytes(), b.bytes());
    }));
    frame_reader reader(reading);
    for (const frame& each : whole.frames) {
        reader.feed(each.bytes(), expect_sound);
    }
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
    std::minstd_rand random(seed);
    const auto found = starts({data, size});
    const auto choice = random() % 16;
    if (choice == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    std::vector<std::uint8_t> out;
    if (choice <= 2 || found.empty()) {
        // One more frame, of whatever kind, in front.
        testing::random_frames from(random());
        const frame fresh = testing::some_frame(from);
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(fresh.bytes().data());
        out.assign(bytes, bytes + fresh.bytes().size());
        out.insert(out.end(), data, data + size);
    } else {
        const std::size_t chosen = found[random() % found.size()];
        const auto header = frame_header::read(reinterpret_cast<const std::byte*>(data + chosen));
        const std::size_t begin = chosen + frame_header::size;
        const std::size_t length = std::min<std::size_t>(header.length, size - begin);
        std::vector<std::uint8_t> payload(data + begin, data + begin + length);
        payload.resize(length + 64);
        payload.resize(LLVMFuzzerMutate(payload.data(), length, payload.size()));
        const auto kind = choice == 3 ? static_cast<frame_kind>(random() % 32) : header.kind;
        out.assign(data, data + chosen);
        append(out, kind, payload);
        const std::size_t end = std::min(size, chosen + frame_bytes(header.length));
        out.insert(out.end(), data + end, data + size);
    }
    const std::size_t kept = std::min(out.size(), max_size);
    std::memcpy(data, out.data(), kept);
    return kept;
}
