// The loop: one thread, one driver, and all coroutines that run on them.
//
//   int main() {
//       loop l;                               // io_uring, or Asio where the kernel refuses it
//       l.run(serve());                       // drives everything until the task ends; its result comes back
//   }
//   // elsewhere, any thread:
//   l.post([&] { reload(); });
//   l.stop();
//
// A loop belongs to the thread that runs it. Everything but post, try_post and stop is for that thread alone
// (or for the thread that made the loop, before it runs). When no thread runs it any more, another one may
// destroy its streams and listeners, and then the loop itself; on io_uring none but the first may run it
// again (errc::wrong_thread), and output that the kernel has not taken by then is not sent. In a forked child
// a loop can only be destroyed, which leaves the parent's alone. The library installs no signal handlers and
// raises no SIGPIPE.
#pragma once

#include <phoenix/net/core/branch.hpp>
#include <phoenix/net/core/post_queue.hpp>
#include <phoenix/net/core/timer_queue.hpp>
#include <phoenix/net/driver.hpp>
#include <phoenix/net/log.hpp>
#include <phoenix/net/loop_options.hpp>
#include <phoenix/net/op.hpp>
#include <phoenix/net/scope.hpp>
#include <phoenix/net/task.hpp>

#include <atomic>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace phoenix::net {

/// What a loop has done since it started.
struct loop_statistics {
    std::uint64_t turns = 0;
    std::uint64_t operations = 0;
    std::uint64_t inline_completions = 0;
    std::uint64_t posts = 0;
};

class loop {
public:
    /// Opens the driver that the options ask for. Throws std::system_error: invalid options, or no such
    /// driver here.
    explicit loop(loop_options options = loop_options());

    /// Takes a driver that somebody made, say one inside an asio::io_context (asio/asio_driver.hpp).
    explicit loop(std::unique_ptr<driver> backend, loop_options options = loop_options());

    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    /// Stops what still runs and turns until all of it has ended. Streams and listeners must be gone or
    /// belong to tasks of this loop. Any thread, when none runs the loop any more.
    ~loop();

    /// Runs `work` and everything else until `work` has ended; gives its result or throws what it threw.
    /// stop() cancels it: a task<void> then returns normally, others throw errc::canceled. Runs one at a
    /// time. Other spawned tasks stay and go on in the next run. Throws errc::wrong_thread when the driver is
    /// io_uring and another thread was the first to run the loop, and errc::loop_after_fork in a forked
    /// child.
    template <class T>
    T run(task<T> work) {
        detail::branch<T> main(std::move(work), *this);
        run_main(
            [](void* branch, detail::completion& at_end) {
                return static_cast<detail::branch<T>*>(branch)->start(at_end);
            },
            &main, main.own_strand());
        if constexpr (std::is_void_v<T>) {
            if (main_was_stopped_ && is_cancellation(main.result().error())) {
                return;
            }
        }
        return main.result().take();
    }

    template <class F>
        requires(!detail::is_task<std::remove_cvref_t<F>>)
    void run(F&&) {
        static_assert(detail::is_task<F>, "run takes a task: call the lambda, run(f())");
    }

    /// Starts a task that belongs to the loop: cancelled by stop() and by the destructor. If it throws, the
    /// error is logged and the loop goes on.
    void spawn(task<> work);

    template <class F>
        requires(!std::convertible_to<F, task<>>)
    void spawn(F&& work) {
        roots_.spawn(std::forward<F>(work)); // says what is wrong
    }

    /// Any thread; also from a signal handler when the driver is uring. While nothing runs it stops the next
    /// run. Cancels what run() runs and what was spawned; run() returns when all of it has ended.
    void stop() noexcept;

    /// Any thread. Calls `function()` on the loop's thread, after what was posted before by the same thread.
    /// When the bounded queue is full, other threads wait for room; the loop's own thread never waits. What
    /// the function throws is logged. Before the loop runs, its queue holds loop_options::post_capacity
    /// calls, and who posts more waits until it does; the same holds after run() has returned: who still
    /// posts by then wants try_post. Calls that were not made when the loop is destroyed are dropped.
    template <class F>
    void post(F function) {
        if (on_own_thread()) {
            make_ready(*new own_call<F>(std::move(function), *this));
            return;
        }
        auto postable = detail::make_postable(std::move(function));
        while (!posts_.try_push(postable)) {
            wait_for_room();
        }
        wake_if_sleeping();
    }

    /// As post, but gives false instead of waiting; `function` is lost then.
    template <class F>
    [[nodiscard]] bool try_post(F function) {
        if (on_own_thread()) {
            make_ready(*new own_call<F>(std::move(function), *this));
            return true;
        }
        auto postable = detail::make_postable(std::move(function));
        const bool pushed = posts_.try_push(postable);
        wake_if_sleeping();
        return pushed;
    }

    /// Time of this turn: read once a turn, so that it is cheap and does not move within one. While nothing
    /// runs it is read each time. Durations (sleep_for, with_deadline) count from the moment in which they
    /// are asked for, not from here: after much computing in one turn the two differ.
    [[nodiscard]] monotonic_time now() noexcept {
        if (!now_is_fresh_) {
            now_ = driver_->now();
            now_is_fresh_ = polling_;
        }
        return now_;
    }

    [[nodiscard]] wall_time wall_now() noexcept { return driver_->wall_now(); }

    /// Uniform 64 bits for jitter and sampling; not for secrets.
    [[nodiscard]] std::uint64_t random() noexcept { return driver_->random(); }

    /// Bytes fit for keys and nonces. Throws std::system_error when the machine has none.
    void random_bytes(std::span<std::byte> out) { driver_->random_bytes(out); }

    /// "uring", "asio".
    [[nodiscard]] std::string_view driver_name() const noexcept { return driver_->capabilities().name; }

    /// False but in a simulation, where it is true at times: code asks it whether to do something rare but right, such as a
    /// small buffer or a late flush, which tests would not see otherwise. `site` names the place.
    [[nodiscard]] bool buggify(std::string_view site) { return driver_->buggify(site); }

    void log(log_level level, std::string_view component, std::string_view key, std::string_view message);

    [[nodiscard]] logger& log_messages() noexcept { return logger_; }

    [[nodiscard]] const loop_statistics& statistics() const noexcept { return statistics_; }

    [[nodiscard]] const loop_options& options() const noexcept { return options_; }

    /// True on the thread that runs the loop now (any thread may ask).
    [[nodiscard]] bool on_own_thread() const noexcept {
        return thread_.load(std::memory_order_relaxed) == &detail::thread_frames;
    }

    /// True when a thread runs the loop, and it is not the calling one.
    [[nodiscard]] bool runs_elsewhere() const noexcept {
        const void* const runner = thread_.load(std::memory_order_relaxed);
        return runner != nullptr && runner != &detail::thread_frames;
    }

    // --- For awaiters and drivers ---

    [[nodiscard]] driver& backend() noexcept { return *driver_; }

    /// Hands an op to the driver. True when it completed inline and the caller may go on without suspending;
    /// an op that completed inline beyond the turn's budget is queued instead, so that sockets get their
    /// turn.
    [[nodiscard]] bool submit(op& operation) noexcept {
        ++statistics_.operations;
        if (!driver_->submit(operation)) {
            return false;
        }
        if (take_inline_budget()) {
            return true;
        }
        operation.state = op_state::in_flight;
        complete(operation);
        return false;
    }

    void cancel(op& operation) noexcept { driver_->cancel(operation); }

    /// Drivers: the op has ended, and its run function is due.
    void complete(op& operation) noexcept {
        PHOENIX_ASSERT(operation.state != op_state::completed && !operation.is_settled(),
                       "a driver completed an operation that it did not have, or twice");
        operation.state = op_state::completed;
        ready_.push(operation);
    }

    /// Drivers: the op ends with -ECANCELED though nothing of the driver's follows: also between two turns, when an idle host
    /// must be woken.
    void complete_cancelled(op& operation) noexcept {
        operation.result = -ECANCELED;
        operation.state = op_state::completed;
        make_ready(operation);
    }

    /// Runs `item` at the loop's next chance, first in first out.
    void make_ready(runnable& item) noexcept {
        ready_.push(item);
        if (host_is_idle_) [[unlikely]] {
            wake_host();
        }
    }

    /// Runs `item` once, after the ready queue is empty and before the driver's turn: where output is
    /// gathered.
    void at_end_of_turn(runnable& item) noexcept {
        end_of_turn_.push(item);
        if (host_is_idle_) [[unlikely]] {
            wake_host();
        }
    }

    /// The next turn does not wait: something that nobody else announces is about to be done.
    void do_not_wait() noexcept { next_turn_polls_ = true; }

    /// False when this turn has had its share of things that completed without waiting.
    [[nodiscard]] bool take_inline_budget() noexcept {
        if (inline_budget_ == 0) {
            return false;
        }
        --inline_budget_;
        ++statistics_.inline_completions;
        return true;
    }

    void arm(timer& item, monotonic_time deadline) {
        timers_.arm(item, deadline);
        if (host_is_idle_) [[unlikely]] {
            wake_host();
        }
    }

    void disarm(timer& item) noexcept { timers_.disarm(item); }

    /// Hosted drivers: runs all that is ready, gathers output and arms the host's timer. Ops that completed
    /// are given to complete() before.
    void poll() noexcept;

    /// Hosted drivers and bridges: a handler of the host's made `item` ready. Runs it, in this call or soon
    /// after.
    void make_ready_from_host(runnable& item) noexcept {
        ready_.push(item);
        poll();
    }

    /// Something that was let go, but that its driver is not done with: an abandoned stream that still sends.
    /// The destructor waits until all of them have ended.
    void linger_begins() noexcept { ++lingering_; }

    void linger_ended() noexcept { --lingering_; }

    /// A stream or listener of this loop, from its making until its driver is done with it: none outlives the
    /// loop.
    void owned_begins() noexcept { ++owned_; }

    void owned_ended() noexcept { --owned_; }

    /// Blocks of options().write_block_bytes for gathered output.
    [[nodiscard]] std::byte* take_write_block();
    void give_write_block(std::byte* block) noexcept;

    [[nodiscard]] static bool is_cancellation(const std::exception_ptr& error) noexcept;

private:
    friend class scope;

    template <class F>
    class own_call final : public runnable, public detail::pooled {
    public:
        own_call(F function, loop& owner) : runnable(&call), function_(std::move(function)), owner_(owner) {}

    private:
        static void call(runnable& self) noexcept {
            const std::unique_ptr<own_call> here(static_cast<own_call*>(&self));
            if (!here->owner_.drops_calls_) {
                here->owner_.guarded([](void* function) { (*static_cast<F*>(function))(); },
                                     &here->function_);
            }
        }

        F function_;
        loop& owner_;
    };

    using start_function = bool (*)(void* branch, detail::completion& at_end);

    void run_main(start_function start, void* branch, strand& main);
    void drive(bool (*is_over)(const void*), const void* subject);
    void work() noexcept;
    void wait();
    void run_ready() noexcept;
    void drain_posts() noexcept;
    void begin_turn() noexcept;
    void apply_stop() noexcept;
    void guarded(void (*call)(void*), void* argument) noexcept;
    void root_failed(const std::exception_ptr& error) noexcept;
    void roots_emptied() noexcept;
    void wait_for_room() noexcept;
    void wake_if_sleeping() noexcept;
    void wake_host() noexcept;
    [[nodiscard]] bool prepare_to_sleep() noexcept;

    loop_options options_;
    logger logger_;
    std::unique_ptr<driver> driver_;

    run_queue ready_;
    run_queue end_of_turn_;
    bool now_is_fresh_ = false;
    bool next_turn_polls_ = false;
    bool host_is_idle_ = false;
    bool polling_ = false;
    bool drops_calls_ = false;
    std::uint32_t inline_budget_ = 0;
    monotonic_time now_{};
    timer_queue timers_;
    loop_statistics statistics_;

    scope roots_;
    strand* main_strand_ = nullptr;
    bool main_was_stopped_ = false;
    std::size_t lingering_ = 0;
    std::size_t owned_ = 0;
    bool destroying_ = false;
    // Destroyed where the driver does not run: nothing waits for its time any more.
    bool gave_up_ = false;
    std::vector<std::byte*> write_blocks_;

    std::atomic<const void*> thread_{nullptr};
    // A loop that has not run yet sleeps: the first post wakes it.
    std::atomic<bool> sleeping_{true};
    std::atomic<bool> stop_requested_{false};
    detail::post_queue posts_;
};

class this_loop_awaiter {
public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
        found_ = &awaiting.promise().current_strand().owner();
        return false;
    }

    [[nodiscard]] loop& await_resume() const noexcept { return *found_; }

private:
    loop* found_ = nullptr;
};

/// The loop that runs the awaiting coroutine; does not suspend.
///
///   loop& here = co_await this_loop();
[[nodiscard]] inline this_loop_awaiter this_loop() noexcept {
    return this_loop_awaiter();
}

} // namespace phoenix::net
