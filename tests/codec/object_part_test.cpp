#include <phoenix/codec/object_part.hpp>

#include "random_source.hpp"
#include "refusal.hpp"

#include <boost/test/unit_test.hpp>

namespace phoenix::codec {

namespace {

using testing::case_count;
using testing::random_source;
using testing::refusal;
using testing::says;

[[nodiscard]] bool same(const object_part& a, const object_part& b) {
    return a.type == b.type && std::ranges::equal(a.key, b.key) && a.offset == b.offset &&
           a.total == b.total && std::ranges::equal(a.bytes, b.bytes);
}

} // namespace

BOOST_AUTO_TEST_SUITE(object_part_test)

BOOST_AUTO_TEST_CASE(parts_come_back_and_make_the_object) {
    random_source from;
    for (std::size_t left = case_count(50); left > 0; --left) {
        const limits bounds{.frame_bytes_max = static_cast<std::uint32_t>(1024 + from.below(1000))};
        const auto key = from.bytes(from.below(300));
        const auto object = from.bytes(1 + from.below(10'000));
        const batch_head head = from.some_head();
        const std::size_t most = part_bytes_max(key.size(), bounds);
        std::vector<std::byte> joined;
        for (std::size_t at = 0; at < object.size(); at += most) {
            const object_part part{7, key, at, object.size(),
                                   std::span(object).subspan(at, std::min(most, object.size() - at))};
            const frame of_batch = encode(batch_part{head, part}, bounds);
            const auto read = decode<batch_part>(of_batch.payload(), bounds);
            BOOST_TEST((read.head == head));
            BOOST_TEST(same(read.part, part));
            const frame of_transfer = encode(transfer_part{11, part, 12}, bounds);
            const auto taken = decode<transfer_part>(of_transfer.payload(), bounds);
            BOOST_TEST(taken.transfer == 11U);
            BOOST_TEST(taken.sequence == 12U);
            BOOST_TEST(same(taken.part, part));
            joined.insert(joined.end(), read.part.bytes.begin(), read.part.bytes.end());
        }
        BOOST_TEST(std::ranges::equal(joined, object));
    }
}

BOOST_AUTO_TEST_CASE(a_part_lies_within_its_object) {
    const std::vector<std::byte> bytes(10);
    const auto refused = [&](const object_part& part, const limits& bounds = {},
                             errc code = errc::malformed_message) {
        const std::string of_batch =
            refusal(code, [&] { (void)encode(batch_part{{{}, 1, 1, {}}, part}, bounds); });
        const std::string of_transfer = refusal(code, [&] { (void)encode(transfer_part{1, part}, bounds); });
        BOOST_TEST(says(of_batch, "batch_part."));
        return of_transfer;
    };
    BOOST_TEST(says(
        refused({.offset = 91, .total = 100, .bytes = bytes}),
        "transfer_part.offset: expected an end within the 100 bytes of the object, found 10 bytes at 91"));
    BOOST_TEST(
        says(refused({.offset = ~std::uint64_t{0}, .total = 100, .bytes = bytes}), "transfer_part.offset"));
    BOOST_TEST(says(refused({.total = 9, .bytes = bytes}), "transfer_part.offset"));
    BOOST_TEST(says(refused({.total = 9, .bytes = {}}), "transfer_part.bytes: expected at least one"));
    BOOST_TEST(
        says(refused({.key = bytes, .total = 10, .bytes = bytes}, {.key_bytes_max = 9}, errc::limit_exceeded),
             "transfer_part.key in bytes: expected at most 9, found 10"));
    (void)encode(transfer_part{1, {.offset = 90, .total = 100, .bytes = bytes}});
}

BOOST_AUTO_TEST_CASE(trap_length_bomb) {
    const std::vector<std::byte> bytes(1);
    const object_part part{.total = limits{}.object_bytes_max + 1, .bytes = bytes};
    BOOST_TEST(says(refusal(errc::limit_exceeded, [&] { (void)encode(transfer_part{1, part}); }),
                    "transfer_part.total: expected at most 1073741824, found 1073741825"));
    const frame sent = encode(transfer_part{1, {.total = 5000, .bytes = bytes}});
    BOOST_TEST(says(refusal(errc::limit_exceeded,
                            [&] { (void)decode<transfer_part>(sent.payload(), {.object_bytes_max = 4999}); }),
                    "transfer_part.total"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::codec
