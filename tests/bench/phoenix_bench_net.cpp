// Phoenix in the rivals' scenarios, written as its users would write it.
//
//   --driver uring|asio   the loop's driver
//   --write-bytes N       in the stream: how much each write hands over, a multiple of 64 (64: a message
//   each)
#include <phoenix/net/event.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/with_scope.hpp>

#include "bench_common.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace phoenix::net;

struct settings {
    driver_kind driver = driver_kind::uring;
    std::size_t write_bytes = bench_message_bytes;
};

const char* chars(std::span<const std::byte> data) {
    return reinterpret_cast<const char*>(data.data());
}

std::span<const std::byte> first_bytes(std::span<const char> data, std::size_t count) {
    return std::as_bytes(data.first(count));
}

// Socket errors end a connection; for a client that still counts they are fatal.
void connection_ended(const bench_run& run) {
    if (run.options.role == bench_client && !run.done) {
        errno = 0;
        bench_fail("the server went away");
    }
}

task<> echo(bench_run* run, stream peer) {
    try {
        for (;;) {
            const auto data = co_await peer.read_some();
            if (data.empty()) {
                break;
            }
            co_await peer.write(data);
        }
    } catch (const std::system_error&) {
        connection_ended(*run);
    }
}

task<> ask(bench_run* run, stream peer, event* over) {
    std::array<char, bench_window_bytes + bench_message_bytes> out;
    bench_state state = {};
    try {
        std::size_t due =
            bench_fill(run, &state, out.data(), static_cast<std::size_t>(run->options.in_flight));
        while (!run->done) {
            if (due > 0) {
                co_await peer.write(first_bytes(out, due));
            }
            const auto data = co_await peer.read_some();
            if (data.empty()) {
                break;
            }
            due = bench_answer(run, &state, chars(data), data.size(), out.data());
        }
    } catch (const std::system_error&) {
    }
    connection_ended(*run);
    over->set();
}

task<> send_stream(bench_run* run, stream peer, std::size_t write_bytes) {
    std::vector<char> block(write_bytes, 'x');
    bench_state state = {};
    try {
        for (;;) {
            bench_stream_fill(&state, block.data(), block.size());
            co_await peer.write(first_bytes(block, block.size()));
        }
    } catch (const std::system_error&) {
        connection_ended(*run);
    }
}

task<> receive_stream(bench_run* run, stream peer, event* over) {
    bench_state state = {};
    try {
        while (!run->done) {
            const auto data = co_await peer.read_some();
            if (data.empty()) {
                break;
            }
            bench_stream_take(run, &state, chars(data), data.size());
        }
    } catch (const std::system_error&) {
    }
    connection_ended(*run);
    over->set();
}

task<> serve(scope& connections, bench_run* run, std::vector<stream>* streams, std::size_t write_bytes) {
    for (stream& peer : *streams) {
        if (run->options.scenario == bench_stream) {
            connections.spawn(send_stream(run, std::move(peer), write_bytes));
        } else {
            connections.spawn(echo(run, std::move(peer)));
        }
    }
    co_await connections.join();
}

// The client is over as soon as one of its connections sees the end of the counted time.
task<> load(scope& connections, bench_run* run, std::vector<stream>* streams) {
    event over;
    for (int index = 0; index < run->options.connections; ++index) {
        stream& peer = (*streams)[static_cast<std::size_t>(index)];
        if (!bench_is_busy(run, index)) {
            continue;
        }
        if (run->options.scenario == bench_stream) {
            connections.spawn(receive_stream(run, std::move(peer), &over));
        } else {
            connections.spawn(ask(run, std::move(peer), &over));
        }
    }
    co_await over.wait();
    connections.cancel();
    co_await connections.join();
}

void run_contest(bench_run* run, const void* context) {
    const auto& use = *static_cast<const settings*>(context);
    loop_options options;
    options.driver = use.driver;
    loop here(options);
    std::vector<int> descriptors(static_cast<std::size_t>(run->options.connections));
    bench_connect(run, descriptors.data(), false);
    std::vector<stream> streams;
    streams.reserve(descriptors.size());
    for (const int descriptor : descriptors) {
        streams.emplace_back(here, here.backend().attach(descriptor), stream_options());
    }
    bench_start(run);
    if (run->options.role == bench_server) {
        here.run(with_scope(serve, run, &streams, use.write_bytes));
    } else {
        here.run(with_scope(load, run, &streams));
    }
}

// Called on a thread for each end; what it throws has nowhere else to go.
void contest(bench_run* run, const void* context) {
    try {
        run_contest(run, context);
    } catch (const std::exception& error) {
        // Ends the process: the other end, which fails as well, waits for that here.
        static std::mutex first_to_fail;
        first_to_fail.lock();
        errno = 0;
        bench_fail(error.what());
    }
}

bool option(void* context, const char* name, const char* value) {
    auto& use = *static_cast<settings*>(context);
    const std::string_view wanted = value;
    if (name == std::string_view("--driver")) {
        use.driver = wanted == "uring" ? driver_kind::uring : driver_kind::asio;
        return wanted == "uring" || wanted == "asio";
    }
    if (name == std::string_view("--write-bytes")) {
        use.write_bytes = static_cast<std::size_t>(std::atol(value));
        return use.write_bytes >= bench_message_bytes && use.write_bytes % bench_message_bytes == 0;
    }
    return false;
}

} // namespace

int main(int argc, char** argv) {
    settings use;
    return bench_main(argc, argv, option, &use, contest);
}
