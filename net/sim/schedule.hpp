// What is going to happen in a simulated world, in the order of its time.
#pragma once

#include <phoenix/net/sim/random.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace phoenix::net::sim {

/// Events by time; those of one time come in an order that the seed draws.
class schedule {
public:
    using action = std::function<void()>;

    explicit schedule(std::uint64_t seed) noexcept : ties_(seed) {}

    [[nodiscard]] bool empty() const noexcept { return events_.empty(); }

    [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }

    /// When the next one is due. Precondition: not empty.
    [[nodiscard]] monotonic_time next() const noexcept { return events_.front().when; }

    void add(monotonic_time when, action what);

    /// Takes the next one out. Precondition: not empty.
    [[nodiscard]] action take();

private:
    struct event {
        monotonic_time when;
        std::uint64_t tie;
        std::uint64_t number;
        action what;
    };

    /// True when `a` comes after `b`.
    [[nodiscard]] static bool is_later(const event& a, const event& b) noexcept;

    std::vector<event> events_;
    random_source ties_;
    std::uint64_t added_ = 0;
};

} // namespace phoenix::net::sim
