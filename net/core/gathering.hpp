// Several branches at once: what when_all and when_any share.
#pragma once

#include <phoenix/net/core/branch.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace phoenix::net::detail {

class gathering;

/// One of the branches, without its type. Pinned from the first await on.
class gathered : public completion {
protected:
    explicit gathered(strand& own) noexcept : completion(&ended), own_strand_(own) {}

    // Members are never deleted through this base.
    virtual ~gathered() = default;

private:
    friend class gathering;

    virtual bool start() = 0;
    virtual std::exception_ptr error() noexcept = 0;

    static void ended(completion& self) noexcept;

    strand& own_strand_;
    gathering* owner_ = nullptr;
    gathered* next_ = nullptr;
    std::size_t index_ = 0;
};

template <class T>
class gathered_task final : private branch<T>, public gathered, public pooled {
public:
    gathered_task(task<T> work, loop& owner) noexcept
        : branch<T>(std::move(work), owner), gathered(branch<T>::own_strand()) {}

    using branch<T>::result;

private:
    bool start() override { return branch<T>::start(*this); }

    std::exception_ptr error() noexcept override { return branch<T>::result().error(); }
};

/// Starts its members together and waits for the end of all. What ends the common interest (all: the first
/// failure; any: the first end) stops the members that still run.
class gathering : private waitable {
public:
    enum class goal : bool { all, any };

    explicit gathering(goal aim) noexcept : waitable(&stop), aim_(aim) {}

    void add(gathered& member) noexcept;

    [[nodiscard]] bool await_ready() const noexcept { return first_ == nullptr; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) {
        waiter_ = awaiting;
        return start(awaiting.promise().current_strand());
    }

    void await_resume() const noexcept {}

    /// any: which member ended first.
    [[nodiscard]] std::size_t winner() const noexcept { return winner_; }

    /// all: what the first member that failed threw, or null.
    [[nodiscard]] std::exception_ptr failure() const noexcept { return failure_; }

private:
    friend class gathered;

    [[nodiscard]] bool start(strand& waiting);
    void note_end(gathered& member) noexcept;
    void stop_all() noexcept;
    static void stop(waitable& self) noexcept;

    const goal aim_;
    gathered* first_ = nullptr;
    gathered* last_ = nullptr;
    std::size_t size_ = 0;
    std::size_t running_ = 0;
    std::size_t winner_ = 0;
    bool decided_ = false;
    bool suspended_ = false;
    std::exception_ptr failure_;
    strand* waiting_ = nullptr;
    std::coroutine_handle<> waiter_;
};

} // namespace phoenix::net::detail
