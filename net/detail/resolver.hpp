// Name resolution off the loop: getaddrinfo on one thread of the driver's, started by the first lookup.
//
// At most one lookup runs at a time; the others wait in the frames of their coroutines. A cancelled lookup
// completes at once; the thread finishes what it was doing and drops the result. The destructor waits for the
// lookup that runs. Thread rule: the loop's thread, but for the inside of the worker.
#pragma once

#include <phoenix/net/op.hpp>

#include <memory>

namespace phoenix::net {
class loop;
}

namespace phoenix::net::detail {

class resolver {
public:
    explicit resolver(loop& owner);
    ~resolver();

    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;

    /// True when the name was a numeric address and the op is done.
    [[nodiscard]] bool submit(resolve_op& operation) noexcept;

    /// Completes the op with -ECANCELED.
    void cancel(resolve_op& operation) noexcept;

private:
    class worker;

    loop& loop_;
    std::unique_ptr<worker> worker_;
};

} // namespace phoenix::net::detail
