// Threads that do what blocks: operations on files, for drivers that have no better way.
//
// Two at most, started when there is something to do. A driver hands ops over with submit(); when one has ended, a thread wakes
// the driver, which calls take_finished(). Ops are linked, not copied: nothing is allocated. The destructor waits for what
// runs. Thread rule: the loop's thread, but for the inside of the threads.
#pragma once

#include <phoenix/net/file_op.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace phoenix::net {
class driver;
}

namespace phoenix::net::detail {

class file_threads {
public:
    explicit file_threads(driver& owner) noexcept : owner_(owner) {}

    file_threads(const file_threads&) = delete;
    file_threads& operator=(const file_threads&) = delete;
    ~file_threads();

    /// Takes the op, whose `descriptor` is set. False when no thread is to be had: the op's result says why.
    [[nodiscard]] bool submit(file_op& operation) noexcept;

    /// True when no thread has begun it, and none will: the driver completes it. Otherwise it ends with its own result.
    [[nodiscard]] bool take_back(file_op& operation) noexcept;

    /// Whether there is something to take; without the lock.
    [[nodiscard]] bool has_finished() const noexcept { return has_finished_.load(std::memory_order_acquire); }

    /// Appends what has ended since the last call, each with its result.
    void take_finished(run_queue& taken) noexcept;

private:
    static constexpr std::size_t threads_max = 2;

    void work() noexcept;
    void start_thread();

    driver& owner_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // --- Under the mutex.
    run_queue waiting_;
    run_queue finished_;
    std::atomic<bool> has_finished_{false};
    std::size_t unbegun_ = 0;
    std::size_t idle_ = 0;
    bool stopping_ = false;
    // --- The loop's thread alone.
    pid_t process_ = 0;
    std::vector<std::thread> threads_;
};

} // namespace phoenix::net::detail
