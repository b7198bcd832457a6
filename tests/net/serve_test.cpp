#include <phoenix/net/connect.hpp>
#include <phoenix/net/event.hpp>
#include <phoenix/net/serve.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/with_scope.hpp>

#include "conformance/child.hpp"
#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;
using namespace std::chrono_literals;
using conformance::expect;
using conformance::in_child;

task<> echo(stream peer) {
    for (;;) {
        const auto data = co_await peer.read_some();
        if (data.empty()) {
            co_return;
        }
        co_await peer.write(data);
    }
}

/// What comes back for one byte: the byte, or 0 when the connection ends instead.
task<char> exchange(stream& peer, char sent) {
    const std::string text(1, sent);
    co_await peer.write(text);
    const auto answer = co_await peer.read_some();
    co_return answer.empty() ? '\0' : static_cast<char>(answer.front());
}

task<char> ask_once(endpoint where, char sent) {
    stream peer = co_await connect(where);
    const char answer = co_await exchange(peer, sent);
    co_return answer;
}

/// A handler that counts who is with it, and lets nobody go before the gate opens.
struct hall {
    int now = 0;
    int most = 0;
    int ever = 0;
    event leave;
};

class presence {
public:
    explicit presence(hall& where) noexcept : where_(where) {
        ++where_.ever;
        where_.most = std::max(where_.most, ++where_.now);
    }

    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;

    ~presence() { --where_.now; }

private:
    hall& where_;
};

task<> stay(hall* where, stream peer) {
    const presence here(*where);
    co_await where->leave.wait();
    co_await peer.write("bye");
}

/// A handler with a state: no coroutine itself.
class stay_in {
public:
    explicit stay_in(hall& where) noexcept : where_(&where) {}

    task<> operator()(stream peer) const { return stay(where_, std::move(peer)); }

private:
    hall* where_;
};

task<> turns_until(const int& value, int wanted) {
    while (value != wanted) {
        co_await sleep_for(100us);
    }
}

task<> fail_on_x(stream peer) {
    const auto data = co_await peer.read_some();
    if (!data.empty() && data.front() == std::byte{'x'}) {
        throw std::runtime_error("this one said x");
    }
    co_await peer.write(data);
}

task<> body_with_failures(scope& children, std::vector<char>& answers) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    children.spawn(serve(door, fail_on_x));
    for (const char sent : {'a', 'x', 'b', 'x', 'c'}) {
        const char answer = co_await ask_once(where, sent);
        answers.push_back(answer);
    }
    children.cancel();
    co_await children.drain();
}

task<> body_with_limit(scope& children, hall& visitors) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    serve_options options;
    options.max_connections = 2;
    children.spawn(serve(door, stay_in(visitors), options));
    std::vector<stream> peers;
    for (int i = 0; i < 5; ++i) {
        stream peer = co_await connect(where);
        peers.push_back(std::move(peer));
    }
    co_await turns_until(visitors.now, 2);
    for (int i = 0; i < 50; ++i) {
        co_await yield();
    }
    BOOST_TEST(visitors.ever == 2);
    visitors.leave.set();
    co_await turns_until(visitors.ever, 5);
    co_await turns_until(visitors.now, 0);
    children.cancel();
    co_await children.drain();
}

task<> keep_code(listener& door, hall& visitors, std::error_code& code) {
    code = co_await error_of(serve(door, stay_in(visitors)));
}

task<> body_that_cancels(scope& children, hall& visitors, std::error_code& code) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    children.spawn(keep_code(door, visitors, code));
    const stream first = co_await connect(where);
    const stream second = co_await connect(where);
    co_await turns_until(visitors.now, 2);
    children.cancel();
    co_await children.drain();
    BOOST_TEST(visitors.now == 0);
}

task<> note_end(listener& door, hall& visitors, bool& ended) {
    co_await serve(door, stay_in(visitors));
    ended = true;
}

task<> body_that_closes(scope& children, hall& visitors) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    bool ended = false;
    children.spawn(note_end(door, visitors, ended));
    stream peer = co_await connect(where);
    co_await turns_until(visitors.now, 1);
    door.close();
    for (int i = 0; i < 50; ++i) {
        co_await yield();
    }
    BOOST_TEST(!ended);
    visitors.leave.set();
    co_await children.join();
    BOOST_TEST(ended);
    std::array<std::byte, 3> bye;
    co_await peer.read_exactly(bye);
    BOOST_TEST((bye.back() == std::byte{'e'}));
}

task<> serve_with(serve_options options) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    co_await serve(door, echo, options);
}

// --- In a child process ---

/// Room for `more` descriptors than are open now.
void allow_descriptors(int more) {
    const int next = ::dup(STDERR_FILENO);
    ::close(next);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(next + more);
    expect(next > 0 && ::setrlimit(RLIMIT_NOFILE, &limit) == 0, "expected the limit to be lowered");
}

int dial_plainly(const endpoint& where) {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect(client >= 0 && ::connect(client, where.data(), where.size()) == 0,
           "expected the backlog to take the connection");
    return client;
}

task<> until_logged(captured_log& log, std::string part) {
    while (log.count(part) == 0) {
        co_await sleep_for(1ms);
    }
}

/// Eight clients, room for the server's end of some of them.
task<> outlive_famine(scope& children, captured_log& log) {
    loop& here = co_await this_loop();
    // A ring takes the limit of the moment in which an operation is handed to it.
    allow_descriptors(12);
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    children.spawn(serve(door, echo));
    const char first = co_await ask_once(where, 'a');
    expect(first == 'a', "expected an answer");
    std::vector<int> clients;
    for (int i = 0; i < 8; ++i) {
        clients.push_back(dial_plainly(where));
    }
    co_await until_logged(log, "out of file descriptors");
    co_await until_logged(log, "accepting again after 10000 us");
    for (const int each : clients) {
        ::close(each);
    }
    const char last = co_await ask_once(where, 'z');
    expect(last == 'z', "expected the server to have outlived the famine");
    children.cancel();
    co_await children.drain();
}

} // namespace

BOOST_AUTO_TEST_SUITE(serve_test)

ON_EACH_DRIVER(a_handler_that_fails_is_logged_and_ends_its_own_connection_alone) {
    captured_log log;
    loop here(options_on(driver, log));
    std::vector<char> answers;
    here.run(with_scope(body_with_failures, std::ref(answers)));
    const std::vector<char> expected{'a', '\0', 'b', '\0', 'c'};
    BOOST_TEST(answers == expected, boost::test_tools::per_element());
    BOOST_TEST(log.count("this one said x") == 2u);
    BOOST_TEST(log.messages().size() == 2u);
}

ON_EACH_DRIVER(no_more_handlers_run_than_the_limit_allows) {
    loop here(options_on(driver));
    hall visitors;
    here.run(with_scope(body_with_limit, std::ref(visitors)));
    BOOST_TEST(visitors.most >= 2);
    BOOST_TEST(visitors.ever == 5);
}

ON_EACH_DRIVER(a_stopped_server_stops_its_handlers_and_says_canceled) {
    captured_log log;
    loop here(options_on(driver, log));
    hall visitors;
    std::error_code code;
    here.run(with_scope(body_that_cancels, std::ref(visitors), std::ref(code)));
    BOOST_TEST((code == errc::canceled));
    BOOST_TEST(visitors.ever == 2);
    BOOST_TEST(log.messages().empty());
}

ON_EACH_DRIVER(a_closed_door_ends_it_after_the_last_connection) {
    loop here(options_on(driver));
    hall visitors;
    here.run(with_scope(body_that_closes, std::ref(visitors)));
    BOOST_TEST(visitors.ever == 1);
}

ON_EACH_DRIVER(it_outlives_a_time_without_descriptors) {
    BOOST_TEST(in_child([driver] {
                   captured_log log;
                   loop here(options_on(driver, log));
                   here.run(with_scope(outlive_famine, std::ref(log)));
               }) == "");
}

ON_EACH_DRIVER(wrong_options_are_named) {
    loop here(options_on(driver));
    serve_options none;
    none.max_connections = 0;
    serve_options crossed;
    crossed.first_pause = 2s;
    std::string message = here.run(message_of(serve_with(none)));
    BOOST_TEST(message.find("serve_options.max_connections is 0, expected 1 to") != std::string::npos,
               message);
    message = here.run(message_of(serve_with(crossed)));
    BOOST_TEST(message.find("serve_options.longest_pause") != std::string::npos, message);
}

BOOST_AUTO_TEST_SUITE_END()
