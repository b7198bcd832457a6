#include "server.hpp"

#include <phoenix/net/serve.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/when_any.hpp>

#include <optional>
#include <string>
#include <utility>

namespace resp {

namespace {

/// A client of the executor, from accept to close.
class connection {
public:
    connection(executor& run, std::string address) : run_(run) {
        state.address = std::move(address);
        run_.add(state);
    }

    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    ~connection() { run_.remove(state); }

    client_state state;

private:
    executor& run_;
};

net::task<> flush(net::stream& peer, reply_writer& reply) {
    if (reply.size() > 0) {
        co_await peer.write(reply.bytes());
        reply.clear();
    }
}

/// How much of what a client sends while it waits is read: there must be an end, and this is beyond what clients pipeline
/// behind a WAIT.
constexpr std::size_t ahead_bytes_max = 256UL * 1024;

/// Reads on until the client has gone, or has sent more than is held for it: false then.
net::task<bool> has_gone(net::stream& peer, request_parser& requests) {
    while (requests.held_bytes() < ahead_bytes_max) {
        const auto data = co_await peer.read_some();
        if (data.empty()) {
            co_return true;
        }
        requests.feed({reinterpret_cast<const char*>(data.data()), data.size()});
        requests.hold();
    }
    co_return false;
}

/// How many nodes hold what is waited for; nothing when the client has gone meanwhile, whatever it had sent behind this.
net::task<std::optional<std::size_t>> wait_for(const outcome& asked, replication::node& self,
                                               net::stream& peer, request_parser& requests) {
    if (self.holders(asked.mark) >= asked.nodes) {
        co_return self.holders(asked.mark);
    }
    requests.hold();
    net::loop& here = co_await net::this_loop();
    const net::monotonic_time began = here.now();
    const auto first = co_await net::when_any(self.wait_for_holders(asked.mark, asked.nodes, asked.at_most),
                                              has_gone(peer, requests));
    if (first.index() == 0) {
        co_return std::get<0>(first);
    }
    if (std::get<1>(first)) {
        co_return std::nullopt;
    }
    const net::nanoseconds left = asked.at_most - (here.now() - began);
    const std::size_t held = co_await self.wait_for_holders(asked.mark, asked.nodes, left);
    co_return held;
}

struct client_handler {
    net::task<> operator()(net::stream peer) const { return talk(std::move(peer), run, self, options); }

    static net::task<> talk(net::stream peer, executor* run, replication::node* self,
                            const server_options* options) {
        connection client(*run, peer.peer_endpoint().to_string());
        request_parser requests(options->requests);
        reply_writer reply;
        for (;;) {
            const auto data = co_await peer.read_some();
            if (data.empty()) {
                co_return;
            }
            requests.feed({reinterpret_cast<const char*>(data.data()), data.size()});
            for (;;) {
                const request_parser::outcome next = requests.next();
                if (next == request_parser::outcome::more) {
                    break;
                }
                if (next == request_parser::outcome::error) {
                    reply.error("ERR " + requests.error());
                    co_await flush(peer, reply);
                    co_await peer.close();
                    co_return;
                }
                const outcome done = run->execute(client.state, requests.arguments(), reply);
                if (done.what == outcome::kind::close) {
                    co_await flush(peer, reply);
                    co_await peer.close();
                    co_return;
                }
                if (done.what == outcome::kind::wait) {
                    co_await flush(peer, reply);
                    const auto held = co_await wait_for(done, *self, peer, requests);
                    if (!held) {
                        co_return;
                    }
                    reply.integer(static_cast<std::int64_t>(*held));
                }
                if (reply.size() >= options->output_bytes) {
                    co_await flush(peer, reply);
                }
            }
            co_await flush(peer, reply);
        }
    }

    executor* run;
    replication::node* self;
    const server_options* options;
};

} // namespace

net::task<> serve_clients(net::listener& door, executor& run, replication::node& self,
                          server_options options) {
    net::serve_options limits;
    limits.max_connections = options.clients_max;
    const client_handler handler{&run, &self, &options};
    co_await net::serve(door, handler, limits);
}

} // namespace resp
