#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/asio/frame_allocator.hpp>
#include <phoenix/net/core/fork_mark.hpp>
#include <phoenix/net/core/frame_pool.hpp>
#include <phoenix/net/detail/file_calls.hpp>
#include <phoenix/net/detail/file_threads.hpp>
#include <phoenix/net/detail/machine.hpp>
#include <phoenix/net/detail/resolver.hpp>
#include <phoenix/net/detail/socket.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/file_op.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/socket_options.hpp>

#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace phoenix::net {

namespace {

using asio_socket = asio::generic::stream_protocol::socket;
using executor_guard = asio::executor_work_guard<asio::io_context::executor_type>;

class asio_driver;

/// A socket of Asio's, or a file, of which Asio does not know.
class asio_handle : public handle, public detail::pooled {
public:
    const bool is_file;

protected:
    explicit asio_handle(bool is_file) noexcept : is_file(is_file) {}

    ~asio_handle() = default;
};

class file_handle final : public asio_handle {
public:
    explicit file_handle(int descriptor) noexcept : asio_handle(true), descriptor(descriptor) {}

    const detail::owned_fd descriptor;
};

class socket_handle final : public asio_handle {
public:
    socket_handle(asio_socket opened, int opened_family) noexcept
        : asio_handle(false), socket(std::move(opened)), family(opened_family) {}

    asio_socket socket;
    const int family;
    // One operation a direction: cancelling one leaves the other alone.
    asio::cancellation_signal receiving;
    asio::cancellation_signal sending;
};

/// What Asio calls when an operation has ended or a socket is ready.
class op_handler {
public:
    using allocator_type = detail::frame_allocator<void>;
    using cancellation_slot_type = asio::cancellation_slot;

    op_handler(asio_driver& owner, op& operation, asio::cancellation_signal& signal) noexcept
        : owner_(&owner), operation_(&operation), slot_(signal.slot()) {}

    [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }

    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

    void operator()(const std::error_code& error, std::size_t bytes) const noexcept;
    void operator()(const std::error_code& error) const noexcept;

private:
    asio_driver* owner_;
    op* operation_;
    asio::cancellation_slot slot_;
};

/// Lets handlers of the timer and of wake() outlive the driver, and holds the memory of the one wake that may
/// be on its way: a thread that Asio does not know would take it from the heap each time.
class driver_lifeline {
public:
    explicit driver_lifeline(asio_driver& owner) noexcept : driver(&owner) {}

    /// Null when the driver has gone.
    asio_driver* driver;
    std::atomic<bool> wake_is_on_its_way{false};
    alignas(std::max_align_t) std::byte wake_memory[192];
};

/// What Asio calls on the loop's thread after a wake().
class wake_handler {
public:
    template <class T>
    class allocator {
    public:
        using value_type = T;

        explicit allocator(driver_lifeline& owner) noexcept : owner_(&owner) {}

        template <class U>
        explicit allocator(const allocator<U>& other) noexcept : owner_(other.owner_) {}

        [[nodiscard]] T* allocate(std::size_t count) noexcept {
            PHOENIX_ASSERT(count * sizeof(T) <= sizeof owner_->wake_memory,
                           "this Asio needs more memory for a handler: enlarge wake_memory");
            return reinterpret_cast<T*>(owner_->wake_memory);
        }

        void deallocate(T*, std::size_t) noexcept {}

        friend bool operator==(const allocator& left, const allocator& right) noexcept = default;

    private:
        template <class U>
        friend class allocator;

        driver_lifeline* owner_;
    };

    using allocator_type = allocator<void>;

    explicit wake_handler(std::shared_ptr<driver_lifeline> lifeline) noexcept
        : lifeline_(std::move(lifeline)) {}

    [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(*lifeline_); }

    void operator()() const noexcept;

private:
    std::shared_ptr<driver_lifeline> lifeline_;
};

class asio_driver final : public driver, public asio_host {
public:
    explicit asio_driver(asio::io_context* host)
        : own_context_(host == nullptr ? std::make_unique<asio::io_context>(1) : nullptr),
          context_(host == nullptr ? *own_context_ : *host), timer_(context_),
          lifeline_(std::make_shared<driver_lifeline>(*this)) {
        if (own_context_ != nullptr) {
            work_.emplace(context_.get_executor());
            mark_.emplace();
        }
    }

    ~asio_driver() override { lifeline_->driver = nullptr; }

    // A host tells its context of a fork itself, or does not go on in the child.
    [[nodiscard]] bool is_usable() const noexcept override { return !mark_ || mark_->is_set(); }

    [[nodiscard]] asio::io_context& context() noexcept override { return context_; }

    void bind(loop& owner) override {
        loop_ = &owner;
        resolver_.emplace(owner);
    }

    [[nodiscard]] bool is_host_thread() const noexcept override {
        return context_.get_executor().running_in_this_thread();
    }

    [[nodiscard]] const driver_capabilities& capabilities() const noexcept override {
        static constexpr driver_capabilities owner{.name = "asio"};
        static constexpr driver_capabilities guest{.name = "asio", .hosted = true};
        return own_context_ != nullptr ? owner : guest;
    }

    handle& attach(int descriptor) override {
        const int family = detail::native_family(detail::local_endpoint(descriptor).family());
        return adopt(detail::owned_fd(descriptor), family);
    }

    handle& open_stream(const endpoint& peer, const stream_options& options) override {
        detail::owned_fd socket = detail::open_stream_socket(peer.family());
        detail::apply(socket.get(), options, peer.family());
        return adopt(std::move(socket), detail::native_family(peer.family()));
    }

    handle& open_listener(const endpoint& local, const listener_options& options) override {
        return adopt(detail::open_listener(local, options), detail::native_family(local.family()));
    }

    void configure(handle& connection, const stream_options& options) override {
        detail::configure_accepted(native_descriptor(connection), options);
    }

    void release(handle& target, bool reset) noexcept override {
        if (!is_usable()) [[unlikely]] {
            // Asio's own close would take the socket out of the epoll set, which is the parent's as well: it
            // stays where it is, without its descriptor.
            ::close(native_descriptor(target));
            return;
        }
        target.released = true;
        if (reset && !is_file(target)) {
            detail::reset_on_close(native_descriptor(target));
        }
        if (target.in_flight == 0) {
            close(target);
        }
    }

    endpoint local_endpoint(handle& target) override {
        return detail::local_endpoint(native_descriptor(target));
    }

    endpoint peer_endpoint(handle& target) override {
        return detail::peer_endpoint(native_descriptor(target));
    }

    [[nodiscard]] int native_descriptor(handle& target) const noexcept override {
        return is_file(target) ? static_cast<file_handle&>(target).descriptor.get()
                               : socket_of(target).native_handle();
    }

    [[nodiscard]] bool submit(op& operation) noexcept override;
    void cancel(op& operation) noexcept override;

    // This driver lends nothing: streams receive into buffers of their own.
    void give_back(lent_buffer&) noexcept override {}

    [[nodiscard]] bool can_lend() const noexcept override { return false; }

    void turn(monotonic_time deadline) override;
    void arm(monotonic_time deadline) override;

    void hold(bool busy) override {
        if (own_context_ != nullptr) {
            return;
        }
        if (busy) {
            work_.emplace(context_.get_executor());
        } else {
            work_.reset();
        }
    }

    void wake() noexcept override {
        if (!is_usable()) [[unlikely]] {
            return;
        }
        // One that is on its way sees what this caller has done before: both sides exchange the flag.
        if (!lifeline_->wake_is_on_its_way.exchange(true)) {
            asio::post(context_, wake_handler(lifeline_));
        }
    }

    void woken() noexcept {
        if (threads_.has_finished()) {
            complete_finished();
        }
        loop_->poll();
    }

    [[nodiscard]] monotonic_time now() noexcept override { return detail::machine::now(); }

    [[nodiscard]] wall_time wall_now() noexcept override { return detail::machine::wall_now(); }

    [[nodiscard]] std::uint64_t random() noexcept override { return machine_.random(); }

    void random_bytes(std::span<std::byte> out) override { detail::machine::random_bytes(out); }

    /// A handler of Asio's: the op made progress, or the socket became ready for it.
    void advance(op& operation, const std::error_code& error, std::size_t bytes) noexcept;

private:
    static bool is_file(const handle& target) noexcept {
        return static_cast<const asio_handle&>(target).is_file;
    }

    static socket_handle& handle_of(op& operation) noexcept {
        return static_cast<socket_handle&>(*operation.target);
    }

    static asio_socket& socket_of(handle& target) noexcept {
        return static_cast<socket_handle&>(target).socket;
    }

    handle& adopt(detail::owned_fd descriptor, int family) {
        asio_socket socket(context_);
        socket.assign(asio::generic::stream_protocol(family, 0), descriptor.get());
        static_cast<void>(descriptor.release());
        return *new socket_handle(std::move(socket), family);
    }

    static void close(handle& target) noexcept {
        if (is_file(target)) {
            delete &static_cast<file_handle&>(target);
            return;
        }
        std::error_code ignored;
        socket_of(target).close(ignored);
        delete &static_cast<socket_handle&>(target);
    }

    [[nodiscard]] bool run_on_thread(file_op& operation) noexcept;
    void complete_finished() noexcept;
    void complete(op& operation, int result) noexcept;
    /// One operation on it has ended.
    static void let_go_of(handle* target) noexcept;

    [[nodiscard]] bool receive(recv_op& operation);
    [[nodiscard]] bool send(send_op& operation);
    [[nodiscard]] bool connect(connect_op& operation);
    [[nodiscard]] bool accept(accept_op& operation);
    [[nodiscard]] bool try_accept(accept_op& operation) noexcept;
    void wait_until_readable(op& operation);

    [[nodiscard]] static bool done_inline(op& operation, int result) noexcept {
        operation.result = result;
        operation.state = op_state::done;
        return true;
    }

    static void start(op& operation) noexcept {
        operation.state = op_state::in_flight;
        ++operation.target->in_flight;
    }

    // For a context of the driver's own.
    std::optional<detail::fork_mark> mark_;
    std::unique_ptr<asio::io_context> own_context_;
    asio::io_context& context_;
    std::optional<executor_guard> work_;
    asio::steady_timer timer_;
    monotonic_time armed_ = no_deadline;
    std::shared_ptr<driver_lifeline> lifeline_;
    loop* loop_ = nullptr;
    detail::machine machine_;
    std::optional<detail::resolver> resolver_;
    // Last: its threads wake this driver until they have ended.
    detail::file_threads threads_{*this};
};

void op_handler::operator()(const std::error_code& error, std::size_t bytes) const noexcept {
    owner_->advance(*operation_, error, bytes);
}

void op_handler::operator()(const std::error_code& error) const noexcept {
    owner_->advance(*operation_, error, 0);
}

void wake_handler::operator()() const noexcept {
    lifeline_->wake_is_on_its_way.exchange(false);
    if (lifeline_->driver != nullptr) {
        lifeline_->driver->woken();
    }
}

bool asio_driver::submit(op& operation) noexcept {
    if (!is_usable()) [[unlikely]] {
        return done_inline(operation, -static_cast<int>(errc::loop_after_fork));
    }
    if (is_file_kind(operation.kind)) {
        return run_on_thread(static_cast<file_op&>(operation));
    }
    try {
        switch (operation.kind) {
        case op_kind::recv:
            return receive(static_cast<recv_op&>(operation));
        case op_kind::send:
            return send(static_cast<send_op&>(operation));
        case op_kind::connect:
            return connect(static_cast<connect_op&>(operation));
        case op_kind::accept:
            return accept(static_cast<accept_op&>(operation));
        case op_kind::shutdown:
            return done_inline(operation,
                               ::shutdown(native_descriptor(*operation.target), SHUT_WR) == 0 ? 0 : -errno);
        case op_kind::resolve:
            return resolver_->submit(static_cast<resolve_op&>(operation));
        default:
            break;
        }
        return done_inline(operation, -EOPNOTSUPP);
    } catch (...) {
        // Asio ran out of memory for a handler.
        if (operation.state == op_state::in_flight) {
            --operation.target->in_flight;
        }
        return done_inline(operation, -ENOMEM);
    }
}

bool asio_driver::receive(recv_op& operation) {
    socket_handle& target = handle_of(operation);
    start(operation);
    target.socket.async_receive(asio::mutable_buffer(operation.buffer.data(), operation.buffer.size()),
                                op_handler(*this, operation, target.receiving));
    return false;
}

bool asio_driver::send(send_op& operation) {
    // Most sends find room: one system call, and no handler.
    const int descriptor = native_descriptor(*operation.target);
    const iovec& first = operation.pieces.front();
    ssize_t sent = 0;
    if (operation.pieces.size() == 1) {
        sent = ::send(descriptor, first.iov_base, first.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
        operation.header.msg_iov = operation.pieces.data();
        operation.header.msg_iovlen = operation.pieces.size();
        sent = ::sendmsg(descriptor, &operation.header, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent >= 0 || operation.eager || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        return done_inline(operation, sent >= 0 ? static_cast<int>(sent) : -errno);
    }
    socket_handle& target = handle_of(operation);
    start(operation);
    target.socket.async_send(asio::const_buffer(first.iov_base, first.iov_len),
                             op_handler(*this, operation, target.sending));
    return false;
}

bool asio_driver::connect(connect_op& operation) {
    socket_handle& target = handle_of(operation);
    if (::connect(native_descriptor(target), operation.peer.data(), operation.peer.size()) == 0) {
        return done_inline(operation, 0);
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        return done_inline(operation, -errno);
    }
    start(operation);
    target.socket.async_wait(asio_socket::wait_write, op_handler(*this, operation, target.sending));
    return false;
}

bool asio_driver::accept(accept_op& operation) {
    if (try_accept(operation)) {
        operation.state = op_state::done;
        return true;
    }
    start(operation);
    wait_until_readable(operation);
    return false;
}

bool asio_driver::try_accept(accept_op& operation) noexcept {
    detail::owned_fd accepted(
        ::accept4(native_descriptor(*operation.target), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!accepted) {
        operation.result = -errno;
        return errno != EAGAIN && errno != EWOULDBLOCK;
    }
    try {
        operation.accepted = &adopt(std::move(accepted), handle_of(operation).family);
        operation.result = 0;
    } catch (const std::system_error& refused) {
        // The kernel limits what a user may watch (fs.epoll.max_user_watches), and its memory.
        operation.result = -refused.code().value();
    }
    return true;
}

void asio_driver::wait_until_readable(op& operation) {
    socket_handle& target = handle_of(operation);
    target.socket.async_wait(asio_socket::wait_read, op_handler(*this, operation, target.receiving));
}

void asio_driver::cancel(op& operation) noexcept {
    if (!operation.is_cancellable()) {
        return;
    }
    if (operation.kind == op_kind::resolve) {
        resolver_->cancel(static_cast<resolve_op&>(operation));
        return;
    }
    if (!is_usable()) [[unlikely]] {
        // It goes on in the parent; nobody will complete it here.
        operation.result = -ECANCELED;
        loop_->complete(operation);
        return;
    }
    if (is_file_kind(operation.kind)) {
        if (threads_.take_back(static_cast<file_op&>(operation))) {
            handle* const target = operation.target;
            loop_->complete_cancelled(operation);
            let_go_of(target);
        } else {
            operation.state = op_state::cancelling;
        }
        return;
    }
    operation.state = op_state::cancelling;
    socket_handle& target = handle_of(operation);
    const bool sends = operation.kind == op_kind::send || operation.kind == op_kind::connect;
    (sends ? target.sending : target.receiving).emit(asio::cancellation_type::terminal);
}

void asio_driver::advance(op& operation, const std::error_code& error, std::size_t bytes) noexcept {
    int result = 0;
    if (error == asio::error::operation_aborted) {
        result = -ECANCELED;
    } else if (error == asio::error::eof) {
        result = 0;
    } else if (error) {
        result = -error.value();
    } else if (operation.kind == op_kind::connect) {
        result = -detail::socket_error(native_descriptor(*operation.target)).value();
    } else if (operation.kind == op_kind::accept) {
        auto& accepting = static_cast<accept_op&>(operation);
        if (!try_accept(accepting)) {
            // Somebody else took it, or it went away: wait for the next, unless that is no longer wanted.
            if (operation.state != op_state::cancelling) {
                wait_until_readable(operation);
                return;
            }
            accepting.result = -ECANCELED;
        }
        result = accepting.result;
    } else {
        result = static_cast<int>(bytes);
    }
    complete(operation, result);
    loop_->poll();
}

bool asio_driver::run_on_thread(file_op& operation) noexcept {
    if (operation.target != nullptr) {
        operation.descriptor = native_descriptor(*operation.target);
    }
    if (operation.kind == op_kind::file_size) {
        // What is open has its size in memory.
        return done_inline(operation, detail::run_blocking(operation));
    }
    if (!threads_.submit(operation)) {
        return done_inline(operation, operation.result);
    }
    if (operation.target != nullptr) {
        ++operation.target->in_flight;
    }
    return false;
}

void asio_driver::complete_finished() noexcept {
    run_queue finished;
    threads_.take_finished(finished);
    while (!finished.empty()) {
        auto& each = static_cast<file_op&>(finished.pop());
        if (each.kind == op_kind::open_file && each.result >= 0) {
            static_cast<open_file_op&>(each).opened = new file_handle(each.result);
        }
        complete(each, each.result);
    }
}

void asio_driver::complete(op& operation, int result) noexcept {
    operation.result = result;
    handle* const target = operation.target;
    loop_->complete(operation);
    let_go_of(target);
}

void asio_driver::let_go_of(handle* target) noexcept {
    if (target != nullptr && --target->in_flight == 0 && target->released) {
        close(*target);
    }
}

void asio_driver::turn(monotonic_time deadline) {
    if (own_context_ == nullptr && context_.stopped()) {
        context_.restart();
    }
    // Waiting needs work that keeps the context from returning at once; a context of our own always has some.
    std::optional<executor_guard> guard;
    if (own_context_ == nullptr) {
        guard.emplace(context_.get_executor());
    }
    const auto report = [this](std::string_view what) {
        // A handler of the host's: it must not tear down the tasks that happen to wait for this turn.
        loop_->log(log_level::error, "net.asio", "handler-threw",
                   std::string("a handler in the io_context threw, the loop goes on: ").append(what));
    };
    try {
        if (deadline == no_deadline) {
            context_.run_one();
        } else if (deadline == monotonic_time::min() || deadline <= now()) {
            context_.poll_one();
        } else {
            context_.run_one_for(deadline - now());
        }
    } catch (const std::exception& thrown) {
        report(thrown.what());
    } catch (...) {
        report("an exception that is no std::exception");
    }
    if (guard && !context_.stopped()) {
        // Without work of its own the context stops as the guard goes. That is not the host's doing: its own
        // run would return at once.
        guard.reset();
        if (context_.stopped()) {
            context_.restart();
        }
    }
}

void asio_driver::arm(monotonic_time deadline) {
    if (deadline == no_deadline && armed_ != no_deadline) {
        // A timer that nobody waits for would keep the host from running out of work.
        armed_ = no_deadline;
        timer_.cancel();
        return;
    }
    if (deadline >= armed_) {
        return;
    }
    armed_ = deadline;
    timer_.expires_at(std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(deadline.time_since_epoch())));
    timer_.async_wait([lifeline = lifeline_](const std::error_code& error) {
        if (lifeline->driver != nullptr && error != asio::error::operation_aborted) {
            lifeline->driver->armed_ = no_deadline;
            lifeline->driver->loop_->poll();
        }
    });
}

} // namespace

asio::io_context& asio_context(loop& guest) {
    auto* const host = dynamic_cast<asio_host*>(&guest.backend());
    if (host == nullptr) {
        throw_error(errc::not_supported, "this loop runs on the " + std::string(guest.driver_name()) +
                                             " driver, expected one made with make_asio_driver");
    }
    return host->context();
}

namespace {

std::unique_ptr<driver> make_in(asio::io_context* host) {
    try {
        return std::make_unique<asio_driver>(host);
    } catch (const std::system_error& refused) {
        if (refused.code().category() != asio::error::get_system_category()) {
            throw;
        }
        throw_error(make_error(refused.code().value()),
                    "open an event loop of Asio (epoll, eventfd, timerfd)");
    }
}

} // namespace

std::unique_ptr<driver> make_asio_driver() {
    return make_in(nullptr);
}

std::unique_ptr<driver> make_asio_driver(asio::io_context& host) {
    return make_in(&host);
}

} // namespace phoenix::net
