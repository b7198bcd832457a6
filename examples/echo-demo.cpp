// Two loops in one process, one on io_uring and one on Asio, exchange messages over loopback; each is the
// server once. Prints what went over and how long a round trip took.
#include <phoenix/net/connect.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/metrics.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <future>
#include <string>
#include <thread>

using namespace phoenix::net;

namespace {

constexpr int round_trips = 20'000;

task<> serve_one(listener& door) {
    stream peer = co_await door.accept();
    for (;;) {
        const auto data = co_await peer.read_some();
        if (data.empty()) {
            co_return;
        }
        co_await peer.write(data);
    }
}

task<> measure(endpoint where, histogram& latency_ns) {
    loop& here = co_await this_loop();
    stream peer = co_await connect(where);
    std::array<std::byte, 64> message{};
    for (int i = 0; i < round_trips; ++i) {
        const monotonic_time sent = here.backend().now();
        co_await peer.write(message);
        co_await peer.read_exactly(message);
        latency_ns.record(static_cast<std::uint64_t>((here.backend().now() - sent).count()));
    }
}

loop_options with_driver(driver_kind kind) {
    loop_options options;
    options.driver = kind;
    return options;
}

void exchange(driver_kind server_kind, driver_kind client_kind) {
    std::promise<endpoint> address;
    std::promise<std::string> server_driver;
    std::future<endpoint> listening = address.get_future();
    std::future<std::string> server_name = server_driver.get_future();
    std::jthread server([&, server_kind] {
        loop here(with_driver(server_kind));
        listener door(here, endpoint::loopback_v4(0));
        server_driver.set_value(std::string(here.driver_name()));
        address.set_value(door.local_endpoint());
        here.run(serve_one(door));
    });
    loop here(with_driver(client_kind));
    histogram latency_ns;
    here.run(measure(listening.get(), latency_ns));
    const auto seen = latency_ns.snapshot();
    std::printf(
        "  %-5s client, %-5s server: %d messages of 64 bytes there and back, p50 %.1f us, p99 %.1f us\n",
        std::string(here.driver_name()).c_str(), server_name.get().c_str(), round_trips,
        static_cast<double>(seen.percentile(50)) / 1e3, static_cast<double>(seen.percentile(99)) / 1e3);
}

} // namespace

int main() try {
    std::printf("echo between two loops on two threads:\n");
    exchange(driver_kind::automatic, driver_kind::asio);
    exchange(driver_kind::asio, driver_kind::automatic);
} catch (const std::exception& error) {

    std::fprintf(stderr, "echo-demo: %s\n", error.what());
    return 1;
}
