#include <phoenix/codec/messages.hpp>

#include "hand_made.hpp"
#include "random_source.hpp"
#include "read_again.hpp"
#include "refusal.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

namespace phoenix::codec {

namespace {

using testing::aligned_bytes;
using testing::case_count;
using testing::hand_made;
using testing::random_source;
using testing::read_again;
using testing::refusal;
using testing::says;
using testing::some_frame;

constexpr limits roomy{.frame_bytes_max = 16 * 1024 * 1024};

/// What a payload says, written anew; nothing when it is refused, which takes an error of the library.
[[nodiscard]] std::optional<frame> taken(frame_kind kind, std::span<const std::byte> payload) {
    try {
        return read_again(kind, payload, limits{}, roomy);
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == errc::malformed_message || e.code() == errc::limit_exceeded), e.what());
        return std::nullopt;
    }
}

/// Refused, or a message like any other.
void expect_sound(frame_kind kind, std::span<const std::byte> payload) {
    const std::optional<frame> first = taken(kind, payload);
    if (first) {
        const frame second = read_again(kind, first->payload(), roomy, roomy);
        BOOST_TEST(std::ranges::equal(first->bytes(), second.bytes()), to_text(kind));
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(hostile_payload_test)

BOOST_AUTO_TEST_CASE(what_is_decoded_is_encoded_to_the_same_bytes) {
    random_source from;
    for (std::size_t left = case_count(500); left > 0; --left) {
        const frame sent = some_frame(from);
        BOOST_TEST(std::ranges::equal(read_again(sent.kind(), sent.payload(), {}, {}).bytes(), sent.bytes()),
                   to_text(sent.kind()));
    }
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused_or_a_message) {
    random_source from;
    for (std::size_t left = case_count(60); left > 0; --left) {
        const frame sent = some_frame(from);
        for (std::size_t size = 0; size < sent.payload().size(); ++size) {
            const aligned_bytes cut(sent.payload().first(size));
            expect_sound(sent.kind(), cut.bytes());
        }
    }
}

BOOST_AUTO_TEST_CASE(every_changed_bit_is_refused_or_a_message) {
    random_source from;
    for (std::size_t left = case_count(30); left > 0; --left) {
        const frame sent = some_frame(from);
        aligned_bytes changed(sent.payload());
        for (std::size_t bit = 0; bit < sent.payload().size() * 8; ++bit) {
            changed.bytes()[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            expect_sound(sent.kind(), changed.bytes());
            changed.bytes()[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        }
    }
}

BOOST_AUTO_TEST_CASE(payloads_of_another_kind_are_refused_or_a_message) {
    random_source from;
    for (std::size_t left = case_count(100); left > 0; --left) {
        const frame sent = some_frame(from);
        for (int number = 0; number < 32; ++number) {
            const auto kind = static_cast<frame_kind>(number);
            if (!to_text(kind).empty()) {
                expect_sound(kind, sent.payload());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(random_changes_are_refused_or_a_message) {
    random_source from;
    for (std::size_t left = case_count(3000); left > 0; --left) {
        const frame sent = some_frame(from);
        aligned_bytes changed(sent.payload());
        for (std::size_t count = 1 + from.below(4); count > 0; --count) {
            changed.bytes()[from.below(changed.bytes().size())] = static_cast<std::byte>(from.number());
        }
        expect_sound(sent.kind(), changed.bytes());
    }
}

BOOST_AUTO_TEST_CASE(an_empty_payload_is_no_message) {
    for (int number = 0; number < 32; ++number) {
        const auto kind = static_cast<frame_kind>(number);
        if (!to_text(kind).empty()) {
            BOOST_TEST(says(refusal(errc::malformed_message, [&] { (void)read_again(kind, {}, {}, {}); }),
                            std::string(to_text(kind)) + ": expected a FlatBuffer"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_field_of_a_later_version_is_passed_over) {
    const auto later = hand_made().number(0, 7).number(1, 9).column<std::uint32_t>(2, {1, 2, 3}).payload();
    BOOST_TEST(decode<ping>(later.bytes(), {}).token == 7U);
}

BOOST_AUTO_TEST_CASE(columns_of_a_report_have_a_row_a_peer) {
    const auto refused = [](const hand_made& made) {
        const auto payload = made.payload();
        return refusal(errc::malformed_message, [&] { (void)decode<report>(payload.bytes(), {}); });
    };
    const auto one = [] {
        return hand_made()
            .column(0, std::vector<identity>{{1, 1}})
            .column<std::uint8_t>(1, {0})
            .column<std::uint32_t>(2, {1})
            .column(3, std::vector<vector_entry>{{{1, 1}, 1}})
            .column<std::uint32_t>(4, {0});
    };
    BOOST_TEST(decode<report>(one().payload().bytes(), {}).peers[0].has[0].number == 1U);
    BOOST_TEST(
        says(refused(one().column<std::uint8_t>(1, {0, 0})), "report.flags: expected 1 elements, one a row"));
    BOOST_TEST(says(refused(one().column<std::uint8_t>(1, {4})),
                    "report.flags: expected no flags but 1 and 2, found 4"));
    BOOST_TEST(says(refused(one().column<std::uint32_t>(2, {})), "report.has_ends"));
    BOOST_TEST(says(refused(one().column<std::uint32_t>(2, {0})), "report.has_ends: expected an end at 1"));
    BOOST_TEST(
        says(refused(one().column<std::uint32_t>(4, {1})), "report.neighbour_ends: expected an end at 0"));
}

BOOST_AUTO_TEST_CASE(trap_frame_alignment) {
    const std::vector<vector_entry> has{{{1, 1}, 1}};
    BOOST_TEST(decode<behind>(hand_made().column(0, has).payload().bytes(), {}).has.size() == 1U);
    const auto aside = hand_made().column(0, has, 4).payload();
    BOOST_TEST(says(refusal(errc::malformed_message, [&] { (void)decode<behind>(aside.bytes(), {}); }),
                    "behind.has: expected elements at a multiple of 8"));
}

BOOST_AUTO_TEST_CASE(trap_length_bomb) {
    const auto bomb = hand_made().column(0, std::vector<vector_entry>{{{1, 1}, 1}}, 0, 0x7fffffff).payload();
    BOOST_TEST(says(refusal(errc::malformed_message, [&] { (void)decode<behind>(bomb.bytes(), {}); }),
                    "behind: expected a FlatBuffer"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
