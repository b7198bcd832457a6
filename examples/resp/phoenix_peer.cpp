// phoenix-peer: a node that stock Redis clients drive.
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/with_scope.hpp>
#include <phoenix/replication/node.hpp>

#include "executor.hpp"
#include "options.hpp"
#include "server.hpp"

#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace resp;

/// What commands see of the node.
class node_cluster final : public cluster {
public:
    node_cluster(net::loop& here, replication::node& self) : loop_(here), self_(self), started_(here.now()) {}

    [[nodiscard]] replication::node_status status() const override { return self_.status(); }

    void cut(std::uint64_t node) override { self_.cut(node); }

    void heal(std::uint64_t node) override { self_.heal(node); }

    [[nodiscard]] replication::write_mark mark() override { return self_.mark(); }

    [[nodiscard]] net::nanoseconds uptime() const override { return loop_.now() - started_; }

private:
    net::loop& loop_;
    replication::node& self_;
    net::monotonic_time started_;
};

/// Opens addresses that a process which was killed just now may still hold: the kernel takes its time to close what an
/// io_uring had open.
template <class Open>
net::task<> until_free(Open open) {
    net::loop& here = co_await net::this_loop();
    const net::monotonic_time until = here.now() + std::chrono::seconds(2);
    for (;;) {
        try {
            open();
            co_return;
        } catch (const std::system_error& e) {
            if (e.code() != std::errc::address_in_use || here.now() >= until) {
                throw;
            }
        }
        co_await net::sleep_for(std::chrono::milliseconds(20));
    }
}

net::task<> run_both(net::scope& children, replication::node* self, net::listener* door, executor* run) {
    children.spawn(self->run());
    children.spawn(serve_clients(*door, *run, *self, server_options()));
    co_await children.join();
}

net::task<> peer(net::loop& here, peer_options options) {
    replication::type_registry types;
    types.add<redis_value>("redis_value");
    std::optional<replication::node> opened;
    std::optional<net::listener> door;
    const auto open = [&] {
        if (!opened) {
            opened.emplace(here, types, options.to_node_options());
        }
        door.emplace(here, options.resp);
    };
    co_await until_free(open);
    replication::node& self = *opened;
    node_cluster around(here, self);
    keyspace keys(self.objects());
    executor run(keys, around);
    // What this node's clients change, the keyspace counts itself, and at once.
    const replication::subscription watching =
        self.on_change_elsewhere([&keys](const replication::change& seen) { keys.arrived(seen.object); });
    const auto listens = self.local_endpoint();
    std::cerr << "phoenix-peer: node " << self.self().node << " incarnation " << self.self().incarnation
              << " on " << here.driver_name() << ", peers at "
              << (listens ? listens->to_string() : "no address") << ", clients at "
              << door->local_endpoint().to_string() << std::endl;
    co_await net::with_scope(&run_both, &self, &*door, &run);
}

/// A socket would get the number of a standard stream that is closed, and what is said would be written to it.
void keep_standard_streams() {
    int opened = 0;
    while (opened >= 0 && opened <= STDERR_FILENO) {
        opened = ::open("/dev/null", O_RDWR);
    }
    ::close(opened);
}

int run_program(peer_options options) {
    // Blocked in every thread, and taken by one that waits for them.
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGINT);
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    // Who reads what this says may be gone before this is.
    (void)std::signal(SIGPIPE, SIG_IGN);

    net::loop_options how;
    how.driver = options.driver;
    how.log.level = options.log;
    net::loop here(how);
    std::jthread waiting([&] {
        int which = 0;
        ::sigwait(&ends, &which);
        here.stop();
    });
    const pthread_t waiter = waiting.native_handle();
    std::exception_ptr failure;
    try {
        here.run(peer(here, std::move(options)));
    } catch (...) {
        failure = std::current_exception();
        ::pthread_kill(waiter, SIGTERM);
    }
    waiting.join();
    if (failure) {
        std::rethrow_exception(failure);
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) try {
    keep_standard_streams();
    parsed_options parsed = parse_options(argc, argv);
    if (parsed.exit_code) {
        return *parsed.exit_code;
    }
    return run_program(std::move(parsed.options));
} catch (const std::exception& error) {

    std::cerr << "phoenix-peer: " << error.what() << '\n';
    return 1;
}
