// Phoenix inside a program that already runs on Asio. One io_context, one thread, both kinds of coroutine:
//   - an Asio server awaits a Phoenix task for each of its requests (co_spawn with asio::use_awaitable);
//   - the Phoenix task awaits an Asio timer (use_task), and talks to a Phoenix echo server with a deadline.
//
// The Asio server answers each line it receives, three in this program; then everything ends by itself.
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/asio/bridge.hpp>
#include <phoenix/net/connect.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/serve.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

using namespace std::chrono_literals;
namespace net = phoenix::net;
using asio::ip::tcp;

// --- The Phoenix side ---

net::task<> echo(net::stream peer) {
    for (;;) {
        const auto data = co_await peer.read_some();
        if (data.empty()) {
            co_return;
        }
        co_await peer.write(data);
    }
}

net::task<> serve_echo(net::listener& door) {
    co_await net::serve(door, echo);
}

net::task<std::string> exchange(net::endpoint where, std::string question) {
    net::stream peer = co_await net::connect(where);
    co_await peer.write(question);
    std::string answer(question.size(), '\0');
    co_await peer.read_exactly(std::as_writable_bytes(std::span(answer)));
    co_return answer;
}

// A Phoenix task that uses what the Asio program has: here, a timer of Asio's.
net::task<std::string> ask(asio::io_context& context, net::endpoint where, std::string question) {
    asio::steady_timer pause(context, 5ms);
    co_await pause.async_wait(net::use_task);
    co_return co_await net::with_deadline(exchange(where, std::move(question)), 1s);
}

// --- The Asio side ---

asio::awaitable<void> serve_lines(asio::io_context& context, tcp::socket client, net::loop& guest,
                                  net::endpoint echo_at) {
    std::string received;
    for (int request = 0; request < 3; ++request) {
        const std::size_t size = co_await asio::async_read_until(client, asio::dynamic_buffer(received), '\n',
                                                                 asio::use_awaitable);
        const std::string line = received.substr(0, size);
        received.erase(0, size);
        const std::string answer =
            co_await net::co_spawn(guest, ask(context, echo_at, line), asio::use_awaitable);
        co_await asio::async_write(client, asio::buffer("echoed: " + answer), asio::use_awaitable);
    }
}

asio::awaitable<void> run_client(asio::io_context& context, tcp::endpoint server, net::loop& guest) {
    tcp::socket socket(context);
    co_await socket.async_connect(server, asio::use_awaitable);
    std::string received;
    for (const char* const line : {"one\n", "two\n", "three\n"}) {
        co_await asio::async_write(socket, asio::buffer(std::string(line)), asio::use_awaitable);
        const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(received), '\n',
                                                                 asio::use_awaitable);
        std::fputs(received.substr(0, size).c_str(), stdout);
        received.erase(0, size);
    }
    guest.stop();
}

int main() try {
    asio::io_context context;
    net::loop guest(net::make_asio_driver(context));

    net::listener door(guest, net::endpoint::loopback_v4(0));
    guest.spawn(serve_echo(door));

    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    acceptor.async_accept([&](std::error_code error, tcp::socket client) {
        if (!error) {
            asio::co_spawn(context, serve_lines(context, std::move(client), guest, door.local_endpoint()),
                           asio::detached);
        }
    });
    asio::co_spawn(context, run_client(context, acceptor.local_endpoint(), guest), asio::detached);
    context.run();
} catch (const std::exception& error) {

    std::fprintf(stderr, "embed-asio: %s\n", error.what());
    return 1;
}
