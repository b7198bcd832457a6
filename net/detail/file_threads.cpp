#include <phoenix/net/detail/file_calls.hpp>
#include <phoenix/net/detail/file_threads.hpp>
#include <phoenix/net/driver.hpp>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

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

constexpr std::size_t threads_max = 2;

} // namespace

/// The threads and all that they share with the loop's, in one place: a forked child can drop none of it, since a lock or a
/// condition may wait for threads that it does not have.
class file_threads::crew {
public:
    explicit crew(driver& owner) : owner_(owner), process_(::getpid()) { threads_.reserve(threads_max); }

    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;

    ~crew() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        for (std::thread& each : threads_) {
            each.join();
        }
    }

    [[nodiscard]] bool is_ours() const noexcept { return process_ == ::getpid(); }

    /// False when there is no thread, and none can be started.
    [[nodiscard]] bool push(file_op& operation) {
        bool is_busy = false;
        {
            const std::lock_guard lock(mutex_);
            is_busy = unbegun_ >= idle_;
        }
        if (is_busy && threads_.size() < threads_max && !start_thread() && threads_.empty()) {
            return false;
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

    [[nodiscard]] bool take_back(const file_op& operation) {
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

    [[nodiscard]] bool has_finished() const noexcept { return has_finished_.load(std::memory_order_acquire); }

    void take_finished(run_queue& taken) {
        const std::lock_guard lock(mutex_);
        while (!finished_.empty()) {
            taken.push(finished_.pop());
        }
        has_finished_.store(false, std::memory_order_relaxed);
    }

private:
    [[nodiscard]] bool start_thread() noexcept try {
        const without_signals masked;
        threads_.emplace_back([this] { work(); });
        return true;
    } catch (...) {

        return false;
    }

    void work() noexcept {
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

    driver& owner_;
    const pid_t process_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> has_finished_{false};
    // --- Under the mutex.
    run_queue waiting_;
    run_queue finished_;
    std::size_t unbegun_ = 0;
    std::size_t idle_ = 0;
    bool stopping_ = false;
    // --- The loop's thread alone.
    std::vector<std::thread> threads_;
};

file_threads::file_threads(driver& owner) noexcept : owner_(owner) {}

file_threads::~file_threads() {
    leave_inherited();
}

void file_threads::leave_inherited() noexcept {
    if (crew_ != nullptr && !crew_->is_ours()) {
        static_cast<void>(crew_.release());
    }
}

bool file_threads::submit(file_op& operation) noexcept {
    leave_inherited();
    try {
        if (crew_ == nullptr) {
            crew_ = std::make_unique<crew>(owner_);
        }
        if (crew_->push(operation)) {
            return true;
        }
        operation.result = -EAGAIN;
    } catch (...) {
        operation.result = -ENOMEM;
    }
    return false;
}

bool file_threads::take_back(file_op& operation) noexcept {
    leave_inherited();
    return crew_ == nullptr || crew_->take_back(operation);
}

bool file_threads::has_finished() const noexcept {
    return crew_ != nullptr && crew_->has_finished();
}

void file_threads::take_finished(run_queue& taken) noexcept {
    leave_inherited();
    if (crew_ != nullptr) {
        crew_->take_finished(taken);
    }
}

} // namespace phoenix::net::detail
