// What delta synchronization promises, one promise a test, and the traps of its trade by their names.
#include <phoenix/codec/messages.hpp>
#include <phoenix/replication/core/error.hpp>

#include "lab.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <system_error>

namespace phoenix::replication::testing {

namespace {

using namespace std::chrono_literals;
using codec::frame_kind;

void remove(lab& bench, std::size_t node, const std::string& key, const std::string& element) {
    bench.set(node, key, [&](auto&& set) { set.remove(element); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(delta_machine_test)

BOOST_AUTO_TEST_CASE(changes_reach_the_other_side_and_are_reported_back) {
    lab bench(2);
    bench.connect(0, 1);
    add(bench, 0, "basket", "tea");
    const std::uint64_t number = bench.machine(0).seal(bench.now());
    BOOST_TEST(bench.machine(0).holders(number) == 0U);
    bench.settle();
    BOOST_TEST(bench.set(1, "basket").contains("tea"));
    BOOST_TEST(bench.machine(0).holders(number) == 1U);
}

BOOST_AUTO_TEST_CASE(a_change_without_others_under_way_leaves_at_once_and_others_gather_meanwhile) {
    lab bench(2);
    bench.connect(0, 1);
    bench.settle();
    bench.hold(0, 1);
    bench.hold(1, 0);
    for (int i = 0; i < 100; ++i) {
        bench.count(0, "hits", 1);
        bench.pass(10us);
    }
    BOOST_TEST(bench.machine(0).counters().batches_made == 1U);
    bench.hold(0, 1, false);
    bench.hold(1, 0, false);
    bench.settle();
    BOOST_TEST(bench.count(1, "hits") == 100);
    BOOST_TEST(bench.machine(0).counters().batches_made == 2U);
}

BOOST_AUTO_TEST_CASE(in_a_full_mesh_nothing_is_sent_twice_to_anybody) {
    lab bench(5);
    bench.connect_all();
    bench.settle();
    for (int round = 0; round < 20; ++round) {
        for (std::size_t node = 0; node < 5; ++node) {
            add(bench, node, "basket", std::to_string(round * 5 + static_cast<int>(node)));
        }
        bench.pass(3ms);
    }
    bench.settle();
    for (std::size_t node = 0; node < 5; ++node) {
        BOOST_TEST(bench.set(node, "basket").size() == 100U);
        BOOST_TEST(bench.machine(node).counters().batches_redundant == 0U);
    }
}

BOOST_AUTO_TEST_CASE(in_a_line_everybody_hears_and_the_writer_knows_of_it) {
    lab bench(4);
    bench.connect(0, 1);
    bench.connect(1, 2);
    bench.connect(2, 3);
    bench.settle();
    add(bench, 0, "basket", "tea");
    const std::uint64_t number = bench.machine(0).seal(bench.now());
    bench.settle();
    BOOST_TEST(bench.set(3, "basket").contains("tea"));
    BOOST_TEST(bench.machine(0).holders(number) == 3U);
    BOOST_TEST(bench.machine(0).counters().batches_redundant == 0U);
}

BOOST_AUTO_TEST_CASE(an_origin_killed_when_one_peer_has_its_batch_is_heard_by_all) {
    lab bench(4);
    bench.connect_all();
    bench.settle();
    bench.hold(0, 2);
    bench.hold(0, 3);
    add(bench, 0, "basket", "tea");
    bench.pass(1ms);
    BOOST_TEST(bench.set(1, "basket").contains("tea"));
    BOOST_TEST(!bench.set(2, "basket").contains("tea"));
    bench.restart(0);
    bench.settle();
    BOOST_TEST(bench.set(2, "basket").contains("tea"));
    BOOST_TEST(bench.set(3, "basket").contains("tea"));
}

BOOST_AUTO_TEST_CASE(a_batch_is_forwarded_as_it_was_encoded) {
    lab bench(3);
    bench.connect(0, 1);
    bench.connect(1, 2);
    bench.settle();
    add(bench, 0, "basket", "tea");
    bench.settle();
    const auto first = bench.sent(0, 1, frame_kind::batch);
    const auto second = bench.sent(1, 2, frame_kind::batch);
    BOOST_TEST_REQUIRE(first.size() == 1U);
    BOOST_TEST_REQUIRE(second.size() == 1U);
    BOOST_TEST(std::ranges::equal(first[0].bytes(), second[0].bytes()));
}

BOOST_AUTO_TEST_CASE(a_delta_larger_than_a_frame_travels_in_parts_and_is_joined_when_complete) {
    delta_options how = small_buffers();
    how.buffer_bytes_max = 64 * 1024;
    lab bench(3, how);
    bench.connect(0, 1);
    bench.connect(1, 2);
    bench.settle();
    bench.hold(0, 1);
    add(bench, 0, "large", std::string(5000, 'x'));
    bench.pass(1ms);
    while (bench.held(0, 1) > 1) {
        bench.let_through(0, 1, 1);
        BOOST_TEST(bench.set(1, "large").empty());
    }
    bench.hold(0, 1, false);
    bench.settle();
    BOOST_TEST(bench.set(2, "large").contains(std::string(5000, 'x')));
}

BOOST_AUTO_TEST_CASE(trap_additive_delta) {
    lab bench(2);
    bench.connect(0, 1);
    bench.settle();
    bench.count(0, "hits", 3);
    bench.settle();
    const auto batches = bench.sent(0, 1, frame_kind::batch);
    BOOST_TEST_REQUIRE(batches.size() == 1U);
    bench.receive(0, 1, batches[0]);
    BOOST_TEST(bench.count(1, "hits") == 3);
    BOOST_TEST(bench.machine(1).counters().batches_redundant == 1U);
    // Under a number that is news it counts once all the same: it is a total.
    const auto delta = codec::batch_view::read(batches[0].payload(), codec::limits());
    bench.objects(1).join(delta.entries()[0].type, "hits", delta.entries()[0].delta);
    BOOST_TEST(bench.count(1, "hits") == 3);
}

BOOST_AUTO_TEST_CASE(trap_residue_under_old_number) {
    // The forwarder knows half of the batch already; who comes next gets all of it.
    lab bench(3);
    bench.connect(1, 2);
    add(bench, 1, "basket", "tea");
    bench.settle();
    bench.connect(0, 1);
    bench.settle();
    add(bench, 0, "basket", "tea");
    add(bench, 0, "basket", "milk");
    bench.settle();
    BOOST_TEST((bench.set(2, "basket") == bench.set(0, "basket")));
    BOOST_TEST(bench.set(2, "basket").contains("milk"));
}

BOOST_AUTO_TEST_CASE(trap_stale_peer_reinserts) {
    lab bench(3, small_buffers());
    bench.connect_all();
    add(bench, 0, "basket", "tea");
    bench.settle();
    bench.disconnect(2, 0);
    bench.disconnect(2, 1);
    remove(bench, 0, "basket", "tea");
    flush_buffer(bench, 0);
    bench.settle();
    BOOST_TEST(bench.set(2, "basket").contains("tea"));
    bench.connect(1, 2);
    bench.settle();
    for (std::size_t node = 0; node < 3; ++node) {
        BOOST_TEST(!bench.set(node, "basket").contains("tea"));
    }
}

BOOST_AUTO_TEST_CASE(trap_present_in_both_still_removed) {
    // Removed here, kept there by who has not heard: dots decide, not who has the element.
    lab bench(2, small_buffers());
    bench.connect(0, 1);
    add(bench, 0, "basket", "tea");
    add(bench, 0, "basket", "milk");
    bench.settle();
    bench.disconnect(0, 1);
    remove(bench, 0, "basket", "tea");
    add(bench, 1, "basket", "milk");
    remove(bench, 0, "basket", "milk");
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.settle();
    for (std::size_t node = 0; node < 2; ++node) {
        BOOST_TEST(!bench.set(node, "basket").contains("tea"));
        BOOST_TEST(bench.set(node, "basket").contains("milk"));
    }
}

BOOST_AUTO_TEST_CASE(trap_sent_is_not_acked) {
    delta_options how;
    how.frames.frame_bytes_max = 1024;
    how.frames.key_bytes_max = 256;
    how.buffer_bytes_max = 8 * 1024;
    how.window_bytes = 4 * 1024;
    how.stall_max = 10s;
    lab bench(2, how);
    bench.connect(0, 1);
    bench.settle();
    // The peer gets everything and never says so.
    bench.hold(1, 0);
    std::size_t most_under_way = 0;
    for (int i = 0; i < 200; ++i) {
        add(bench, 0, "basket", std::string(400, 'a') + std::to_string(i));
        bench.pass(10ms);
        for (const auto& [id, link] : bench.machine(0).links()) {
            most_under_way = std::max(most_under_way, link.window.bytes());
        }
    }
    BOOST_TEST(most_under_way <= how.window_bytes);
    BOOST_TEST(bench.machine(0).log().bytes() <= how.buffer_bytes_max);
    BOOST_TEST(bench.machine(0).holders(1) == 0U);
    bench.pass(how.stall_max);
    BOOST_TEST_REQUIRE(!bench.failures().empty());
    // It was not forgotten: what the buffer has lost comes as a transfer.
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.set(1, "basket").size() == 200U);
}

BOOST_AUTO_TEST_CASE(trap_remote_merge_keeps_own_delta) {
    lab bench(3);
    bench.connect(0, 1);
    bench.connect(1, 2);
    bench.settle();
    bench.hold(1, 2);
    add(bench, 0, "basket", "tea");
    bench.pass(1ms);
    // While this is pending, another's delta for the same object comes and is joined.
    add(bench, 1, "basket", "milk");
    const auto theirs = bench.sent(0, 1, frame_kind::batch);
    BOOST_TEST_REQUIRE(theirs.size() == 1U);
    add(bench, 0, "basket", "bread");
    bench.pass(1ms);
    bench.hold(1, 2, false);
    bench.settle();
    for (std::size_t node = 0; node < 3; ++node) {
        BOOST_TEST(bench.set(node, "basket").contains("milk"));
        BOOST_TEST(bench.set(node, "basket").size() == 3U);
    }
}

BOOST_AUTO_TEST_CASE(trap_restarted_peer_first_batches) {
    lab bench(2);
    bench.connect(0, 1);
    for (int i = 0; i < 10; ++i) {
        bench.count(0, "hits", 1);
        bench.settle();
    }
    bench.restart(0);
    bench.connect(0, 1);
    bench.count(0, "hits", 1);
    BOOST_TEST(bench.machine(0).seal(bench.now()) == 1U);
    bench.settle();
    BOOST_TEST(bench.count(0, "hits") == 11);
    BOOST_TEST(bench.count(1, "hits") == 11);
}

BOOST_AUTO_TEST_CASE(trap_node_id_reuse) {
    lab bench(3);
    bench.connect(0, 1);
    bench.settle();
    add(bench, 0, "basket", "tea");
    bench.settle();
    // Another process with node 1's id has started later, and somebody has heard of it.
    codec::report heard;
    heard.peers.push_back({.about = {1, 1000}, .has = {{{1, 1000}, 5}}});
    bench.receive(1, 0, codec::encode(heard));
    BOOST_TEST(bench.machine(0).is_overtaken());
    // And one with its very incarnation has made batches that this one has not.
    lab other(2);
    other.connect(0, 1);
    codec::report impossible;
    impossible.peers.push_back({.about = {2, 2}, .has = {{{1, 1}, 5}}});
    BOOST_TEST((other.refusal(1, 0, codec::encode(impossible)) == errc::overtaken));
    BOOST_TEST(other.machine(0).is_overtaken());
}

BOOST_AUTO_TEST_CASE(what_an_older_incarnation_had_does_not_count_for_the_next) {
    lab bench(2);
    bench.connect(0, 1);
    add(bench, 0, "basket", "tea");
    const std::uint64_t number = bench.machine(0).seal(bench.now());
    bench.settle();
    BOOST_TEST(bench.machine(0).holders(number) == 1U);
    bench.restart(1);
    bench.connect(0, 1);
    BOOST_TEST(bench.machine(0).holders(number) == 0U);
    bench.settle();
    BOOST_TEST(bench.machine(0).holders(number) == 1U);
}

BOOST_AUTO_TEST_CASE(trap_reset_remove_counter) {
    lab bench(2);
    bench.connect(0, 1);
    bench.objects(0).edit<counter_map>("totals",
                                       [](auto&& map) { map.update("a", [](auto&& c) { c.increment(7); }); });
    bench.settle();
    bench.disconnect(0, 1);
    bench.objects(0).edit<counter_map>("totals", [](auto&& map) { map.remove("a"); });
    bench.objects(1).edit<counter_map>("totals",
                                       [](auto&& map) { map.update("a", [](auto&& c) { c.increment(2); }); });
    bench.connect(0, 1);
    bench.settle();
    for (std::size_t node = 0; node < 2; ++node) {
        const counter_map& totals = bench.objects(node).read<counter_map>("totals");
        BOOST_TEST_REQUIRE(totals.contains("a"));
        BOOST_TEST(totals.find("a")->value() == 2);
    }
}

// --- State transfer.

BOOST_AUTO_TEST_CASE(who_needs_what_is_no_longer_kept_gets_whole_objects) {
    lab bench(2, small_buffers());
    fill(bench, 0, 50);
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.machine(1).counters().transfers_joined == 1U);
    BOOST_TEST(bench.objects(1).size() == 50U);
    BOOST_TEST((bench.machine(1).has() == bench.machine(0).has()));
}

BOOST_AUTO_TEST_CASE(the_vector_of_a_transfer_is_taken_over_after_its_end_and_never_without_one) {
    lab bench(2, small_buffers());
    fill(bench, 0, 200);
    bench.connect(0, 1);
    bench.pass(0ns);
    BOOST_TEST(bench.machine(1).is_receiving_transfer() == false);
    bench.disconnect(0, 1);

    lab broken(2, small_buffers());
    fill(broken, 0, 200);
    broken.connect(0, 1);
    broken.hold(0, 1);
    for (int i = 0; i < 6; ++i) {
        broken.pass(1ms);
        broken.let_through(0, 1, 1);
    }
    BOOST_TEST(broken.machine(1).is_receiving_transfer());
    BOOST_TEST(broken.objects(1).size() > 0U);
    BOOST_TEST(broken.objects(1).size() < 200U);
    BOOST_TEST(broken.machine(1).has().empty());
    broken.disconnect(0, 1);
    BOOST_TEST(broken.machine(1).has().empty());
    broken.connect(0, 1);
    broken.settle();
    BOOST_TEST(broken.objects(1).size() == 200U);
    BOOST_TEST((broken.machine(1).has() == broken.machine(0).has()));
}

BOOST_AUTO_TEST_CASE(trap_partial_state_full_context) {
    // A part of an object with the context of all of it would remove the rest.
    lab bench(2, small_buffers());
    bench.connect(0, 1);
    for (int i = 0; i < 20; ++i) {
        add(bench, 0, "large", std::string(200, 'a') + std::to_string(i));
        bench.settle();
    }
    BOOST_TEST_REQUIRE(bench.set(1, "large").size() == 20U);
    bench.disconnect(0, 1);
    remove(bench, 0, "large", std::string(200, 'a') + "0");
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.hold(0, 1);
    while (bench.sent(0, 1, frame_kind::transfer_part).size() < 2 || bench.held(0, 1) > 3) {
        bench.pass(1ms);
        bench.let_through(0, 1, 1);
        BOOST_TEST_REQUIRE(bench.set(1, "large").size() == 20U);
    }
    bench.hold(0, 1, false);
    bench.settle();
    BOOST_TEST(bench.set(1, "large").size() == 19U);
}

BOOST_AUTO_TEST_CASE(trap_chunk_forgets_removes) {
    // What was removed while a peer was away must be in what it gets, though no live dot tells of it.
    lab bench(2, small_buffers());
    bench.connect(0, 1);
    for (int i = 0; i < 20; ++i) {
        add(bench, 0, "large", std::string(200, 'a') + std::to_string(i));
    }
    bench.settle();
    bench.disconnect(0, 1);
    bench.set(0, "large", [](auto&& set) { set.clear(); });
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.machine(1).counters().transfers_joined > 0U);
    BOOST_TEST(bench.set(1, "large").empty());
}

BOOST_AUTO_TEST_CASE(a_second_transfer_holds_only_what_changed_since_the_first) {
    lab bench(2, small_buffers());
    fill(bench, 0, 100);
    bench.connect(0, 1);
    bench.settle();
    bench.disconnect(0, 1);
    const std::size_t before = bench.sent(0, 1, frame_kind::transfer_objects).size();
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.settle();
    const auto frames = bench.sent(0, 1, frame_kind::transfer_objects);
    BOOST_TEST_REQUIRE(frames.size() == before + 1);
    BOOST_TEST(
        codec::transfer_objects_view::read(frames.back().payload(), codec::limits()).entries().size() == 1U);
    BOOST_TEST((bench.set(1, "flush") == bench.set(0, "flush")));
}

BOOST_AUTO_TEST_CASE(writes_go_on_while_a_transfer_runs_and_arrive) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1;
    lab bench(2, how);
    fill(bench, 0, 100);
    bench.connect(0, 1);
    bench.hold(0, 1);
    for (int i = 0; i < 60; ++i) {
        bench.pass(1ms);
        bench.let_through(0, 1, 1);
        remove(bench, 0, "basket " + std::to_string(i), "tea");
        add(bench, 0, "basket " + std::to_string(i), "milk");
    }
    bench.hold(0, 1, false);
    bench.settle();
    for (int i = 0; i < 100; ++i) {
        const std::string key = "basket " + std::to_string(i);
        BOOST_TEST((bench.set(1, key) == bench.set(0, key)));
    }
}

BOOST_AUTO_TEST_CASE(what_came_in_a_transfer_whose_source_died_comes_to_all) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1;
    lab bench(3, how);
    bench.connect(1, 2);
    fill(bench, 0, 100);
    bench.connect(0, 1);
    bench.hold(0, 1);
    for (int i = 0; i < 8; ++i) {
        bench.pass(1ms);
        bench.let_through(0, 1, 1);
    }
    const std::size_t came = bench.objects(1).size();
    BOOST_TEST_REQUIRE(came > 0U);
    BOOST_TEST_REQUIRE(came < 100U);
    bench.restart(0);
    bench.settle();
    BOOST_TEST(bench.objects(2).size() == 0U);
    bench.pass(4 * how.stall_max);
    BOOST_TEST(bench.machine(1).counters().objects_published == came);
    BOOST_TEST(bench.objects(2).size() == came);
}

BOOST_AUTO_TEST_CASE(what_a_transfer_shows_of_an_open_batch_is_in_a_batch_first) {
    lab bench(3, small_buffers());
    bench.connect(1, 2);
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.hold(0, 1);
    bench.pass(1ms);
    bench.let_through(0, 1, 2);
    // Written after the request and before the objects leave; the source dies before the batch comes through.
    add(bench, 0, "basket", "tea");
    bench.pass(1ms);
    while (bench.machine(1).counters().transfers_joined == 0 && bench.let_through(0, 1, 1) > 0) {
        bench.pass(0ns);
    }
    bench.restart(0);
    bench.pass(5 * delta_options().stall_max);
    BOOST_TEST((bench.set(1, "basket") == bench.set(2, "basket")));
}

BOOST_AUTO_TEST_CASE(a_transfer_that_stands_still_is_asked_of_another) {
    lab bench(3, small_buffers());
    fill(bench, 0, 30);
    bench.connect(0, 2);
    bench.settle();
    bench.connect(0, 1);
    bench.hold(0, 1);
    bench.pass(1ms);
    bench.let_through(0, 1, 2);
    bench.connect(1, 2);
    bench.pass(2 * delta_options().stall_max);
    BOOST_TEST(bench.objects(1).size() == 30U);
}

// --- What goes wrong here, and what is thrown at it.

BOOST_AUTO_TEST_CASE(a_peer_that_was_overtaken_costs_its_link_and_nothing_else) {
    lab bench(3);
    bench.connect_all();
    bench.settle();
    // Node 2 has heard of a later process of node 1, whose old link still delivers.
    codec::report relayed;
    relayed.peers.push_back({.about = {2, 1000}, .has = {{{2, 1000}, 1}}});
    bench.receive(2, 0, codec::encode(relayed));
    codec::report last_words;
    last_words.peers.push_back({.about = {2, 2}, .has = {}, .tells_neighbours = true, .neighbours = {1, 3}});
    bench.receive(1, 0, codec::encode(last_words));
    bench.pass(1ms);
    BOOST_TEST_REQUIRE(bench.failures().size() == 1U);
    BOOST_TEST(bench.failures()[0].find("later process") != std::string::npos);
    BOOST_TEST(!bench.machine(0).link_up(bench.now(), link_id{1'000'000}, {2, 2}));
    BOOST_TEST(bench.machine(0).links().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_an_edit_did_before_it_threw_is_in_batches_and_in_transfers) {
    lab bench(2, small_buffers());
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.settle();
    bench.disconnect(0, 1);
    BOOST_CHECK_THROW(bench.set(0, "basket",
                                [](auto&& set) {
                                    set.add("tea");
                                    throw std::runtime_error("no more");
                                }),
                      std::runtime_error);
    (void)bench.machine(0).seal(bench.now());
    flush_buffer(bench, 0);
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST(bench.machine(1).counters().transfers_joined == 2U);
    BOOST_TEST(bench.set(1, "basket").contains("tea"));
}

BOOST_AUTO_TEST_CASE(half_a_batch_whose_origin_died_comes_to_all) {
    lab bench(3);
    bench.connect(0, 1);
    bench.connect(1, 2);
    bench.settle();
    bench.objects(0).edit<text_set>("basket", [](auto&& set) { set.add("tea"); });
    bench.hold(0, 1);
    bench.pass(1ms);
    const auto sent = bench.sent(0, 1, frame_kind::batch);
    BOOST_TEST_REQUIRE(sent.size() == 1U);
    const auto whole = codec::batch_view::read(sent[0].payload(), codec::limits());
    codec::entries_writer writer{codec::limits()};
    const codec::entry good = whole.entries()[0];
    writer.add(good.type, good.key, good.delta);
    writer.add(good.type, std::as_bytes(std::span("second", 6)), good.key);
    BOOST_CHECK_THROW(bench.receive(0, 1, writer.finish(whole.head())), std::system_error);
    BOOST_TEST(bench.set(1, "basket").contains("tea"));
    bench.restart(0);
    bench.settle();
    BOOST_TEST(!bench.set(2, "basket").contains("tea"));
    bench.pass(4 * delta_options().stall_max);
    BOOST_TEST(bench.set(2, "basket").contains("tea"));
}

BOOST_AUTO_TEST_CASE(what_came_by_two_transfers_whose_sources_died_comes_to_all) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1;
    lab bench(4, how);
    fill(bench, 0, 100);
    flush_buffer(bench, 1);
    bench.connect(0, 1);
    bench.hold(0, 1);
    for (int i = 0; i < 8; ++i) {
        bench.pass(1ms);
        bench.let_through(0, 1, 1);
    }
    bench.restart(0);
    const std::size_t came = bench.objects(1).size();
    BOOST_TEST_REQUIRE(came > 1U);
    bench.connect(1, 2);
    bench.settle();
    BOOST_TEST(bench.objects(2).size() == came);
    bench.restart(1);
    bench.connect(2, 3);
    bench.pass(5 * how.stall_max);
    BOOST_TEST(bench.objects(3).size() == bench.objects(2).size());
}

BOOST_AUTO_TEST_CASE(reports_of_many_incarnations_take_as_many_frames_as_they_need) {
    lab bench(3, small_buffers());
    bench.connect(0, 1);
    for (int i = 0; i < 100; ++i) {
        bench.connect(1, 2);
        add(bench, 2, "basket", std::to_string(i));
        bench.pass(100ms);
        bench.restart(2);
    }
    bench.connect(1, 2);
    bench.settle();
    BOOST_TEST(bench.failures().empty());
    for (std::size_t node = 0; node < 3; ++node) {
        BOOST_TEST(bench.set(node, "basket").size() == 100U);
        BOOST_TEST((bench.machine(node).has() == bench.machine(0).has()));
    }
}

BOOST_AUTO_TEST_CASE(an_object_that_no_frame_can_carry_costs_its_link_and_no_other) {
    delta_options how = small_buffers();
    how.frames.object_bytes_max = 2048;
    lab bench(3, how);
    bench.connect(0, 2);
    for (int i = 0; i < 40; ++i) {
        add(bench, 0, "large", std::string(100, 'x') + std::to_string(i));
        bench.pass(50ms);
    }
    for (int i = 0; i < 4; ++i) {
        add(bench, 0, "flush", std::to_string(i));
        bench.pass(50ms);
    }
    bench.connect(0, 1);
    bench.settle();
    BOOST_TEST_REQUIRE(!bench.failures().empty());
    BOOST_TEST(bench.failures()[0].find("\"large\"") != std::string::npos);
    add(bench, 0, "small", "tea");
    bench.settle();
    BOOST_TEST(bench.set(2, "small").contains("tea"));
}

BOOST_AUTO_TEST_CASE(a_busy_origin_does_not_keep_the_window_for_itself) {
    delta_options how;
    how.frames.frame_bytes_max = 1024;
    how.frames.key_bytes_max = 256;
    how.window_bytes = 1024;
    how.batch_interval_max = 0ns;
    lab bench(3, how);
    bench.connect(0, 1);
    bench.connect(1, 2);
    bench.settle();
    bench.hold(1, 2);
    bench.hold(2, 1);
    for (int i = 0; i < 20; ++i) {
        add(bench, 0, "flood", std::string(400, 'x') + std::to_string(i));
        bench.pass(1ms);
    }
    add(bench, 1, "basket", "tea");
    int rounds = 0;
    for (; rounds < 100 && !bench.set(2, "basket").contains("tea"); ++rounds) {
        add(bench, 0, "flood", std::string(400, 'y') + std::to_string(rounds));
        bench.pass(1ms);
        bench.let_through(1, 2, 2);
        bench.pass(1ms);
        bench.let_through(2, 1, 10);
    }
    BOOST_TEST(rounds < 10);
}

BOOST_AUTO_TEST_CASE(trap_lww_monotonic_clock) {
    // What is written after another's write was read is later, however far behind this node's wall clock is.
    lab bench(2);
    bench.objects(0).set_wall_time(50'000'000);
    bench.objects(1).set_wall_time(1'000'000);
    bench.connect(0, 1);
    const auto write = [&](std::size_t node, const std::string& what) {
        bench.objects(node).edit<text_register>(
            "name", [&](auto&& name) { name.set(what, bench.objects(node).stamp()); });
    };
    write(0, "first");
    const crdt::timestamp first = bench.objects(0).timestamps().last();
    bench.settle();
    BOOST_TEST((bench.objects(1).stamp() > first));
    write(1, "second");
    bench.settle();
    BOOST_TEST(*bench.objects(0).read<text_register>("name").value() == "second");
    // One from too far in the future is joined, and moves no clock.
    bench.objects(0).set_wall_time(5'000'000'000);
    write(0, "far");
    bench.settle();
    BOOST_TEST(*bench.objects(1).read<text_register>("name").value() == "far");
    BOOST_TEST(bench.machine(1).counters().stamps_refused > 0U);
    BOOST_TEST(bench.objects(1).stamp().wall_us < 100'000'000U);
}

// --- Bad input.

BOOST_AUTO_TEST_CASE(numbers_that_nobody_counts_to_are_refused) {
    lab bench(2);
    bench.connect(0, 1);
    codec::report endless;
    endless.peers.push_back({.about = {1, 1}, .has = {{{7, 7}, ~std::uint64_t{0}}}});
    BOOST_TEST((bench.refusal(0, 1, codec::encode(endless)) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(a_second_transfer_at_once_is_refused) {
    delta_options how = small_buffers();
    how.transfer_window_bytes = 1;
    lab bench(2, how);
    fill(bench, 0, 200);
    bench.connect(0, 1);
    bench.hold(0, 1);
    bench.pass(1ms);
    bench.let_through(0, 1, 2);
    bench.pass(1ms);
    BOOST_TEST((bench.refusal(1, 0, codec::encode(codec::transfer_request{77, {1, 1}, 0})) ==
                errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(a_gap_is_refused_and_nothing_has_changed) {
    lab bench(2);
    bench.connect(0, 1);
    bench.settle();
    bench.hold(0, 1);
    add(bench, 0, "basket", "tea");
    bench.pass(10ms);
    add(bench, 0, "basket", "milk");
    bench.pass(10ms);
    const auto batches = bench.sent(0, 1, frame_kind::batch);
    BOOST_TEST_REQUIRE(batches.size() == 2U);
    BOOST_TEST((bench.refusal(0, 1, batches[1]) == errc::protocol_violation));
    BOOST_TEST(bench.set(1, "basket").empty());
    BOOST_TEST(bench.machine(1).has().empty());
}

BOOST_AUTO_TEST_CASE(a_delta_that_does_not_decode_or_has_no_type_is_refused_and_makes_no_object) {
    lab bench(2);
    bench.connect(0, 1);
    const std::vector<std::byte> garbage(20, std::byte{0xee});
    const auto key = std::as_bytes(std::span("key", 3));
    const codec::batch_head head{{1, 1}, 1, 1, {}};
    codec::entries_writer writer{codec::limits()};
    writer.add(lab_types().at<text_set>().id(), key, garbage);
    const codec::frame undecodable = writer.finish(head);
    BOOST_CHECK_THROW(bench.receive(0, 1, undecodable), std::system_error);
    writer.clear();
    writer.add(12345, key, garbage);
    BOOST_TEST((bench.refusal(0, 1, writer.finish(head)) == errc::unknown_type));
    BOOST_TEST(bench.objects(1).size() == 0U);
    BOOST_TEST(bench.machine(1).has().empty());
}

BOOST_AUTO_TEST_CASE(session_frames_are_not_for_the_machine) {
    lab bench(2);
    bench.connect(0, 1);
    BOOST_TEST((bench.refusal(0, 1, codec::encode(codec::ping{1})) == errc::protocol_violation));
}

BOOST_AUTO_TEST_CASE(options_that_cannot_work_are_refused_by_name) {
    const auto refuses = [](auto change, const std::string& field) {
        delta_options how;
        change(how);
        try {
            how.validate();
        } catch (const std::system_error& e) {
            return e.code() == errc::invalid_options &&
                   std::string(e.what()).find(field) != std::string::npos;
        }
        return false;
    };
    BOOST_TEST(refuses([](auto& how) { how.buffer_bytes_max = 1; }, "buffer_bytes_max"));
    BOOST_TEST(refuses([](auto& how) { how.buffer_batches_max = 0; }, "buffer_batches_max"));
    BOOST_TEST(refuses([](auto& how) { how.window_bytes = 1; }, "window_bytes"));
    BOOST_TEST(refuses([](auto& how) { how.transfer_window_bytes = 0; }, "transfer_window_bytes"));
    BOOST_TEST(refuses([](auto& how) { how.batch_interval_max = -1ns; }, "batch_interval_max"));
    BOOST_TEST(refuses([](auto& how) { how.batch_objects_max = 0; }, "batch_objects_max"));
    BOOST_TEST(refuses([](auto& how) { how.frames.key_bytes_max = how.frames.frame_bytes_max; },
                       "frames.key_bytes_max"));
    BOOST_TEST(refuses([](auto& how) { how.forward_delay = 0ns; }, "forward_delay"));
    BOOST_TEST(refuses([](auto& how) { how.retell_interval = 0ns; }, "retell_interval"));
    BOOST_TEST(refuses([](auto& how) { how.stall_max = 0ns; }, "stall_max"));
    BOOST_TEST(refuses([](auto& how) { how.nodes_max = 0; }, "nodes_max"));
    BOOST_TEST(refuses([](auto& how) { how.origins_max = 0; }, "origins_max"));
    BOOST_TEST(refuses([](auto& how) { how.incarnation_ahead_max = 0ns; }, "incarnation_ahead_max"));
    delta_options().validate();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication::testing
