#include <phoenix/net/detail/file_calls.hpp>
#include <phoenix/net/detail/file_threads.hpp>
#include <phoenix/net/driver.hpp>
#include <phoenix/net/error.hpp>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace phoenix::net::detail {

namespace {

/// Signals are for the program's own threads.
class without_signals {
public:
    without_signals() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    without_signals(const without_signals&) = delete;
    without_signals& operator=(const without_signals&) = delete;

    ~without_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

} // namespace

file_threads::~file_threads() {
    if (!threads_.empty() && process_ != ::getpid()) {
        // A forked child has no such threads: neither they nor their lock can be waited for.
        static_cast<void>(new std::vector<std::thread>(std::move(threads_)));
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& each : threads_) {
        each.join();
    }
}

bool file_threads::submit(file_op& operation) noexcept {
    if (!threads_.empty() && process_ != ::getpid()) [[unlikely]] {
        operation.result = -static_cast<int>(errc::loop_after_fork);
        return false;
    }
    bool is_busy = false;
    {
        const std::lock_guard lock(mutex_);
        is_busy = unbegun_ >= idle_;
    }
    if (is_busy && threads_.size() < threads_max) {
        try {
            start_thread();
        } catch (...) {
            // One thread does as well, if there is one.
            if (threads_.empty()) {
                operation.result = -EAGAIN;
                return false;
            }
        }
    }
    operation.state = op_state::queued;
    {
        const std::lock_guard lock(mutex_);
        waiting_.push(operation);
        ++unbegun_;
    }
    changed_.notify_one();
    return true;
}

void file_threads::start_thread() {
    threads_.reserve(threads_max);
    process_ = ::getpid();
    const without_signals masked;
    threads_.emplace_back([this] { work(); });
}

bool file_threads::take_back(file_op& operation) noexcept {
    const std::lock_guard lock(mutex_);
    bool found = false;
    run_queue rest;
    while (!waiting_.empty()) {
        runnable& each = waiting_.pop();
        if (&each == &operation) {
            found = true;
            --unbegun_;
        } else {
            rest.push(each);
        }
    }
    // Not assigned: a queue's end points into itself.
    while (!rest.empty()) {
        waiting_.push(rest.pop());
    }
    return found;
}

void file_threads::take_finished(run_queue& taken) noexcept {
    const std::lock_guard lock(mutex_);
    while (!finished_.empty()) {
        taken.push(finished_.pop());
    }
    has_finished_.store(false, std::memory_order_relaxed);
}

void file_threads::work() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        --idle_;
        if (stopping_) {
            return;
        }
        auto& next = static_cast<file_op&>(waiting_.pop());
        --unbegun_;
        lock.unlock();
        // Nobody else looks at the result before it is in the queue.
        next.result = run_blocking(next);
        lock.lock();
        finished_.push(next);
        has_finished_.store(true, std::memory_order_release);
        // Under the lock: the driver stays until this thread has ended, which it waits for.
        owner_.wake();
    }
}

} // namespace phoenix::net::detail
