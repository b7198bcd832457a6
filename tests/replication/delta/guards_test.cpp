// What guards delta synchronization against its own timing and against peers that do not keep to the protocol.
#include <phoenix/codec/messages.hpp>
#include <phoenix/replication/core/error.hpp>

#include "lab.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace phoenix::replication::testing {

namespace {

using namespace std::chrono_literals;
using codec::frame_kind;

constexpr std::uint64_t endless = ~std::uint64_t{0};

/// Node 1 has asked node 0 for a transfer, whose frames are still to come from the test alone.
struct open_transfer {
    open_transfer() : bench(2, small_buffers()) {
        fill(bench, 0, 10);
        bench.connect(0, 1);
        bench.hold(0, 1);
        bench.pass(1ms);
        bench.let_through(0, 1, 2);
        bench.pass(1ms);
        const auto asked = bench.sent(1, 0, frame_kind::transfer_request);
        BOOST_TEST_REQUIRE(asked.size() == 1U);
        id = codec::decode<codec::transfer_request>(asked[0].payload(), {}).transfer;
    }

    std::error_code begin(std::vector<codec::vector_entry> has = {}) {
        return bench.refusal(0, 1, codec::encode(codec::transfer_begin{id, std::move(has), {}, 1}));
    }

    std::error_code object(std::uint64_t sequence, const std::string& key) {
        text_set state;
        state.add({9, 9}, "tea");
        codec::entries_writer writer{codec::limits()};
        writer.add(lab_types().at<text_set>().id(), key_bytes_of(key), crdt::encode(state));
        return bench.refusal(0, 1, writer.finish(id, sequence));
    }

    /// The first 400 bytes of an object of 1000.
    std::error_code part(std::uint64_t sequence) {
        const std::vector<std::byte> bytes(400);
        codec::transfer_part made;
        made.transfer = id;
        made.part = {lab_types().at<text_set>().id(), key_bytes_of("large"), 0, 1000, bytes};
        made.sequence = sequence;
        return bench.refusal(0, 1, codec::encode(made));
    }

    std::error_code end(std::uint64_t messages, std::uint64_t objects) {
        return bench.refusal(0, 1, codec::encode(codec::transfer_end{id, messages, objects, 0}));
    }

    lab bench;
    std::uint64_t id = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(delta_guards_test)

// --- Timing.

BOOST_AUTO_TEST_CASE(so_many_changed_objects_make_a_batch_while_another_is_under_way) {
    delta_options how;
    how.batch_objects_max = 10;
    how.batch_interval_max = 1s;
    lab bench(2, how);
    bench.connect(0, 1);
    bench.settle();
    bench.hold(0, 1);
    add(bench, 0, "first", "tea");
    bench.pass(1ms);
    BOOST_TEST(bench.machine(0).counters().batches_made == 1U);
    for (int i = 0; i < 9; ++i) {
        add(bench, 0, std::to_string(i), "tea");
        bench.pass(1ms);
    }
    BOOST_TEST(bench.machine(0).counters().batches_made == 1U);
    add(bench, 0, "tenth", "tea");
    bench.pass(1ms);
    BOOST_TEST(bench.machine(0).counters().batches_made == 2U);
}

BOOST_AUTO_TEST_CASE(who_is_linked_to_the_one_that_sent_a_batch_here_is_not_sent_it_at_once) {
    // 0 makes it, 1 passes it on to 2 and 3, which are linked to each other and not to 0.
    lab bench(4);
    bench.connect(0, 1);
    bench.connect(1, 2);
    bench.connect(1, 3);
    bench.connect(2, 3);
    bench.settle();
    for (int i = 0; i < 10; ++i) {
        add(bench, 0, "basket", std::to_string(i));
        bench.settle();
    }
    for (std::size_t node = 0; node < 4; ++node) {
        BOOST_TEST(bench.set(node, "basket").size() == 10U);
        BOOST_TEST(bench.machine(node).counters().batches_redundant == 0U);
    }
}

BOOST_AUTO_TEST_CASE(what_does_not_come_from_elsewhere_is_sent_after_the_delay) {
    delta_options how;
    lab bench(3, how);
    bench.connect_all();
    bench.settle();
    bench.hold(0, 2);
    add(bench, 0, "basket", "tea");
    bench.pass(how.forward_delay / 2);
    BOOST_TEST(bench.set(1, "basket").contains("tea"));
    BOOST_TEST(!bench.set(2, "basket").contains("tea"));
    bench.pass(how.forward_delay);
    BOOST_TEST(bench.set(2, "basket").contains("tea"));
}

BOOST_AUTO_TEST_CASE(a_report_that_got_lost_is_told_again) {
    delta_options how;
    lab bench(2, how);
    bench.connect(0, 1);
    bench.settle();
    bench.hold(1, 0);
    add(bench, 0, "basket", "tea");
    const std::uint64_t number = bench.machine(0).seal(bench.now());
    bench.pass(1s);
    BOOST_TEST(bench.set(1, "basket").contains("tea"));
    bench.lose(1, 0);
    bench.hold(1, 0, false);
    BOOST_TEST(bench.machine(0).holders(number) == 0U);
    bench.pass(how.retell_interval);
    BOOST_TEST(bench.machine(0).holders(number) == 1U);
    BOOST_TEST(bench.failures().empty());
}

BOOST_AUTO_TEST_CASE(what_is_relayed_is_what_changed) {
    delta_options how;
    how.retell_interval = 1h;
    lab bench(3, how);
    bench.connect(0, 1);
    bench.connect(0, 2);
    bench.settle();
    // Node 1 has batches of many processes, and then one more of one of them.
    codec::peer_report row{.about = {2, 2}};
    for (std::uint64_t i = 0; i < 500; ++i) {
        row.has.push_back({{10 + i, 1}, 1});
    }
    const auto relayed = [&] {
        std::size_t entries = 0;
        for (const codec::frame& each : bench.sent(0, 2, frame_kind::report)) {
            for (const codec::peer_report& about : codec::decode<codec::report>(each.payload(), {}).peers) {
                entries += about.about.node == 2 ? about.has.size() : 0;
            }
        }
        return entries;
    };
    bench.receive(1, 0, codec::encode(codec::report{{row}}));
    bench.settle();
    BOOST_TEST(relayed() == 500U);
    bench.receive(1, 0, codec::encode(codec::report{{{.about = {2, 2}, .has = {{{77, 1}, 2}}}}}));
    bench.settle();
    BOOST_TEST(relayed() == 501U);
    BOOST_TEST(bench.machine(2).peers().find(2)->has.at({77, 1}) == 2U);
    BOOST_TEST(bench.machine(2).peers().find(2)->has.size() == 500U);
}

BOOST_AUTO_TEST_CASE(a_transfer_whose_receiver_says_nothing_costs_the_link) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1024;
    lab bench(2, how);
    fill(bench, 0, 100);
    bench.connect(0, 1);
    bench.pass(0ns);
    bench.disconnect(0, 1);
    bench.restart(1);
    bench.connect(0, 1);
    bench.hold(1, 0);
    bench.pass(1ms);
    // The request comes through, no word after it.
    while (bench.sent(0, 1, frame_kind::transfer_end).size() < 2 &&
           bench.sent(0, 1, frame_kind::transfer_begin).size() < 2) {
        BOOST_TEST_REQUIRE(bench.let_through(1, 0, 1) == 1U);
        bench.pass(0ns);
    }
    bench.pass(how.stall_max / 2);
    BOOST_TEST(bench.failures().empty());
    bench.pass(how.stall_max);
    BOOST_TEST_REQUIRE(!bench.failures().empty());
    BOOST_TEST(bench.failures()[0].find("reported back in time") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_batch_whose_parts_take_longer_than_a_stall_arrives_and_a_dead_link_fails) {
    delta_options how = small_buffers();
    how.buffer_bytes_max = 64 * 1024;
    how.retell_interval = 1h;
    lab bench(2, how);
    bench.connect(0, 1);
    bench.settle();
    bench.hold(0, 1);
    add(bench, 0, "large", std::string(5000, 'x'));
    bench.pass(1ms);
    const std::size_t parts = bench.sent(0, 1, frame_kind::batch_part).size();
    BOOST_TEST_REQUIRE(parts > 4U);
    // The report overtakes the parts.
    bench.pass(how.report_interval);
    BOOST_TEST_REQUIRE(bench.held(0, 1) == parts + 1);
    bench.let_through(0, 1, 1);
    for (std::size_t i = 0; i < 4; ++i) {
        bench.pass(how.stall_max / 2);
        bench.let_through(0, 1, 1);
    }
    bench.pass(how.stall_max / 2);
    BOOST_TEST(bench.failures().empty());
    BOOST_TEST(bench.set(1, "large").empty());
    bench.pass(how.stall_max);
    BOOST_TEST(bench.failures().size() == 1U);
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.set(1, "large").size() == 1U);
}

BOOST_AUTO_TEST_CASE(word_of_more_parts_than_were_sent_is_refused) {
    lab bench(2);
    bench.connect(0, 1);
    BOOST_TEST((bench.refusal(1, 0, codec::encode(codec::batch_ack{0})) == std::error_code()));
    BOOST_TEST((bench.refusal(1, 0, codec::encode(codec::batch_ack{1})) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(frames_of_a_transfer_are_filled_whatever_their_keys_take_together) {
    delta_options how = small_buffers();
    lab bench(2, how);
    for (int i = 0; i < 40; ++i) {
        bench.count(0, std::string(100, 'k') + std::to_string(100 + i), 1);
        (void)bench.machine(0).seal(bench.now());
    }
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.objects(1).size() == 40U);
    // About 160 bytes each, in frames of 1 KiB.
    BOOST_TEST(bench.sent(0, 1, frame_kind::transfer_objects).size() <= 10U);
}

BOOST_AUTO_TEST_CASE(what_came_without_a_number_is_in_a_batch_before_it_is_passed_on_in_a_transfer) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1;
    lab bench(3, how);
    fill(bench, 0, 100);
    flush_buffer(bench, 1);
    bench.connect(0, 1);
    bench.hold(0, 1);
    for (int i = 0; i < 8; ++i) {
        bench.pass(1ms);
        bench.let_through(0, 1, 1);
    }
    const std::size_t came = bench.objects(1).size() - 1;
    BOOST_TEST_REQUIRE(came > 0U);
    bench.restart(0);
    const std::uint64_t made = bench.machine(1).has().at(bench.replica(1));
    bench.connect(1, 2);
    bench.settle();
    BOOST_TEST(bench.machine(2).counters().transfers_joined == 1U);
    BOOST_TEST(bench.machine(1).counters().objects_published == came);
    BOOST_TEST(bench.machine(2).has().at(bench.replica(1)) > made);
}

// --- Transfers that do not keep to their rules.

/// Node 0, which has told that it has no batch, brings node 1 a set "basket" in a transfer, and goes. Node 2 hears of it.
struct silent_transfer {
    silent_transfer() {
        bench.connect(0, 1);
        bench.connect(1, 2);
        bench.settle();
        bench.hold(0, 1);
        bench.receive(0, 1, codec::encode(codec::behind{claimed, 0}));
        bench.pass(1ms);
        BOOST_TEST_REQUIRE(bench.machine(1).is_receiving_transfer());
        bench.receive(0, 1, codec::encode(codec::transfer_begin{id, claimed, {}, 1}));
        const std::vector<std::byte> bytes = crdt::encode(state());
        writer.add(lab_types().at<text_set>().id(), key_bytes_of("basket"), bytes);
    }

    [[nodiscard]] static text_set state() {
        text_set made;
        made.add({9, 9}, "tea");
        return made;
    }

    void expect_heard() {
        bench.disconnect(0, 1);
        bench.settle();
        BOOST_TEST(bench.set(1, "basket").contains("tea"));
        BOOST_TEST(bench.set(2, "basket").contains("tea"));
        BOOST_TEST(bench.machine(1).counters().objects_published == 1U);
    }

    static constexpr std::uint64_t id = 1;
    const std::vector<codec::vector_entry> claimed{{{9, 9}, 4}};
    lab bench{3};
    codec::entries_writer writer{codec::limits()};
};

BOOST_AUTO_TEST_CASE(what_no_batch_of_its_sender_covers_is_published_at_once) {
    silent_transfer from;
    from.bench.receive(0, 1, from.writer.finish(from.id, 0));
    from.expect_heard();
}

BOOST_AUTO_TEST_CASE(what_no_batch_of_its_sender_covers_is_published_though_what_follows_is_broken) {
    silent_transfer from;
    from.writer.add(lab_types().at<text_set>().id(), key_bytes_of("second"), key_bytes_of("second"));
    BOOST_TEST((from.bench.refusal(0, 1, from.writer.finish(from.id, 0)) != std::error_code()));
    from.expect_heard();
}

BOOST_AUTO_TEST_CASE(an_object_in_parts_that_no_batch_of_its_sender_covers_is_published_at_once) {
    silent_transfer from;
    const std::vector<std::byte> bytes = crdt::encode(from.state());
    codec::transfer_part made;
    made.transfer = from.id;
    made.part = {lab_types().at<text_set>().id(), key_bytes_of("basket"), 0, bytes.size(), bytes};
    from.bench.receive(0, 1, codec::encode(made));
    from.expect_heard();
}

BOOST_AUTO_TEST_CASE(objects_before_the_begin_of_their_transfer_are_refused) {
    open_transfer to;
    BOOST_TEST((to.object(0, "key") == errc::protocol_violation));
    BOOST_TEST((to.part(0) == errc::protocol_violation));
    BOOST_TEST((to.end(0, 0) == errc::protocol_violation));
    BOOST_TEST(to.bench.objects(1).size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_transfer_begins_once) {
    open_transfer to;
    BOOST_TEST((to.begin() == std::error_code()));
    BOOST_TEST((to.begin() == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(frames_of_a_transfer_come_in_sequence) {
    open_transfer to;
    (void)to.begin();
    BOOST_TEST((to.object(1, "key") == errc::protocol_violation));
    BOOST_TEST((to.object(0, "key") == std::error_code()));
    BOOST_TEST((to.object(0, "key") == errc::protocol_violation));
    BOOST_TEST((to.part(0) == errc::protocol_violation));
    BOOST_TEST((to.part(1) == std::error_code()));
}

BOOST_AUTO_TEST_CASE(nothing_comes_between_the_parts_of_an_object) {
    open_transfer to;
    (void)to.begin();
    BOOST_TEST((to.part(0) == std::error_code()));
    BOOST_TEST((to.object(1, "key") == errc::protocol_violation));
    BOOST_TEST((to.end(1, 0) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(the_vector_is_taken_over_only_if_the_counts_come_out) {
    open_transfer to;
    (void)to.begin({{{9, 9}, 4}});
    (void)to.object(0, "key");
    BOOST_TEST((to.end(2, 1) == errc::protocol_violation));
    BOOST_TEST((to.end(1, 2) == errc::protocol_violation));
    BOOST_TEST(to.bench.machine(1).has().at({9, 9}) == 0U);
    BOOST_TEST((to.end(1, 1) == std::error_code()));
    BOOST_TEST(to.bench.machine(1).has().at({9, 9}) == 4U);
    BOOST_TEST(!to.bench.machine(1).is_receiving_transfer());
}

BOOST_AUTO_TEST_CASE(a_transfer_that_nobody_asked_for_is_passed_over) {
    open_transfer to;
    to.id += 1;
    BOOST_TEST((to.begin({{{9, 9}, 4}}) == std::error_code()));
    BOOST_TEST((to.object(7, "key") == std::error_code()));
    BOOST_TEST((to.end(1, 1) == std::error_code()));
    BOOST_TEST(to.bench.objects(1).size() == 0U);
    BOOST_TEST(to.bench.machine(1).has().empty());
}

// --- Who and how many.

BOOST_AUTO_TEST_CASE(numbers_that_nobody_counts_to_are_refused_wherever_they_stand) {
    open_transfer to;
    lab& bench = to.bench;
    BOOST_TEST((to.begin({{{9, 9}, endless}}) == errc::protocol_violation));
    BOOST_TEST((bench.refusal(0, 1, codec::encode(codec::behind{{{{9, 9}, endless}}, 0})) ==
                errc::protocol_violation));
    codec::entries_writer writer{codec::limits()};
    writer.add(lab_types().at<text_set>().id(), key_bytes_of("key"), crdt::encode(text_set()));
    BOOST_TEST((bench.refusal(0, 1, writer.finish(codec::batch_head{{9, 9}, 1, endless, {}})) ==
                errc::protocol_violation));
    BOOST_TEST(bench.machine(1).has().empty());
}

BOOST_AUTO_TEST_CASE(incarnations_from_the_future_are_refused_wherever_they_stand) {
    constexpr std::uint64_t wall_us = 1'000'000'000;
    const std::uint64_t latest = wall_us + 5UL * 60 * 1'000'000;
    const auto refused = [&](auto&& send) {
        open_transfer to;
        to.bench.objects(1).set_wall_time(wall_us);
        return send(to, latest) == std::error_code() && send(to, latest + 1) == errc::protocol_violation &&
               to.bench.machine(1).peers().all().size() <= 2;
    };
    BOOST_TEST(refused([](open_transfer& to, std::uint64_t incarnation) {
        return to.bench.refusal(0, 1, codec::encode(codec::report{{{.about = {9, incarnation}}}}));
    }));
    BOOST_TEST(refused([](open_transfer& to, std::uint64_t incarnation) {
        return to.bench.refusal(
            0, 1, codec::encode(codec::report{{{.about = {1, 1}, .has = {{{9, incarnation}, 1}}}}}));
    }));
    BOOST_TEST(refused([](open_transfer& to, std::uint64_t incarnation) {
        return to.bench.refusal(0, 1, codec::encode(codec::behind{{{{9, incarnation}, 1}}, 0}));
    }));
    BOOST_TEST(refused([](open_transfer& to, std::uint64_t incarnation) {
        codec::entries_writer writer{codec::limits()};
        writer.add(lab_types().at<text_set>().id(), key_bytes_of("key"), crdt::encode(text_set()));
        return to.bench.refusal(0, 1, writer.finish(codec::batch_head{{9, incarnation}, 1, 1, {}}));
    }));
    open_transfer to;
    to.bench.objects(1).set_wall_time(wall_us);
    BOOST_TEST((to.begin({{{9, latest + 1}, 1}}) == errc::protocol_violation));
    BOOST_CHECK_THROW((void)to.bench.machine(1).link_up(to.bench.now(), link_id{99}, {9, latest + 1}),
                      std::system_error);
    BOOST_TEST(to.bench.machine(1).link_up(to.bench.now(), link_id{99}, {9, latest}));
    // It may have started its clock late: before it was told the time nothing lies in the future.
    to.bench.objects(1).set_wall_time(0);
    BOOST_TEST((to.begin({{{9, endless}, 1}}) == std::error_code()));
}

BOOST_AUTO_TEST_CASE(a_peer_that_tells_of_ever_more_origins_is_refused_by_name) {
    delta_options how;
    how.origins_max = 10;
    lab bench(3, how);
    bench.connect(0, 1);
    bench.connect(0, 2);
    const auto told = [&](std::uint64_t first, std::uint64_t count) {
        codec::peer_report row{.about = {2, 2}};
        for (std::uint64_t i = 0; i < count; ++i) {
            row.has.push_back({{first + i, 1}, 1});
        }
        return codec::encode(codec::report{{row}});
    };
    BOOST_TEST((bench.refusal(1, 0, told(10, 8)) == std::error_code()));
    BOOST_TEST((bench.refusal(1, 0, told(10, 8)) == std::error_code()));
    BOOST_CHECK_EXCEPTION(bench.receive(1, 0, told(20, 3)), std::system_error, [](const auto& e) {
        return e.code() == errc::limit_exceeded && std::string(e.what()).find("2/2 told of") == 0;
    });
    BOOST_TEST((bench.refusal(1, 0, told(20, 2)) == std::error_code()));
    BOOST_TEST((bench.refusal(1, 0, told(30, 1)) == errc::limit_exceeded));
    BOOST_TEST(bench.machine(0).peers().find(2)->has.size() == 10U);
}

BOOST_AUTO_TEST_CASE(batches_of_ever_more_origins_are_refused) {
    delta_options how;
    how.origins_max = 10;
    lab bench(2, how);
    bench.connect(0, 1);
    codec::entries_writer writer{codec::limits()};
    const auto batch = [&](std::uint64_t node) {
        writer.clear();
        writer.add(lab_types().at<text_set>().id(), key_bytes_of("key"), crdt::encode(text_set()));
        return writer.finish(codec::batch_head{{node, 1}, 1, 1, {}});
    };
    for (std::uint64_t node = 10; node < 20; ++node) {
        BOOST_TEST((bench.refusal(1, 0, batch(node)) == std::error_code()));
    }
    BOOST_TEST((bench.refusal(1, 0, batch(20)) == errc::limit_exceeded));
    BOOST_TEST((bench.refusal(1, 0, batch(10)) == std::error_code()));
    BOOST_TEST(bench.machine(0).has().size() == 10U);
}

BOOST_AUTO_TEST_CASE(a_peer_that_tells_of_ever_more_nodes_is_refused) {
    delta_options how;
    how.nodes_max = 4;
    lab bench(2, how);
    bench.connect(0, 1);
    const auto told = [](std::uint64_t node, std::uint64_t incarnation) {
        return codec::encode(codec::report{{{.about = {node, incarnation}, .has = {{{node, 1}, 1}}}}});
    };
    for (std::uint64_t node = 10; node < 13; ++node) {
        BOOST_TEST((bench.refusal(1, 0, told(node, 1)) == std::error_code()));
    }
    BOOST_TEST((bench.refusal(1, 0, told(13, 1)) == errc::limit_exceeded));
    BOOST_TEST((bench.refusal(1, 0, told(12, 2)) == std::error_code()));
    BOOST_CHECK_THROW((void)bench.machine(0).link_up(bench.now(), link_id{99}, {13, 1}), std::system_error);
    BOOST_TEST(bench.machine(0).peers().all().size() == 4U);
    BOOST_TEST(bench.machine(0).links().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_others_say_of_a_linked_peer_keeps_nothing_from_it) {
    lab bench(3);
    bench.connect(0, 1);
    bench.connect(0, 2);
    bench.settle();
    const codec::identity self{bench.replica(0).node, bench.replica(0).incarnation};
    const codec::identity other{bench.replica(1).node, bench.replica(1).incarnation};
    add(bench, 0, "basket", "tea");
    const std::uint64_t number = bench.machine(0).seal(bench.now());
    BOOST_TEST(
        (bench.refusal(2, 0, codec::encode(codec::report{{{.about = other, .has = {{self, number}}}}})) ==
         std::error_code()));
    BOOST_TEST(bench.machine(0).holders(number) == 0U);
    bench.settle();
    BOOST_TEST(bench.set(1, "basket").contains("tea"));
    BOOST_TEST(bench.machine(0).holders(number) == 2U);
}

// --- Transfers that break.

BOOST_AUTO_TEST_CASE(a_transfer_that_broke_goes_on_where_it_stopped) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1;
    lab bench(2, how);
    fill(bench, 0, 300);
    bench.connect(0, 1);
    bench.hold(0, 1);
    // Breaks twice, and what was there already changes between.
    for (int part = 0; part < 2; ++part) {
        for (int i = 0; i < 12; ++i) {
            bench.pass(1ms);
            bench.let_through(0, 1, 1);
        }
        bench.pass(1ms);
        BOOST_TEST(bench.machine(1).is_receiving_transfer());
        bench.disconnect(0, 1);
        add(bench, 0, "basket 0", "milk " + std::to_string(part));
        add(bench, 0, "basket 299", "milk");
        (void)bench.machine(0).seal(bench.now());
        flush_buffer(bench, 0);
        bench.connect(0, 1);
        bench.hold(0, 1);
    }
    const std::size_t came = bench.objects(1).size();
    BOOST_TEST(came > 50U);
    bench.hold(0, 1, false);
    bench.settle();
    BOOST_TEST((bench.machine(1).has() == bench.machine(0).has()));
    for (int i = 0; i < 300; ++i) {
        const std::string key = "basket " + std::to_string(i);
        BOOST_TEST((bench.set(1, key) == bench.set(0, key)));
    }
    std::size_t objects = 0;
    for (const codec::frame& each : bench.sent(0, 1, frame_kind::transfer_objects)) {
        objects += codec::transfer_objects_view::read(each.payload(), codec::limits()).entries().size();
    }
    // Each once, what changed once more, and what was under way when the links went down.
    BOOST_TEST(objects < 300U + 40U);
}

BOOST_AUTO_TEST_CASE(a_newcomer_under_the_same_id_gets_all_of_a_transfer) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1;
    lab bench(2, how);
    fill(bench, 0, 300);
    bench.connect(0, 1);
    bench.hold(0, 1);
    for (int i = 0; i < 12; ++i) {
        bench.pass(1ms);
        bench.let_through(0, 1, 1);
    }
    bench.pass(1ms);
    const std::size_t came = bench.objects(1).size();
    BOOST_TEST(came > 0U);
    BOOST_TEST(came < 300U);
    bench.restart(1);
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.objects(1).size() == 300U);
}

BOOST_AUTO_TEST_CASE(batches_of_this_very_process_that_it_has_not_made_are_refused_wherever_they_stand) {
    const auto is_refused = [](auto&& send) {
        open_transfer to;
        const crdt::replica_id self = to.bench.replica(1);
        return send(to, codec::identity{self.node, self.incarnation}) == errc::overtaken &&
               to.bench.machine(1).is_overtaken();
    };
    BOOST_TEST(
        is_refused([](open_transfer& to, const codec::identity& self) { return to.begin({{self, 5}}); }));
    BOOST_TEST(is_refused([](open_transfer& to, const codec::identity& self) {
        return to.bench.refusal(0, 1, codec::encode(codec::behind{{{self, 5}}, 0}));
    }));
    BOOST_TEST(is_refused([](open_transfer& to, const codec::identity& self) {
        codec::entries_writer writer{codec::limits()};
        writer.add(lab_types().at<text_set>().id(), key_bytes_of("key"), crdt::encode(text_set()));
        return to.bench.refusal(0, 1, writer.finish(codec::batch_head{self, 1, 1, {}}));
    }));
}

BOOST_AUTO_TEST_CASE(a_write_made_on_what_a_transfer_brought_is_later_than_it) {
    delta_options how = small_buffers();
    // One frame at a time, so that what is written meanwhile is still to come.
    how.transfer_window_bytes = 1;
    lab bench(2, how);
    constexpr std::uint64_t second = 1'000'000;
    bench.objects(0).set_wall_time(1010 * second);
    bench.objects(1).set_wall_time(1000 * second);
    const auto write = [&](std::size_t node, const std::string& text) {
        bench.objects(node).change<latest_text>("x", [&](auto& value, const auto& self) {
            return value.set(self, text, bench.objects(node).stamp());
        });
    };
    fill(bench, 0, 30);
    write(0, "before");
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.hold(0, 1);
    const auto step = [&] {
        bench.pass(1ms);
        bench.let_through(0, 1, 1);
    };
    for (int i = 0; i < 1000 && bench.sent(0, 1, frame_kind::transfer_objects).empty(); ++i) {
        step();
    }
    // Behind the stamp that the transfer began with, and still among what it brings.
    bench.objects(0).set_wall_time(1015 * second);
    write(0, "of the other");
    const auto seen = [&] {
        return *bench.objects(1).read<latest_text>("x").value();
    };
    for (int i = 0; i < 1000 && bench.objects(1).find<latest_text>("x") == nullptr; ++i) {
        step();
    }
    BOOST_TEST_REQUIRE(seen() == "of the other");
    BOOST_TEST(bench.machine(1).is_receiving_transfer());
    write(1, "of one who saw it");
    BOOST_TEST(seen() == "of one who saw it");
    bench.hold(0, 1, false);
    bench.settle();
    BOOST_TEST(*bench.objects(0).read<latest_text>("x").value() == "of one who saw it");
}

BOOST_AUTO_TEST_CASE(a_change_too_large_for_any_peer_holds_up_no_other) {
    delta_options how = small_buffers();
    how.frames.object_bytes_max = 4096;
    lab bench(2, how);
    bench.connect(0, 1);
    add(bench, 0, "a", "before");
    bench.settle();
    add(bench, 0, "large", std::string(5000, 'x'));
    add(bench, 0, "small", "tea");
    const auto tick = bench.machine(0).tick(bench.now());
    BOOST_TEST_REQUIRE(tick.too_large.size() == 1U);
    BOOST_TEST(tick.too_large[0].key == "large");
    BOOST_TEST(tick.too_large[0].bytes > 5000U);
    BOOST_TEST(bench.set(0, "large").size() == 1U);
    // Said once; and nothing waits for it.
    BOOST_TEST(bench.machine(0).tick(bench.now()).too_large.empty());
    BOOST_TEST(bench.objects(0).pending() == 0U);
    // Its next change looks at it again: what was added is still not told.
    add(bench, 0, "large", "more");
    (void)bench.machine(0).seal(bench.now());
    const auto again = bench.machine(0).tick(bench.now());
    BOOST_TEST(again.too_large.size() == 1U);
    bench.set(0, "large", [](auto&& set) { set.clear(); });
    bench.disconnect(0, 1);
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.set(1, "small").size() == 1U);
    BOOST_TEST((bench.set(1, "large") == bench.set(0, "large")));
    BOOST_TEST(bench.failures().empty());
}

BOOST_AUTO_TEST_CASE(what_fails_again_and_again_is_published_in_time) {
    delta_options how;
    how.stall_max = 100ms;
    lab bench(3, how);
    // The second entry of the batch is refused; the first is joined, in no number that this node has.
    const auto broken = [&] {
        codec::entries_writer batch(how.frames);
        const auto& type = bench.objects(0).types().at<text_set>();
        text_set tea;
        crdt::byte_writer bytes;
        object_store other(lab_types(), {1, 1});
        other.edit<text_set>("a", [](auto set) { set.add("tea"); });
        other.find_object(type, "a")->write_state(bytes);
        batch.add(type.id(), std::as_bytes(std::span("a", 1)), bytes.bytes());
        batch.add(type.id(), std::as_bytes(std::span("b", 1)), bytes.bytes().first(3));
        return batch.finish({{1, 1}, 1, 1, {}});
    }();
    bench.connect(1, 2);
    for (int i = 0; i < 20; ++i) {
        bench.connect(0, 1);
        BOOST_TEST((bench.refusal(0, 1, broken) != std::error_code()));
        bench.disconnect(0, 1);
        bench.pass(50ms);
    }
    BOOST_TEST(bench.set(2, "a").contains("tea"));
    BOOST_TEST(bench.machine(1).counters().objects_published > 0U);
    BOOST_TEST(bench.machine(1).counters().objects_published < 5U);
}

BOOST_AUTO_TEST_CASE(a_peer_gets_no_more_at_once_than_it_said) {
    delta_options how;
    object_store objects(lab_types(), {1, 1});
    delta_machine machine(objects, how);
    const net::monotonic_time now{1s};
    BOOST_TEST_REQUIRE(machine.link_up(now, link_id{1}, {2, 1}, 2000));
    machine.receive(now, link_id{1}, codec::encode(codec::report{{{.about = {2, 1}}}}));
    for (int i = 0; i < 20; ++i) {
        objects.edit<text_set>("x", [&](auto set) { set.add(std::string(400, 'x') + std::to_string(i)); });
        (void)machine.seal(now);
    }
    std::size_t sent = 0;
    for (const auto& each : machine.tick(now).frames) {
        sent += each.frame.kind() == frame_kind::batch ? each.frame.bytes().size() : 0;
    }
    BOOST_TEST(sent > 0U);
    BOOST_TEST(sent <= 2000U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication::testing
