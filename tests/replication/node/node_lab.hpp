// Nodes of a test, all on one loop and on loopback.
//
//   on_each_driver([](node_lab& here, node_log& log) { return talk(here, log); });
#pragma once

#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/pn_counter.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/with_scope.hpp>
#include <phoenix/replication/node.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace phoenix::replication::testing {

using counter = crdt::pn_counter;
using names = crdt::or_set<std::string>;

inline type_registry node_types() {
    type_registry types;
    types.add<counter>("counter");
    types.add<names>("names");
    return types;
}

/// Impatient ones, so that nothing takes long.
inline node_options options_of_node(std::uint64_t id) {
    node_options how;
    how.id = id;
    how.cluster = "lab";
    how.secret = "a secret of some length";
    how.listen = net::endpoint::loopback_v4(0);
    how.session.first_pause = std::chrono::milliseconds(2);
    how.session.longest_pause = std::chrono::milliseconds(20);
    how.session.ping_interval = std::chrono::milliseconds(20);
    how.session.silence_max = std::chrono::milliseconds(200);
    how.session.farewell_time = std::chrono::milliseconds(50);
    return how;
}

/// A node that runs in a scope of its own, until stop().
class test_node {
public:
    test_node(net::loop& owner, const node_options& how, type_registry types = node_types())
        : self_(owner, std::move(types), how), running_(owner) {
        running_.spawn(self_.run());
    }

    [[nodiscard]] node& operator*() noexcept { return self_; }

    [[nodiscard]] node* operator->() noexcept { return &self_; }

    [[nodiscard]] std::string address() const { return self_.local_endpoint()->to_string(); }

    void add(const std::string& name) {
        self_.open<names>("guests").edit([&](auto set) { set.add(name); });
    }

    void count(std::int64_t amount = 1) {
        self_.open<counter>("hits").change(
            [&](auto& state, auto& me) { return state.increment(me, amount); });
    }

    [[nodiscard]] std::int64_t counted() { return self_.open<counter>("hits")->value(); }

    [[nodiscard]] std::size_t links() const { return self_.status().links.size(); }

    /// Ends as a process that is stopped.
    [[nodiscard]] net::task<> stop() {
        running_.cancel();
        co_await running_.drain();
    }

private:
    node self_;
    net::scope running_;
};

class node_lab {
public:
    explicit node_lab(net::loop& owner) : loop_(owner) {}

    [[nodiscard]] net::loop& loop() noexcept { return loop_; }

    test_node& start(const node_options& how, type_registry types = node_types()) {
        return *nodes_.emplace_back(std::make_unique<test_node>(loop_, how, std::move(types)));
    }

    /// A node that dials those.
    test_node& start(std::uint64_t id, const std::vector<test_node*>& peers = {}) {
        node_options how = options_of_node(id);
        for (test_node* const each : peers) {
            how.peers.push_back(each->address());
        }
        return start(how);
    }

    [[nodiscard]] net::task<> stop(test_node& which) {
        co_await which.stop();
        std::erase_if(nodes_, [&](const auto& each) { return each.get() == &which; });
    }

    /// What is to come about.
    void expect(std::string what, std::function<bool()> holds) {
        what_ = std::move(what);
        holds_ = std::move(holds);
    }

    /// Until what is expected holds; fails the test when it takes longer than ten seconds.
    [[nodiscard]] net::task<> expected() {
        const net::monotonic_time late = net::later(loop_.now(), std::chrono::seconds(10));
        while (!holds_()) {
            if (loop_.now() > late) {
                BOOST_FAIL("this did not come about within ten seconds: " << what_);
            }
            co_await net::sleep_for(std::chrono::microseconds(200));
        }
    }

    [[nodiscard]] net::task<> stop_all() {
        for (const auto& each : nodes_) {
            co_await each->stop();
        }
        nodes_.clear();
    }

private:
    net::loop& loop_;
    std::vector<std::unique_ptr<test_node>> nodes_;
    std::string what_;
    std::function<bool()> holds_;
};

/// Runs `body(node_lab)`, then stops all nodes.
inline net::task<> run_nodes(net::loop* loop, std::function<net::task<>(node_lab&)> body) {
    node_lab here(*loop);
    std::exception_ptr failure;
    try {
        co_await body(here);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await here.stop_all();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

/// What was logged while a node_lab ran.
struct node_log {
    std::vector<std::string> lines;

    [[nodiscard]] bool has(std::string_view text) const {
        for (const std::string& each : lines) {
            if (each.find(text) != std::string::npos) {
                return true;
            }
        }
        return false;
    }
};

/// On each driver of this machine.
inline void on_each_driver(const std::function<net::task<>(node_lab&, node_log&)>& body) {
    for (const net::driver_kind driver : {net::driver_kind::automatic, net::driver_kind::asio}) {
        node_log log;
        net::loop_options options;
        options.driver = driver;
        options.log.level = net::log_level::debug;
        options.log.sink = [&](const net::log_record& each) {
            log.lines.emplace_back(each.message);
        };
        net::loop loop(options);
        BOOST_TEST_CONTEXT("driver " << loop.driver_name()) {
            loop.run(run_nodes(&loop, [&](node_lab& here) { return body(here, log); }));
        }
    }
}

} // namespace phoenix::replication::testing
