#include <phoenix/codec/batch.hpp>

#include "../net/death.hpp"
#include "allocation_count.hpp"
#include "hand_made.hpp"
#include "random_source.hpp"
#include "refusal.hpp"

#include <boost/test/unit_test.hpp>

#include <ranges>

namespace phoenix::codec {

namespace {

using net::testing::last_words;
using testing::allocations_so_far;
using testing::case_count;
using testing::hand_made;
using testing::random_source;
using testing::refusal;
using testing::says;

static_assert(std::ranges::forward_range<entries_view>);

constexpr batch_head some_head{.origin = {3, 4}, .first = 5, .last = 6, .latest = {7, 8}};

[[nodiscard]] std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

void add(entries_writer& writer, std::uint64_t type, std::string_view key, std::string_view delta) {
    writer.add(type, bytes_of(key), bytes_of(delta));
}

void expect_same(const entries_view& read, const random_source::entries& written) {
    BOOST_TEST(read.size() == written.size());
    BOOST_TEST(read.empty() == written.empty());
    std::size_t index = 0;
    auto in_turn = read.begin();
    for (const auto& [name, delta] : written) {
        for (const entry& each : {*in_turn, read[index]}) {
            BOOST_TEST(each.type == name.first);
            BOOST_TEST(std::ranges::equal(each.key, name.second));
            BOOST_TEST(std::ranges::equal(each.delta, delta));
        }
        ++index;
        ++in_turn;
    }
    BOOST_TEST((in_turn == read.end()));
}

/// The columns of a batch, to be broken.
struct columns {
    std::vector<std::uint64_t> types = {1, 2};
    std::vector<std::uint32_t> type_ends = {2, 3};
    std::vector<std::uint32_t> key_ends = {1, 2, 3};
    std::string keys = "abc";
    std::vector<std::uint32_t> delta_ends = {1, 1, 3};
    std::string deltas = "xyz";
    std::uint64_t first = 1;
    std::uint64_t last = 2;
    std::size_t types_aside = 0;
    std::uint32_t keys_more = 0;

    [[nodiscard]] hand_made batch() const {
        hand_made made;
        made.number(0, 9).number(2, first).number(3, last);
        made.column(6, types, types_aside).column(7, type_ends).column(8, key_ends);
        made.column(9, std::vector<char>(keys.begin(), keys.end()), 0, keys_more);
        made.column(10, delta_ends).column(11, std::vector<char>(deltas.begin(), deltas.end()));
        return made;
    }
};

[[nodiscard]] std::string refusal_of(const columns& broken, const limits& bounds = {},
                                     errc expected = errc::malformed_message) {
    const auto payload = broken.batch().payload();
    return refusal(expected, [&] { (void)batch_view::read(payload.bytes(), bounds); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(batch_test)

BOOST_AUTO_TEST_CASE(batches_come_back) {
    random_source from;
    entries_writer writer(limits{});
    for (std::size_t left = case_count(200); left > 0; --left) {
        const auto written = from.some_entries(30);
        for (const auto& [name, delta] : written) {
            writer.add(name.first, name.second, delta);
        }
        const batch_head head = from.some_head();
        const std::size_t bytes = writer.bytes();
        const frame sent = writer.finish(head);
        BOOST_TEST(writer.empty());
        BOOST_TEST((sent.kind() == frame_kind::batch));
        BOOST_TEST(sent.payload().size() <= bytes);
        const batch_view batch = batch_view::read(sent.payload(), limits{});
        BOOST_TEST((batch.head() == head));
        expect_same(batch.entries(), written);
    }
}

BOOST_AUTO_TEST_CASE(objects_of_a_transfer_come_back) {
    random_source from;
    entries_writer writer(limits{});
    for (std::size_t left = case_count(100); left > 0; --left) {
        const auto written = from.some_entries(30);
        for (const auto& [name, delta] : written) {
            writer.add(name.first, name.second, delta);
        }
        const std::uint64_t transfer = from.number();
        const std::uint64_t sequence = from.number();
        const frame sent = writer.finish(transfer, sequence);
        BOOST_TEST((sent.kind() == frame_kind::transfer_objects));
        const auto objects = transfer_objects_view::read(sent.payload(), limits{});
        BOOST_TEST(objects.transfer() == transfer);
        BOOST_TEST(objects.sequence() == sequence);
        expect_same(objects.entries(), written);
    }
}

BOOST_AUTO_TEST_CASE(what_fits_makes_a_frame_that_its_reader_takes) {
    random_source from;
    for (std::size_t left = case_count(50); left > 0; --left) {
        const limits bounds{.frame_bytes_max = static_cast<std::uint32_t>(1024 + from.below(3000)),
                            .entries_max = static_cast<std::uint32_t>(1 + from.below(200)),
                            .key_bytes_max = static_cast<std::uint32_t>(1 + from.below(40))};
        entries_writer writer(bounds);
        std::size_t added = 0;
        for (const auto& [name, delta] : from.some_entries(400)) {
            if (!writer.fits(name.second.size(), delta.size())) {
                continue;
            }
            writer.add(name.first, name.second, delta);
            ++added;
        }
        const frame sent = from.coin() ? writer.finish(some_head) : writer.finish(1, 2);
        BOOST_TEST(sent.payload().size() <= bounds.frame_bytes_max);
        BOOST_TEST((sent.kind() == frame_kind::batch
                        ? batch_view::read(sent.payload(), bounds).entries().size()
                        : transfer_objects_view::read(sent.payload(), bounds).entries().size()) == added);
    }
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_said_before_it_is_added) {
    const entries_writer writer(limits{.frame_bytes_max = 4096, .key_bytes_max = 10});
    BOOST_TEST(writer.fits(10, 100));
    BOOST_TEST(!writer.fits(11, 100));
    BOOST_TEST(!writer.fits(1, 4096));
    BOOST_TEST(!writer.fits(~std::size_t{0}, ~std::size_t{0}));
    // Several may have longer keys together than one may have.
    BOOST_TEST(writer.has_room(10, 100, 300));
    BOOST_TEST(!writer.has_room(10, 100, 4096));
    BOOST_TEST(!writer.has_room(1'000'000, 100, 100));
    BOOST_TEST(!writer.has_room(1, ~std::size_t{0}, ~std::size_t{0}));
}

BOOST_AUTO_TEST_CASE(entries_are_added_in_order_each_once) {
    const auto adding = [](std::uint64_t type, std::string_view key) {
        return last_words([=] {
            entries_writer writer(limits{});
            add(writer, 2, "m", "");
            add(writer, type, key, "");
        });
    };
    BOOST_TEST(says(adding(1, "z"), "ascending"));
    BOOST_TEST(says(adding(2, "m"), "each once"));
    BOOST_TEST(says(adding(2, "a"), "each once"));
    BOOST_TEST(says(adding(2, ""), "each once"));
    BOOST_TEST(adding(2, "ma").empty());
    BOOST_TEST(adding(3, "a").empty());
}

BOOST_AUTO_TEST_CASE(keys_are_sorted_as_unsigned_bytes) {
    entries_writer writer(limits{});
    add(writer, 1, "\x7f", "1");
    add(writer, 1, "\x80", "2");
    BOOST_TEST(batch_view::read(writer.finish(some_head).payload(), {}).entries().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_is_written_in_one_block_of_memory_and_read_in_none) {
    entries_writer writer(limits{});
    const auto fill = [&] {
        for (char key = 'a'; key < 'z'; ++key) {
            add(writer, 1, {&key, 1}, "delta");
        }
        return writer.finish(some_head);
    };
    frame sent = fill();
    const std::size_t before = allocations_so_far();
    sent = fill();
    BOOST_TEST(allocations_so_far() - before == 1U);
    std::size_t bytes = 0;
    const batch_view batch = batch_view::read(sent.payload(), limits{});
    for (const entry& each : batch.entries()) {
        bytes += each.delta.size();
    }
    BOOST_TEST(allocations_so_far() - before == 1U);
    BOOST_TEST(bytes == 125U);
}

BOOST_AUTO_TEST_CASE(a_batch_written_by_hand_is_read) {
    const auto payload = columns{}.batch().payload();
    const batch_view batch = batch_view::read(payload.bytes(), {});
    BOOST_TEST(batch.head().origin.node == 9U);
    BOOST_TEST(batch.entries().size() == 3U);
    BOOST_TEST(batch.entries()[2].type == 2U);
    BOOST_TEST(std::ranges::equal(batch.entries()[2].delta, bytes_of("yz")));
    // A reader of another version leaves columns out.
    const auto empty = hand_made().number(2, 1).number(3, 1).payload();
    BOOST_TEST(batch_view::read(empty.bytes(), {}).entries().empty());
}

BOOST_AUTO_TEST_CASE(every_rule_of_the_columns_is_held) {
    BOOST_TEST(says(refusal_of({.first = 0}), "batch.first: expected a number from 1 on, found 0"));
    BOOST_TEST(says(refusal_of({.first = 3}), "batch.last: expected first, 3, or more, found 2"));
    BOOST_TEST(says(refusal_of({.types = {1}}), "entries.type_ends: expected 1 elements"));
    BOOST_TEST(says(refusal_of({.types = {2, 1}}), "entries.types[1]: expected more than the 2"));
    BOOST_TEST(says(refusal_of({.types = {1, 1}}), "entries.types[1]"));
    BOOST_TEST(says(refusal_of({.type_ends = {0, 3}}), "entries.type_ends: expected more than 0, found 0"));
    BOOST_TEST(says(refusal_of({.type_ends = {3, 3}}), "entries.type_ends: expected more than 3, found 3"));
    BOOST_TEST(
        says(refusal_of({.type_ends = {1, 2}}), "entries.type_ends: expected an end at the last of 3"));
    BOOST_TEST(says(refusal_of({.type_ends = {1, 4}}), "found 4"));
    BOOST_TEST(says(refusal_of({.types = {}, .type_ends = {}}), "entries.type_ends"));
    BOOST_TEST(says(refusal_of({.key_ends = {1, 2}}), "entries.delta_ends: expected 2 elements"));
    BOOST_TEST(says(refusal_of({.key_ends = {2, 1, 3}}), "entries.key_ends[1]: expected 2 or more, found 1"));
    BOOST_TEST(says(refusal_of({.key_ends = {1, 2, 2}}), "entries.key_ends: expected an end at 3"));
    BOOST_TEST(says(refusal_of({.key_ends = {1, 2, 4}}), "found 4"));
    BOOST_TEST(says(refusal_of({.delta_ends = {1, 0, 3}}), "entries.delta_ends[1]"));
    BOOST_TEST(says(refusal_of({.delta_ends = {1, 2, 2}}), "entries.delta_ends: expected an end at 3"));
    BOOST_TEST(
        says(refusal_of({.keys = "bac"}), "entries.keys[1]: expected each key of a type once, in order"));
    BOOST_TEST(says(refusal_of({.keys = "aac"}), "entries.keys[1]"));
    BOOST_TEST(says(refusal_of({.type_ends = {1, 3}, .keys = "acb"}), "entries.keys[2]"));
    BOOST_TEST(says(refusal_of({.keys_more = 1000}), "batch: expected a FlatBuffer"));
    BOOST_TEST(says(refusal_of({}, {.entries_max = 2}, errc::limit_exceeded),
                    "entries.key_ends: expected at most 2"));
    BOOST_TEST(says(
        refusal_of({.key_ends = {1, 2, 9}, .keys = "abcdefghi"}, {.key_bytes_max = 3}, errc::limit_exceeded),
        "entries.keys in bytes: expected at most 3, found 7"));
    // Keys of different types do not meet.
    const auto payload = columns{.keys = "bca"}.batch().payload();
    BOOST_TEST(batch_view::read(payload.bytes(), {}).entries().size() == 3U);
}

BOOST_AUTO_TEST_CASE(trap_frame_alignment) {
    // FlatBuffers verifies where the length of a vector lies, not its elements, and never the buffer itself.
    BOOST_TEST(says(refusal_of({.types_aside = 4}), "entries.types: expected elements at a multiple of 8"));
    BOOST_TEST(says(last_words([] {
                        const frame sent = entries_writer(limits{}).finish(some_head);
                        std::vector<std::byte> moved(sent.payload().size() + 4);
                        std::ranges::copy(sent.payload(), moved.begin() + 4);
                        (void)batch_view::read(std::span(moved).subspan(4), {});
                    }),
                    "multiple of 8"));
}

BOOST_AUTO_TEST_CASE(a_batch_has_numbers) {
    entries_writer writer(limits{});
    add(writer, 1, "k", "d");
    BOOST_TEST(
        says(refusal(errc::malformed_message, [&] { (void)writer.finish(batch_head{}); }), "batch.first"));
    BOOST_TEST(writer.size() == 1U);
    BOOST_TEST(says(
        refusal(errc::malformed_message, [&] { (void)writer.finish(batch_head{.first = 2, .last = 1}); }),
        "batch.last"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
