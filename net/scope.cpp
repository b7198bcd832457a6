#include <phoenix/net/core/branch.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/scope.hpp>

#include <memory>

namespace phoenix::net {

class scope::child final : public runnable, public detail::completion, public detail::pooled {
public:
    child(scope& owner, task<> work) noexcept
        : runnable(&start), completion(&ended), owner_(owner), branch_(std::move(work), owner.loop_) {}

    [[nodiscard]] std::exception_ptr error() noexcept { return branch_.result().error(); }

    [[nodiscard]] strand& own_strand() noexcept { return branch_.own_strand(); }

    child* previous = nullptr;
    child* next = nullptr;

private:
    static void start(runnable& self) noexcept {
        auto& here = static_cast<child&>(self);
        if (here.branch_.start(here)) {
            here.owner_.child_ended(here);
        }
    }

    static void ended(completion& self) noexcept {
        auto& here = static_cast<child&>(self);
        here.owner_.child_ended(here);
    }

    scope& owner_;
    detail::branch<void> branch_;
};

void scope::spawn(task<> work) {
    PHOENIX_ASSERT(!loop_.runs_elsewhere(),
                   "a task is spawned on its loop's thread: use loop::post from others");
    auto* const added = new child(*this, std::move(work));
    added->next = first_;
    if (first_ != nullptr) {
        first_->previous = added;
    }
    first_ = added;
    ++size_;
    if (cancelled_) {
        added->own_strand().request_stop();
    }
    loop_.make_ready(*added);
}

void scope::cancel() noexcept {
    cancelled_ = true;
    // Stopping resumes nobody, so the list holds still.
    for (child* each = first_; each != nullptr; each = each->next) {
        each->own_strand().request_stop();
    }
}

void scope::child_ended(child& ended) noexcept {
    const std::exception_ptr error = ended.error();
    if (ended.previous != nullptr) {
        ended.previous->next = ended.next;
    } else {
        first_ = ended.next;
    }
    if (ended.next != nullptr) {
        ended.next->previous = ended.previous;
    }
    // The frame goes first, with the arguments it holds: who waits for the scope sees them gone.
    delete &ended;
    --size_;
    if (error != nullptr) [[unlikely]] {
        const bool expected = cancelled_ && loop::is_cancellation(error);
        if (is_root_) {
            if (!expected) {
                loop_.root_failed(error);
            }
        } else if (!expected && failure_ == nullptr) {
            failure_ = error;
            cancel();
            if (body_ != nullptr) {
                body_->request_stop();
            }
        }
    }
    if (size_ == 0) {
        if (is_root_) {
            loop_.roots_emptied();
        }
        if (joiner_ != nullptr) {
            loop_.make_ready(*std::exchange(joiner_, nullptr));
        }
    }
}

void scope::join_awaiter::suspend(strand& waiting) noexcept {
    PHOENIX_ASSERT(target_.joiner_ == nullptr, "one coroutine at a time waits for a scope");
    waiting_ = &waiting;
    target_.joiner_ = this;
    if (waiting.stop_requested()) {
        target_.cancel();
    }
    waiting.wait_for(*this);
}

void scope::join_awaiter::stop(waitable& self) noexcept {
    static_cast<join_awaiter&>(self).target_.cancel();
}

void scope::join_awaiter::resume(runnable& self) noexcept {
    auto& here = static_cast<join_awaiter&>(self);
    if (!here.target_.empty()) {
        // Somebody spawned while this was on its way.
        here.target_.joiner_ = &here;
        return;
    }
    here.waiting_->done_waiting();
    here.waiter_.resume();
}

void scope::join_awaiter::await_resume() {
    if (!throws_ || target_.failure_ == nullptr) {
        return;
    }
    std::rethrow_exception(target_.take_failure());
}

} // namespace phoenix::net
