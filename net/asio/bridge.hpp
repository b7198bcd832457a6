// Bridges between Phoenix and Asio, both ways, for a loop inside an asio::io_context.
//
// Asio code awaits a Phoenix task, with any completion token:
//
//   const int answer = co_await co_spawn(l, ask(peer), asio::use_awaitable);     // in an asio::awaitable
//   co_spawn(l, ask(peer), [](std::exception_ptr error, int answer) { ... });    // with a callback
//
// A Phoenix task awaits any Asio operation:
//
//   asio::steady_timer timer(context, 10ms);
//   co_await timer.async_wait(use_task);
//   const std::size_t n = co_await socket.async_read_some(asio::buffer(data), use_task);
//
// use_task throws what the operation reports: an error code as std::system_error, an exception as it is; what
// is left of its arguments is the result (nothing, the one value, or a tuple). Stopping the awaiting strand
// cancels the operation (terminal cancellation); one that lets go of its handler uncalled gives
// errc::canceled. A Phoenix task that was spawned with a token is cancelled through the token's cancellation
// slot. Thread rule: the thread that runs the io_context.
#pragma once

#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/asio/frame_allocator.hpp>
#include <phoenix/net/core/branch.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/task.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace phoenix::net {

namespace detail {

template <class T>
struct spawn_signature {
    static_assert(!std::is_reference_v<T>, "a task that Asio awaits gives a value");
    using type = void(std::exception_ptr, T);
};

template <>
struct spawn_signature<void> {
    using type = void(std::exception_ptr);
};

/// The strand of a task that Asio awaits, while it runs: what the token's cancellation slot stops.
struct stoppable {
    strand* running = nullptr;
    bool stop_wanted = false;
};

/// Calls `handler` with the result, where its executor says, and lets go of the work that it held there.
template <class T, class Handler, class Executor>
void tell_handler(Handler handler, asio::executor_work_guard<Executor> work, outcome<T>& result) {
    const Executor executor = work.get_executor();
    if constexpr (std::is_void_v<T>) {
        asio::post(executor, [handler = std::move(handler), work = std::move(work),
                              error = result.error()]() mutable { std::move(handler)(std::move(error)); });
    } else {
        std::exception_ptr error = result.error();
        T value = error == nullptr ? result.take() : T();
        asio::post(executor, [handler = std::move(handler), work = std::move(work), error = std::move(error),
                              value = std::move(value)]() mutable {
            std::move(handler)(std::move(error), std::move(value));
        });
    }
}

template <class T, class Handler, class Executor>
task<> run_for_handler(task<T> work, Handler handler, asio::executor_work_guard<Executor> guard,
                       std::shared_ptr<stoppable> target) {
    loop& here = co_await this_loop();
    branch_awaiter<T> running(std::move(work), here);
    target->running = &running.own_strand();
    if (target->stop_wanted) {
        running.own_strand().request_stop();
    }
    co_await running;
    target->running = nullptr;
    asio::get_associated_cancellation_slot(handler).clear();
    tell_handler<T>(std::move(handler), std::move(guard), running.result());
}

} // namespace detail

/// Runs `work` on `guest`, a loop inside an io_context, and completes `token` with void(std::exception_ptr)
/// or void(std::exception_ptr, T), on the handler's associated executor. T must be default-constructible.
template <class T, class Token>
auto co_spawn(loop& guest, task<T> work, Token&& token) {
    return asio::async_initiate<Token, typename detail::spawn_signature<T>::type>(
        [&guest](auto handler, task<T> started) {
            const auto executor = asio::get_associated_executor(handler, asio_context(guest).get_executor());
            auto target = std::make_shared<detail::stoppable>();
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) {
                slot.assign([target](asio::cancellation_type) {
                    target->stop_wanted = true;
                    if (target->running != nullptr) {
                        target->running->request_stop();
                    }
                });
            }
            guest.spawn(detail::run_for_handler<T>(std::move(started), std::move(handler),
                                                   asio::make_work_guard(executor), std::move(target)));
        },
        token, std::move(work));
}

/// The completion token with which a Phoenix task awaits an Asio operation.
struct use_task_t {
    constexpr use_task_t() noexcept = default;
};

inline constexpr use_task_t use_task;

namespace detail {

/// Asio's system codes as the library's own: so they compare to std::errc, and a cancellation is one.
[[nodiscard]] std::error_code from_asio(const std::error_code& error) noexcept;

template <class Initiation, class Arguments, class... Results>
class asio_awaiter : private waitable, private runnable {
public:
    asio_awaiter(Initiation initiation, Arguments arguments)
        : waitable(&stop), runnable(&resume), initiation_(std::move(initiation)),
          arguments_(std::move(arguments)) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> awaiting) {
        strand_ = &awaiting.promise().current_strand();
        // A loop that does not run in an io_context would not see the handler: this throws.
        static_cast<void>(asio_context(strand_->owner()));
        if (strand_->stop_requested()) {
            return false;
        }
        waiting_ = awaiting;
        is_initiating_ = true;
        // Asio never calls a handler from inside the initiation.
        std::apply(
            [this](auto&&... arguments) {
                std::move(initiation_)(handler(*this), std::forward<decltype(arguments)>(arguments)...);
            },
            std::move(arguments_));
        is_initiating_ = false;
        if (was_dropped_) {
            return false;
        }
        strand_->wait_for(*this);
        return true;
    }

    auto await_resume() {
        if (!results_) {
            throw_error(errc::canceled, was_dropped_ ? "an Asio operation dropped its handler"
                                                     : "an Asio operation was not started");
        }
        return unpack(std::move(*results_));
    }

private:
    class handler {
    public:
        using allocator_type = frame_allocator<void>;
        using cancellation_slot_type = asio::cancellation_slot;

        explicit handler(asio_awaiter& owner) noexcept : owner_(&owner) {}

        handler(handler&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}

        handler& operator=(handler&&) = delete;

        ~handler() {
            if (owner_ != nullptr) [[unlikely]] {
                owner_->note_dropped();
            }
        }

        [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }

        [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
            return owner_ != nullptr ? owner_->cancellation_.slot() : asio::cancellation_slot();
        }

        void operator()(Results... results) {
            asio_awaiter& owner = *std::exchange(owner_, nullptr);
            owner.results_.emplace(std::move(results)...);
            owner.strand_->owner().make_ready_from_host(owner);
        }

    private:
        asio_awaiter* owner_;
    };

    /// Nobody will call the handler any more. Inside the initiation, await_suspend sees to it, or its
    /// exception.
    void note_dropped() noexcept {
        was_dropped_ = true;
        if (!is_initiating_) {
            strand_->owner().make_ready(*this);
        }
    }

    static auto unpack(std::tuple<std::decay_t<Results>...> results) {
        return std::apply([](auto... values) { return give(std::move(values)...); }, std::move(results));
    }

    template <class... Values>
    static auto give(std::error_code error, Values... values) {
        if (error) {
            throw_error(from_asio(error), "an Asio operation");
        }
        return give_values(std::move(values)...);
    }

    template <class... Values>
    static auto give(std::exception_ptr error, Values... values) {
        if (error != nullptr) {
            std::rethrow_exception(error);
        }
        return give_values(std::move(values)...);
    }

    template <class... Values>
    static auto give(Values... values) {
        return give_values(std::move(values)...);
    }

    static void give_values() {}

    template <class Value>
    static Value give_values(Value value) {
        return value;
    }

    template <class First, class Second, class... Rest>
    static std::tuple<First, Second, Rest...> give_values(First first, Second second, Rest... rest) {
        return {std::move(first), std::move(second), std::move(rest)...};
    }

    static void stop(waitable& self) noexcept {
        auto& here = static_cast<asio_awaiter&>(self);
        if (!here.results_ && !here.was_dropped_) {
            here.cancellation_.emit(asio::cancellation_type::terminal);
        }
    }

    static void resume(runnable& self) noexcept {
        auto& here = static_cast<asio_awaiter&>(self);
        here.strand_->done_waiting();
        here.waiting_.resume();
    }

    Initiation initiation_;
    Arguments arguments_;
    asio::cancellation_signal cancellation_;
    std::optional<std::tuple<std::decay_t<Results>...>> results_;
    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
    bool is_initiating_ = false;
    bool was_dropped_ = false;
};

} // namespace detail
} // namespace phoenix::net

template <class... Results>
class asio::async_result<phoenix::net::use_task_t, void(Results...)> {
public:
    template <class Initiation, class... Arguments>
    static auto initiate(Initiation&& initiation, phoenix::net::use_task_t, Arguments&&... arguments) {
        using stored_arguments = std::tuple<std::decay_t<Arguments>...>;
        return phoenix::net::detail::asio_awaiter<std::decay_t<Initiation>, stored_arguments, Results...>(
            std::forward<Initiation>(initiation), stored_arguments(std::forward<Arguments>(arguments)...));
    }
};
