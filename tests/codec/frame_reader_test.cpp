#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/frame_reader.hpp>

#include "allocation_count.hpp"
#include "random_source.hpp"
#include "refusal.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <stdexcept>

namespace phoenix::codec {

namespace {

using testing::allocations_so_far;
using testing::case_count;
using testing::random_source;
using testing::refusal;
using testing::says;
using testing::some_frame;
using testing::take_largest_allocation;

void append(std::vector<std::byte>& stream, const frame& each) {
    stream.insert(stream.end(), each.bytes().begin(), each.bytes().end());
}

/// Frames from a reader, kept.
struct collector {
    std::vector<frame> frames = {};

    void operator()(const received_frame& received) {
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(received.payload().data()) % 8 == 0U);
        frames.push_back(received.share());
    }
};

[[nodiscard]] bool same(const std::vector<frame>& a, const std::vector<frame>& b) {
    return std::ranges::equal(
        a, b, [](const frame& x, const frame& y) { return std::ranges::equal(x.bytes(), y.bytes()); });
}

/// A frame with its header changed, the checksum right again.
[[nodiscard]] std::vector<std::byte> with_header(const frame& from, void (*change)(frame_header&)) {
    std::vector<std::byte> bytes(from.bytes().begin(), from.bytes().end());
    frame_header header = from.header();
    change(header);
    header.write(bytes.data());
    header.crc = crc32c(std::span(bytes).subspan(4, 12 + from.payload().size()));
    header.write(bytes.data());
    return bytes;
}

[[nodiscard]] std::string refusal_of(errc expected, std::span<const std::byte> stream,
                                     const limits& bounds = {}) {
    return refusal(expected, [&] {
        frame_reader reader(bounds);
        reader.feed(stream, [](const received_frame&) {});
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(frame_reader_test)

BOOST_AUTO_TEST_CASE(a_stream_in_any_pieces_gives_the_frames_that_were_sent) {
    random_source from;
    for (std::size_t left = case_count(100); left > 0; --left) {
        std::vector<frame> sent;
        std::vector<std::byte> stream;
        for (std::size_t count = 1 + from.below(8); count > 0; --count) {
            sent.push_back(some_frame(from));
            append(stream, sent.back());
        }
        collector whole;
        frame_reader(limits{}).feed(stream, whole);
        BOOST_TEST(same(whole.frames, sent));

        collector byte_by_byte;
        frame_reader slow(limits{});
        for (const std::byte& each : stream) {
            slow.feed({&each, 1}, byte_by_byte);
        }
        BOOST_TEST(same(byte_by_byte.frames, sent));
        BOOST_TEST(slow.buffered() == 0U);

        collector in_pieces;
        frame_reader reader(limits{});
        const std::size_t most = 1 + from.below(300);
        for (std::span<const std::byte> rest = stream; !rest.empty();) {
            const std::size_t size = std::min(rest.size(), from.below(most + 1));
            // At an address of its own, of whatever alignment, and gone afterwards.
            std::vector<std::byte> piece(8 + size);
            const std::size_t shift = from.below(8);
            std::ranges::copy(rest.first(size), piece.begin() + static_cast<std::ptrdiff_t>(shift));
            reader.feed(std::span(piece).subspan(shift, size), in_pieces);
            rest = rest.subspan(size);
        }
        BOOST_TEST(same(in_pieces.frames, sent));
    }
}

BOOST_AUTO_TEST_CASE(trap_frame_alignment) {
    random_source from;
    for (std::size_t shift = 0; shift < 8; ++shift) {
        std::vector<std::byte> stream(shift);
        std::vector<frame> sent;
        for (int count = 0; count < 4; ++count) {
            sent.push_back(some_frame(from));
            append(stream, sent.back());
        }
        collector got; // it looks at the alignment of each
        frame_reader(limits{}).feed(std::span(stream).subspan(shift), got);
        BOOST_TEST(same(got.frames, sent));
    }
}

BOOST_AUTO_TEST_CASE(whole_aligned_frames_are_given_where_they_lie_without_memory) {
    std::vector<std::byte> stream;
    for (std::uint64_t token = 0; token < 20; ++token) {
        append(stream, encode(ping{token}));
    }
    frame_reader reader(limits{});
    std::size_t inside = 0;
    const std::size_t before = allocations_so_far();
    for (int repeat = 0; repeat < 3; ++repeat) {
        reader.feed(stream, [&](const received_frame& received) {
            inside += received.bytes().data() >= stream.data() &&
                              received.bytes().data() < stream.data() + stream.size()
                          ? 1
                          : 0;
        });
    }
    BOOST_TEST(allocations_so_far() == before);
    BOOST_TEST(inside == 60U);
    BOOST_TEST(reader.capacity() == 0U);
}

BOOST_AUTO_TEST_CASE(frames_in_pieces_take_memory_once) {
    const frame sent = encode(ping{1});
    frame_reader reader(limits{});
    const auto feed_in_halves = [&] {
        reader.feed(sent.bytes().first(20), [](const received_frame&) {});
        reader.feed(sent.bytes().subspan(20), [](const received_frame&) {});
    };
    feed_in_halves();
    const std::size_t before = allocations_so_far();
    feed_in_halves();
    BOOST_TEST(allocations_so_far() == before);
}

BOOST_AUTO_TEST_CASE(no_bit_of_a_frame_can_change) {
    random_source from;
    for (std::size_t left = case_count(20); left > 0; --left) {
        const frame sent = some_frame(from);
        std::vector<std::byte> stream(sent.bytes().begin(), sent.bytes().end());
        for (std::size_t bit = 0; bit < stream.size() * 8; ++bit) {
            const auto flip = static_cast<std::byte>(1 << bit % 8);
            stream[bit / 8] ^= flip;
            collector got;
            try {
                frame_reader(limits{}).feed(stream, got);
            } catch (const std::system_error& e) {
                BOOST_TEST((e.code().category() == category()));
            }
            BOOST_REQUIRE_MESSAGE(got.frames.empty(), "bit " << bit << " of " << to_text(sent.kind()));
            stream[bit / 8] ^= flip;
        }
    }
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_cut_off_is_none) {
    random_source from;
    const frame sent = some_frame(from);
    for (std::size_t size = 0; size < sent.bytes().size(); ++size) {
        collector got;
        frame_reader reader(limits{});
        reader.feed(sent.bytes().first(size), got);
        BOOST_TEST(got.frames.empty());
        BOOST_TEST(reader.buffered() == size);
    }
}

BOOST_AUTO_TEST_CASE(every_field_of_the_header_is_held_to_its_rule) {
    const frame sent = encode(ping{7});
    BOOST_TEST(says(refusal_of(errc::malformed_frame,
                               with_header(sent, [](frame_header& h) { h.kind = frame_kind{99}; })),
                    "byte 4 of the stream: expected a kind of frame that wire version 1 has, found 99"));
    BOOST_TEST(says(
        refusal_of(errc::malformed_frame, with_header(sent, [](frame_header& h) { h.lane = lane::bulk; })),
        "byte 5 of the stream: expected lane 0 for ping, found 1"));
    BOOST_TEST(
        says(refusal_of(errc::malformed_frame, with_header(sent, [](frame_header& h) { h.flags = 4; })),
             "byte 7 of the stream: expected no flags, found 4"));
    BOOST_TEST(
        says(refusal_of(errc::malformed_frame, with_header(sent, [](frame_header& h) { h.raw_length += 1; })),
             "byte 12 of the stream: expected raw_length equal to length"));
    std::vector<std::byte> damaged(sent.bytes().begin(), sent.bytes().end());
    damaged[17] ^= std::byte{1};
    BOOST_TEST(says(refusal_of(errc::bad_checksum, damaged), "byte 0 of the stream: expected checksum"));
    const frame padded = frame::make(frame_kind::ping, std::as_bytes(std::span("abc", 3)));
    std::vector<std::byte> stained(padded.bytes().begin(), padded.bytes().end());
    stained[22] = std::byte{9};
    BOOST_TEST(says(refusal_of(errc::malformed_frame, stained),
                    "byte 22 of the stream: expected padding of zero bytes, found 9"));
}

BOOST_AUTO_TEST_CASE(bad_input_says_where_in_the_stream) {
    std::vector<std::byte> stream;
    append(stream, encode(ping{1}));
    append(stream, encode(pong{1}));
    const std::size_t good = stream.size();
    stream.insert(stream.end(), 16, std::byte{0});
    BOOST_TEST(says(refusal_of(errc::malformed_frame, stream),
                    "byte " + std::to_string(good + 4) + " of the stream"));
    frame_reader reader(limits{});
    const std::string text = refusal(errc::malformed_frame, [&] {
        for (const std::byte& each : stream) {
            reader.feed({&each, 1}, [](const received_frame&) {});
        }
    });
    BOOST_TEST(says(text, "byte " + std::to_string(good + 4) + " of the stream"));
}

BOOST_AUTO_TEST_CASE(a_refused_stream_stays_refused) {
    frame_reader reader(limits{});
    const std::vector<std::byte> zeros(16);
    const auto ignore = [](const received_frame&) {
    };
    (void)refusal(errc::malformed_frame, [&] { reader.feed(zeros, ignore); });
    (void)refusal(errc::stream_lost, [&] { reader.feed(encode(ping{}).bytes(), ignore); });
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_loses_the_stream) {
    frame_reader reader(limits{});
    const frame sent = encode(ping{});
    BOOST_CHECK_THROW(
        reader.feed(sent.bytes(), [](const received_frame&) { throw std::runtime_error("enough"); }),
        std::runtime_error);
    (void)refusal(errc::stream_lost, [&] { reader.feed(sent.bytes(), [](const received_frame&) {}); });
}

BOOST_AUTO_TEST_CASE(who_asks_for_the_next_may_stop_between_two) {
    std::vector<std::byte> stream;
    append(stream, encode(ping{1}));
    append(stream, encode(pong{2}));
    frame_reader reader(limits{});
    std::span<const std::byte> rest = stream;
    BOOST_TEST((reader.next(rest).value().kind() == frame_kind::ping));
    BOOST_TEST(rest.size() == encode(pong{2}).bytes().size());
    BOOST_TEST((reader.next(rest).value().kind() == frame_kind::pong));
    BOOST_TEST(!reader.next(rest).has_value());
}

BOOST_AUTO_TEST_CASE(trap_decompression_bomb) {
    const frame sent = encode(ping{7});
    for (const auto packed : {compression::zlib, compression::lz4, compression::snappy, compression{77}}) {
        std::vector<std::byte> bytes(sent.bytes().begin(), sent.bytes().end());
        frame_header header = sent.header();
        header.compression = packed;
        header.raw_length = 0xffffffff;
        header.write(bytes.data());
        (void)take_largest_allocation();
        // The header alone: nothing waits for what it promises.
        const std::string text = refusal_of(errc::unsupported_compression, std::span(bytes).first(16));
        BOOST_TEST(says(text, "byte 6 of the stream: expected compression 0 (none)"));
        BOOST_TEST(take_largest_allocation() < 4096U);
    }
}

BOOST_AUTO_TEST_CASE(trap_length_bomb) {
    const frame_header announced{.kind = frame_kind::batch,
                                 .lane = lane::bulk,
                                 .length = limits{}.frame_bytes_max,
                                 .raw_length = limits{}.frame_bytes_max};
    std::vector<std::byte> stream(limits{}.frame_bytes_max / 2);
    announced.write(stream.data());
    frame_reader reader(limits{});
    const auto ignore = [](const received_frame&) {
    };
    // What the header announces takes nothing; what arrives takes at most twice its size.
    for (std::size_t fed = 0; fed < stream.size();) {
        const std::size_t size = std::min<std::size_t>(fed < 100 ? 1 : 4096, stream.size() - fed);
        reader.feed(std::span(stream).subspan(fed, size), ignore);
        fed += size;
        BOOST_TEST(reader.capacity() <= std::max<std::size_t>(2 * fed, 256));
    }

    frame_header larger = announced;
    larger.length = larger.raw_length = announced.length + 1;
    larger.write(stream.data());
    BOOST_TEST(says(refusal_of(errc::limit_exceeded, std::span(stream).first(16)),
                    "byte 8 of the stream: expected at most 1048576 bytes of payload, found 1048577"));
}

BOOST_AUTO_TEST_CASE(memory_of_a_large_frame_is_given_back) {
    const frame large = frame::make(frame_kind::batch, std::vector<std::byte>(500'000));
    frame_reader reader(limits{});
    std::size_t got = 0;
    const auto count = [&](const received_frame&) {
        ++got;
    };
    reader.feed(large.bytes().first(100), count);
    reader.feed(large.bytes().subspan(100), count);
    BOOST_TEST(got == 1U);
    BOOST_TEST(reader.capacity() == 0U);
}

BOOST_AUTO_TEST_CASE(limits_change_between_frames) {
    const frame large = frame::make(frame_kind::batch, std::vector<std::byte>(3000));
    frame_reader reader(limits{.frame_bytes_max = 2000});
    std::size_t got = 0;
    reader.feed(encode(ping{}).bytes(), [&](const received_frame&) {
        ++got;
        reader.set_limits(limits{.frame_bytes_max = 4000});
    });
    reader.feed(large.bytes(), [&](const received_frame&) { ++got; });
    BOOST_TEST(got == 2U);
    (void)refusal_of(errc::limit_exceeded, large.bytes(), {.frame_bytes_max = 2000});
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
