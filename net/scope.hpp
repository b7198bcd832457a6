// Scopes: who starts tasks owns them, and leaving the scope ends them.
//
//   task<> both(scope& children, listener& door, listener& admin) {
//       children.spawn(serve(door, echo));          // serve.hpp: a client that fails ends alone
//       children.spawn(serve(admin, answer));
//       co_await children.join();
//   }
//   co_await with_scope(both, std::ref(door), std::ref(admin));
//
// The rule: what one child throws ends them all, so spawn together what is worth nothing apart. A child that
// may fail alone, say one for each client, whose reset throws from its read, catches its errors itself, or
// belongs to serve() or loop::spawn, which log them.
//
// with_scope(body, args...) runs body(scope, args...). When the body ends, by value or exception, the
// children that still run are cancelled, and the await goes on only after every one of them has ended:
// nothing outlives the scope. A body that wants its children to finish ends with `co_await children.join();`.
// When a child throws, its siblings and the body are cancelled and the first exception comes out of
// with_scope. The scope stays cancelled from then on, also when somebody has caught what join() threw: take a
// new one for new children.
//
// A scope can also be a member of a longer-lived object, which then must `co_await children.close()` before
// it is destroyed (a destructor cannot wait; it asserts).
//
// Children start at the loop's next chance, in the order of spawning, each on a strand of its own.
// Thread rule: the loop's thread alone.
#pragma once

#include <phoenix/net/op.hpp>
#include <phoenix/net/task.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <utility>

namespace phoenix::net {

class loop;

class scope {
public:
    explicit scope(loop& owner) noexcept : loop_(owner) {}

    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

    ~scope() {
        PHOENIX_ASSERT(empty(), "a scope was destroyed with running children: co_await close() first");
    }

    /// Starts `work` as a child. A scope that was cancelled still starts it, stopped.
    void spawn(task<> work);

    template <class F>
        requires(!std::convertible_to<F, task<>>)
    void spawn(F&&) {
        static_assert(detail::is_task<F>,
                      "spawn takes a task<>: call the lambda, spawn(f()); move a named task");
        static_assert(!detail::is_task<F>, "spawn takes a task<>: nobody would get this one's result");
    }

    /// Asks every child to stop; does not wait. Idempotent; children spawned later start stopped.
    void cancel() noexcept;

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Children that have not ended.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    class join_awaiter;

    /// Waits until no child is left, then throws what the first failed child threw. When the waiting strand
    /// is stopped, the children are cancelled, and the wait still ends only after the last of them. One
    /// waiter at a time.
    [[nodiscard]] join_awaiter join() noexcept;

    /// cancel() and join().
    [[nodiscard]] join_awaiter close() noexcept;

    /// As join(), but leaves the failure in the scope.
    [[nodiscard]] join_awaiter drain() noexcept;

    /// What the first failed child threw, or null; the scope forgets it.
    [[nodiscard]] std::exception_ptr take_failure() noexcept { return std::exchange(failure_, nullptr); }

    /// with_scope: a strand that a failing child stops too, or null.
    void set_body(strand* body) noexcept { body_ = body; }

private:
    friend class loop;

    // The process was forked: the children run on in the parent.
    void abandon() noexcept {
        first_ = nullptr;
        size_ = 0;
    }

    // A child is one block beside its frame: its strand, its links and its place in the ready queue.
    class child;

    void child_ended(child& ended) noexcept;

    loop& loop_;
    child* first_ = nullptr;
    std::size_t size_ = 0;
    std::exception_ptr failure_;
    strand* body_ = nullptr;
    join_awaiter* joiner_ = nullptr;
    bool cancelled_ = false;
    // The loop's own scope logs failures instead of keeping them.
    bool is_root_ = false;
};

class scope::join_awaiter : private waitable, private runnable {
public:
    join_awaiter(scope& target, bool throws) noexcept
        : waitable(&stop), runnable(&resume), target_(target), throws_(throws) {}

    [[nodiscard]] bool await_ready() const noexcept { return target_.empty(); }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
        waiter_ = waiter;
        suspend(waiter.promise().current_strand());
    }

    void await_resume();

private:
    friend class scope;

    void suspend(strand& waiting) noexcept;
    static void stop(waitable& self) noexcept;
    static void resume(runnable& self) noexcept;

    scope& target_;
    strand* waiting_ = nullptr;
    std::coroutine_handle<> waiter_;
    const bool throws_;
};

inline scope::join_awaiter scope::join() noexcept {
    return join_awaiter(*this, true);
}

inline scope::join_awaiter scope::close() noexcept {
    cancel();
    return join_awaiter(*this, true);
}

inline scope::join_awaiter scope::drain() noexcept {
    return join_awaiter(*this, false);
}

} // namespace phoenix::net
