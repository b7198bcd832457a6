#include <phoenix/net/core/waiter.hpp>

namespace phoenix::net::detail {

bool waiter::suspend(bool ready, waiter_list& list) noexcept {
    if (ready) {
        if (strand_->owner().take_inline_budget()) {
            return false;
        }
        strand_->owner().make_ready(*this);
        strand_->wait_for(*this);
        return true;
    }
    list.append(*this);
    strand_->wait_for(*this);
    return true;
}

void waiter::stop(waitable& self) noexcept {
    auto& here = static_cast<waiter&>(self);
    // Off the list it was woken already: what it was woken with is its own, and it goes on with that.
    if (here.list_ != nullptr) {
        here.list_->remove(here);
        here.canceled_ = true;
        here.strand_->owner().make_ready(here);
    }
}

void waiter::resume(runnable& self) noexcept {
    auto& here = static_cast<waiter&>(self);
    here.strand_->done_waiting();
    here.waiting_.resume();
}

void waiter_list::wake_first() noexcept {
    waiter& woken = *first_;
    remove(woken);
    woken.strand_->owner().make_ready(woken);
}

void waiter_list::append(waiter& added) noexcept {
    added.list_ = this;
    added.previous_ = last_;
    added.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &added;
    last_ = &added;
}

void waiter_list::remove(waiter& removed) noexcept {
    (removed.previous_ != nullptr ? removed.previous_->next_ : first_) = removed.next_;
    (removed.next_ != nullptr ? removed.next_->previous_ : last_) = removed.previous_;
    removed.list_ = nullptr;
}

} // namespace phoenix::net::detail
