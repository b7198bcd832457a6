// The port for clients: a stream of bytes in pieces, read by the parser, executed, and what is replied.
//
// The first byte of an input seeds where the stream is cut. Each stream is also parsed whole, with the same requests; every
// reply must be RESP of the client's version, one a request; and the store must hold together: its states read back
// from their bytes, and the count of keys is right. At exit it prints how often each command ran and was refused.
#include <phoenix/crdt/laws/history.hpp>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <resp/command.hpp>
#include <resp/executor.hpp>

namespace {

using namespace resp;

void expect(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

struct tally {
    ~tally() {
        for (const auto& [name, each] : counts) {
            std::fprintf(stderr, "%-15s %10llu done %10llu refused\n", name.c_str(),
                         static_cast<unsigned long long>(each.done),
                         static_cast<unsigned long long>(each.refused));
        }
    }

    struct count {
        std::uint64_t done = 0;
        std::uint64_t refused = 0;
    };

    std::map<std::string, count, std::less<>> counts;
};

tally counted;

struct no_cluster final : cluster {
    [[nodiscard]] replication::node_status status() const override { return {}; }

    void cut(std::uint64_t /*node*/) override {}

    void heal(std::uint64_t /*node*/) override {}

    [[nodiscard]] replication::write_mark mark() override { return {}; }

    [[nodiscard]] net::nanoseconds uptime() const override { return net::nanoseconds(0); }
};

/// The line at the front, taken off.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find("\r\n");
    expect(end != std::string_view::npos);
    const std::string_view line = rest.substr(0, end);
    expect(line.find_first_of("\r\n") == std::string_view::npos);
    rest.remove_prefix(end + 2);
    return line;
}

void take_reply(std::string_view& rest, int protocol) {
    expect(!rest.empty());
    const char kind = rest.front();
    const std::string_view line = take_line(rest);
    expect(std::string_view(protocol == 2 ? "+-:$*" : "+-:$*_#,=%~").find(kind) != std::string_view::npos);
    if (std::string_view(":$*=%~").find(kind) == std::string_view::npos) {
        return;
    }
    const auto number = parse_integer(line.substr(1));
    expect(number.has_value());
    if (kind == ':') {
        return;
    }
    if (kind == '$' || kind == '=') {
        if (*number == -1) {
            expect(protocol == 2 && kind == '$');
            return;
        }
        const auto size = static_cast<std::size_t>(*number);
        expect(*number >= 0 && rest.size() >= size + 2 && rest.substr(size, 2) == "\r\n");
        rest.remove_prefix(size + 2);
        return;
    }
    expect(*number >= 0);
    for (std::int64_t left = kind == '%' ? 2 * *number : *number; left > 0; --left) {
        take_reply(rest, protocol);
    }
}

using requests = std::vector<std::vector<std::string>>;

/// Small enough that inputs reach them.
constexpr request_limits limits{
    .arguments_max = 64, .inline_bytes_max = 256, .bulk_bytes_max = 512, .request_bytes_max = 1024};

/// Calls each(arguments) for the requests in one piece of the stream; false when the protocol was broken.
template <class Each>
bool read_piece(request_parser& parser, std::string_view piece, Each&& each) {
    parser.feed(piece);
    for (;;) {
        switch (parser.next()) {
        case request_parser::outcome::request:
            each(parser.arguments());
            break;
        case request_parser::outcome::more:
            expect(parser.held_bytes() <= piece.size() + limits.request_bytes_max);
            return true;
        case request_parser::outcome::error:
            expect(parser.error().starts_with("Protocol error: "));
            return false;
        }
    }
}

struct peer {
    peer() : objects(types, {1, 10}), keys(objects), run(keys, around) { run.add(client); }

    void execute(std::span<const std::string_view> request) {
        reply_writer reply(client.protocol);
        const outcome done = run.execute(client, request, reply);
        if (request.empty() || done.what == outcome::kind::wait) {
            expect(reply.size() == 0);
        } else {
            std::string_view rest = reply.bytes();
            take_reply(rest, reply.protocol());
            expect(rest.empty());
        }
        expect(client.protocol == reply.protocol());
        if (!request.empty()) {
            const command* const known = find_command(request[0]);
            tally::count& count = counted.counts[known != nullptr ? std::string(known->name) : "(unknown)"];
            ++(reply.bytes().starts_with('-') ? count.refused : count.done);
        }
    }

    void expect_sound() const {
        std::size_t visible = 0;
        for (std::size_t place = 0; place < objects.places(); ++place) {
            const auto& value =
                static_cast<const replication::typed_object<redis_value>&>(objects.at(place)).state();
            expect(crdt::decode<redis_value>(crdt::encode(value)) == value);
            visible += value.visible() != redis_value::type::none ? 1U : 0U;
            // What was changed here is all that is pending: elsewhere it makes the same.
            crdt::byte_writer pending;
            objects.at(place).write_pending(pending);
            expect(crdt::decode<redis_value>(pending.bytes()) == value);
        }
        expect(visible == keys.size());
    }

    replication::type_registry types = [] {
        replication::type_registry made;
        made.add<redis_value>("redis_value");
        return made;
    }();
    replication::object_store objects;
    keyspace keys;
    no_cluster around;
    executor run;
    client_state client;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);

    requests whole;
    request_parser at_once(limits);
    const bool is_good = read_piece(
        at_once, stream, [&](auto arguments) { whole.emplace_back(arguments.begin(), arguments.end()); });

    phoenix::crdt::laws::random_source cuts(data[0]);
    request_parser in_pieces(limits);
    peer self;
    std::size_t executed = 0;
    bool goes_on = true;
    for (std::size_t at = 0; goes_on && at < stream.size();) {
        // From memory of its own, that is gone when the next piece comes.
        const std::string piece(stream.substr(at, 1 + cuts.below(40)));
        at += piece.size();
        goes_on = read_piece(in_pieces, piece, [&](auto arguments) {
            expect(executed < whole.size() && std::equal(arguments.begin(), arguments.end(),
                                                         whole[executed].begin(), whole[executed].end()));
            ++executed;
            self.execute(arguments);
        });
    }
    expect(executed == whole.size() && goes_on == is_good);
    self.expect_sound();
    return 0;
}
