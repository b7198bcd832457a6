#include <phoenix/net/sim/schedule.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace phoenix::net::sim {

bool schedule::is_later(const event& a, const event& b) noexcept {
    return std::tie(a.when, a.tie, a.number) > std::tie(b.when, b.tie, b.number);
}

void schedule::add(monotonic_time when, action what) {
    events_.push_back({when, ties_.next(), added_++, std::move(what)});
    std::ranges::push_heap(events_, &is_later);
}

schedule::action schedule::take() {
    std::ranges::pop_heap(events_, &is_later);
    action what = std::move(events_.back().what);
    events_.pop_back();
    return what;
}

} // namespace phoenix::net::sim
