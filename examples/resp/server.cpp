#include "server.hpp"

#include <phoenix/net/serve.hpp>
#include <phoenix/net/stream.hpp>

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
                    const std::size_t held =
                        co_await self->wait_for_holders(done.mark, done.nodes, done.at_most);
                    reply.integer(static_cast<std::int64_t>(held));
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
