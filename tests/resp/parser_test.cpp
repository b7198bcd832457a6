#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <resp/protocol.hpp>

namespace resp {

namespace {

using words = std::vector<std::string>;

struct parsed {
    std::vector<words> requests;
    std::string error;

    friend bool operator==(const parsed&, const parsed&) = default;
};

void read_all(request_parser& parser, parsed& into) {
    for (;;) {
        const auto next = parser.next();
        if (next == request_parser::outcome::request) {
            into.requests.emplace_back(parser.arguments().begin(), parser.arguments().end());
        } else {
            into.error = next == request_parser::outcome::error ? parser.error() : "";
            return;
        }
    }
}

/// Feeds `pieces` one after the other, each from memory of its own that is gone when the next comes.
parsed parse(const std::vector<std::string>& pieces, const request_limits& limits = {}) {
    request_parser parser(limits);
    parsed found;
    for (const std::string& each : pieces) {
        const std::string lent(each);
        parser.feed(lent);
        read_all(parser, found);
        if (!found.error.empty()) {
            break;
        }
    }
    return found;
}

parsed parse(const std::string& whole, const request_limits& limits = {}) {
    return parse(std::vector<std::string>{whole}, limits);
}

std::string error_of(const std::string& bytes, const request_limits& limits = {}) {
    return parse(bytes, limits).error;
}

} // namespace

BOOST_AUTO_TEST_SUITE(parser_test)

BOOST_AUTO_TEST_CASE(reads_arrays_of_bulk_strings) {
    const parsed found = parse("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\nx\r\ny\r\n*1\r\n$4\r\nPING\r\n");
    BOOST_TEST((found.requests == std::vector<words>{{"SET", "a", "x\r\ny"}, {"PING"}}));
}

BOOST_AUTO_TEST_CASE(reads_inline_commands_with_quotes) {
    BOOST_TEST(
        (parse("set  a \"b c\\x41\\n\\\"\"\r\n").requests == std::vector<words>{{"set", "a", "b cA\n\""}}));
    BOOST_TEST((parse("get 'it\\'s'\n").requests == std::vector<words>{{"get", "it's"}}));
    BOOST_TEST((parse("echo \"\"\n").requests == std::vector<words>{{"echo", ""}}));
    BOOST_TEST(error_of("get \"a\n") == "Protocol error: unbalanced quotes in request");
    BOOST_TEST(error_of("get 'a'b\n") == "Protocol error: unbalanced quotes in request");
}

BOOST_AUTO_TEST_CASE(empty_requests_ask_for_nothing) {
    BOOST_TEST((parse("\r\n*0\r\n*-1\r\nping\r\n").requests == std::vector<words>{{}, {}, {}, {"ping"}}));
}

BOOST_AUTO_TEST_CASE(hands_out_what_lies_whole_where_it_lies) {
    const std::string bytes = "*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n";
    request_parser parser;
    parser.feed(bytes);
    BOOST_TEST_REQUIRE((parser.next() == request_parser::outcome::request));
    BOOST_TEST(static_cast<const void*>(parser.arguments()[1].data()) ==
               static_cast<const void*>(bytes.data() + bytes.find("hello")));
    BOOST_TEST((parser.next() == request_parser::outcome::more));
    BOOST_TEST(parser.held_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(the_same_at_every_split) {
    const std::string whole = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$13\r\nlong\r\n$3 text\r\nget 'a "
                              "b'\r\n\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n";
    const parsed expected = parse(whole);
    BOOST_TEST(expected.requests.size() == 4U);
    for (std::size_t one = 0; one <= whole.size(); ++one) {
        for (std::size_t two = one; two <= whole.size(); ++two) {
            const parsed found =
                parse({whole.substr(0, one), whole.substr(one, two - one), whole.substr(two)});
            BOOST_TEST_REQUIRE((found == expected), "split at " << one << " and " << two);
        }
    }
    std::vector<std::string> bytes;
    for (const char c : whole) {
        bytes.emplace_back(1, c);
    }
    BOOST_TEST((parse(bytes) == expected));
}

BOOST_AUTO_TEST_CASE(refuses_in_the_words_of_redis) {
    BOOST_TEST(error_of("*x\r\n") == "Protocol error: invalid multibulk length");
    BOOST_TEST(error_of("*2000000\r\n") == "Protocol error: invalid multibulk length");
    BOOST_TEST(error_of("*1\r\n:1\r\n") == "Protocol error: expected '$', got ':'");
    BOOST_TEST(error_of("*1\r\n$-1\r\n") == "Protocol error: invalid bulk length");
    BOOST_TEST(error_of("*1\r\n$01\r\n") == "Protocol error: invalid bulk length");
    BOOST_TEST(error_of("*" + std::string(70'000, '1')) == "Protocol error: too big mbulk count string");
    BOOST_TEST(error_of("*1\r\n$" + std::string(70'000, '1')) == "Protocol error: too big bulk count string");
    BOOST_TEST(error_of(std::string(70'000, 'x')) == "Protocol error: too big inline request");
}

BOOST_AUTO_TEST_CASE(a_line_is_too_long_however_it_arrives) {
    request_limits limits;
    limits.inline_bytes_max = 16;
    for (const std::string& line :
         {std::string(17, 'x'), "*" + std::string(17, '0'), "*1\r\n$" + std::string(17, '0')}) {
        const std::string whole = line + "\r\n";
        for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
            const parsed found = parse({whole.substr(0, cut), whole.substr(cut)}, limits);
            BOOST_TEST(found.error.starts_with("Protocol error: too big"), line << " cut at " << cut);
        }
    }
    const std::string longest = std::string(15, 'x') + "\r\n";
    for (std::size_t cut = 0; cut <= longest.size(); ++cut) {
        BOOST_TEST(
            (parse({longest.substr(0, cut), longest.substr(cut)}, limits) == parse({longest}, limits)));
    }
    BOOST_TEST(parse({longest}, limits).requests.size() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_read_behind_an_error) {
    const parsed found = parse("ping\r\n*1\r\n:1\r\nping\r\n");
    BOOST_TEST(found.requests.size() == 1U);
    request_parser parser;
    parser.feed("*1\r\n:");
    BOOST_TEST((parser.next() == request_parser::outcome::error));
    parser.feed("ping\r\n");
    BOOST_TEST((parser.next() == request_parser::outcome::error));
}

BOOST_AUTO_TEST_CASE(trap_length_bomb) {
    request_limits limits;
    limits.bulk_bytes_max = 1000;
    limits.request_bytes_max = 3000;
    limits.arguments_max = 10;
    BOOST_TEST(error_of("*11\r\n", limits) == "Protocol error: invalid multibulk length");
    BOOST_TEST(error_of("*1\r\n$1001\r\n", limits) == "Protocol error: invalid bulk length");
    BOOST_TEST(error_of("*1\r\n$99999999999999999999\r\n", limits) == "Protocol error: invalid bulk length");
    // Said, and not there: nothing is taken for it.
    request_parser parser;
    parser.feed("*1048576\r\n$16777216\r\n");
    BOOST_TEST((parser.next() == request_parser::outcome::more));
    BOOST_TEST(parser.held_bytes() < 100U);
    const std::string bulk = "$1000\r\n" + std::string(1000, 'x') + "\r\n";
    BOOST_TEST(error_of("*4\r\n" + bulk + bulk + bulk + bulk, limits) == "Protocol error: too big request");
}

BOOST_AUTO_TEST_CASE(reads_on_after_a_large_request_that_came_in_pieces) {
    const std::string large(300'000, 'x');
    const std::string whole = "*2\r\n$4\r\nECHO\r\n$300000\r\n" + large + "\r\n*1\r\n$4\r\nPING\r\n";
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < whole.size(); at += 32'768) {
        pieces.push_back(whole.substr(at, 32'768));
    }
    BOOST_TEST((parse(pieces).requests == std::vector<words>{{"ECHO", large}, {"PING"}}));
}

BOOST_AUTO_TEST_CASE(random_bytes_end_in_requests_or_an_error) {
    std::uint64_t state = 7;
    const auto next = [&] {
        return state = state * 6364136223846793005U + 1442695040888963407U;
    };
    static constexpr std::string_view likely = "*$\r\n0123 ab'\"\\x-";
    for (int round = 0; round < 3000; ++round) {
        std::string bytes;
        for (std::uint64_t left = next() >> 58; left > 0; --left) {
            bytes += (next() >> 62) == 0 ? static_cast<char>(next() >> 56)
                                         : likely[(next() >> 33) % likely.size()];
        }
        const std::size_t split = bytes.empty() ? 0 : (next() >> 33) % bytes.size();
        BOOST_TEST_REQUIRE((parse(bytes) == parse({bytes.substr(0, split), bytes.substr(split)})));
    }
}

BOOST_AUTO_TEST_CASE(integers_as_redis_reads_them) {
    BOOST_TEST((parse_integer("-9223372036854775808") == INT64_MIN));
    BOOST_TEST((parse_integer("0") == 0));
    for (const char* const wrong :
         {"", "-", "-0", "007", "+1", " 1", "1 ", "9223372036854775808", "1.0", "a"}) {
        BOOST_TEST(!parse_integer(wrong).has_value(), wrong);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(reply_writer_test)

BOOST_AUTO_TEST_CASE(writes_version_2) {
    reply_writer out;
    out.ok();
    out.simple("PONG");
    out.error("ERR a\r\nb");
    out.integer(-7);
    out.bulk("x\r\n");
    out.null();
    out.array(2);
    out.set(1);
    out.map(3);
    out.boolean(true);
    out.real(1.5);
    out.text("hi");
    BOOST_TEST(out.bytes() ==
               "+OK\r\n+PONG\r\n-ERR a  b\r\n:-7\r\n$3\r\nx\r\n\r\n$-1\r\n*2\r\n*1\r\n*6\r\n:1\r\n"
               "$3\r\n1.5\r\n$2\r\nhi\r\n");
}

BOOST_AUTO_TEST_CASE(writes_version_3) {
    reply_writer out(3);
    out.null();
    out.set(1);
    out.map(3);
    out.boolean(false);
    out.real(-0.25);
    out.text("hi");
    BOOST_TEST(out.bytes() == "_\r\n~1\r\n%3\r\n#f\r\n,-0.25\r\n=6\r\ntxt:hi\r\n");
}

BOOST_AUTO_TEST_CASE(gives_large_memory_back) {
    reply_writer out;
    out.bulk(std::string(1'000'000, 'x'));
    out.clear();
    BOOST_TEST(out.size() == 0U);
    BOOST_TEST(out.bytes().capacity() < 100'000U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace resp
