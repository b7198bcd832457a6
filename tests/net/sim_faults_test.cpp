// Faults of simulated worlds: each does what it says, ends when it is told to, and comes by itself as often as the plan says.
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
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace phoenix::net;
using conformance::echo;
using conformance::read_text;
using namespace std::chrono_literals;

constexpr std::uint16_t port = 7000;

task<> serve_echo(sim::node& self) {
    listener door(self.here(), endpoint::any_v4(port));
    for (;;) {
        stream peer = co_await door.accept();
        self.here().spawn(echo(std::move(peer)));
    }
}

/// How a client is doing.
struct progress {
    int answers = 0;
    std::optional<std::error_code> ended;
};

/// Says a line each millisecond and reads it back, until something fails.
task<> talk(endpoint to, progress& told) {
    try {
        stream peer = co_await connect(to);
        for (;;) {
            const std::string line = "line " + std::to_string(told.answers) + "\n";
            co_await peer.write(line);
            const std::string answer = co_await read_text(peer, line.size());
            BOOST_TEST_REQUIRE(answer == line);
            ++told.answers;
            co_await sleep_for(1ms);
        }
    } catch (const std::system_error& e) {
        told.ended = e.code();
    }
}

/// A server, and a client that talks to it.
struct two {
    explicit two(const sim::plan& how = {})
        : all(1, how), server(all.add_node(&serve_echo)), client(all.add_node()) {
        client.here().spawn(talk(server.address().with_port(port), told));
        all.run_for(100ms);
        BOOST_TEST_REQUIRE(told.answers > 10);
    }

    /// How many answers come within that time.
    int answers_in(nanoseconds time) {
        const int before = told.answers;
        all.run_for(time);
        return told.answers - before;
    }

    [[nodiscard]] std::string ending() const {
        return told.ended ? told.ended->message() : std::string("none");
    }

    progress told;
    sim::world all;
    sim::node& server;
    sim::node& client;
};

struct counting_program {
    int* started;
    int* ended;

    task<> operator()(sim::node&) const { return run(started, ended); }

    static task<> run(int* started, int* ended) {
        const struct at_end {
            ~at_end() { ++*count; }

            int* count;
        } counts{ended};

        ++*started;
        co_await sleep_for(24h);
    }
};

task<> rest(sim::node&) {
    co_await sleep_for(24h);
}

task<> fail_soon(sim::node&) {
    co_await sleep_for(1ms);
    throw std::runtime_error("no tea");
}

/// Asks for what comes late, and gives up before it comes, again and again.
task<> ask_and_give_up(endpoint to) {
    for (;;) {
        try {
            stream peer = co_await with_deadline(connect(to), 400us);
            co_await peer.write("line\n");
            co_await sleep_for(1ms);
            const std::string answer = co_await with_deadline(read_text(peer, 5), 3us);
        } catch (const std::system_error& e) {
            if (is_canceled(e.code())) {
                throw;
            }
        }
    }
}

sim::plan with(const std::function<void(sim::fault_plan&)>& change) {
    sim::plan how;
    change(how.faults);
    return how;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sim_faults_test)

BOOST_AUTO_TEST_CASE(a_cut_holds_up_what_is_sent_and_healing_delivers_it) {
    two here;
    here.all.cut(here.server, here.client);
    BOOST_TEST(here.answers_in(10s) <= 1);
    here.all.heal(here.server, here.client);
    BOOST_TEST(here.answers_in(5s) > 100);
    BOOST_TEST(!here.told.ended.has_value());
}

BOOST_AUTO_TEST_CASE(a_one_way_cut_lets_the_other_way_through) {
    two here;
    here.all.cut_one_way(here.server, here.client);
    BOOST_TEST(here.answers_in(10s) <= 1);
    here.all.heal_one_way(here.server, here.client);
    BOOST_TEST(here.answers_in(5s) > 100);
}

BOOST_AUTO_TEST_CASE(cuts_add_up) {
    two here;
    here.all.cut(here.server, here.client);
    here.all.cut_one_way(here.client, here.server);
    here.all.heal(here.server, here.client);
    BOOST_TEST(here.answers_in(10s) <= 1);
    here.all.heal_one_way(here.client, here.server);
    BOOST_TEST(here.answers_in(5s) > 100);
}

BOOST_AUTO_TEST_CASE(a_cut_that_lasts_ends_connections) {
    sim::plan how;
    how.retransmit_timeout = 20s;
    two here(how);
    here.all.cut(here.server, here.client);
    here.all.run_for(19s);
    BOOST_TEST(here.ending() == "none");
    here.all.run_for(2s);
    BOOST_TEST((here.told.ended == make_error(ETIMEDOUT)), here.ending());
}

BOOST_AUTO_TEST_CASE(who_dials_over_a_cut_is_heard_when_it_heals) {
    progress later;
    two here;
    here.all.cut(here.server, here.client);
    here.client.here().spawn(talk(here.server.address().with_port(port), later));
    here.all.run_for(10s);
    BOOST_TEST(later.answers == 0);
    here.all.heal(here.server, here.client);
    here.all.run_for(2s);
    BOOST_TEST(later.answers > 100);
}

BOOST_AUTO_TEST_CASE(a_clog_holds_up_one_way) {
    two here;
    here.all.clog(here.client, here.server);
    BOOST_TEST(here.answers_in(10s) <= 1);
    here.all.unclog(here.client, here.server);
    BOOST_TEST(here.answers_in(5s) > 100);
}

BOOST_AUTO_TEST_CASE(a_reset_is_told_to_both_sides) {
    two here;
    BOOST_TEST(here.all.reset_connection(here.server, here.client));
    here.all.run_for(1s);
    BOOST_TEST((here.told.ended == make_error(ECONNRESET)), here.ending());
    // The server's side has gone, too.
    BOOST_TEST(!here.all.reset_connection(here.server, here.client));
}

BOOST_AUTO_TEST_CASE(a_silent_connection_is_told_to_nobody_until_the_kernel_gives_up) {
    sim::plan how;
    how.retransmit_timeout = 60s;
    progress later;
    two here(how);
    BOOST_TEST(here.all.silence_connection(here.server, here.client));
    BOOST_TEST(here.answers_in(59s) <= 1);
    BOOST_TEST(here.ending() == "none");
    here.all.run_for(5s);
    BOOST_TEST((here.told.ended == make_error(ETIMEDOUT)), here.ending());
    // Another connection between the two is not concerned.
    here.client.here().spawn(talk(here.server.address().with_port(port), later));
    here.all.run_for(1s);
    BOOST_TEST(later.answers > 100);
}

BOOST_AUTO_TEST_CASE(who_is_killed_is_missed_at_once) {
    progress refused;
    progress later;
    two here;
    here.all.kill(here.server);
    BOOST_TEST(!here.server.is_up());
    here.all.run_for(10ms);
    BOOST_TEST(here.told.ended.has_value());
    here.client.here().spawn(talk(here.server.address().with_port(port), refused));
    here.all.run_for(10ms);
    BOOST_TEST((refused.ended == make_error(ECONNREFUSED)));
    here.all.start(here.server);
    here.client.here().spawn(talk(here.server.address().with_port(port), later));
    here.all.run_for(1s);
    BOOST_TEST(later.answers > 100);
}

BOOST_AUTO_TEST_CASE(a_machine_without_power_says_nothing_and_has_forgotten_when_it_is_back) {
    two here;
    here.all.lose_power(here.server);
    BOOST_TEST(here.answers_in(30s) <= 1);
    BOOST_TEST(here.ending() == "none");
    here.all.start(here.server);
    here.all.run_for(10s);
    BOOST_TEST((here.told.ended == make_error(ECONNRESET)), here.ending());
}

BOOST_AUTO_TEST_CASE(a_program_unwinds_when_its_node_ends_and_begins_anew) {
    int started = 0;
    int ended = 0;
    sim::world all(1);
    sim::node& node = all.add_node(counting_program{&started, &ended});
    all.run_for(1ms);
    BOOST_TEST(started == 1);
    int ends = 0;
    for (const auto end : {&sim::world::kill, &sim::world::lose_power, &sim::world::stop}) {
        (all.*end)(node);
        BOOST_TEST(ended == ++ends);
        BOOST_TEST(!node.is_up());
        all.start(node);
        all.run_for(1ms);
        BOOST_TEST(started == ends + 1);
    }
    BOOST_TEST(node.starts() == 4U);
    BOOST_TEST(node.failure() == "");
}

BOOST_AUTO_TEST_CASE(a_node_may_end_itself) {
    sim::world all(1);
    sim::node& node = all.add_node([&all](sim::node& self) {
        all.after(1ms, [&all, &self] { all.kill(self); });
        return rest(self);
    });
    all.run_for(500us);
    BOOST_TEST(node.is_up());
    all.run_for(1ms);
    BOOST_TEST(!node.is_up());
    // From inside its own task.
    sim::node& other = all.add_node([&all](sim::node& self) {
        self.here().post([&all, &self] { all.lose_power(self); });
        return rest(self);
    });
    BOOST_TEST(other.is_up());
    all.run_for(1ms);
    BOOST_TEST(!other.is_up());
}

BOOST_AUTO_TEST_CASE(a_node_that_is_killed_while_it_gives_up_what_comes_late_ends) {
    sim::plan how;
    how.late_rate = 1'000'000;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        sim::world all(seed, how);
        const sim::node& server = all.add_node(&serve_echo);
        const endpoint to = server.address().with_port(port);
        sim::node& client = all.add_node([to](sim::node&) { return ask_and_give_up(to); });
        for (int i = 0; i < 300; ++i) {
            all.run_for(1ms + i * 1us);
            all.kill(client);
            BOOST_TEST_REQUIRE(!client.is_up());
            all.start(client);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_program_throws_is_told) {
    sim::world all(1);
    const sim::node& node = all.add_node(&fail_soon);
    all.run_for(1s);
    BOOST_TEST(node.failure() == "no tea");
}

BOOST_AUTO_TEST_CASE(who_is_paused_goes_on_where_it_was) {
    two here;
    here.all.pause(here.server, 10s);
    BOOST_TEST(here.answers_in(9900ms) <= 1);
    BOOST_TEST(here.answers_in(1s) > 100);
    here.all.pause(here.server, 10s);
    here.all.resume(here.server);
    BOOST_TEST(here.answers_in(1s) > 100);
    BOOST_TEST(!here.told.ended.has_value());
}

BOOST_AUTO_TEST_CASE(who_is_slow_reads_late) {
    two here;
    const int before = here.answers_in(1s);
    here.all.slow_down(here.server, 1s);
    const int slow = here.answers_in(1s);
    BOOST_TEST(slow > 0);
    BOOST_TEST(slow < before * 2 / 3);
    BOOST_TEST(here.answers_in(1s) > before / 2);
}

BOOST_AUTO_TEST_CASE(wall_clocks_differ_and_jump) {
    sim::world all(1);
    sim::node& one = all.add_node();
    sim::node& other = all.add_node();
    BOOST_TEST((one.here().wall_now() == other.here().wall_now()));
    all.jump_clock(one, -3s);
    BOOST_TEST((other.here().wall_now() - one.here().wall_now() == 3s));
    BOOST_TEST((one.here().now() == other.here().now()));

    sim::world skewed(1, with([](sim::fault_plan& faults) { faults.clock_skew = 1s; }));
    sim::node& here = skewed.add_node();
    sim::node& there = skewed.add_node();
    const nanoseconds apart = here.here().wall_now() - there.here().wall_now();
    BOOST_TEST((apart != 0s));
    BOOST_TEST((apart <= 2s && apart >= -2s));
}

BOOST_AUTO_TEST_CASE(clocks_that_jumped_by_themselves_are_set_back_when_all_is_calm) {
    sim::world all(1, with([](sim::fault_plan& faults) {
                       faults.clock_jumps.every = 10ms;
                       faults.clock_jump = 1s;
                   }));
    sim::node& one = all.add_node();
    sim::node& other = all.add_node();
    all.run_for(1s);
    BOOST_TEST(all.counted().clock_jumps > 50U);
    BOOST_TEST((one.here().wall_now() != other.here().wall_now()));
    all.calm();
    BOOST_TEST((one.here().wall_now() == other.here().wall_now()));
}

BOOST_AUTO_TEST_CASE(bandwidth_is_bounded_where_the_plan_says_so) {
    sim::plan how;
    how.bytes_per_second = 1000;
    two here(with([](sim::fault_plan&) {}));
    const int fast = here.answers_in(1s);
    BOOST_TEST(fast > 300);
    progress told;
    sim::world narrow(1, how);
    const sim::node& server = narrow.add_node(&serve_echo);
    narrow.add_node().here().spawn(talk(server.address().with_port(port), told));
    narrow.run_for(10s);
    // Some eight bytes each way.
    BOOST_TEST(told.answers > 100);
    BOOST_TEST(told.answers < 1300);
}

BOOST_AUTO_TEST_CASE(faults_come_by_themselves_and_end_when_all_is_calm) {
    struct kind {
        sim::fault_rate sim::fault_plan::* rate;
        std::uint64_t sim::statistics::* count;
    };

    for (const kind& each : {kind{&sim::fault_plan::partitions, &sim::statistics::cuts},
                             {&sim::fault_plan::cuts, &sim::statistics::cuts},
                             {&sim::fault_plan::one_way_cuts, &sim::statistics::cuts},
                             {&sim::fault_plan::clogs, &sim::statistics::clogs},
                             {&sim::fault_plan::resets, &sim::statistics::resets},
                             {&sim::fault_plan::silences, &sim::statistics::silences},
                             {&sim::fault_plan::kills, &sim::statistics::kills},
                             {&sim::fault_plan::power_losses, &sim::statistics::power_losses},
                             {&sim::fault_plan::pauses, &sim::statistics::pauses},
                             {&sim::fault_plan::slow_readers, &sim::statistics::slow_readers}}) {
        sim::plan how;
        how.faults.*each.rate = {.every = 200ms, .shortest = 1ms, .longest = 100ms};
        progress told;
        progress later;
        sim::world all(5, how);
        sim::node& server = all.add_node(&serve_echo);
        const endpoint to = server.address().with_port(port);
        sim::node& client = all.add_node([&told, to](sim::node&) { return talk(to, told); });
        for (int round = 0; round < 50; ++round) {
            all.run_for(200ms);
            // Who was told that the connection is no more dials again.
            if (client.is_up() && told.ended) {
                told = {};
                client.here().spawn(talk(to, told));
            }
        }
        const auto count = [&] {
            return all.counted().*each.count;
        };
        const std::uint64_t came = count();
        BOOST_TEST(came > 5U);
        BOOST_TEST(all.counted().faults() == came);
        all.calm();
        all.run_for(20s);
        BOOST_TEST(count() == came);
        BOOST_TEST(server.is_up());
        BOOST_TEST_REQUIRE(client.is_up());
        client.here().spawn(talk(to, later));
        all.run_for(1s);
        BOOST_TEST(later.answers > 100);
    }
}

BOOST_AUTO_TEST_CASE(the_same_seed_brings_the_same_faults) {
    const auto trace_of = [](std::uint64_t seed) {
        sim::random_source drawn(seed);
        sim::plan how;
        how.faults = sim::fault_plan::drawn_from(drawn, 5s);
        how.validate();
        progress told;
        sim::world all(seed, how);
        sim::node& server = all.add_node(&serve_echo);
        const endpoint to = server.address().with_port(port);
        for (int i = 0; i < 2; ++i) {
            all.add_node([&told, to](sim::node&) { return talk(to, told); });
        }
        all.run_for(5s);
        all.calm();
        all.run_for(1s);
        return std::pair(all.trace_hash(), all.counted().faults());
    };
    std::set<std::uint64_t> different;
    std::uint64_t faults = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto [trace, came] = trace_of(seed);
        BOOST_TEST(trace_of(seed).first == trace, "seed " << seed);
        different.insert(trace);
        faults += came;
    }
    BOOST_TEST(different.size() == 20U);
    BOOST_TEST(faults > 100U);
}

BOOST_AUTO_TEST_CASE(rare_cases_are_asked_for_where_the_seed_switches_them_on) {
    const auto hits = [](std::uint32_t sites, const char* site) {
        sim::world all(9, with([sites](sim::fault_plan& faults) {
                           faults.buggify_sites = sites;
                           faults.buggify_rate = 100'000;
                       }));
        sim::node& node = all.add_node();
        int count = 0;
        for (int i = 0; i < 10'000; ++i) {
            count += node.here().buggify(site) ? 1 : 0;
        }
        BOOST_TEST(all.counted().buggified == static_cast<std::uint64_t>(count));
        all.calm();
        BOOST_TEST(!node.here().buggify(site));
        return count;
    };
    BOOST_TEST(hits(0, "any") == 0);
    BOOST_TEST(hits(1'000'000, "any") > 900);
    BOOST_TEST(hits(1'000'000, "any") < 1'100);
    int on = 0;
    for (int i = 0; i < 40; ++i) {
        on += hits(500'000, ("site " + std::to_string(i)).c_str()) > 0 ? 1 : 0;
    }
    BOOST_TEST(on > 8);
    BOOST_TEST(on < 32);
}

BOOST_AUTO_TEST_CASE(fault_plans_are_checked) {
    const auto words = [](const std::function<void(sim::fault_plan&)>& change) -> std::string {
        try {
            with(change).validate();
        } catch (const std::system_error& e) {
            return e.what();
        }
        return "";
    };
    BOOST_TEST(words([](sim::fault_plan&) {}).empty());
    BOOST_TEST(words([](sim::fault_plan& faults) { faults.cuts.every = -1ns; }).find("cuts.every") !=
               std::string::npos);
    BOOST_TEST(words([](sim::fault_plan& faults) {
                   faults.kills.shortest = 2s;
                   faults.kills.longest = 1s;
               }).find("kills.shortest") != std::string::npos);
    BOOST_TEST(words([](sim::fault_plan& faults) { faults.buggify_rate = 1'000'001; }).find("buggify_rate") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
