// What strangers, broken peers and broken ways can do to a node: nothing to its other links, and little to its memory.
#include <phoenix/codec/crc32c.hpp>
#include <phoenix/codec/messages.hpp>
#include <phoenix/net/connect.hpp>
#include <phoenix/net/stream.hpp>

#include "node_lab.hpp"
#include "relay.hpp"

#include <random>
#include <system_error>

namespace phoenix::replication::testing {

namespace {

using namespace std::chrono_literals;

std::vector<std::byte> bytes_of(const codec::frame& frame) {
    return {frame.bytes().begin(), frame.bytes().end()};
}

codec::hello hello_of_a_stranger() {
    codec::hello mine;
    mine.cluster = "lab";
    mine.self = {99, 1};
    mine.nonce.fill(std::byte{7});
    return mine;
}

/// Says something and then nothing, until the node closes; gives the last farewell that it heard, code 999 for none.
net::task<codec::bye> say(net::endpoint where, std::vector<std::byte> words) {
    net::stream talk = co_await net::connect(where);
    codec::bye heard{999, {}, 0};
    codec::frame_reader reader{codec::limits{}};
    try {
        co_await talk.write(words);
        for (;;) {
            const auto data = co_await talk.read_some();
            if (data.empty()) {
                break;
            }
            reader.feed(data, [&](const codec::received_frame& frame) {
                if (frame.kind() == codec::frame_kind::bye) {
                    heard = codec::decode<codec::bye>(frame.payload(), {});
                }
            });
        }
    } catch (const std::system_error& e) {
        if (net::is_canceled(e.code())) {
            throw;
        }
        // Reset: closed all the same.
    }
    co_return heard;
}

void check_farewell(const codec::bye& heard, farewell why) {
    BOOST_TEST(heard.code == static_cast<std::uint16_t>(why), heard.code << ": " << heard.text);
}

/// Two nodes that are linked, and stay so whatever is said to the first.
net::task<> wrong_words(node_lab& here, node_log& log) {
    node_options how = options_of_node(1);
    how.session.handshake_deadline = 100ms;
    test_node& a = here.start(how);
    test_node& b = here.start(2, {&a});
    here.expect("linked", [&] { return a.links() == 1 && b.links() == 1; });
    co_await here.expected();
    const net::endpoint door = *a->local_endpoint();

    std::vector<std::byte> noise(1000);
    std::mt19937 random(1);
    for (std::byte& each : noise) {
        each = static_cast<std::byte>(random());
    }
    codec::bye heard = co_await say(door, noise);
    check_farewell(heard, farewell::protocol_violation);

    const std::vector<std::byte> hello = bytes_of(codec::encode(hello_of_a_stranger()));
    std::vector<std::byte> wrong_crc = hello;
    wrong_crc.back() ^= std::byte{1};
    wrong_crc[20] ^= std::byte{1};
    heard = co_await say(door, wrong_crc);
    check_farewell(heard, farewell::protocol_violation);

    // A length of 1 GiB is refused by its header: nothing of that size is taken.
    std::vector<std::byte> long_header = hello;
    long_header.resize(16);
    codec::frame_header header = codec::frame_header::read(long_header.data());
    header.length = 1U << 30;
    header.raw_length = 1U << 30;
    header.write(long_header.data());
    heard = co_await say(door, long_header);
    check_farewell(heard, farewell::protocol_violation);

    const std::vector<std::byte> truncated(hello.begin(), hello.end() - 8);
    heard = co_await say(door, truncated);
    check_farewell(heard, farewell::too_slow);
    const std::vector<std::byte> nothing;
    heard = co_await say(door, nothing);
    check_farewell(heard, farewell::too_slow);
    // A hello alone, and then nothing.
    heard = co_await say(door, hello);
    check_farewell(heard, farewell::too_slow);

    codec::hello later = hello_of_a_stranger();
    later.wire_min = 9;
    later.wire_max = 9;
    heard = co_await say(door, bytes_of(codec::encode(later)));
    check_farewell(heard, farewell::wire_version);
    codec::hello elsewhere = hello_of_a_stranger();
    elsewhere.cluster = "coffee";
    heard = co_await say(door, bytes_of(codec::encode(elsewhere)));
    check_farewell(heard, farewell::other_cluster);
    codec::hello same = hello_of_a_stranger();
    same.self.node = 1;
    heard = co_await say(door, bytes_of(codec::encode(same)));
    check_farewell(heard, farewell::own_node);

    std::vector<std::byte> guessed = hello;
    const std::vector<std::byte> proof = bytes_of(codec::encode(codec::proof{}));
    guessed.insert(guessed.end(), proof.begin(), proof.end());
    heard = co_await say(door, guessed);
    check_farewell(heard, farewell::wrong_proof);
    // A stranger's batch, before any proof.
    std::vector<std::byte> impatient = hello;
    const std::vector<std::byte> report = bytes_of(codec::encode(codec::report{}));
    impatient.insert(impatient.end(), report.begin(), report.end());
    heard = co_await say(door, impatient);
    check_farewell(heard, farewell::protocol_violation);

    BOOST_TEST(a.links() == 1U);
    b.count();
    here.expect("the link carries", [&] { return a.counted() == 1; });
    co_await here.expected();
    BOOST_TEST(a->status().sessions.refused >= 9U);
    BOOST_TEST(log.has("wrong proof"));
    BOOST_TEST(log.has("wire"));
}

net::task<> slow_strangers(node_lab& here, node_log&) {
    node_options how = options_of_node(1);
    how.session.strangers_max = 8;
    how.session.handshake_deadline = 300ms;
    test_node& a = here.start(how);
    std::vector<net::stream> silent;
    for (int i = 0; i < 100; ++i) {
        net::stream one = co_await net::connect(*a->local_endpoint());
        silent.push_back(std::move(one));
    }
    test_node& b = here.start(2, {&a});
    here.expect("a peer comes in all the same", [&] { return b.links() == 1; });
    co_await here.expected();
    BOOST_TEST(a->status().sessions.evicted >= 92U);
    // Those that were left go at their deadline.
    for (net::stream& each : silent) {
        try {
            for (;;) {
                const auto data = co_await each.read_some();
                if (data.empty()) {
                    break;
                }
            }
        } catch (const std::system_error&) {
            // Reset.
        }
    }
    BOOST_TEST(b.links() == 1U);
}

net::task<> wrong_secret(node_lab& here, node_log& log) {
    test_node& a = here.start(1);
    node_options how = options_of_node(2);
    how.peers = {a.address()};
    how.secret = "another secret of length";
    test_node& b = here.start(how);
    here.expect("refused", [&] { return log.has("does not know the secret"); });
    co_await here.expected();
    BOOST_TEST(a.links() == 0U);
    BOOST_TEST(b.links() == 0U);
}

net::task<> other_types(node_lab& here, node_log& log) {
    test_node& a = here.start(1);
    node_options how = options_of_node(2);
    how.peers = {a.address()};
    type_registry types;
    types.add<counter>("counter", 2);
    types.add<names>("names");
    test_node& b = here.start(how, std::move(types));
    here.expect("refused", [&] { return log.has("type \"counter\" has another version"); });
    co_await here.expected();
    BOOST_TEST(a.links() == 0U);
    BOOST_TEST(b.links() == 0U);
}

net::task<> replayed(node_lab& here, node_log&) {
    test_node& a = here.start(1);
    relay between(here.loop(), *a->local_endpoint());
    node_options how = options_of_node(2);
    how.peers = {between.address()};
    test_node& b = here.start(how);
    b.count();
    here.expect("linked", [&] { return a.counted() == 1; });
    co_await here.expected();
    const std::vector<std::byte> recorded = between.said().at(0);
    const codec::bye heard = co_await say(*a->local_endpoint(), recorded);
    check_farewell(heard, farewell::wrong_proof);
    BOOST_TEST(a.links() == 1U);
    co_await between.stop();
}

/// The way swallows everything, and no connection ends: both notice, and find each other again.
net::task<> half_open(node_lab& here, node_log& log) {
    node_options first = options_of_node(1);
    first.session.handshake_deadline = 100ms;
    test_node& a = here.start(first);
    relay between(here.loop(), *a->local_endpoint());
    node_options how = options_of_node(2);
    how.peers = {between.address()};
    how.session.handshake_deadline = 100ms;
    test_node& b = here.start(how);
    here.expect("linked", [&] { return a.links() == 1 && b.links() == 1; });
    co_await here.expected();
    between.swallow(true);
    a.count(1);
    b.count(10);
    here.expect("both noticed", [&] { return a.links() == 0 && b.links() == 0; });
    co_await here.expected();
    BOOST_TEST(log.has("nothing came from the peer"));
    between.swallow(false);
    here.expect("healed", [&] { return a.counted() == 11 && b.counted() == 11; });
    co_await here.expected();
    co_await between.stop();
}

/// A peer that does not read costs its own session, and a bounded amount of memory.
net::task<> slow_reader(node_lab& here, node_log&) {
    node_options first = options_of_node(1);
    first.session.handshake_deadline = 100ms;
    first.session.stream.send_buffer_bytes = 4096;
    first.delta.frames.frame_bytes_max = 128U * 1024;
    first.delta.window_bytes = 256UL * 1024;
    first.delta.transfer_window_bytes = 128UL * 1024;
    first.delta.buffer_bytes_max = 1024UL * 1024;
    test_node& a = here.start(first);
    relay between(here.loop(), *a->local_endpoint());
    node_options how = options_of_node(2);
    how.peers = {between.address()};
    how.session.handshake_deadline = 100ms;
    how.delta = first.delta;
    test_node& b = here.start(how);
    node_options third = options_of_node(3);
    third.peers = {a.address()};
    third.delta = first.delta;
    test_node& c = here.start(third);
    here.expect("linked", [&] { return a.links() == 2 && b.links() == 1; });
    co_await here.expected();
    between.swallow(true);
    std::size_t queued_most = 0;
    for (int i = 0; i < 300; ++i) {
        a.add(std::to_string(i) + std::string(20'000, 'x'));
        co_await net::yield();
        for (const link_status& each : a->status().links) {
            queued_most = std::max(queued_most, each.queued_bytes);
        }
    }
    // Six megabytes were written.
    BOOST_TEST(queued_most <= first.delta.window_bytes + first.delta.transfer_window_bytes +
                                  2 * first.delta.frames.frame_bytes_max);
    here.expect("the other link is served",
                [&] { return c->open<names>("guests")->size() == 300 && a.links() == 1; });
    co_await here.expected();
    between.swallow(false);
    here.expect("it gets all when it reads again", [&] { return b->open<names>("guests")->size() == 300; });
    co_await here.expected();
    co_await between.stop();
}

} // namespace

BOOST_AUTO_TEST_SUITE(strangers)

BOOST_AUTO_TEST_CASE(wrong_words_end_in_a_farewell_and_harm_no_other_link) {
    on_each_driver(wrong_words);
}

BOOST_AUTO_TEST_CASE(slow_strangers_hold_up_no_peer) {
    on_each_driver(slow_strangers);
}

BOOST_AUTO_TEST_CASE(another_secret_is_refused) {
    on_each_driver(wrong_secret);
}

BOOST_AUTO_TEST_CASE(a_type_whose_fingerprint_differs_refuses_the_link_and_is_named) {
    on_each_driver(other_types);
}

BOOST_AUTO_TEST_CASE(a_replayed_handshake_is_refused) {
    on_each_driver(replayed);
}

BOOST_AUTO_TEST_CASE(trap_half_open_a_peer_that_vanished_is_noticed_by_deadline) {
    on_each_driver(half_open);
}

BOOST_AUTO_TEST_CASE(trap_slow_reader_costs_a_bounded_amount_of_memory) {
    on_each_driver(slow_reader);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication::testing
