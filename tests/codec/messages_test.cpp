#include <phoenix/codec/messages.hpp>

#include "random_source.hpp"
#include "refusal.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <limits>

namespace phoenix::codec {

namespace {

using testing::case_count;
using testing::random_source;
using testing::refusal;
using testing::says;
using testing::some;

template <class Message>
void comes_back(random_source& from) {
    for (std::size_t left = case_count(200); left > 0; --left) {
        const auto sent = some<Message>(from);
        const frame whole = encode(sent);
        BOOST_TEST((whole.kind() == Message::kind));
        BOOST_TEST((whole.on() == lane_of(Message::kind)));
        BOOST_TEST((decode<Message>(whole.payload(), limits{}) == sent));
    }
}

template <class Message>
[[nodiscard]] std::string encoding_refusal(errc expected, const Message& message, const limits& bounds = {}) {
    return refusal(expected, [&] { (void)encode(message, bounds); });
}

constexpr identity ann{1, 5};
constexpr identity bob{2, 5};

} // namespace

BOOST_AUTO_TEST_SUITE(messages_test)

BOOST_AUTO_TEST_CASE(every_message_comes_back) {
    random_source from;
    comes_back<hello>(from);
    comes_back<proof>(from);
    comes_back<welcome>(from);
    comes_back<bye>(from);
    comes_back<ping>(from);
    comes_back<pong>(from);
    comes_back<report>(from);
    comes_back<behind>(from);
    comes_back<transfer_request>(from);
    comes_back<transfer_begin>(from);
    comes_back<transfer_ack>(from);
    comes_back<transfer_end>(from);
    comes_back<transfer_cancel>(from);
    comes_back<batch_ack>(from);
}

BOOST_AUTO_TEST_CASE(default_messages_come_back) {
    BOOST_TEST((decode<hello>(encode(hello{}).payload(), {}) == hello{}));
    BOOST_TEST((decode<welcome>(encode(welcome{}).payload(), {}) == welcome{}));
    BOOST_TEST((decode<bye>(encode(bye{}).payload(), {}) == bye{}));
    BOOST_TEST((decode<report>(encode(report{}).payload(), {}) == report{}));
    BOOST_TEST((decode<transfer_begin>(encode(transfer_begin{}).payload(), {}) == transfer_begin{}));
}

BOOST_AUTO_TEST_CASE(a_hello_names_its_format) {
    const frame greeting = encode(hello{});
    BOOST_TEST(std::memcmp(greeting.payload().data() + 4, "PHNX", 4) == 0);
    std::vector<std::uint64_t> changed(greeting.payload().size() / 8);
    std::memcpy(changed.data(), greeting.payload().data(), greeting.payload().size());
    changed[0] ^= std::uint64_t{1} << 32;
    BOOST_TEST(says(
        refusal(errc::malformed_message, [&] { (void)decode<hello>(std::as_bytes(std::span(changed)), {}); }),
        "hello: expected a FlatBuffer"));
}

BOOST_AUTO_TEST_CASE(a_hello_speaks_some_version_from_1_on) {
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, hello{.wire_min = 0}), "hello.wire_min"));
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, hello{.wire_min = 3, .wire_max = 2}),
                    "hello.wire_max: expected wire_min, 3, or more, found 2"));
}

BOOST_AUTO_TEST_CASE(names_and_texts_are_bounded_on_both_sides) {
    const hello greeting{.cluster = std::string(20, 'x')};
    const limits narrow{.name_bytes_max = 19, .text_bytes_max = 9};
    BOOST_TEST(says(encoding_refusal(errc::limit_exceeded, greeting, narrow), "hello.cluster"));
    BOOST_TEST(
        says(refusal(errc::limit_exceeded, [&] { (void)decode<hello>(encode(greeting).payload(), narrow); }),
             "hello.cluster in bytes: expected at most 19, found 20"));
    const bye farewell{.text = "ten bytes!"};
    BOOST_TEST(says(encoding_refusal(errc::limit_exceeded, farewell, narrow), "bye.text"));
    BOOST_TEST(
        says(refusal(errc::limit_exceeded, [&] { (void)decode<bye>(encode(farewell).payload(), narrow); }),
             "bye.text"));
}

BOOST_AUTO_TEST_CASE(types_of_a_welcome_stand_in_order_each_once) {
    const auto with = [](std::vector<type_entry> types) {
        return welcome{.types = std::move(types)};
    };
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, with({{"b", 1}, {"a", 2}})),
                    "welcome.type_names: expected each name once, in order, found a"));
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, with({{"a", 1}, {"a", 2}})), "found a"));
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, with({{"", 1}})), "a name for each type"));
    BOOST_TEST(says(encoding_refusal(errc::limit_exceeded, with({{"a", 1}, {"b", 2}}), {.types_max = 1}),
                    "welcome.types: expected at most 1, found 2"));
}

BOOST_AUTO_TEST_CASE(a_welcome_takes_at_least_one_small_frame) {
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, welcome{.frame_bytes_max = 1023}),
                    "welcome.frame_bytes_max: expected 1024 or more, found 1023"));
    BOOST_TEST(says(
        encoding_refusal(errc::malformed_message, welcome{.frame_bytes_max = 4096, .window_bytes = 4095}),
        "welcome.window_bytes"));
}

BOOST_AUTO_TEST_CASE(vectors_stand_in_order_each_origin_once_with_numbers_from_1_on) {
    using entries = std::vector<vector_entry>;
    for (const entries& wrong :
         {entries{{bob, 1}, {ann, 1}}, entries{{ann, 1}, {ann, 2}}, entries{{ann, 0}}}) {
        BOOST_TEST(says(encoding_refusal(errc::malformed_message, behind{.has = wrong}), "behind.has["));
        BOOST_TEST(says(encoding_refusal(errc::malformed_message, transfer_begin{.has = wrong}),
                        "transfer_begin.has["));
        BOOST_TEST(says(encoding_refusal(errc::malformed_message, report{{{.about = ann, .has = wrong}}}),
                        "report.has["));
    }
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, behind{.has = {{bob, 1}, {ann, 1}}}),
                    "behind.has[1]: expected more than the 2/5 before it, found 1/5"));
    BOOST_TEST(says(encoding_refusal(errc::limit_exceeded, behind{.has = {{ann, 1}, {bob, 1}}},
                                     {.vector_entries_max = 1}),
                    "behind.has: expected at most 1, found 2"));
}

BOOST_AUTO_TEST_CASE(a_report_names_each_peer_once_in_order) {
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, report{{{.about = bob}, {.about = ann}}}),
                    "report.about[1]: expected more than the 2/5 before it, found 1/5"));
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, report{{{.about = ann}, {.about = ann}}}),
                    "report.about[1]"));
    BOOST_TEST(says(
        encoding_refusal(errc::limit_exceeded, report{{{.about = ann}, {.about = bob}}}, {.peers_max = 1}),
        "report.about"));
}

BOOST_AUTO_TEST_CASE(neighbours_stand_in_order_and_only_where_they_are_told) {
    BOOST_TEST(
        says(encoding_refusal(errc::malformed_message,
                              report{{{.about = ann, .tells_neighbours = true, .neighbours = {2, 2}}}}),
             "report.neighbours[1]"));
    BOOST_TEST(says(encoding_refusal(errc::malformed_message, report{{{.about = ann, .neighbours = {2}}}}),
                    "report.neighbours: expected none of a peer without the flag 2, found 1"));
    const report none{{{.about = ann, .tells_neighbours = true}}};
    BOOST_TEST(decode<report>(encode(none).payload(), {}).peers[0].tells_neighbours);
    BOOST_TEST(says(encoding_refusal(errc::limit_exceeded,
                                     report{{{.about = ann, .tells_neighbours = true, .neighbours = {1, 2}}}},
                                     {.neighbours_max = 1}),
                    "report.neighbours"));
}

BOOST_AUTO_TEST_CASE(a_message_larger_than_a_frame_may_be_is_not_made) {
    std::vector<vector_entry> has;
    for (std::uint64_t node = 0; node < 50; ++node) {
        has.push_back({{node, 1}, 1});
    }
    BOOST_TEST(says(encoding_refusal(errc::limit_exceeded, behind{.has = has}, {.frame_bytes_max = 1024}),
                    "behind in bytes: expected at most 1024"));
    BOOST_TEST(says(refusal(errc::limit_exceeded,
                            [&] {
                                (void)decode<behind>(encode(behind{.has = has}).payload(),
                                                     {.frame_bytes_max = 1024});
                            }),
                    "behind: expected at most 1024"));
}

BOOST_AUTO_TEST_CASE(the_numbers_of_kinds_are_those_of_the_specification) {
    BOOST_TEST(static_cast<int>(frame_kind::hello) == 1);
    BOOST_TEST(static_cast<int>(frame_kind::pong) == 6);
    BOOST_TEST(static_cast<int>(frame_kind::report) == 16);
    BOOST_TEST(static_cast<int>(frame_kind::transfer_cancel) == 26);
    BOOST_TEST(static_cast<int>(frame_kind::batch_ack) == 27);
    int named = 0;
    for (int number = 0; number < 256; ++number) {
        named += to_text(static_cast<frame_kind>(number)).empty() ? 0 : 1;
    }
    BOOST_TEST(named == 18);
}

BOOST_AUTO_TEST_CASE(wrong_limits_are_named) {
    BOOST_TEST(says(refusal(errc::invalid_options, [] { limits{.frame_bytes_max = 3}.validate(); }),
                    "limits.frame_bytes_max is 3, expected 1024 to 268435456"));
    BOOST_TEST(
        says(refusal(errc::invalid_options, [] { limits{.peers_max = 0}.validate(); }), "limits.peers_max"));
    limits{}.validate();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
