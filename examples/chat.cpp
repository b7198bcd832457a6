// A chat room: chat [ADDRESS], unix:@phoenix-chat unless said otherwise.
// Try it with `chat 127.0.0.1:7000` and `nc 127.0.0.1 7000` in two other terminals. Each line goes to all.
//
// At most 100 members; a line has at most 1,000 bytes; who says nothing for five minutes is asked to go, and
// who does not read loses lines, so that nobody holds up the room.
#include <phoenix/net/channel.hpp>
#include <phoenix/net/deadline.hpp>
#include <phoenix/net/serve.hpp>
#include <phoenix/net/when_any.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <pthread.h>

using namespace phoenix::net;
using namespace std::chrono_literals;

constexpr std::size_t longest_line = 1000;

using outbox = channel<std::string>;

struct room {
    std::set<outbox*> members;

    void say(const std::string& line) {
        for (outbox* const each : members) {
            static_cast<void>(each->try_send(std::string(line))); // full: this one misses the line
        }
    }
};

class membership {
public:
    membership(room& where, outbox& own) : where_(where), own_(own) { where_.members.insert(&own_); }

    membership(const membership&) = delete;
    membership& operator=(const membership&) = delete;

    ~membership() { where_.members.erase(&own_); }

private:
    room& where_;
    outbox& own_;
};

task<> hear(stream& peer, outbox& lines) {
    for (;;) {
        const auto line = co_await lines.receive();
        co_await peer.write(line.value());
    }
}

task<> talk(stream& peer, room& here) {
    std::string said;
    for (;;) {
        const auto data = co_await with_deadline(peer.read_some(), 5min);
        if (data.empty()) {
            co_return;
        }
        said.append(reinterpret_cast<const char*>(data.data()), data.size());
        for (auto end = said.find('\n'); end != std::string::npos; end = said.find('\n')) {
            here.say(said.substr(0, end + 1));
            said.erase(0, end + 1);
        }
        if (said.size() > longest_line) {
            throw std::runtime_error("a line of more than 1,000 bytes");
        }
    }
}

task<> take_part(room& here, stream peer) {
    outbox lines(64);
    const membership member(here, lines);
    bool silent = false;
    try {
        co_await when_any(talk(peer, here), hear(peer, lines));
    } catch (const std::system_error& error) {
        silent = error.code() == errc::timed_out;
        if (!silent) {
            throw; // serve logs it
        }
    }
    if (silent) {
        co_await with_deadline(peer.write("you were silent for long: good bye\n"), 1s);
    }
}

/// What serve calls: no coroutine itself, it hands the room on to one.
struct handler {
    room* where;

    task<> operator()(stream peer) const { return take_part(*where, std::move(peer)); }
};

task<> server(endpoint address) {
    loop& here = co_await this_loop();
    listener_options options;
    options.unlink_existing = true; // the path of a Unix socket that a crash left behind
    listener door(here, address, options);
    std::cout << "chat on " << door.local_endpoint().to_string() << std::endl;
    serve_options limits;
    limits.max_connections = 100;
    room all;
    const handler each{&all};
    co_await serve(door, each, limits);
}

int main(int argc, char** argv) try {
    // Blocked in every thread, and taken by one that waits for them: no handler, nothing to be careful about.
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGINT);
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    loop here;
    std::jthread waiting([&] {
        int which = 0;
        ::sigwait(&ends, &which);
        here.stop();
    });
    const pthread_t waiter = waiting.native_handle();
    std::exception_ptr failure;
    try {
        here.run(server(endpoint::parse(argc > 1 ? argv[1] : "unix:@phoenix-chat")));
    } catch (...) {
        failure = std::current_exception();
        ::pthread_kill(waiter, SIGTERM); // it waits still
    }
    waiting.join();
    if (failure) {
        std::rethrow_exception(failure);
    }
    std::cout << "chat has ended" << std::endl;
} catch (const std::exception& error) {

    std::cerr << "chat: " << error.what() << '\n';
    return 1;
}
