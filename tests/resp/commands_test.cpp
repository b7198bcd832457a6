#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <resp/executor.hpp>
#include <resp/glob.hpp>

namespace resp {

namespace {

struct fake_cluster final : cluster {
    [[nodiscard]] replication::node_status status() const override {
        replication::node_status made;
        made.self = {1, 10};
        made.driver = "none";
        made.links.resize(1);
        made.peers.resize(1);
        made.peers.front().replica = {2, 20};
        return made;
    }

    void cut(std::uint64_t node) override { cut_nodes.insert(node); }

    void heal(std::uint64_t node) override { cut_nodes.erase(node); }

    [[nodiscard]] replication::write_mark mark() override { return {{1, 10}, ++marks}; }

    [[nodiscard]] net::nanoseconds uptime() const override { return net::nanoseconds(0); }

    std::set<std::uint64_t> cut_nodes;
    std::uint64_t marks = 0;
};

/// A peer without sockets, and one client.
struct bench {
    bench() : objects(types(), {1, 10}), keys(objects), run(keys, around) { run.add(client); }

    static const replication::type_registry& types() {
        static const replication::type_registry all = [] {
            replication::type_registry made;
            made.add<redis_value>("redis_value");
            return made;
        }();
        return all;
    }

    /// The reply to one request.
    std::string operator()(const std::vector<std::string_view>& request) {
        reply_writer reply(client.protocol);
        last = run.execute(client, request, reply);
        return reply.bytes();
    }

    /// What another peer changed.
    template <class Edit>
    void elsewhere(const std::string& key, Edit&& edit) {
        redis_value theirs;
        redis_value delta;
        theirs.edit({2, 20}, delta, std::forward<Edit>(edit));
        const std::size_t place = objects.join(types().at<redis_value>().id(), key, crdt::encode(delta));
        keys.arrived(objects.at(place));
    }

    replication::object_store objects;
    keyspace keys;
    fake_cluster around;
    executor run;
    client_state client;
    outcome last;
};

constexpr const char* wrong_type = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
constexpr const char* not_an_integer = "-ERR value is not an integer or out of range\r\n";
constexpr const char* overflow = "-ERR increment or decrement would overflow\r\n";
constexpr const char* syntax = "-ERR syntax error\r\n";
constexpr const char* ok = "+OK\r\n";
constexpr const char* null = "$-1\r\n";

std::string count_error(const std::string& name) {
    return "-ERR wrong number of arguments for '" + name + "' command\r\n";
}

} // namespace

BOOST_AUTO_TEST_SUITE(commands_test)

BOOST_AUTO_TEST_CASE(set_and_get) {
    bench run;
    BOOST_TEST(run({"GET", "a"}) == null);
    BOOST_TEST(run({"set", "a", "1"}) == ok);
    BOOST_TEST(run({"GeT", "a"}) == "$1\r\n1\r\n");
    BOOST_TEST(run({"SET", "a", "2", "NX"}) == null);
    BOOST_TEST(run({"SET", "b", "2", "XX"}) == null);
    BOOST_TEST(run({"SET", "a", "2", "XX"}) == ok);
    BOOST_TEST(run({"SET", "a", "3", "GET"}) == "$1\r\n2\r\n");
    BOOST_TEST(run({"SET", "a", "4", "NX", "GET"}) == "$1\r\n3\r\n");
    BOOST_TEST(run({"SET", "c", "4", "NX", "GET"}) == null);
    BOOST_TEST(run({"GET", "c"}) == "$1\r\n4\r\n");
    BOOST_TEST(run({"SET", "a", "4", "NX", "XX"}) == syntax);
    BOOST_TEST(run({"SET", "a", "4", "FOO"}) == syntax);
    BOOST_TEST(run({"SET", "a", "4", "ex", "10"}) ==
               "-ERR option ex is not supported: keys do not expire\r\n");
    BOOST_TEST(run({"GET", "a"}) == "$1\r\n3\r\n");
    BOOST_TEST(run({"GETSET", "a", "5"}) == "$1\r\n3\r\n");
    BOOST_TEST(run({"SETNX", "a", "6"}) == ":0\r\n");
    BOOST_TEST(run({"SETNX", "d", "6"}) == ":1\r\n");
    BOOST_TEST(run({"MSET", "x", "1", "y", "2"}) == ok);
    BOOST_TEST(run({"MGET", "x", "none", "y"}) == "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n");
    BOOST_TEST(run({"MSET", "x", "1", "y"}) == count_error("mset"));
}

BOOST_AUTO_TEST_CASE(strings_grow) {
    bench run;
    BOOST_TEST(run({"APPEND", "a", "tea"}) == ":3\r\n");
    BOOST_TEST(run({"APPEND", "a", "pot"}) == ":6\r\n");
    BOOST_TEST(run({"STRLEN", "a"}) == ":6\r\n");
    BOOST_TEST(run({"STRLEN", "b"}) == ":0\r\n");
    BOOST_TEST(run({"INCR", "n"}) == ":1\r\n");
    BOOST_TEST(run({"STRLEN", "n"}) == ":1\r\n");
    BOOST_TEST(run({"APPEND", "n", "0"}) == ":2\r\n");
    const std::string half(8UL * 1024 * 1024, 'x');
    BOOST_TEST(run({"APPEND", "long", half}) == ":8388608\r\n");
    BOOST_TEST(run({"APPEND", "long", half}) == ":16777216\r\n");
    BOOST_TEST(run({"APPEND", "long", "x"}) == "-ERR string exceeds maximum allowed size (16 MiB)\r\n");
    BOOST_TEST(run({"STRLEN", "long"}) == ":16777216\r\n");
    BOOST_TEST(run({"INCR", "n"}) == ":11\r\n");
}

BOOST_AUTO_TEST_CASE(counts) {
    bench run;
    BOOST_TEST(run({"INCR", "n"}) == ":1\r\n");
    BOOST_TEST(run({"INCRBY", "n", "41"}) == ":42\r\n");
    BOOST_TEST(run({"DECR", "n"}) == ":41\r\n");
    BOOST_TEST(run({"DECRBY", "n", "50"}) == ":-9\r\n");
    BOOST_TEST(run({"GET", "n"}) == "$2\r\n-9\r\n");
    BOOST_TEST(run({"SET", "n", "5"}) == ok);
    BOOST_TEST(run({"INCR", "n"}) == ":6\r\n");
    BOOST_TEST(run({"INCRBY", "n", "x"}) == not_an_integer);
    BOOST_TEST(run({"SET", "n", "tea"}) == ok);
    BOOST_TEST(run({"INCR", "n"}) == not_an_integer);
    BOOST_TEST(run({"SET", "n", "9223372036854775807"}) == ok);
    BOOST_TEST(run({"INCR", "n"}) == overflow);
    BOOST_TEST(run({"DECRBY", "n", "-9223372036854775808"}) == "-ERR decrement would overflow\r\n");
    BOOST_TEST(run({"INCRBY", "new", "0"}) == ":0\r\n");
    BOOST_TEST(run({"EXISTS", "new"}) == ":1\r\n");
}

BOOST_AUTO_TEST_CASE(a_writer_whose_totals_are_full_counts_on) {
    bench run;
    for (int round = 0; round < 5; ++round) {
        BOOST_TEST(run({"INCRBY", "n", "9223372036854775807"}) == ":9223372036854775807\r\n");
        BOOST_TEST(run({"DECRBY", "n", "9223372036854775807"}) == ":0\r\n");
    }
    BOOST_TEST(run({"INCR", "n"}) == ":1\r\n");
}

BOOST_AUTO_TEST_CASE(sets) {
    bench run;
    BOOST_TEST(run({"SADD", "s", "b", "a", "b"}) == ":2\r\n");
    BOOST_TEST(run({"SADD", "s", "a"}) == ":0\r\n");
    BOOST_TEST(run({"SCARD", "s"}) == ":2\r\n");
    BOOST_TEST(run({"SISMEMBER", "s", "a"}) == ":1\r\n");
    BOOST_TEST(run({"SISMEMBER", "s", "c"}) == ":0\r\n");
    BOOST_TEST(run({"SMEMBERS", "s"}) == "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    BOOST_TEST(run({"SMEMBERS", "none"}) == "*0\r\n");
    BOOST_TEST(run({"SREM", "s", "a", "c"}) == ":1\r\n");
    BOOST_TEST(run({"SREM", "s", "b"}) == ":1\r\n");
    BOOST_TEST(run({"EXISTS", "s"}) == ":0\r\n");
    BOOST_TEST(run({"SREM", "none", "b"}) == ":0\r\n");
}

BOOST_AUTO_TEST_CASE(hashes) {
    bench run;
    BOOST_TEST(run({"HSET", "h", "b", "1", "a", "x"}) == ":2\r\n");
    BOOST_TEST(run({"HSET", "h", "b", "2", "c", "3"}) == ":1\r\n");
    BOOST_TEST(run({"HGET", "h", "b"}) == "$1\r\n2\r\n");
    BOOST_TEST(run({"HGET", "h", "none"}) == null);
    BOOST_TEST(run({"HMGET", "h", "a", "none"}) == "*2\r\n$1\r\nx\r\n$-1\r\n");
    BOOST_TEST(run({"HMGET", "none", "a"}) == "*1\r\n$-1\r\n");
    BOOST_TEST(run({"HINCRBY", "h", "b", "5"}) == ":7\r\n");
    BOOST_TEST(run({"HINCRBY", "h", "n", "-1"}) == ":-1\r\n");
    BOOST_TEST(run({"HINCRBY", "h", "zero", "0"}) == ":0\r\n");
    BOOST_TEST(run({"HINCRBY", "h", "a", "1"}) == "-ERR hash value is not an integer\r\n");
    BOOST_TEST(run({"HINCRBY", "h", "n", "1.5"}) == not_an_integer);
    BOOST_TEST(run({"HLEN", "h"}) == ":5\r\n");
    BOOST_TEST(run({"HDEL", "h", "a", "c", "zero", "none"}) == ":3\r\n");
    BOOST_TEST(run({"HGETALL", "h"}) == "*4\r\n$1\r\nb\r\n$1\r\n7\r\n$1\r\nn\r\n$2\r\n-1\r\n");
    BOOST_TEST(run({"HSET", "h", "a"}) == count_error("hset"));
    BOOST_TEST(run({"HSET", "h", "a", "1", "b"}) == count_error("hset"));
    BOOST_TEST(run({"HDEL", "h", "b", "n"}) == ":2\r\n");
    BOOST_TEST(run({"TYPE", "h"}) == "+none\r\n");
}

BOOST_AUTO_TEST_CASE(another_type_is_refused_but_by_set) {
    bench run;
    run({"SADD", "s", "x"});
    run({"HSET", "h", "f", "1"});
    run({"SET", "a", "1"});
    const std::vector<std::vector<std::string_view>> refused{{"GET", "s"},
                                                             {"GETSET", "s", "1"},
                                                             {"APPEND", "s", "1"},
                                                             {"STRLEN", "h"},
                                                             {"INCR", "s"},
                                                             {"DECRBY", "h", "1"},
                                                             {"SADD", "a", "x"},
                                                             {"SREM", "h", "x"},
                                                             {"SMEMBERS", "h"},
                                                             {"SCARD", "a"},
                                                             {"SISMEMBER", "a", "x"},
                                                             {"HSET", "s", "f", "1"},
                                                             {"HGET", "a", "f"},
                                                             {"HMGET", "s", "f"},
                                                             {"HGETALL", "s"},
                                                             {"HDEL", "a", "f"},
                                                             {"HLEN", "s"},
                                                             {"HINCRBY", "a", "f", "1"},
                                                             {"SET", "s", "1", "GET"}};
    for (const auto& each : refused) {
        BOOST_TEST(run(each) == wrong_type, each[0]);
    }
    BOOST_TEST(run({"MGET", "s", "a"}) == "*2\r\n$-1\r\n$1\r\n1\r\n");
    BOOST_TEST(run({"SET", "s", "1"}) == ok);
    BOOST_TEST(run({"TYPE", "s"}) == "+string\r\n");
}

BOOST_AUTO_TEST_CASE(keys_come_and_go) {
    bench run;
    run({"MSET", "tea", "1", "tee", "2", "pot", "3"});
    BOOST_TEST(run({"DBSIZE"}) == ":3\r\n");
    BOOST_TEST(run({"KEYS", "te?"}) == "*2\r\n$3\r\ntea\r\n$3\r\ntee\r\n");
    BOOST_TEST(run({"EXISTS", "tea", "tea", "none"}) == ":2\r\n");
    BOOST_TEST(run({"DEL", "tea", "none"}) == ":1\r\n");
    BOOST_TEST(run({"UNLINK", "tea", "tee"}) == ":1\r\n");
    BOOST_TEST(run({"DBSIZE"}) == ":1\r\n");
    BOOST_TEST(run.keys.deleted() == 2U);
    BOOST_TEST(run({"FLUSHALL", "NOW"}) == syntax);
    BOOST_TEST(run({"FLUSHALL", "SYNC"}) == ok);
    BOOST_TEST(run({"DBSIZE"}) == ":0\r\n");
    BOOST_TEST(run({"KEYS", "*"}) == "*0\r\n");
    BOOST_TEST(run({"RANDOMKEY"}) == "-ERR unknown command 'RANDOMKEY', with args beginning with: \r\n");
}

BOOST_AUTO_TEST_CASE(what_peers_change_is_counted) {
    bench run;
    run({"SET", "a", "1"});
    run.elsewhere("b", [](auto& value) { (void)value.count(1); });
    BOOST_TEST(run({"DBSIZE"}) == ":2\r\n");
    run.elsewhere("a", [](auto& value) { value.add_member("x"); });
    BOOST_TEST(run.keys.clashing() == 1U);
    BOOST_TEST(run.keys.hidden_slots() == 1U);
    BOOST_TEST(run({"TYPE", "a"}) == "+set\r\n");
    BOOST_TEST(run({"DEL", "a", "b"}) == ":2\r\n");
    BOOST_TEST(run.keys.hidden_slots() == 0U);
    BOOST_TEST(run({"DBSIZE"}) == ":0\r\n");
}

BOOST_AUTO_TEST_CASE(scan_sees_each_key_once_while_others_come) {
    bench run;
    for (int i = 0; i < 100; ++i) {
        run({"SET", "key" + std::to_string(i), "1"});
    }
    std::multiset<std::string> seen;
    std::string cursor = "0";
    int came = 0;
    do {
        const std::string reply = run({"SCAN", cursor, "MATCH", "key*", "COUNT", "7", "TYPE", "string"});
        run({"SET", "new" + std::to_string(came++), "1"});
        // *2, the cursor and its size, *n, then sizes and keys.
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < reply.size();) {
            const std::size_t end = reply.find("\r\n", at);
            lines.push_back(reply.substr(at, end - at));
            at = end + 2;
        }
        cursor = lines[2];
        for (std::size_t i = 5; i < lines.size(); i += 2) {
            seen.insert(lines[i]);
        }
    } while (cursor != "0");
    BOOST_TEST(seen.size() == 100U);
    BOOST_TEST(std::set<std::string>(seen.begin(), seen.end()).size() == 100U);
    BOOST_TEST(run({"SCAN", "x"}) == "-ERR invalid cursor\r\n");
    BOOST_TEST(run({"SCAN", "0", "COUNT"}) == syntax);
    BOOST_TEST(run({"SCAN", "0", "COUNT", "0"}) == syntax);
    BOOST_TEST(run({"SCAN", "0", "TYPE", "zset", "COUNT", "1000"}) == "*2\r\n$1\r\n0\r\n*0\r\n");
}

BOOST_AUTO_TEST_CASE(connections) {
    bench run;
    BOOST_TEST(run({"PING"}) == "+PONG\r\n");
    BOOST_TEST(run({"PING", "hi"}) == "$2\r\nhi\r\n");
    BOOST_TEST(run({"PING", "hi", "ho"}) == count_error("ping"));
    BOOST_TEST(run({"ECHO", "hi"}) == "$2\r\nhi\r\n");
    BOOST_TEST(run({"SELECT", "0"}) == ok);
    BOOST_TEST(run({"SELECT", "1"}) == "-ERR DB index is out of range\r\n");
    BOOST_TEST(run({"AUTH", "default", "x"}) == ok);
    BOOST_TEST(run({"AUTH", "ann", "x"}).starts_with("-WRONGPASS"));
    BOOST_TEST(run({"AUTH", "x"}).starts_with("-ERR AUTH <password> called without"));
    BOOST_TEST(run({"CLIENT", "GETNAME"}) == null);
    BOOST_TEST(run({"CLIENT", "SETNAME", "ann"}) == ok);
    BOOST_TEST(run({"CLIENT", "SETNAME", "a b"}) ==
               "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
    BOOST_TEST(run({"CLIENT", "GETNAME"}) == "$3\r\nann\r\n");
    BOOST_TEST(run({"CLIENT", "SETINFO", "LIB-NAME", "py"}) == ok);
    BOOST_TEST(run({"CLIENT", "ID"}) == ":1\r\n");
    BOOST_TEST(run({"CLIENT", "LIST"}).find("name=ann db=0 cmd=client resp=2 lib-name=py") !=
               std::string::npos);
    BOOST_TEST(run({"CLIENT", "ID", "x"}) == count_error("client|id"));
    BOOST_TEST(run({"CLIENT", "KILL"}) == "-ERR unknown subcommand 'KILL'. Try CLIENT HELP.\r\n");
    BOOST_TEST(run({"QUIT"}) == ok);
    BOOST_TEST((run.last.what == outcome::kind::close));
}

BOOST_AUTO_TEST_CASE(hello_chooses_the_protocol) {
    bench run;
    BOOST_TEST(run({"HELLO", "4"}) == "-NOPROTO unsupported protocol version\r\n");
    BOOST_TEST(run({"HELLO", "x"}) == "-ERR Protocol version is not an integer or out of range\r\n");
    BOOST_TEST(run({"HELLO", "3", "FOO"}) == "-ERR Syntax error in HELLO option 'FOO'\r\n");
    BOOST_TEST(run({"HELLO"}).starts_with("*14\r\n"));
    BOOST_TEST(run({"HELLO", "3", "AUTH", "default", "x", "SETNAME", "ann"}).starts_with("%7\r\n"));
    BOOST_TEST(run({"CLIENT", "GETNAME"}) == "$3\r\nann\r\n");
    BOOST_TEST(run({"GET", "none"}) == "_\r\n");
    run({"SADD", "s", "x"});
    run({"HSET", "h", "f", "1"});
    BOOST_TEST(run({"SMEMBERS", "s"}) == "~1\r\n$1\r\nx\r\n");
    BOOST_TEST(run({"HGETALL", "h"}) == "%1\r\n$1\r\nf\r\n$1\r\n1\r\n");
    BOOST_TEST(run({"RESET"}) == "+RESET\r\n");
    BOOST_TEST(run({"CLIENT", "GETNAME"}) == null);
}

BOOST_AUTO_TEST_CASE(describes_its_commands) {
    bench run;
    BOOST_TEST(run({"COMMAND", "COUNT"}).starts_with(":4"));
    BOOST_TEST(run({"COMMAND", "INFO", "get", "none"})
                   .starts_with("*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n"));
    BOOST_TEST(run({"COMMAND", "DOCS", "get"}).starts_with("*2\r\n$3\r\nget\r\n*4\r\n$7\r\nsummary\r\n"));
    BOOST_TEST(run({"COMMAND", "GETKEYS"}) == "-ERR unknown subcommand 'GETKEYS'. Try COMMAND HELP.\r\n");
    BOOST_TEST(run({"CONFIG", "GET", "sav*"}) == "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
    BOOST_TEST(run({"CONFIG", "SET", "save", ""}) == "-ERR unknown subcommand 'SET'. Try CONFIG HELP.\r\n");
    BOOST_TEST(run({"INFO", "server"}).find("redis_version:") != std::string::npos);
    BOOST_TEST(run({"INFO", "server"}).find("# Clients") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(wait_names_the_last_write_of_its_connection) {
    bench run;
    BOOST_TEST(run({"WAIT", "2", "100"}) == "");
    BOOST_TEST((run.last.what == outcome::kind::wait));
    BOOST_TEST(run.last.mark.number == 0U);
    run({"SET", "a", "1"});
    run({"WAIT", "2", "100"});
    BOOST_TEST(run.last.mark.number == 1U);
    BOOST_TEST(run.last.nodes == 2U);
    BOOST_TEST((run.last.at_most == std::chrono::milliseconds(100)));
    run({"GET", "a"});
    run({"WAIT", "1", "0"});
    BOOST_TEST(run.last.mark.number == 1U);
    BOOST_TEST((run.last.at_most > std::chrono::hours(24)));
    BOOST_TEST(run({"WAIT", "x", "0"}) == not_an_integer);
    BOOST_TEST(run({"WAIT", "1", "-1"}) == "-ERR timeout is negative\r\n");
    BOOST_TEST(run({"WAIT", "1", "x"}) == "-ERR timeout is not an integer or out of range\r\n");
}

BOOST_AUTO_TEST_CASE(cluster_commands) {
    bench run;
    BOOST_TEST(run({"PHOENIX.LINK", "DOWN", "2"}) == ok);
    BOOST_TEST(run.around.cut_nodes.contains(2));
    BOOST_TEST(run({"PHOENIX.LINK", "UP", "2"}) == ok);
    BOOST_TEST(run.around.cut_nodes.empty());
    BOOST_TEST(run({"PHOENIX.LINK", "LEFT", "2"}) == "-ERR expected DOWN or UP, found 'LEFT'\r\n");
    BOOST_TEST(run({"PHOENIX.LINK", "DOWN", "1"}) ==
               "-ERR expected the id of another peer, found this one's own\r\n");
    BOOST_TEST(run({"PHOENIX.LINK", "DOWN", "3"}) ==
               "-ERR expected the id of a peer that was linked to this one, found 3\r\n");
    BOOST_TEST(run.around.cut_nodes.empty());
    BOOST_TEST(run({"PHOENIX.LINK", "UP", "0"}) == "-ERR the id of a peer is from 1 on\r\n");
    run({"HELLO", "3"});
    const std::string status = run({"PHOENIX.STATUS"});
    BOOST_TEST(status.starts_with("%22\r\n$2\r\nid\r\n:1\r\n"));
    BOOST_TEST(status.find("$12\r\nhidden_slots\r\n:0\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(wrong_counts_are_refused) {
    bench run;
    for (const std::string_view each :
         {"GET", "SET", "DEL", "INCRBY", "HINCRBY", "SADD", "WAIT", "KEYS", "TYPE"}) {
        std::string lower(each);
        std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(c + 32); });
        BOOST_TEST(run({each}) == count_error(lower));
    }
    BOOST_TEST(run({"GET", "a", "b"}) == count_error("get"));
    BOOST_TEST(run({"a\r\nb"}) == "-ERR unknown command 'a  b', with args beginning with: \r\n");
}

BOOST_AUTO_TEST_CASE(what_the_store_refuses_is_an_error_reply) {
    bench run;
    const std::string long_key(70'000, 'k');
    BOOST_TEST(run({"SET", long_key, "1"}).starts_with("-ERR "));
    BOOST_TEST(run({"DBSIZE"}) == ":0\r\n");
}

BOOST_AUTO_TEST_CASE(patterns) {
    BOOST_TEST(matches_glob("*", ""));
    BOOST_TEST(matches_glob("h?llo", "hello"));
    BOOST_TEST(matches_glob("h*llo", "heeeello"));
    BOOST_TEST(matches_glob("h[ae]llo", "hallo"));
    BOOST_TEST(!matches_glob("h[^e]llo", "hello"));
    BOOST_TEST(matches_glob("h[a-c]llo", "hbllo"));
    BOOST_TEST(matches_glob("h\\*llo", "h*llo"));
    BOOST_TEST(!matches_glob("h\\*llo", "hello"));
    BOOST_TEST(matches_glob("*a*b*c", "xxaxxbxxbc"));
    BOOST_TEST(!matches_glob("*a*b", "ba"));
    // Time stays within the product of both lengths.
    std::string stars;
    for (int i = 0; i < 30; ++i) {
        stars += "*a";
    }
    BOOST_TEST(!matches_glob(stars + "b", std::string(5000, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace resp
