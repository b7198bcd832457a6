// Bare Asio coroutines, written as Asio's own examples write them; an io_context for each end, which knows
// that one thread runs it. Compiled a second time with Asio's io_uring backend in place of epoll.
#include "bench_common.h"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using asio::use_awaitable;
using asio::ip::tcp;

// Socket errors end a connection; for a client that still counts they are fatal.
void connection_ended(const bench_run& run) {
    if (run.options.role == bench_client && !run.done) {
        errno = 0;
        bench_fail("the server went away");
    }
}

asio::awaitable<void> echo(bench_run* run, tcp::socket socket) {
    std::array<char, bench_window_bytes> buffer;
    try {
        for (;;) {
            const std::size_t got = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
            co_await asio::async_write(socket, asio::buffer(buffer, got), use_awaitable);
        }
    } catch (const std::system_error&) {
        connection_ended(*run);
    }
}

asio::awaitable<void> ask(bench_run* run, tcp::socket socket) {
    std::array<char, bench_window_bytes + bench_message_bytes> buffer;
    bench_state state = {};
    try {
        std::size_t due =
            bench_fill(run, &state, buffer.data(), static_cast<std::size_t>(run->options.in_flight));
        while (!run->done) {
            if (due > 0) {
                co_await asio::async_write(socket, asio::buffer(buffer, due), use_awaitable);
            }
            const std::size_t got = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
            due = bench_answer(run, &state, buffer.data(), got, buffer.data());
        }
    } catch (const std::system_error&) {
        connection_ended(*run);
    }
}

asio::awaitable<void> send_stream(bench_run* run, tcp::socket socket) {
    std::vector<char> block(bench_stream_bytes, 'x');
    bench_state state = {};
    try {
        for (;;) {
            bench_stream_fill(&state, block.data(), block.size());
            co_await asio::async_write(socket, asio::buffer(block), use_awaitable);
        }
    } catch (const std::system_error&) {
        connection_ended(*run);
    }
}

asio::awaitable<void> receive_stream(bench_run* run, tcp::socket socket) {
    std::vector<char> block(bench_stream_bytes);
    bench_state state = {};
    try {
        while (!run->done) {
            const std::size_t got = co_await socket.async_read_some(asio::buffer(block), use_awaitable);
            bench_stream_take(run, &state, block.data(), got);
        }
    } catch (const std::system_error&) {
        connection_ended(*run);
    }
}

// A client is over as soon as one of its connections sees the end of the counted time.
template <class Coroutine>
void spawn(asio::io_context& context, Coroutine coroutine, const bench_run& run) {
    asio::co_spawn(context, std::move(coroutine), [&context, &run](std::exception_ptr) {
        if (run.done) {
            context.stop();
        }
    });
}

void contest(bench_run* run, const void*) {
    asio::io_context context(1);
    std::vector<int> fds(static_cast<std::size_t>(run->options.connections));
    bench_connect(run, fds.data(), true);
    const bool stream = run->options.scenario == bench_stream;
    std::vector<tcp::socket> idle;
    bench_start(run);
    for (int index = 0; index < run->options.connections; ++index) {
        tcp::socket socket(context, tcp::v4(), fds[static_cast<std::size_t>(index)]);
        if (run->options.role == bench_server) {
            spawn(context, stream ? send_stream(run, std::move(socket)) : echo(run, std::move(socket)), *run);
        } else if (bench_is_busy(run, index)) {
            spawn(context, stream ? receive_stream(run, std::move(socket)) : ask(run, std::move(socket)),
                  *run);
        } else {
            idle.push_back(std::move(socket));
        }
    }
    context.run();
}

} // namespace

int main(int argc, char** argv) {
    return bench_main(argc, argv, nullptr, nullptr, contest);
}
