// Threads that do what blocks: operations on files, for drivers that have no better way.
//
// Two at most, started when there is something to do. A driver hands ops over with submit(); when one has ended, a thread
// wakes the driver, which calls take_finished(). Ops are linked, not copied: nothing is allocated. The destructor waits for what
// runs. A forked child has none of this: it leaves the parent's threads and their lock alone, and starts its own. Thread
// rule: the loop's thread, but for the inside of the threads.
#pragma once

#include <phoenix/net/file_op.hpp>

#include <memory>

namespace phoenix::net {
class driver;
}

namespace phoenix::net::detail {

class file_threads {
public:
    explicit file_threads(driver& owner) noexcept;

    file_threads(const file_threads&) = delete;
    file_threads& operator=(const file_threads&) = delete;
    ~file_threads();

    /// Takes the op, whose `descriptor` is set. False when no thread is to be had: the op's result says why.
    [[nodiscard]] bool submit(file_op& operation) noexcept;

    /// True when no thread of this process has begun it, and none will: the driver completes it. Otherwise it ends with its
    /// own result.
    [[nodiscard]] bool take_back(file_op& operation) noexcept;

    /// Whether there is something to take; without a lock.
    [[nodiscard]] bool has_finished() const noexcept;

    /// Appends what has ended since the last call, each with its result.
    void take_finished(run_queue& taken) noexcept;

private:
    class crew;

    /// Forgets a crew that is the parent's.
    void leave_inherited() noexcept;

    driver& owner_;
    std::unique_ptr<crew> crew_;
};

} // namespace phoenix::net::detail
