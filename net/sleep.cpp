#include <phoenix/net/sleep.hpp>

namespace phoenix::net {

bool sleep_awaiter::suspend() {
    if (strand_->stop_requested()) {
        canceled_ = true;
        return false;
    }
    loop& owner = strand_->owner();
    if (duration_ > nanoseconds(0)) {
        until_ = later(owner.backend().now(), duration_);
    }
    if (duration_ == nanoseconds(0) || until_ <= owner.now()) {
        owner.make_ready(*this);
    } else {
        owner.arm(*this, until_);
    }
    strand_->wait_for(*this);
    return true;
}

void sleep_awaiter::fire(timer& self) noexcept {
    auto& here = static_cast<sleep_awaiter&>(self);
    here.strand_->done_waiting();
    here.waiting_.resume();
}

void sleep_awaiter::stop(waitable& self) noexcept {
    auto& here = static_cast<sleep_awaiter&>(self);
    here.canceled_ = true;
    if (here.is_armed()) {
        here.strand_->owner().disarm(here);
        here.strand_->owner().make_ready(here);
    }
}

void sleep_awaiter::resume(runnable& self) noexcept {
    auto& here = static_cast<sleep_awaiter&>(self);
    here.strand_->done_waiting();
    here.waiting_.resume();
}

} // namespace phoenix::net
