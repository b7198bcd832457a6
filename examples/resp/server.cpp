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

/// Keeps what the client sends next; nothing when it has gone.
net::task<> read_ahead(net::stream& peer, std::string& ahead) {
    const auto data = co_await peer.read_some();
    ahead.assign(reinterpret_cast<const char*>(data.data()), data.size());
}

/// How many nodes hold what is waited for; nothing when the client has gone meanwhile. Who has sent more requests behind
/// this one is not watched.
net::task<std::optional<std::size_t>> wait_for(const outcome& asked, replication::node& self,
                                               net::stream& peer, const request_parser& requests,
                                               std::string& ahead) {
    net::nanoseconds at_most = asked.at_most;
    if (!requests.has_rest()) {
        net::loop& here = co_await net::this_loop();
        const net::monotonic_time began = here.now();
        const auto first = co_await net::when_any(self.wait_for_holders(asked.mark, asked.nodes, at_most),
                                                  read_ahead(peer, ahead));
        if (first.index() == 0) {
            co_return std::get<0>(first);
        }
        if (ahead.empty()) {
            co_return std::nullopt;
        }
        at_most -= here.now() - began;
    }
    const std::size_t held = co_await self.wait_for_holders(asked.mark, asked.nodes, at_most);
    co_return held;
}

struct client_handler {
    net::task<> operator()(net::stream peer) const { return talk(std::move(peer), run, self, options); }

    static net::task<> talk(net::stream peer, executor* run, replication::node* self,
                            const server_options* options) {
        connection client(*run, peer.peer_endpoint().to_string());
        request_parser requests(options->requests);
        reply_writer reply;
        std::string ahead;
        std::string kept;
        for (;;) {
            if (ahead.empty()) {
                const auto data = co_await peer.read_some();
                if (data.empty()) {
                    co_return;
                }
                requests.feed({reinterpret_cast<const char*>(data.data()), data.size()});
            } else {
                kept.swap(ahead);
                ahead.clear();
                requests.feed(kept);
            }
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
                    const auto held = co_await wait_for(done, *self, peer, requests, ahead);
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
