#include <phoenix/config.hpp>
#include <phoenix/replication/session/handshake.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace phoenix::replication {

namespace {

constexpr std::uint16_t wire_version = 1;
constexpr std::size_t secret_bytes_min = 16;

[[noreturn]] void refuse(farewell why, const std::string& text, std::uint64_t highest_incarnation = 0) {
    throw handshake_refused(why, text, highest_incarnation, false);
}

[[noreturn]] void refuse_missing(const std::string& type, const std::string& where) {
    refuse(farewell::types_differ, "type \"" + type + "\" is not registered " + where +
                                       ": all nodes of a cluster need the same types");
}

void expect(bool holds, const char* field, const char* expected) {
    if (!holds) {
        throw_error(errc::invalid_options,
                    std::string("handshake_options: expected ") + field + " to be " + expected);
    }
}

std::string seconds_text(std::uint64_t us) {
    return std::to_string(us / 1'000'000) + "." + std::to_string(us / 100'000 % 10) + " s";
}

} // namespace

std::string to_text(farewell why) {
    switch (why) {
    case farewell::leaving:
        return "the node leaves";
    case farewell::protocol_violation:
        return "protocol violation";
    case farewell::wire_version:
        return "no common version of the wire";
    case farewell::other_cluster:
        return "another cluster";
    case farewell::wrong_proof:
        return "wrong proof";
    case farewell::own_node:
        return "the same node";
    case farewell::clock_skew:
        return "clocks too far apart";
    case farewell::overtaken:
        return "overtaken by a later process";
    case farewell::types_differ:
        return "types differ";
    case farewell::replaced:
        return "another connection to this peer stays";
    case farewell::too_slow:
        return "too slow";
    case farewell::cut:
        return "this link is cut";
    }
    return "unknown reason";
}

handshake_refused::handshake_refused(farewell why, const std::string& text, std::uint64_t highest_incarnation,
                                     bool by_peer)
    : std::system_error(errc::refused, (by_peer ? "by the peer: " : "") + to_text(why) + ": " + text),
      why_(why), text_(text), highest_incarnation_(highest_incarnation), by_peer_(by_peer) {}

codec::frame handshake_refused::bye() const {
    // What a reader takes under default limits.
    return codec::encode(codec::bye{static_cast<std::uint16_t>(why_),
                                    text_.substr(0, codec::limits().text_bytes_max), highest_incarnation_});
}

void handshake_options::validate() const {
    frames.validate();
    expect(self.node != 0, "self.node", "from 1 on");
    expect(self.incarnation != 0, "self.incarnation", "from 1 on");
    expect(!cluster.empty() && cluster.size() <= frames.name_bytes_max, "cluster",
           "a name that is not empty and within frames.name_bytes_max");
    expect(secret.size() >= secret_bytes_min, "secret", "at least 16 bytes long");
    expect(clock_skew_max.count() > 0, "clock_skew_max", "more than zero");
    expect(window_bytes >= frames.frame_bytes_max, "window_bytes", "at least frames.frame_bytes_max");
    expect(std::ranges::adjacent_find(types, std::greater_equal<>(), &codec::type_entry::name) == types.end(),
           "types", "sorted by name, each once");
}

handshake::handshake(side which, const handshake_options& how, const moment& at,
                     std::function<std::uint64_t(std::uint64_t)> highest_incarnation_of,
                     std::function<void(const crdt::replica_id&)> admit)
    : side_(which), how_(how), at_(at), highest_incarnation_of_(std::move(highest_incarnation_of)),
      admit_(std::move(admit)) {
    how_.validate();
    codec::hello mine;
    mine.wire_min = wire_version;
    mine.wire_max = wire_version;
    mine.cluster = how_.cluster;
    mine.self = {how_.self.node, how_.self.incarnation};
    mine.wall_us = at_.wall_us;
    mine.nonce = at_.nonce;
    hello_ = codec::encode(mine, how_.frames);
}

std::vector<codec::frame> handshake::receive(const codec::frame& frame) {
    PHOENIX_ASSERT(!is_complete(), "a handshake takes no frame after the peer's welcome");
    if (frame.kind() == codec::frame_kind::bye) {
        const auto message = codec::decode<codec::bye>(frame.payload(), how_.frames);
        // A stranger's word on incarnations is not taken.
        throw handshake_refused(static_cast<farewell>(message.code), message.text,
                                is_authenticated() ? message.highest_incarnation : 0, true);
    }
    if (frame.kind() == codec::frame_kind::hello && expected_ == expected::hello) {
        return take_hello(frame);
    }
    if (frame.kind() == codec::frame_kind::proof && expected_ == expected::proof) {
        return take_proof(frame);
    }
    if (frame.kind() == codec::frame_kind::welcome && expected_ == expected::welcome) {
        take_welcome(frame);
        return {};
    }
    static constexpr std::string_view names[] = {"hello", "proof", "welcome", "nothing"};
    refuse(farewell::protocol_violation, "expected " +
                                             std::string(names[static_cast<std::size_t>(expected_)]) +
                                             ", found " + std::string(codec::to_text(frame.kind())));
}

std::vector<codec::frame> handshake::take_hello(const codec::frame& frame) {
    const auto theirs = codec::decode<codec::hello>(frame.payload(), how_.frames);
    if (theirs.wire_min > wire_version || theirs.wire_max < wire_version) {
        refuse(farewell::wire_version, "expected version " + std::to_string(wire_version) + ", found " +
                                           std::to_string(theirs.wire_min) + " to " +
                                           std::to_string(theirs.wire_max));
    }
    if (theirs.cluster != how_.cluster) {
        refuse(farewell::other_cluster,
               "expected \"" + how_.cluster + "\", found \"" + theirs.cluster + "\"");
    }
    // An echo of one's own hello would make one's own proof serve.
    if (theirs.nonce == at_.nonce) {
        refuse(farewell::wrong_proof, "the peer sent back this side's nonce");
    }
    if (theirs.self.node == how_.self.node) {
        refuse(farewell::own_node, "node " + std::to_string(how_.self.node) +
                                       " found a peer with its own id: give each node an id of its own");
    }
    their_hello_ = frame;
    their_wall_us_ = theirs.wall_us;
    peer_.replica = {theirs.self.node, theirs.self.incarnation};
    expected_ = expected::proof;
    if (side_ == side::acceptor) {
        return {};
    }
    has_proved_ = true;
    return {proof_of(side::dialer)};
}

std::vector<codec::frame> handshake::take_proof(const codec::frame& frame) {
    const auto theirs = codec::decode<codec::proof>(frame.payload(), how_.frames);
    const side their_side = side_ == side::dialer ? side::acceptor : side::dialer;
    if (!equal_in_constant_time(theirs.mac, mac_of(their_side))) {
        refuse(farewell::wrong_proof,
               "the peer does not know the secret of cluster \"" + how_.cluster + "\"");
    }
    expected_ = expected::welcome;
    const std::uint64_t highest = highest_incarnation_of_(peer_.replica.node);
    if (peer_.replica.incarnation < highest) {
        refuse(farewell::overtaken,
               "expected an incarnation of node " + std::to_string(peer_.replica.node) + " of at least " +
                   std::to_string(highest) + ", found " + std::to_string(peer_.replica.incarnation),
               highest);
    }
    const std::uint64_t apart = std::max(their_wall_us_, at_.wall_us) - std::min(their_wall_us_, at_.wall_us);
    if (apart > static_cast<std::uint64_t>(how_.clock_skew_max.count())) {
        refuse(farewell::clock_skew,
               "expected the clocks of nodes " + std::to_string(how_.self.node) + " and " +
                   std::to_string(peer_.replica.node) + " at most " +
                   seconds_text(static_cast<std::uint64_t>(how_.clock_skew_max.count())) + " apart, found " +
                   seconds_text(apart) + ": set them");
    }
    if (admit_) {
        admit_(peer_.replica);
    }
    if (side_ == side::dialer) {
        return {welcome()};
    }
    has_proved_ = true;
    return {proof_of(side::acceptor), welcome()};
}

std::vector<codec::frame> handshake::parting(const handshake_refused& why) const {
    if (is_authenticated() && !has_proved_) {
        return {proof_of(side_), why.bye()};
    }
    return {why.bye()};
}

void handshake::take_welcome(const codec::frame& frame) {
    auto theirs = codec::decode<codec::welcome>(frame.payload(), how_.frames);
    compare_types(theirs.types);
    // Batches are forwarded as they came.
    const auto require = [](const char* name, std::uint64_t mine, std::uint64_t peers) {
        if (peers < mine) {
            refuse(farewell::protocol_violation,
                   "expected a peer whose " + std::string(name) + " is " + std::to_string(mine) + ", found " +
                       std::to_string(peers) + ": all nodes of a cluster need the same limit");
        }
    };
    require("frame_bytes_max", how_.frames.frame_bytes_max, theirs.frame_bytes_max);
    require("entries_max", how_.frames.entries_max, theirs.entries_max);
    require("key_bytes_max", how_.frames.key_bytes_max, theirs.key_bytes_max);
    require("object_bytes_max", how_.frames.object_bytes_max, theirs.object_bytes_max);
    peer_.software = std::move(theirs.software);
    peer_.features = theirs.features;
    peer_.window_bytes = theirs.window_bytes;
    expected_ = expected::nothing;
}

void handshake::compare_types(const std::vector<codec::type_entry>& theirs) const {
    auto mine = how_.types.begin();
    for (const codec::type_entry& each : theirs) {
        if (mine == how_.types.end() || each.name < mine->name) {
            refuse_missing(each.name, "here");
        }
        if (mine->name < each.name) {
            refuse_missing(mine->name, "at the peer");
        }
        if (mine->fingerprint != each.fingerprint) {
            refuse(farewell::types_differ,
                   "type \"" + each.name +
                       "\" has another version at the peer: its bytes would not be understood");
        }
        ++mine;
    }
    if (mine != how_.types.end()) {
        refuse_missing(mine->name, "at the peer");
    }
}

digest256 handshake::mac_of(side which) const {
    const codec::frame& dialers = side_ == side::dialer ? hello_ : their_hello_;
    const codec::frame& acceptors = side_ == side::dialer ? their_hello_ : hello_;
    // With the zero byte at their ends.
    static constexpr std::string_view dialer_label("phoenix dialer\0", 15);
    static constexpr std::string_view acceptor_label("phoenix acceptor\0", 17);
    const digest256 both = sha256({dialers.payload(), acceptors.payload()});
    return hmac_sha256(how_.secret, which == side::dialer ? dialer_label : acceptor_label, both);
}

codec::frame handshake::proof_of(side which) const {
    return codec::encode(codec::proof{mac_of(which)}, how_.frames);
}

codec::frame handshake::welcome() const {
    codec::welcome mine;
    mine.software = how_.software;
    mine.frame_bytes_max = how_.frames.frame_bytes_max;
    mine.window_bytes = how_.window_bytes;
    mine.types = how_.types;
    mine.entries_max = how_.frames.entries_max;
    mine.key_bytes_max = how_.frames.key_bytes_max;
    mine.object_bytes_max = how_.frames.object_bytes_max;
    return codec::encode(mine, how_.frames);
}

} // namespace phoenix::replication
