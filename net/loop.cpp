#include <phoenix/net/default_driver.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>

#include <exception>
#include <string>

#include <sched.h>

namespace phoenix::net {

namespace {

// Runnables between two turns of the driver: enough to spread the cost of a turn, few enough for latency.
constexpr int ready_batch = 1024;

// How often a turn runs what is ready and gathers output before the driver's turn comes.
constexpr int work_rounds = 4;

// Blocks of gathered output that wait for reuse; more go back to the heap.
constexpr std::size_t kept_write_blocks = 256;

loop_options validated(loop_options options) {
    options.validate();
    return options;
}

std::string describe(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

} // namespace

loop::loop(loop_options options) : loop(nullptr, std::move(options)) {}

loop::loop(std::unique_ptr<driver> backend, loop_options options)
    : options_(validated(std::move(options))), logger_(options_.log), driver_(std::move(backend)),
      roots_(*this), posts_(options_.post_capacity) {
    roots_.is_root_ = true;
    if (driver_ == nullptr) {
        driver_ = make_default_driver(options_, logger_);
    }
    write_blocks_.reserve(kept_write_blocks);
    driver_->bind(*this);
    host_is_idle_ = driver_->capabilities().hosted;
}

loop::~loop() {
    PHOENIX_ASSERT(
        !polling_ || !driver_->is_usable(),
        "a loop was destroyed by what runs on it: stop it, and destroy it when run() has returned");
    destroying_ = true;
    thread_.store(&detail::thread_frames, std::memory_order_relaxed);
    polling_ = true;
    host_is_idle_ = false;
    if (driver_->is_usable()) {
        if (!driver_->runs_here()) {
            gave_up_ = true;
            driver_->give_up();
        }
        roots_.cancel();
        drive(
            [](const void* self) {
                const auto& here = *static_cast<const loop*>(self);
                return here.roots_.empty() && here.lingering_ == 0;
            },
            this);
        PHOENIX_ASSERT(owned_ == 0, "a stream or a listener outlives its loop: destroy it first");
    } else {
        // A forked child: what its tasks wait for happens in the parent, and what is ready runs there. All of
        // it is left as it is.
        roots_.abandon();
        ready_.clear();
        end_of_turn_.clear();
    }
    // What is ready now are calls that were posted too late: they are dropped.
    drops_calls_ = true;
    while (!ready_.empty()) {
        ready_.pop().run();
    }
    // Not reset(): the resolver's thread posts, and wakes the driver, until the driver's destructor has
    // joined it.
    delete driver_.get();
    static_cast<void>(driver_.release());
    for (std::byte* const block : write_blocks_) {
        ::operator delete(block);
    }
}

void loop::spawn(task<> work) {
    if (roots_.empty()) {
        driver_->hold(true);
    }
    roots_.spawn(std::move(work));
}

void loop::stop() noexcept {
    stop_requested_.store(true);
    driver_->wake();
}

void loop::run_main(start_function start, void* branch, strand& main) {
    class main_completion : public detail::completion {
    public:
        main_completion() noexcept : completion(&set) {}

        bool ended = false;

    private:
        static void set(completion& self) noexcept { static_cast<main_completion&>(self).ended = true; }
    };

    if (!driver_->is_usable()) {
        throw_error(errc::loop_after_fork,
                    "this loop belongs to the parent process: make a new loop after fork");
    }
    if (!driver_->runs_here()) {
        throw_error(errc::wrong_thread,
                    "another thread ran this loop first: run it there, or make a loop for "
                    "each thread");
    }
    PHOENIX_ASSERT(main_strand_ == nullptr && !polling_,
                   "loop::run was called while it runs: await the task, or spawn it");
    polling_ = true;
    // A driver that cannot run here says so before anything has begun.
    try {
        driver_->turn(monotonic_time::min());
    } catch (...) {
        polling_ = false;
        throw;
    }
    main_completion at_end;
    main_strand_ = &main;
    main_was_stopped_ = false;
    thread_.store(&detail::thread_frames, std::memory_order_relaxed);
    host_is_idle_ = false;
    roots_.cancelled_ = false;
    begin_turn();
    at_end.ended = start(branch, at_end);
    drive([](const void* ended) { return *static_cast<const bool*>(ended); }, &at_end.ended);
    if (stop_requested_.exchange(false)) {
        main_was_stopped_ = true;
        roots_.cancel();
    }
    // A stopped loop ends all that it spawned before run() returns; otherwise spawned tasks wait for the next
    // run.
    if (main_was_stopped_) {
        drive([](const void* roots) { return static_cast<const scope*>(roots)->empty(); }, &roots_);
    }
    // Hands over what the last step wrote, then what it closed.
    for (int i = 0; i < 2; ++i) {
        next_turn_polls_ = true;
        wait();
        work();
    }
    main_strand_ = nullptr;
    roots_.cancelled_ = false;
    polling_ = false;
    now_is_fresh_ = false;
    thread_.store(nullptr, std::memory_order_relaxed);
    if (driver_->capabilities().hosted) {
        // Spawned tasks go on when the host runs.
        host_is_idle_ = true;
        driver_->wake();
    }
}

void loop::drive(bool (*is_over)(const void*), const void* subject) {
    // What the last step wrote is handed over before the loop rests.
    work();
    while (!is_over(subject)) {
        wait();
        work();
    }
}

void loop::work() noexcept {
    // Output that leaves at once may wake its writer: the rounds save a turn of the driver, the bound keeps
    // it fair.
    for (int round = 0; round < work_rounds; ++round) {
        run_ready();
        while (!end_of_turn_.empty()) {
            end_of_turn_.pop().run();
        }
        if (ready_.empty()) {
            return;
        }
    }
}

void loop::wait() {
    monotonic_time deadline = timers_.next_deadline();
    if (next_turn_polls_ || !ready_.empty() || (gave_up_ && !timers_.empty()) || !prepare_to_sleep()) {
        deadline = monotonic_time::min();
    }
    ++statistics_.turns;
    driver_->turn(deadline);
    sleeping_.store(false, std::memory_order_relaxed);
    begin_turn();
}

void loop::begin_turn() noexcept {
    next_turn_polls_ = false;
    now_is_fresh_ = false;
    inline_budget_ = options_.inline_budget;
    if (stop_requested_.load(std::memory_order_relaxed)) [[unlikely]] {
        apply_stop();
    }
    drain_posts();
    if (!timers_.empty()) {
        timers_.expire(gave_up_ ? no_deadline : now());
    }
}

void loop::apply_stop() noexcept {
    if (main_strand_ != nullptr) {
        if (!stop_requested_.exchange(false)) {
            return;
        }
        main_was_stopped_ = true;
        main_strand_->request_stop();
    } else {
        stop_requested_.store(false);
    }
    roots_.cancel();
    if (roots_.empty()) {
        roots_emptied();
    }
}

void loop::run_ready() noexcept {
    for (int left = ready_batch; left > 0 && !ready_.empty(); --left) {
        ready_.pop().run();
    }
}

void loop::drain_posts() noexcept {
    // As many as the ring holds at most: who posts without end does not keep the loop from its sockets.
    for (std::size_t left = options_.post_capacity; left > 0 && !posts_.empty(); --left) {
        ++statistics_.posts;
        guarded([](void* posts) { static_cast<detail::post_queue*>(posts)->run_one(); }, &posts_);
    }
}

void loop::poll() noexcept {
    if (polling_) {
        return;
    }
    polling_ = true;
    host_is_idle_ = false;
    thread_.store(&detail::thread_frames, std::memory_order_relaxed);
    sleeping_.store(false, std::memory_order_relaxed);
    ++statistics_.turns;
    begin_turn();
    work();
    thread_.store(nullptr, std::memory_order_relaxed);
    polling_ = false;
    now_is_fresh_ = false;
    if (next_turn_polls_ || !ready_.empty() || !prepare_to_sleep()) {
        driver_->wake();
        return;
    }
    host_is_idle_ = true;
    driver_->arm(timers_.next_deadline());
}

bool loop::prepare_to_sleep() noexcept {
    // Either a poster sees that the loop sleeps, or the loop sees the post: both sides are sequentially
    // consistent.
    sleeping_.store(true);
    if (posts_.empty() && !stop_requested_.load()) {
        return true;
    }
    sleeping_.store(false, std::memory_order_relaxed);
    return false;
}

void loop::wake_if_sleeping() noexcept {
    if (sleeping_.load() && sleeping_.exchange(false)) {
        driver_->wake();
    }
}

void loop::wake_host() noexcept {
    host_is_idle_ = false;
    driver_->wake();
}

void loop::wait_for_room() noexcept {
    if (driver_->is_host_thread()) {
        // A handler of the host's posts more than fits: nobody else can make room.
        poll();
        return;
    }
    // Full means that the loop is behind by thousands of calls: give it the processor.
    wake_if_sleeping();
    ::sched_yield();
}

void loop::guarded(void (*call)(void*), void* argument) noexcept {
    try {
        call(argument);
    } catch (...) {
        const std::string what = describe(std::current_exception());
        log(log_level::error, "net.loop", "post-threw", "a posted call threw, the loop goes on: " + what);
    }
}

void loop::root_failed(const std::exception_ptr& error) noexcept {
    log(log_level::error, "net.loop", "task-threw", "a spawned task ended with an error: " + describe(error));
}

void loop::roots_emptied() noexcept {
    // What is spawned after a stop has ended everything runs again; run() has not ended before main has.
    roots_.cancelled_ = destroying_ || (roots_.cancelled_ && main_strand_ != nullptr);
    driver_->hold(false);
}

void loop::log(log_level level, std::string_view component, std::string_view key, std::string_view message) {
    if (logger_.enabled(level)) {
        logger_.log(level, component, key, now(), message, driver_->wall_now());
    }
}

std::byte* loop::take_write_block() {
    if (write_blocks_.empty()) {
        return static_cast<std::byte*>(::operator new(options_.write_block_bytes));
    }
    std::byte* const block = write_blocks_.back();
    write_blocks_.pop_back();
    return block;
}

void loop::give_write_block(std::byte* block) noexcept {
    if (write_blocks_.size() < kept_write_blocks) {
        write_blocks_.push_back(block);
    } else {
        ::operator delete(block);
    }
}

bool loop::is_cancellation(const std::exception_ptr& error) noexcept {
    if (error == nullptr) {
        return false;
    }
    try {
        std::rethrow_exception(error);
    } catch (const std::system_error& e) {
        return is_canceled(e.code());
    } catch (...) {
        return false;
    }
}

} // namespace phoenix::net
