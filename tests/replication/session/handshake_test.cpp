// Who gets in, who does not, and what each is told.
#include <phoenix/codec/messages.hpp>
#include <phoenix/replication/session/handshake.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <vector>

namespace phoenix::replication::testing {

namespace {

handshake_options options_of(std::uint64_t node) {
    handshake_options how;
    how.self = {node, 1000 + node};
    how.cluster = "tea house";
    how.secret = "a secret of some length";
    how.types = {{"counter", 1}, {"set", 2}};
    return how;
}

handshake::moment moment_of(std::uint8_t seed, std::uint64_t wall_us = 1'000'000'000) {
    handshake::moment at;
    at.wall_us = wall_us;
    at.nonce.fill(std::byte{seed});
    return at;
}

std::uint64_t nothing_known(std::uint64_t /*node*/) {
    return 0;
}

/// Why a handshake ended.
struct end {
    farewell why{};
    std::string what;
    std::uint64_t highest = 0;
};

struct meeting {
    handshake_options dialer_options = options_of(1);
    handshake_options acceptor_options = options_of(2);
    handshake::moment dialer_moment = moment_of(1);
    handshake::moment acceptor_moment = moment_of(2);
    std::function<std::uint64_t(std::uint64_t)> dialer_knows = nothing_known;
    std::function<std::uint64_t(std::uint64_t)> acceptor_knows = nothing_known;
    /// What each side saw as its end, if it was refused or refused.
    std::optional<end> dialer_end;
    std::optional<end> acceptor_end;
    std::optional<session_peer> dialers_peer;
    std::optional<session_peer> acceptors_peer;

    /// Runs until nothing is under way.
    void run() {
        handshake dialer(handshake::side::dialer, dialer_options, dialer_moment, dialer_knows);
        handshake acceptor(handshake::side::acceptor, acceptor_options, acceptor_moment, acceptor_knows);
        std::deque<codec::frame> to_acceptor{dialer.hello()};
        std::deque<codec::frame> to_dialer{acceptor.hello()};
        while (!to_acceptor.empty() || !to_dialer.empty()) {
            step(acceptor, acceptor_end, to_acceptor, to_dialer);
            step(dialer, dialer_end, to_dialer, to_acceptor);
        }
        if (dialer.is_complete() && !dialer_end) {
            dialers_peer = dialer.peer();
        }
        if (acceptor.is_complete() && !acceptor_end) {
            acceptors_peer = acceptor.peer();
        }
    }

    static void step(handshake& at, std::optional<end>& its_end, std::deque<codec::frame>& in,
                     std::deque<codec::frame>& out) {
        if (in.empty()) {
            return;
        }
        const codec::frame next = in.front();
        in.pop_front();
        if (its_end || at.is_complete()) {
            return;
        }
        try {
            for (const codec::frame& each : at.receive(next)) {
                out.push_back(each);
            }
        } catch (const handshake_refused& refusal) {
            its_end = {refusal.why(), refusal.what(), refusal.highest_incarnation()};
            if (!refusal.is_by_peer()) {
                for (const codec::frame& each : at.parting(refusal)) {
                    out.push_back(each);
                }
            }
        }
    }
};

farewell why_refused(handshake& at, const codec::frame& frame) {
    try {
        (void)at.receive(frame);
    } catch (const handshake_refused& refusal) {
        return refusal.why();
    }
    return farewell::leaving;
}

std::string hex(const digest256& bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::byte each : bytes) {
        text += digits[static_cast<std::size_t>(each) >> 4];
        text += digits[static_cast<std::size_t>(each) & 0xf];
    }
    return text;
}

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(handshake_test)

BOOST_AUTO_TEST_CASE(hashes_are_those_of_the_standards) {
    // FIPS 180-2 B.1, RFC 4231 case 2.
    BOOST_TEST(hex(sha256({bytes_of("a"), bytes_of("bc")})) ==
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(hex(hmac_sha256("Jefe", "what do ya want ", bytes_of("for nothing?"))) ==
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

BOOST_AUTO_TEST_CASE(two_nodes_of_a_cluster_meet) {
    meeting both;
    both.dialer_options.window_bytes = 5'000'000;
    both.run();
    BOOST_TEST_REQUIRE(both.dialers_peer.has_value());
    BOOST_TEST_REQUIRE(both.acceptors_peer.has_value());
    BOOST_TEST((both.dialers_peer->replica == both.acceptor_options.self));
    BOOST_TEST((both.acceptors_peer->replica == both.dialer_options.self));
    BOOST_TEST(both.acceptors_peer->window_bytes == 5'000'000U);
    BOOST_TEST(both.acceptors_peer->software == "phoenix");
}

BOOST_AUTO_TEST_CASE(another_cluster_is_refused_and_told) {
    meeting both;
    both.acceptor_options.cluster = "coffee house";
    both.run();
    BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
    BOOST_TEST((both.acceptor_end->why == farewell::other_cluster));
    BOOST_TEST(both.acceptor_end->what.find("expected \"coffee house\", found \"tea house\"") !=
               std::string::npos);
    BOOST_TEST_REQUIRE(both.dialer_end.has_value());
    BOOST_TEST((both.dialer_end->why == farewell::other_cluster));
    BOOST_TEST(!both.dialers_peer.has_value());
    BOOST_TEST(!both.acceptors_peer.has_value());
}

BOOST_AUTO_TEST_CASE(a_wrong_secret_is_refused_before_anything_is_said) {
    meeting both;
    both.dialer_options.secret = "another secret of some length";
    both.run();
    BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
    BOOST_TEST((both.acceptor_end->why == farewell::wrong_proof));
    BOOST_TEST_REQUIRE(both.dialer_end.has_value());
    BOOST_TEST((both.dialer_end->why == farewell::wrong_proof));
}

BOOST_AUTO_TEST_CASE(an_acceptor_without_the_secret_is_found_out) {
    const handshake_options how = options_of(1);
    const handshake_options theirs = options_of(2);
    handshake dialer(handshake::side::dialer, how, moment_of(1), nothing_known);
    const handshake acceptor(handshake::side::acceptor, theirs, moment_of(2), nothing_known);
    const auto proof = dialer.receive(acceptor.hello());
    BOOST_TEST_REQUIRE(proof.size() == 1U);
    // It sends the dialer's own proof back.
    BOOST_TEST((why_refused(dialer, proof[0]) == farewell::wrong_proof));
    BOOST_TEST(!dialer.is_authenticated());
}

BOOST_AUTO_TEST_CASE(a_replayed_handshake_proves_nothing) {
    const handshake_options how = options_of(1);
    const handshake_options theirs = options_of(2);
    handshake dialer(handshake::side::dialer, how, moment_of(1), nothing_known);
    handshake acceptor(handshake::side::acceptor, theirs, moment_of(2), nothing_known);
    const auto proof = dialer.receive(acceptor.hello());
    BOOST_TEST_REQUIRE(proof.size() == 1U);
    (void)acceptor.receive(dialer.hello());
    (void)acceptor.receive(proof[0]);
    BOOST_TEST(acceptor.is_authenticated());
    // The same frames once more, to the same node: its nonce is a new one.
    handshake next(handshake::side::acceptor, theirs, moment_of(3), nothing_known);
    (void)next.receive(dialer.hello());
    BOOST_TEST((why_refused(next, proof[0]) == farewell::wrong_proof));
}

BOOST_AUTO_TEST_CASE(an_echo_of_ones_own_hello_is_refused) {
    const handshake_options how = options_of(1);
    handshake dialer(handshake::side::dialer, how, moment_of(1), nothing_known);
    BOOST_TEST((why_refused(dialer, dialer.hello()) == farewell::wrong_proof));
}

BOOST_AUTO_TEST_CASE(ones_own_id_is_refused) {
    meeting both;
    both.acceptor_options = options_of(1);
    both.run();
    BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
    BOOST_TEST((both.acceptor_end->why == farewell::own_node));
}

BOOST_AUTO_TEST_CASE(unknown_versions_are_refused) {
    const handshake_options how = options_of(2);
    codec::hello future;
    future.wire_min = 2;
    future.wire_max = 7;
    future.cluster = how.cluster;
    future.self = {1, 1};
    handshake first(handshake::side::acceptor, how, moment_of(2), nothing_known);
    BOOST_TEST((why_refused(first, codec::encode(future)) == farewell::wire_version));
    // One that also speaks this one is welcome.
    future.wire_min = 1;
    handshake second(handshake::side::acceptor, how, moment_of(2), nothing_known);
    BOOST_TEST(second.receive(codec::encode(future)).empty());
}

BOOST_AUTO_TEST_CASE(trap_node_id_reuse) {
    // A lower incarnation than was seen is refused with the highest, so that the newcomer can go above it.
    meeting both;
    both.acceptor_knows = [](std::uint64_t node) {
        return node == 1 ? 5000U : 0U;
    };
    both.run();
    BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
    BOOST_TEST((both.acceptor_end->why == farewell::overtaken));
    BOOST_TEST_REQUIRE(both.dialer_end.has_value());
    BOOST_TEST((both.dialer_end->why == farewell::overtaken));
}

BOOST_AUTO_TEST_CASE(a_strangers_word_on_incarnations_is_not_taken) {
    const handshake_options how = options_of(1);
    handshake dialer(handshake::side::dialer, how, moment_of(1), nothing_known);
    const codec::frame farewell_frame =
        codec::encode(codec::bye{static_cast<std::uint16_t>(farewell::overtaken), "go away", 1'000'000});
    try {
        (void)dialer.receive(farewell_frame);
        BOOST_FAIL("a bye ends the handshake");
    } catch (const handshake_refused& refusal) {
        BOOST_TEST(refusal.is_by_peer());
        BOOST_TEST(refusal.highest_incarnation() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(clocks_too_far_apart_are_refused_with_both_nodes_named) {
    meeting both;
    both.dialer_moment.wall_us += 40'000'000;
    both.run();
    BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
    BOOST_TEST((both.acceptor_end->why == farewell::clock_skew));
    BOOST_TEST(both.acceptor_end->what.find("nodes 2 and 1") != std::string::npos);
    BOOST_TEST(both.acceptor_end->what.find("found 40.0 s") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(types_that_differ_are_named) {
    const auto refusal_with = [](std::vector<codec::type_entry> theirs) {
        meeting both;
        both.dialer_options.types = std::move(theirs);
        both.run();
        BOOST_TEST(!both.acceptors_peer.has_value());
        BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
        BOOST_TEST((both.acceptor_end->why == farewell::types_differ));
        return both.acceptor_end->what;
    };
    BOOST_TEST(refusal_with({{"counter", 1}, {"set", 3}}).find("\"set\" has another version") !=
               std::string::npos);
    BOOST_TEST(refusal_with({{"counter", 1}}).find("\"set\" is not registered at the peer") !=
               std::string::npos);
    BOOST_TEST(refusal_with({{"set", 2}}).find("\"counter\" is not registered at the peer") !=
               std::string::npos);
    BOOST_TEST(
        refusal_with({{"counter", 1}, {"map", 1}, {"set", 2}}).find("\"map\" is not registered here") !=
        std::string::npos);
    BOOST_TEST(
        refusal_with({{"counter", 1}, {"set", 2}, {"text", 1}}).find("\"text\" is not registered here") !=
        std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_peer_that_takes_smaller_frames_is_refused) {
    meeting both;
    both.dialer_options.frames.frame_bytes_max = 64 * 1024;
    both.run();
    BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
    BOOST_TEST((both.acceptor_end->why == farewell::protocol_violation));
}

BOOST_AUTO_TEST_CASE(a_peer_with_another_limit_is_refused_and_the_limit_is_named) {
    const auto refusal_of = [](auto change) {
        meeting both;
        change(both.dialer_options.frames);
        both.run();
        BOOST_TEST_REQUIRE(both.acceptor_end.has_value());
        return both.acceptor_end->what;
    };
    BOOST_TEST(refusal_of([](codec::limits& its) {
                   its.entries_max = 100;
               }).find("entries_max is 65536, found 100") != std::string::npos);
    BOOST_TEST(refusal_of([](codec::limits& its) { its.key_bytes_max = 100; }).find("key_bytes_max") !=
               std::string::npos);
    BOOST_TEST(refusal_of([](codec::limits& its) {
                   its.object_bytes_max = 1'000'000;
               }).find("object_bytes_max") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(frames_out_of_turn_are_refused) {
    const handshake_options how = options_of(2);
    const handshake_options theirs = options_of(1);
    const handshake dialer(handshake::side::dialer, theirs, moment_of(1), nothing_known);
    handshake hasty(handshake::side::acceptor, how, moment_of(2), nothing_known);
    BOOST_TEST((why_refused(hasty, codec::encode(codec::proof())) == farewell::protocol_violation));
    handshake twice(handshake::side::acceptor, how, moment_of(2), nothing_known);
    (void)twice.receive(dialer.hello());
    BOOST_TEST((why_refused(twice, dialer.hello()) == farewell::protocol_violation));
    handshake unproven(handshake::side::acceptor, how, moment_of(2), nothing_known);
    (void)unproven.receive(dialer.hello());
    BOOST_TEST((why_refused(unproven, codec::encode(codec::welcome())) == farewell::protocol_violation));
    handshake busy(handshake::side::acceptor, how, moment_of(2), nothing_known);
    BOOST_TEST((why_refused(busy, codec::encode(codec::ping{1})) == farewell::protocol_violation));
}

BOOST_AUTO_TEST_CASE(no_mutation_of_a_proof_is_believed) {
    const handshake_options how = options_of(1);
    const handshake_options theirs = options_of(2);
    handshake dialer(handshake::side::dialer, how, moment_of(1), nothing_known);
    const handshake acceptor(handshake::side::acceptor, theirs, moment_of(2), nothing_known);
    const auto proof = dialer.receive(acceptor.hello());
    BOOST_TEST_REQUIRE(proof.size() == 1U);
    const auto right = codec::decode<codec::proof>(proof[0].payload(), codec::limits());
    for (std::size_t bit = 0; bit < 256; ++bit) {
        codec::proof wrong = right;
        wrong.mac[bit / 8] ^= std::byte{1} << (bit % 8);
        handshake judge(handshake::side::acceptor, theirs, moment_of(2), nothing_known);
        (void)judge.receive(dialer.hello());
        BOOST_TEST((why_refused(judge, codec::encode(wrong)) == farewell::wrong_proof));
    }
}

BOOST_AUTO_TEST_CASE(options_that_cannot_work_are_refused_by_name) {
    const auto refuses = [](auto change, const std::string& field) {
        handshake_options how = options_of(1);
        change(how);
        try {
            how.validate();
        } catch (const std::system_error& e) {
            return e.code() == errc::invalid_options &&
                   std::string(e.what()).find(field) != std::string::npos;
        }
        return false;
    };
    BOOST_TEST(refuses([](auto& how) { how.self.node = 0; }, "self.node"));
    BOOST_TEST(refuses([](auto& how) { how.self.incarnation = 0; }, "self.incarnation"));
    BOOST_TEST(refuses([](auto& how) { how.cluster.clear(); }, "cluster"));
    BOOST_TEST(refuses([](auto& how) { how.secret = "short"; }, "secret"));
    BOOST_TEST(refuses([](auto& how) { how.clock_skew_max = {}; }, "clock_skew_max"));
    BOOST_TEST(refuses([](auto& how) { how.window_bytes = 1; }, "window_bytes"));
    BOOST_TEST(refuses([](auto& how) { how.types = {{"b", 1}, {"a", 1}}; }, "types"));
    BOOST_TEST(refuses([](auto& how) { how.types = {{"a", 1}, {"a", 2}}; }, "types"));
    options_of(1).validate();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication::testing
