// Two streams of one loop, connected with each other.
#pragma once

#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/socket_options.hpp>
#include <phoenix/net/stream.hpp>

#include <array>
#include <cerrno>

#include <sys/socket.h>

namespace phoenix::net::testing {

class stream_pair {
public:
    explicit stream_pair(loop& owner, const stream_options& options = {})
        : stream_pair(owner, options, connected_descriptors()) {}

    stream left;
    stream right;

private:
    [[nodiscard]] static std::array<int, 2> connected_descriptors() {
        std::array<int, 2> ends{-1, -1};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
            throw_error(make_error(errno), "socketpair");
        }
        return ends;
    }

    stream_pair(loop& owner, const stream_options& options, std::array<int, 2> ends)
        : left(owner, owner.backend().attach(ends[0]), options),
          right(owner, owner.backend().attach(ends[1]), options) {}
};

} // namespace phoenix::net::testing
