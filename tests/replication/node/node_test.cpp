// Nodes on real sockets: they share, they come and go, and there is one session to each peer.
#include <phoenix/net/connect.hpp>
#include <phoenix/replication/core/error.hpp>

#include "node_lab.hpp"

#include <stdexcept>
#include <system_error>

namespace phoenix::replication::testing {

namespace {

using namespace std::chrono_literals;

net::task<> two_share(node_lab& here, node_log&) {
    test_node& a = here.start(1);
    test_node& b = here.start(2, {&a});
    a.count(3);
    a.add("ann");
    b.count(4);
    b.add("bob");
    here.expect("both have all", [&] {
        return a.counted() == 7 && b.counted() == 7 && *a->open<names>("guests") == *b->open<names>("guests");
    });
    co_await here.expected();
    BOOST_TEST(a->open<names>("guests")->size() == 2U);
    BOOST_TEST(a.links() == 1U);
    const node_status status = b->status();
    BOOST_TEST(status.links.at(0).dialled);
    BOOST_TEST(status.links.at(0).peer.node == 1U);
    BOOST_TEST(status.objects == 2U);
}

net::task<> both_dial(node_lab& here, node_log& log) {
    test_node& high = here.start(2);
    node_options how = options_of_node(1);
    how.peers = {high.address()};
    test_node& low = here.start(how);
    // A second way to the same node, from the other side.
    node_options third = options_of_node(3);
    third.peers = {low.address(), high.address()};
    test_node& other = here.start(third);
    node_options again = options_of_node(4);
    again.peers = {low.address(), low.address(), high.address()};
    test_node& doubled = here.start(again);
    here.expect("all are linked", [&] {
        return low.links() == 3 && high.links() == 3 && other.links() == 2 && doubled.links() == 2;
    });
    co_await here.expected();
    low.count();
    other.count();
    doubled.count();
    here.expect("all have all", [&] {
        return low.counted() == 3 && high.counted() == 3 && other.counted() == 3 && doubled.counted() == 3;
    });
    co_await here.expected();
    BOOST_TEST(!log.has("protocol violation"));
}

/// When both dial each other, the one that the lower dialled is left, and the higher dials no more.
net::task<> dial_each_other(node_lab& here, net::nanoseconds between) {
    // Ports that both know before either listens.
    test_node& first = here.start(7);
    test_node& second = here.start(8);
    const std::string to_first = first.address();
    const std::string to_second = second.address();
    co_await here.stop(first);
    co_await here.stop(second);
    co_await net::sleep_for(1ms);
    node_options low = options_of_node(1);
    low.listen = net::endpoint::parse(to_first);
    low.peers = {to_second};
    node_options high = options_of_node(2);
    high.listen = net::endpoint::parse(to_second);
    high.peers = {to_first};
    test_node& b = here.start(high);
    co_await net::sleep_for(between);
    test_node& a = here.start(low);
    here.expect("the lower node's session is left", [&] {
        const node_status ours = a->status();
        const node_status theirs = b->status();
        return ours.links.size() == 1 && theirs.links.size() == 1 && ours.links[0].dialled &&
               !theirs.links[0].dialled;
    });
    co_await here.expected();
    a.count();
    here.expect("it carries", [&] { return b.counted() == 1; });
    co_await here.expected();
    // One attempt may have been under way.
    co_await net::sleep_for(50ms);
    const std::uint64_t dialled = b->status().sessions.dialled;
    co_await net::sleep_for(150ms);
    BOOST_TEST(b->status().sessions.dialled == dialled);
    BOOST_TEST(a->status().sessions.refused == 0U);
}

net::task<> crossing(node_lab& here, node_log&) {
    return dial_each_other(here, 0ms);
}

net::task<> higher_first(node_lab& here, node_log&) {
    return dial_each_other(here, 20ms);
}

net::task<> comes_back(node_lab& here, node_log&) {
    test_node& a = here.start(1);
    test_node* b = &here.start(2, {&a});
    b->count(5);
    here.expect("a has it", [&] { return a.counted() == 5; });
    co_await here.expected();
    const crdt::replica_id first_life = (*b)->self();
    co_await here.stop(*b);
    a.count(2);
    b = &here.start(2, {&a});
    BOOST_TEST(((*b)->self().incarnation > first_life.incarnation));
    here.expect("it has everything again", [&] { return b->counted() == 7; });
    co_await here.expected();
    b->count(1);
    here.expect("what it adds counts", [&] { return a.counted() == 8; });
    co_await here.expected();
}

net::task<> line_of_four(node_lab& here, node_log&) {
    test_node& a = here.start(1);
    test_node& b = here.start(2, {&a});
    test_node& c = here.start(3, {&b});
    test_node& d = here.start(4, {&c});
    a.count(1);
    d.count(10);
    here.expect("the ends have both", [&] { return a.counted() == 11 && d.counted() == 11; });
    co_await here.expected();
    // Holders beyond the next node are known from what is relayed.
    const write_mark mark = a->mark();
    const std::size_t holders = co_await a->wait_for_holders(mark, 3, 5s);
    BOOST_TEST(holders == 3U);
}

net::task<> who_holds(node_lab& here, node_log&) {
    test_node& a = here.start(1);
    a.count();
    const write_mark alone = a->mark();
    const std::size_t none = co_await a->wait_for_holders(alone, 1, 20ms);
    BOOST_TEST(none == 0U);
    test_node& b = here.start(2, {&a});
    const std::size_t one = co_await a->wait_for_holders(alone, 1, 5s);
    BOOST_TEST(one == 1U);
    BOOST_TEST(b.counted() == 1);
}

net::task<> cut_and_healed(node_lab& here, node_log& log) {
    test_node& a = here.start(1);
    test_node& b = here.start(2, {&a});
    here.expect("linked", [&] { return a.links() == 1 && b.links() == 1; });
    co_await here.expected();
    a->cut(2);
    here.expect("cut", [&] { return a.links() == 0 && b.links() == 0; });
    co_await here.expected();
    a.count(1);
    b.count(1);
    here.expect("b was told why", [&] { return log.has("this link is cut"); });
    co_await here.expected();
    here.expect("b's further dials are refused", [&] { return a->status().sessions.refused >= 3; });
    co_await here.expected();
    BOOST_TEST(a.counted() == 1);
    BOOST_TEST(b.counted() == 1);
    a->heal(2);
    here.expect("healed", [&] { return a.counted() == 2 && b.counted() == 2; });
    co_await here.expected();
}

net::task<> told(node_lab& here, node_log& log) {
    test_node& a = here.start(1);
    test_node& b = here.start(2, {&a});
    std::vector<std::int64_t> seen;
    int all = 0;
    auto watching =
        b->open<counter>("hits").on_change([&](const counter& now) { seen.push_back(now.value()); });
    const auto wrong = b->on_change([&](const change& each) {
        ++all;
        BOOST_TEST((each.here || each.elsewhere));
        throw std::runtime_error("a callback that throws");
    });
    int from_others = 0;
    const auto others = b->on_change_elsewhere([&](const change&) { ++from_others; });
    // Three changes of one turn are told once.
    a.count();
    a.count();
    a.count();
    here.expect("told of three", [&] { return !seen.empty() && seen.back() == 3; });
    co_await here.expected();
    BOOST_TEST(seen.size() == 1U);
    BOOST_TEST(from_others == 1);
    b.count();
    here.expect("told of one's own", [&] { return seen.back() == 4; });
    co_await here.expected();
    BOOST_TEST(all >= 2);
    BOOST_TEST(from_others == 1);
    BOOST_TEST(log.has("a callback that throws"));
    watching.end();
    const std::size_t before = seen.size();
    a.count();
    here.expect("it arrived", [&] { return b.counted() == 5; });
    co_await here.expected();
    co_await net::yield();
    BOOST_TEST(seen.size() == before);
}

/// Two processes with one id: the earlier writes no more, and says why.
net::task<> one_id_twice(node_lab& here, node_log& log) {
    test_node& a = here.start(1);
    node_options how = options_of_node(2);
    how.peers = {a.address()};
    test_node& early = here.start(how);
    early.count(1);
    here.expect("linked", [&] { return a.counted() == 1; });
    co_await here.expected();
    test_node& late = here.start(how);
    here.expect("the earlier one knows", [&] { return early->is_overtaken(); });
    co_await here.expected();
    BOOST_CHECK_EXCEPTION(early.count(1), std::system_error,
                          [](const auto& e) { return e.code() == errc::overtaken; });
    BOOST_TEST(log.has("another process runs as node 2"));
    late.count(1);
    here.expect("the later one counts", [&] { return a.counted() == 2; });
    co_await here.expected();
    BOOST_TEST(!late->is_overtaken());
}

/// A start whose clock was set back goes above what its peers know, and loses nothing that was written before.
net::task<> clock_set_back(node_lab& here, node_log& log) {
    test_node& a = here.start(1);
    node_options how = options_of_node(2);
    how.peers = {a.address()};
    test_node& before = here.start(how);
    const std::uint64_t first_life = before->self().incarnation;
    before.count(1);
    here.expect("linked", [&] { return a.counted() == 1; });
    co_await here.expected();
    co_await here.stop(before);
    how.incarnation = first_life - 1'000'000;
    test_node& after = here.start(how);
    after.count(10);
    here.expect("it counts", [&] { return a.counted() == 11 && after.counted() == 11; });
    co_await here.expected();
    BOOST_TEST((after->self().incarnation > first_life));
    BOOST_TEST(!after->is_overtaken());
    BOOST_TEST(log.has("the clock may have been set back"));
    after.count(100);
    here.expect("in its new life too", [&] { return a.counted() == 111; });
    co_await here.expected();
}

/// One node more than it takes is told so, and the others stay, also when it dials that node itself.
net::task<> one_too_many(node_lab& here, node_log& log) {
    test_node& b = here.start(2);
    test_node& c = here.start(3);
    node_options how = options_of_node(1);
    how.delta.nodes_max = 1;
    how.peers = {b.address(), c.address()};
    test_node& a = here.start(how);
    here.expect("refused", [&] { return log.has("nodes_max"); });
    co_await here.expected();
    b.count(1);
    c.count(10);
    here.expect("one link carries", [&] { return a.counted() == 1 || a.counted() == 10; });
    co_await here.expected();
    BOOST_TEST(a.links() == 1U);
}

} // namespace

BOOST_AUTO_TEST_SUITE(nodes)

BOOST_AUTO_TEST_CASE(two_nodes_share_what_they_write) {
    on_each_driver(two_share);
}

BOOST_AUTO_TEST_CASE(there_is_one_session_to_each_peer) {
    on_each_driver(both_dial);
}

BOOST_AUTO_TEST_CASE(of_two_that_dial_each_other_the_lower_nodes_session_stays) {
    on_each_driver(crossing);
}

BOOST_AUTO_TEST_CASE(who_is_dialled_by_a_lower_node_dials_it_no_more) {
    on_each_driver(higher_first);
}

BOOST_AUTO_TEST_CASE(trap_node_id_reuse_a_node_that_restarts_is_a_new_life) {
    on_each_driver(comes_back);
}

BOOST_AUTO_TEST_CASE(a_line_of_four_passes_on) {
    on_each_driver(line_of_four);
}

BOOST_AUTO_TEST_CASE(holders_are_counted_and_waited_for) {
    on_each_driver(who_holds);
}

BOOST_AUTO_TEST_CASE(a_link_is_cut_and_healed) {
    on_each_driver(cut_and_healed);
}

BOOST_AUTO_TEST_CASE(subscribers_are_told_once_a_turn) {
    on_each_driver(told);
}

BOOST_AUTO_TEST_CASE(of_two_processes_with_one_id_the_earlier_stops_writing) {
    on_each_driver(one_id_twice);
}

BOOST_AUTO_TEST_CASE(a_start_with_a_clock_that_was_set_back_goes_above) {
    on_each_driver(clock_set_back);
}

BOOST_AUTO_TEST_CASE(one_node_too_many_is_refused) {
    on_each_driver(one_too_many);
}

BOOST_AUTO_TEST_CASE(wrong_options_are_named) {
    net::loop loop;
    const auto refused = [&](auto change, std::string_view name) {
        node_options how = options_of_node(1);
        change(how);
        BOOST_CHECK_EXCEPTION(node(loop, node_types(), how), std::system_error, [&](const auto& e) {
            return std::string_view(e.what()).find(name) != std::string_view::npos;
        });
    };
    refused([](node_options& how) { how.id = 0; }, "id");
    refused([](node_options& how) { how.cluster.clear(); }, "cluster");
    refused([](node_options& how) { how.secret = "short"; }, "secret");
    refused([](node_options& how) { how.peers = {"no-port"}; }, "HOST:PORT");
    refused([](node_options& how) { how.peers = {"::1:80"}; }, "brackets");
    refused([](node_options& how) { how.peers = {"host:66000"}; }, "port");
    refused([](node_options& how) { how.session.silence_max = how.session.ping_interval; }, "silence_max");
    refused([](node_options& how) { how.delta.window_bytes = 0; }, "window_bytes");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication::testing
