// Simulated worlds: the same seed does the same, time passes by waiting alone, and nodes meet as machines do.
#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/sim/world.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/stream.hpp>

#include "conformance/talk.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <system_error>

namespace {

using namespace phoenix::net;
using conformance::echo;
using conformance::read_text;
using namespace std::chrono_literals;

constexpr std::uint16_t port = 7000;

task<> serve_echo() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::any_v4(port));
    for (;;) {
        stream peer = co_await door.accept();
        here.spawn(echo(std::move(peer)));
    }
}

/// Says `count` lines, each after the answer to the one before.
task<> talk(endpoint to, int count, int& answers) {
    stream peer = co_await connect(to);
    for (int i = 0; i < count; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        co_await peer.write(line);
        const std::string answer = co_await read_text(peer, line.size());
        BOOST_TEST(answer == line);
        ++answers;
        loop& here = co_await this_loop();
        co_await sleep_for(std::chrono::microseconds(here.random() % 500));
    }
}

/// Three nodes, one of which is asked by the others: what happened, summed up.
std::uint64_t trace_of(std::uint64_t seed) {
    sim::world all(seed);
    sim::node& server = all.add_node();
    server.here().spawn(serve_echo());
    int answers = 0;
    for (int i = 0; i < 2; ++i) {
        all.add_node().here().spawn(talk(server.address().with_port(port), 40, answers));
    }
    const bool is_done = all.run_until([&] { return answers == 80; }, 10s);
    BOOST_TEST(is_done);
    return all.trace_hash();
}

task<> note_code(task<> work, std::optional<std::error_code>& found) {
    std::error_code code;
    try {
        co_await std::move(work);
    } catch (const std::system_error& e) {
        code = e.code();
    }
    found = code;
}

task<> dial(endpoint to) {
    const stream made = co_await connect(to);
}

/// What dialling `to` from the node gives, and when.
std::error_code code_of_dialling(sim::world& all, sim::node& from, endpoint to) {
    std::optional<std::error_code> code;
    from.here().spawn(note_code(dial(to), code));
    BOOST_TEST(all.run_until([&] { return code.has_value(); }, 1h));
    return code.value_or(std::error_code());
}

task<> wake_at_ten(bool& woke) {
    co_await sleep_for(10h);
    woke = true;
}

task<> listen_and_wait() {
    loop& here = co_await this_loop();
    listener_options how;
    how.backlog = 1;
    const listener door(here, endpoint::any_v4(port), how);
    co_await sleep_for(24h);
}

task<> give_up_soon(endpoint to) {
    co_await with_deadline(dial(to), 150us);
}

task<> accept_and_read(std::optional<std::error_code>& code) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::any_v4(port));
    stream peer = co_await door.accept();
    co_await note_code(echo(std::move(peer)), code);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sim_world_test)

BOOST_AUTO_TEST_CASE(the_same_seed_does_the_same_and_others_differ) {
    std::set<std::uint64_t> different;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const std::uint64_t first = trace_of(seed);
        BOOST_TEST(trace_of(seed) == first, "seed " << seed);
        different.insert(first);
    }
    BOOST_TEST(different.size() == 20U);
}

BOOST_AUTO_TEST_CASE(the_trace_is_the_same_whatever_compiled_it) {
    // Changes with what the simulator draws and with what net does; then this is what it says.
    BOOST_TEST(trace_of(7) == 10'124'130'633'179'358'056U);
}

BOOST_AUTO_TEST_CASE(time_passes_by_waiting_alone) {
    sim::world all(1);
    bool woke = false;
    all.add_node().here().spawn(wake_at_ten(woke));
    all.run_for(10h - 1ns);
    BOOST_TEST(!woke);
    BOOST_TEST((all.elapsed() == 10h - 1ns));
    all.run_for(1ms);
    BOOST_TEST(woke);
}

BOOST_AUTO_TEST_CASE(an_answer_takes_the_time_of_its_links) {
    sim::plan how;
    how.latency = 5ms;
    how.jitter = 0ns;
    how.tail_rate = 0;
    sim::world all(1, how);
    sim::node& server = all.add_node();
    server.here().spawn(serve_echo());
    int answers = 0;
    all.add_node().here().spawn(talk(server.address().with_port(port), 1, answers));
    // To connect, and to ask.
    all.run_for(19ms);
    BOOST_TEST(answers == 0);
    all.run_for(2ms);
    BOOST_TEST(answers == 1);
}

BOOST_AUTO_TEST_CASE(who_is_not_there_is_told_so_as_by_a_kernel) {
    sim::world all(1);
    sim::node& one = all.add_node();
    sim::node& other = all.add_node();
    BOOST_TEST(code_of_dialling(all, one, other.address().with_port(port)) == make_error(ECONNREFUSED));
    BOOST_TEST(code_of_dialling(all, one, endpoint::loopback_v4(port)) == make_error(ECONNREFUSED));
    BOOST_TEST(code_of_dialling(all, one, endpoint::tcp_v4({11, 0, 0, 1}, port)) == make_error(ENETUNREACH));
    const nanoseconds before = all.elapsed();
    // A node that never was: nobody answers at all.
    BOOST_TEST(code_of_dialling(all, one, endpoint::tcp_v4({10, 0, 0, 99}, port)) == make_error(ETIMEDOUT));
    BOOST_TEST((all.elapsed() - before >= sim::plan().connect_timeout));
}

BOOST_AUTO_TEST_CASE(a_full_backlog_is_not_heard) {
    sim::world all(1);
    sim::node& server = all.add_node();
    sim::node& client = all.add_node();
    server.here().spawn(listen_and_wait());
    all.run_for(1ms);
    BOOST_TEST(!code_of_dialling(all, client, server.address().with_port(port)));
    BOOST_TEST(code_of_dialling(all, client, server.address().with_port(port)) == make_error(ETIMEDOUT));
}

BOOST_AUTO_TEST_CASE(who_gave_up_connecting_is_not_waited_for) {
    sim::plan how;
    how.latency = 100us;
    how.jitter = 0ns;
    how.tail_rate = 0;
    sim::world all(1, how);
    sim::node& server = all.add_node();
    std::optional<std::error_code> code;
    server.here().spawn(accept_and_read(code));
    all.run_for(1ms);
    std::optional<std::error_code> gave_up;
    all.add_node().here().spawn(note_code(give_up_soon(server.address().with_port(port)), gave_up));
    BOOST_TEST(all.run_until([&] { return code.has_value(); }, 1s));
    BOOST_TEST((gave_up == make_error_code(errc::timed_out)));
    BOOST_TEST((code == make_error(ECONNRESET)), code->message());
}

BOOST_AUTO_TEST_CASE(plans_are_checked) {
    const auto words = [](auto change) -> std::string {
        sim::plan how;
        change(how);
        try {
            const sim::world refused(1, how);
        } catch (const std::system_error& e) {
            return e.what();
        }
        return "";
    };
    BOOST_TEST(words([](sim::plan&) {}).empty());
    BOOST_TEST(words([](sim::plan& how) { how.latency = -1ns; }).find("sim::plan.latency") !=
               std::string::npos);
    BOOST_TEST(words([](sim::plan& how) { how.short_rate = 1'000'001; }).find("short_rate") !=
               std::string::npos);
    BOOST_TEST(words([](sim::plan& how) { how.connect_retry = 0ns; }).find("connect_retry") !=
               std::string::npos);
    BOOST_TEST(words([](sim::plan& how) { how.connection_bytes = 0; }).find("connection_bytes") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
