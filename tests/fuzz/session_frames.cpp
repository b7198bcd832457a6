// What a peer sends once its frames are whole: to a handshake, and to a delta machine behind one that went well.
//
// An input is eight bytes that choose what it meets, and a stream of frames. A handshake, of either side, is met as it
// begins or after an honest peer's hello or proof; now and then a proof is made right, so that mutated hellos get past it. A
// delta machine has two links: the input is what comes on one, an honest machine is at the end of the other. Whatever comes,
// only std::system_error is thrown, what the machine holds stays bounded, and it converges with the honest one afterwards: both
// have the same batches, and the same states but for what no check finds (hearsay.hpp, is_alike). At exit it prints how often
// frames of each kind were taken and refused.
//
// Left out is what speaks in the name of the two honest nodes: who knows the secret of a cluster can, and no check finds it.
#include <phoenix/codec/error.hpp>
#include <phoenix/codec/frame_reader.hpp>
#include <phoenix/codec/messages.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/crdt/register.hpp>
#include <phoenix/replication/delta/delta_machine.hpp>
#include <phoenix/replication/delta/identity.hpp>
#include <phoenix/replication/session/handshake.hpp>

#include "../codec/random_frames.hpp"
#include "../codec/read_again.hpp"
#include "hearsay.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <system_error>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace phoenix;
using namespace phoenix::replication;
using namespace std::chrono_literals;
using codec::frame_kind;

using text_set = crdt::or_set<std::string>;
using text_register = crdt::causal_register<std::string>;

void expect(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

constexpr std::size_t choices_bytes = 8;
constexpr std::uint64_t wall_us = 1'800'000'000'000'000;
constexpr crdt::replica_id victim_id{1, wall_us - 1000};
constexpr crdt::replica_id stranger_id{2, wall_us - 2000};
constexpr crdt::replica_id honest_id{3, wall_us - 3000};

struct tally {
    const char* title;
    std::array<std::uint64_t, 256> taken{};
    std::array<std::uint64_t, 256> refused{};

    ~tally() {
        for (std::size_t number = 0; number < taken.size(); ++number) {
            const auto name = codec::to_text(static_cast<frame_kind>(number));
            if (taken[number] + refused[number] > 0) {
                std::fprintf(stderr, "%s %-18.*s %12llu taken %12llu refused\n", title,
                             static_cast<int>(name.size()), name.data(),
                             static_cast<unsigned long long>(taken[number]),
                             static_cast<unsigned long long>(refused[number]));
            }
        }
    }
};

tally in_handshakes{"handshake    "};
tally in_machines{"delta machine"};

constexpr codec::limits bounds{
    .frame_bytes_max = 16 * 1024, .key_bytes_max = 256, .object_bytes_max = 64 * 1024};

/// The frames of a stream, as far as it is one.
std::vector<codec::frame> frames_of(std::span<const std::byte> stream) {
    std::vector<codec::frame> found;
    try {
        codec::frame_reader reader(bounds);
        reader.feed(stream, [&](const codec::received_frame& each) { found.push_back(each.share()); });
    } catch (const std::system_error&) {
        // What came before it counts.
    }
    return found;
}

// --- The handshake.

handshake_options greeting_of(const crdt::replica_id& self) {
    handshake_options how;
    how.self = self;
    how.cluster = "fuzz";
    how.secret = "a secret of some length";
    how.types = {{"counter", 1}, {"set", 2}};
    how.frames = bounds;
    how.window_bytes = bounds.frame_bytes_max;
    return how;
}

handshake::moment moment_of(std::byte seed) {
    handshake::moment at;
    at.wall_us = wall_us;
    at.nonce.fill(seed);
    return at;
}

std::uint64_t known_incarnation(std::uint64_t node) {
    return node == stranger_id.node ? stranger_id.incarnation : 0;
}

/// The proof that `which` owes after these hellos.
codec::frame right_proof(const handshake_options& how, handshake::side which, const codec::frame& dialers,
                         const codec::frame& acceptors) {
    using namespace std::string_view_literals;
    const auto label = which == handshake::side::dialer ? "phoenix dialer\0"sv : "phoenix acceptor\0"sv;
    const digest256 both = sha256({dialers.payload(), acceptors.payload()});
    return codec::encode(codec::proof{hmac_sha256(how.secret, label, both)});
}

void meet_handshake(std::span<const std::uint8_t> choices, const std::vector<codec::frame>& frames) {
    const bool is_dialer = choices[0] % 2 == 0;
    const bool proves = choices[1] % 2 == 0;
    const auto side = is_dialer ? handshake::side::dialer : handshake::side::acceptor;
    const auto other = is_dialer ? handshake::side::acceptor : handshake::side::dialer;
    const handshake_options mine = greeting_of(victim_id);
    const handshake_options theirs = greeting_of(stranger_id);
    handshake victim(side, mine, moment_of(std::byte{1}), known_incarnation);
    const handshake peer(other, theirs, moment_of(std::byte{2}), known_incarnation);
    codec::frame their_hello = peer.hello();
    const auto proof = [&] {
        return is_dialer ? right_proof(mine, other, victim.hello(), their_hello)
                         : right_proof(mine, other, their_hello, victim.hello());
    };
    const unsigned honest_frames = choices[2] % 3;
    bool was_proved = honest_frames == 2;
    if (honest_frames > 0) {
        (void)victim.receive(their_hello);
    }
    if (honest_frames > 1) {
        (void)victim.receive(proof());
    }
    for (const codec::frame& each : frames) {
        codec::frame next = each;
        if (next.kind() == frame_kind::proof && proves) {
            next = proof();
            was_proved = true;
        }
        if (next.kind() == frame_kind::hello) {
            their_hello = next;
        }
        const auto number = static_cast<std::size_t>(next.kind());
        try {
            const auto answer = victim.receive(next);
            expect(answer.size() <= 2);
        } catch (const handshake_refused& e) {
            ++in_handshakes.refused[number];
            expect(e.is_by_peer() || e.bye().payload().size() <= bounds.frame_bytes_max);
            expect(e.highest_incarnation() == 0 || victim.is_authenticated());
            break;
        } catch (const std::system_error& e) {
            ++in_handshakes.refused[number];
            expect(e.code().category() == codec::category());
            break;
        }
        ++in_handshakes.taken[number];
        if (victim.is_complete()) {
            break;
        }
    }
    expect(was_proved || !victim.is_authenticated());
}

// --- The delta machine.

const type_registry& types() {
    static const type_registry made = [] {
        type_registry all;
        all.add<text_set>("set");
        all.add<text_register>("register");
        all.add<crdt::pn_counter>("counter");
        return all;
    }();
    return made;
}

delta_options small() {
    delta_options how;
    how.frames = bounds;
    how.buffer_bytes_max = 32 * 1024;
    how.buffer_batches_max = 16;
    how.window_bytes = 16 * 1024;
    how.transfer_window_bytes = 4 * 1024;
    how.nodes_max = 8;
    how.origins_max = 32;
    return how;
}

struct node {
    explicit node(const crdt::replica_id& self)
        : objects(types(), self, {.key_bytes_max = bounds.key_bytes_max, .clock = {}}),
          machine(objects, small()) {
        objects.set_wall_time(wall_us);
    }

    void write(const std::string& key, const std::string& what) {
        try {
            objects.edit<text_set>(key, [&](auto&& set) { set.add(what); });
            objects.edit<text_register>(key, [&](auto&& reg) { reg.set(what, objects.stamp()); });
            objects.change<crdt::pn_counter>(
                key, [](auto& counter, const auto& self) { return counter.increment(self, 1); });
        } catch (const std::system_error&) {
            // A count that has come to its end.
        }
    }

    object_store objects;
    delta_machine machine;
};

[[nodiscard]] bool is_honest(std::uint64_t node) {
    return node == victim_id.node || node == honest_id.node;
}

[[nodiscard]] bool names_honest(const std::vector<codec::vector_entry>& has) {
    return std::ranges::any_of(has, is_honest, [](const auto& each) { return each.origin.node; });
}

/// Something stands in it under a dot of the two.
template <class T>
[[nodiscard]] bool stands_for_honest(std::span<const std::byte> bytes) {
    bool any = false;
    crdt::decode<T>(bytes).live().for_each_interval(
        [&](const crdt::replica_id& by, auto /*first*/, auto /*last*/) { any = any || is_honest(by.node); });
    return any;
}

[[nodiscard]] bool writes_for_honest(std::uint64_t type, std::span<const std::byte> bytes) {
    try {
        return (type == types().at<text_set>().id() && stands_for_honest<text_set>(bytes)) ||
               (type == types().at<text_register>().id() && stands_for_honest<text_register>(bytes));
    } catch (const std::system_error&) {
        return false;
    }
}

template <class Entries>
[[nodiscard]] bool write_for_honest(const Entries& entries) {
    return std::ranges::any_of(
        entries, [](const codec::entry& each) { return writes_for_honest(each.type, each.delta); });
}

/// Something in it speaks for a node of which only that itself may speak here.
bool speaks_for_others(const codec::frame& frame) {
    try {
        switch (frame.kind()) {
        case frame_kind::batch: {
            const auto message = codec::batch_view::read(frame.payload(), bounds);
            return is_honest(message.head().origin.node) || write_for_honest(message.entries());
        }
        case frame_kind::batch_part: {
            const auto message = codec::decode<codec::batch_part>(frame.payload(), bounds);
            return is_honest(message.head.origin.node) ||
                   writes_for_honest(message.part.type, message.part.bytes);
        }
        case frame_kind::behind:
            return names_honest(codec::decode<codec::behind>(frame.payload(), bounds).has);
        case frame_kind::transfer_begin:
            return names_honest(codec::decode<codec::transfer_begin>(frame.payload(), bounds).has);
        case frame_kind::transfer_objects:
            return write_for_honest(codec::transfer_objects_view::read(frame.payload(), bounds).entries());
        case frame_kind::transfer_part: {
            const auto message = codec::decode<codec::transfer_part>(frame.payload(), bounds);
            return writes_for_honest(message.part.type, message.part.bytes);
        }
        case frame_kind::report: {
            const auto message = codec::decode<codec::report>(frame.payload(), bounds);
            return std::ranges::any_of(message.peers, [&](const codec::peer_report& each) {
                return is_honest(each.about.node) || names_honest(each.has);
            });
        }
        default:
            return false;
        }
    } catch (const std::system_error&) {
        return false;
    }
}

/// They have seen the same and hold the same.
template <class T>
[[nodiscard]] bool is_alike(const T& a, const T& b) {
    return a == b;
}

/// A value never changes under its dot, so a register keeps the first that it sees there: a peer that gives one dot two of
/// them leaves nodes with either. What stands under dots of the honest is the same.
[[nodiscard]] bool is_alike(const text_register& a, const text_register& b) {
    return a.digest() == b.digest() &&
           std::ranges::equal(a.siblings(), b.siblings(), [](const auto& mine, const auto& theirs) {
               return mine.by == theirs.by && (!is_honest(mine.by.replica.node) ||
                                               (mine.time == theirs.time && mine.value == theirs.value));
           });
}

template <class T>
[[nodiscard]] T joined(T a, const T& b) {
    a.join(b);
    return a;
}

struct cluster {
    static constexpr link_id to_victim{1};

    node victim{victim_id};
    node honest{honest_id};
    net::monotonic_time now{1s};
    /// What the victim names its links: to the stranger, when that is up, and to the honest node.
    std::optional<link_id> stranger;
    link_id honest_link{1};
    std::uint64_t links = 1;
    bool is_linked = false;
    /// What the stranger said outside its batches.
    testing::hearsay said_aside{bounds};

    void link_honest() {
        if (!is_linked) {
            honest_link = link_id{++links};
            expect(victim.machine.link_up(now, honest_link, honest_id));
            expect(honest.machine.link_up(now, to_victim, victim_id));
            is_linked = true;
        }
    }

    void link_stranger() {
        const link_id fresh{++links};
        if (!stranger && victim.machine.link_up(now, fresh, stranger_id)) {
            stranger = fresh;
        }
    }

    void unlink_stranger() {
        if (stranger) {
            victim.machine.link_down(now, *stranger);
            stranger.reset();
        }
    }

    /// Ticks both until they have nothing to say. What the victim says to the stranger is lost.
    void exchange() {
        for (int round = 0;; ++round) {
            expect(round < 1000);
            auto said = victim.machine.tick(now);
            for (const auto& [link, why] : said.failed) {
                // Only the stranger's words may cost a link.
                expect(link != honest_link);
                if (link == stranger) {
                    unlink_stranger();
                }
            }
            auto answered = honest.machine.tick(now);
            expect(answered.failed.empty());
            std::size_t moved = 0;
            for (const auto& [link, frame] : said.frames) {
                if (frame.kind() == frame_kind::transfer_request) {
                    const auto asked =
                        codec::decode<codec::transfer_request>(frame.payload(), bounds).transfer;
                    said_aside.asked(link == stranger ? asked : 0);
                }
                if (link == honest_link) {
                    honest.machine.receive(now, to_victim, frame);
                    ++moved;
                }
            }
            for (const auto& [link, frame] : answered.frames) {
                victim.machine.receive(now, honest_link, frame);
                ++moved;
            }
            if (moved == 0) {
                return;
            }
        }
    }

    void receive(const codec::frame& frame) {
        if (!stranger || speaks_for_others(frame)) {
            return;
        }
        const auto kind = frame.kind();
        const auto number = static_cast<std::size_t>(kind);
        const crdt::version_vector told = victim.machine.links().at(*stranger).has;
        const bool is_believed = !told.leq(victim.machine.has());
        const std::uint64_t changes = victim.objects.changes();
        try {
            victim.machine.receive(now, *stranger, frame);
            ++in_machines.taken[number];
        } catch (const std::system_error&) {
            ++in_machines.refused[number];
            unlink_stranger();
            if (kind == frame_kind::batch && victim.objects.changes() > changes) {
                said_aside.in_broken(frame);
            }
        }
        if (kind == frame_kind::transfer_objects || kind == frame_kind::transfer_part) {
            said_aside.in_transfer(frame, told, is_believed);
        }
    }

    void expect_bounded() const {
        const delta_options how = small();
        const delta_machine& machine = victim.machine;
        // The newest batch stays, however large.
        expect(machine.log().bytes() <= how.buffer_bytes_max + 2 * bounds.object_bytes_max);
        expect(machine.log().batches() <= how.buffer_batches_max);
        expect(machine.peers().all().size() <= how.nodes_max);
        expect(machine.has().size() <= how.origins_max);
        for (const auto& [id, peer] : machine.peers().all()) {
            expect(peer.has.size() <= how.origins_max);
            expect(peer.neighbours.size() <= bounds.neighbours_max);
        }
        for (const auto& [id, link] : machine.links()) {
            expect(link.window.bytes() <= how.window_bytes + 2 * bounds.object_bytes_max);
            expect(!link.parts || link.parts->object.bytes().size() <= bounds.object_bytes_max);
        }
    }

    template <class T>
    void expect_equal() const {
        for (const node* each : {&victim, &honest}) {
            for (std::size_t place = 0; place < each->objects.places(); ++place) {
                const stored_object& object = each->objects.at(place);
                if (&object.type() == &types().at<T>()) {
                    expect_equal<T>(object.key());
                }
            }
        }
    }

    /// All that the honest node knows, the victim knows; what it knows beyond that, it took for covered.
    template <class T>
    void expect_equal(std::string_view key) const {
        const T& mine = victim.objects.read<T>(key);
        const T& theirs = honest.objects.read<T>(key);
        expect(is_alike(joined(theirs, mine), mine));
        const T most =
            joined(theirs, said_aside.believed<T>(types().at<T>().id(), key, victim.machine.has()));
        expect(is_alike(joined(most, mine), most));
    }
};

void meet_machine(std::span<const std::uint8_t> choices, const std::vector<codec::frame>& frames) {
    cluster all;
    // So many batches that a newcomer needs a transfer, or not.
    for (unsigned i = 0; i < choices[1] % 32; ++i) {
        all.victim.write(std::to_string(i % 4), std::to_string(i));
        (void)all.victim.machine.seal(all.now);
    }
    const unsigned honest_from = choices[2] % 8;
    all.link_stranger();
    for (std::size_t at = 0; at < frames.size(); ++at) {
        if (at == honest_from) {
            all.link_honest();
        }
        all.receive(frames[at]);
        switch (choices[3 + at % 5] % 8) {
        case 0:
            all.now += 40ms;
            break;
        case 1:
            all.now += 3s;
            break;
        case 2:
            all.victim.write("v", std::to_string(at));
            break;
        case 3:
            all.honest.write("h", std::to_string(at));
            break;
        default:
            break;
        }
        all.exchange();
        all.expect_bounded();
        all.link_stranger();
    }
    all.unlink_stranger();
    all.link_honest();
    all.victim.write("last of the victim", "tea");
    all.honest.write("last of the honest", "tea");
    for (int i = 0; i < 40; ++i) {
        all.now += 1s;
        all.exchange();
    }
    all.expect_bounded();
    expect(all.victim.machine.has() == all.honest.machine.has());
    all.expect_equal<text_set>();
    all.expect_equal<text_register>();
    all.expect_equal<crdt::pn_counter>();
}

// --- Inputs.

/// A frame as the stranger would send it, with numbers that often fit.
codec::frame likely_frame(std::minstd_rand& random) {
    const codec::identity self = to_wire(stranger_id);
    const auto below = [&](std::uint64_t end) {
        return std::uint64_t{random()} % end;
    };
    const std::uint64_t number = 1 + below(3);
    const codec::batch_head head{self, number, number, {wall_us, 0}};
    const std::string key = std::to_string(below(4));
    const auto key_bytes = std::as_bytes(std::span(key));
    // The same dots for this and that.
    text_set set;
    text_register reg;
    for (std::uint64_t i = 0; i <= below(4); ++i) {
        const std::string what = std::string(below(40), 'x') + std::to_string(i);
        set.add(stranger_id, what);
        reg.set(stranger_id, what, {wall_us + below(3), 0});
    }
    const bool is_set = below(4) > 0;
    const std::uint64_t type = is_set ? types().at<text_set>().id() : types().at<text_register>().id();
    const std::vector<std::byte> bytes = is_set ? crdt::encode(set) : crdt::encode(reg);
    codec::entries_writer writer(bounds);
    writer.add(type, key_bytes, bytes);
    const codec::object_part part{type, key_bytes, 0, bytes.size(), bytes};
    switch (below(12)) {
    case 0:
        return codec::encode(codec::report{{{.about = self,
                                             .batch_open = false,
                                             .has = {{self, number}},
                                             .tells_neighbours = true,
                                             .neighbours = {victim_id.node, 4}}}});
    case 1:
        return codec::encode(
            codec::report{{{.about = {5, wall_us}, .batch_open = false, .has = {{{5, wall_us}, number}}}}});
    case 2:
        return codec::encode(codec::behind{{{self, 1 + below(5)}}, 0});
    case 3:
        return codec::encode(codec::transfer_begin{1 + below(2), {{self, 4}}, {wall_us, 0}, 1});
    case 4:
        return writer.finish(1 + below(2), below(3));
    case 5:
        return codec::encode(codec::transfer_part{1 + below(2), part, below(3)});
    case 6:
        return codec::encode(codec::transfer_end{1 + below(2), below(3), below(3), 0});
    case 7:
        return codec::encode(codec::transfer_request{1 + below(3), to_wire(victim_id), below(3)});
    case 8:
        return codec::encode(codec::transfer_ack{1 + below(3), below(4)});
    case 9:
        return codec::encode(codec::batch_part{head, part});
    case 10:
        return codec::encode(codec::report{{{.about = self}}});
    default:
        return writer.finish(head);
    }
}

/// A frame as the stranger would greet with.
codec::frame likely_greeting(std::minstd_rand& random) {
    const handshake_options how = greeting_of(stranger_id);
    switch (random() % 4) {
    case 0:
    case 1: {
        codec::hello mine;
        mine.wire_min = 1;
        mine.wire_max = static_cast<std::uint16_t>(1 + random() % 2);
        mine.cluster = how.cluster;
        mine.self = {stranger_id.node, stranger_id.incarnation + random() % 3 - 1};
        mine.wall_us = wall_us + random() % 2 * 29'000'000;
        mine.nonce.fill(static_cast<std::byte>(random()));
        return codec::encode(mine);
    }
    case 2:
        return codec::encode(codec::proof{});
    default: {
        codec::welcome mine;
        mine.software = how.software;
        mine.frame_bytes_max = bounds.frame_bytes_max;
        mine.window_bytes = how.window_bytes;
        mine.types = how.types;
        mine.entries_max = bounds.entries_max;
        mine.key_bytes_max = bounds.key_bytes_max;
        mine.object_bytes_max = bounds.object_bytes_max;
        return codec::encode(mine);
    }
    }
}

/// Where the frames of a stream begin, as far as their headers go.
std::vector<std::size_t> starts(std::span<const std::uint8_t> stream) {
    std::vector<std::size_t> found;
    for (std::size_t at = 0; at + codec::frame_header::size <= stream.size();) {
        found.push_back(at);
        at += codec::frame_bytes(
            codec::frame_header::read(reinterpret_cast<const std::byte*>(stream.data() + at)).length);
    }
    return found;
}

/// It is a handshake that these choices meet.
bool is_greeting(std::span<const std::uint8_t> choices) {
    return choices[0] % 8 < 2;
}

void append(std::vector<std::uint8_t>& out, const codec::frame& made) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(made.bytes().data());
    out.insert(out.end(), bytes, bytes + made.bytes().size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < choices_bytes) {
        return 0;
    }
    const std::span choices(data, choices_bytes);
    const auto frames = frames_of(std::as_bytes(std::span(data, size).subspan(choices_bytes)));
    if (is_greeting(choices)) {
        meet_handshake(choices, frames);
    } else {
        meet_machine(choices, frames);
    }
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
    std::minstd_rand random(seed);
    std::vector<std::uint8_t> out(data, data + std::min(size, choices_bytes));
    out.resize(choices_bytes);
    const std::span stream = std::span(data, size).subspan(std::min(size, choices_bytes));
    const auto found = starts(stream);
    const auto choice = random() % 16;
    if (choice == 0 || size < choices_bytes) {
        for (std::uint8_t& each : out) {
            each = static_cast<std::uint8_t>(random());
        }
        out.insert(out.end(), stream.begin(), stream.end());
    } else if (choice <= 6 || found.empty()) {
        // One more frame, likely or of whatever kind, between two.
        codec::testing::random_frames from(random());
        const std::size_t at = found.empty() ? 0 : random() % (found.size() + 1);
        const std::size_t split = at < found.size() ? found[at] : stream.size();
        out.insert(out.end(), stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(split));
        append(out, choice > 4         ? codec::testing::some_frame(from)
                    : is_greeting(out) ? likely_greeting(random)
                                       : likely_frame(random));
        out.insert(out.end(), stream.begin() + static_cast<std::ptrdiff_t>(split), stream.end());
    } else {
        // Another payload in one of them, under a right header.
        const std::size_t chosen = found[random() % found.size()];
        const auto header =
            codec::frame_header::read(reinterpret_cast<const std::byte*>(stream.data() + chosen));
        const std::size_t begin = chosen + codec::frame_header::size;
        const std::size_t length = std::min<std::size_t>(header.length, stream.size() - begin);
        std::vector<std::uint8_t> payload(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                          stream.begin() + static_cast<std::ptrdiff_t>(begin + length));
        payload.resize(length + 64);
        payload.resize(LLVMFuzzerMutate(payload.data(), length, payload.size()));
        const std::size_t end = std::min(stream.size(), chosen + codec::frame_bytes(header.length));
        out.insert(out.end(), stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(chosen));
        append(out, codec::frame::make(header.kind, std::as_bytes(std::span(payload))));
        out.insert(out.end(), stream.begin() + static_cast<std::ptrdiff_t>(end), stream.end());
    }
    const std::size_t kept = std::min(out.size(), max_size);
    std::memcpy(data, out.data(), kept);
    return kept;
}
