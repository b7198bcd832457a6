#include <phoenix/net/core/gathering.hpp>

namespace phoenix::net::detail {

void gathered::ended(completion& self) noexcept {
    auto& here = static_cast<gathered&>(self);
    here.owner_->note_end(here);
}

void gathering::add(gathered& member) noexcept {
    member.owner_ = this;
    member.index_ = size_++;
    (last_ != nullptr ? last_->next_ : first_) = &member;
    last_ = &member;
}

bool gathering::start(strand& waiting) {
    waiting_ = &waiting;
    if (waiting.stop_requested()) {
        stop_all();
    }
    running_ = size_;
    for (gathered* each = first_; each != nullptr; each = each->next_) {
        if (each->start()) {
            note_end(*each);
        }
    }
    if (running_ == 0) {
        return false;
    }
    suspended_ = true;
    waiting.wait_for(*this);
    return true;
}

void gathering::note_end(gathered& member) noexcept {
    if (!decided_) {
        const std::exception_ptr error = member.error();
        if (aim_ == goal::any || error != nullptr) {
            decided_ = true;
            winner_ = member.index_;
            failure_ = error;
            stop_all();
        }
    }
    if (--running_ == 0 && suspended_) {
        waiting_->done_waiting();
        waiter_.resume();
    }
}

void gathering::stop_all() noexcept {
    for (gathered* each = first_; each != nullptr; each = each->next_) {
        each->own_strand_.request_stop();
    }
}

void gathering::stop(waitable& self) noexcept {
    static_cast<gathering&>(self).stop_all();
}

} // namespace phoenix::net::detail
