// A relay between two nodes that can swallow what passes, and keeps what a dialer says.
#pragma once

#include <phoenix/net/connect.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/serve.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/with_scope.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::replication::testing {

class relay {
public:
    relay(net::loop& owner, net::endpoint target)
        : door_(owner, net::endpoint::loopback_v4(0)), target_(std::move(target)), running_(owner) {
        running_.spawn(serve());
    }

    [[nodiscard]] std::string address() const { return door_.local_endpoint().to_string(); }

    /// From now on bytes vanish, both ways, while connections stay open and new ones are taken: nobody is told.
    void swallow(bool swallows) noexcept { swallows_ = swallows; }

    /// What dialers said, a vector for each connection.
    [[nodiscard]] const std::vector<std::vector<std::byte>>& said() const noexcept { return said_; }

    [[nodiscard]] net::task<> stop() {
        running_.cancel();
        co_await running_.drain();
    }

private:
    [[nodiscard]] net::task<> serve() {
        const auto handler = [this](net::stream dialer) {
            return pass(std::move(dialer));
        };
        co_await net::serve(door_, handler);
    }

    [[nodiscard]] net::task<> pass(net::stream dialer) {
        said_.emplace_back();
        net::stream acceptor = co_await net::connect(target_);
        co_await net::with_scope(&relay::both_ways, this, std::ref(dialer), std::ref(acceptor),
                                 said_.size() - 1);
    }

    [[nodiscard]] static net::task<> both_ways(net::scope& children, relay* self, net::stream& dialer,
                                               net::stream& acceptor, std::size_t index) {
        children.spawn(self->one_way(acceptor, dialer, nothing_said));
        co_await self->one_way(dialer, acceptor, index);
    }

    [[nodiscard]] net::task<> one_way(net::stream& from, net::stream& to, std::size_t index) {
        for (;;) {
            const auto data = co_await from.read_some();
            if (data.empty()) {
                net::throw_error(net::errc::end_of_stream, "relay");
            }
            if (swallows_) {
                continue;
            }
            if (index != nothing_said) {
                said_[index].insert(said_[index].end(), data.begin(), data.end());
            }
            co_await to.write(data);
        }
    }

    static constexpr std::size_t nothing_said = static_cast<std::size_t>(-1);

    net::listener door_;
    net::endpoint target_;
    net::scope running_;
    bool swallows_ = false;
    std::vector<std::vector<std::byte>> said_;
};

} // namespace phoenix::replication::testing
