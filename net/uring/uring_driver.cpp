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
#include <phoenix/net/uring/file_entry.hpp>
#include <phoenix/net/uring/ring.hpp>
#include <phoenix/net/uring/uring_driver.hpp>

#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace phoenix::net {

namespace {

using detail::ring;

// What user_data holds besides the address of an op.
constexpr std::uint64_t ignored_tag = 0;
constexpr std::uint64_t wake_tag = 1;

class uring_handle final : public handle, public detail::pooled {
public:
    explicit uring_handle(int descriptor) noexcept : descriptor(descriptor) {}

    const int descriptor;
};

int descriptor_of(const op& operation) noexcept {
    return static_cast<const uring_handle&>(*operation.target).descriptor;
}

class uring_driver final : public driver {
public:
    explicit uring_driver(const loop_options& options)
        : ring_(options.ring_entries), buffers_(ring_, options.receive_buffers, options.receive_buffer_bytes),
          wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), lendable_(options.receive_buffers),
          lent_(options.receive_buffers) {
        if (!wake_) {
            throw_error(make_error(errno), "eventfd");
        }
        for (std::uint32_t id = 0; id < options.receive_buffers; ++id) {
            lent_[id].id = id;
            lent_[id].data = buffers_.data(id);
        }
        eager_.reserve(options.ring_entries);
    }

    ~uring_driver() override {
        // Descriptors that were released close with the last submission.
        if (!ring_.is_lost() && ring_.is_enabled()) {
            do {
                submit_closes();
                submit_rest();
            } while (!to_close_.empty());
        }
        close_without_ring();
    }

    void bind(loop& owner) override {
        loop_ = &owner;
        resolver_.emplace(owner);
    }

    [[nodiscard]] bool is_usable() const noexcept override { return !ring_.was_forked(); }

    [[nodiscard]] bool runs_here() const noexcept override { return ring_.runs_here(); }

    void give_up() noexcept override;

    [[nodiscard]] const driver_capabilities& capabilities() const noexcept override {
        static constexpr driver_capabilities all{.name = "uring", .recv_stream = true, .accept_stream = true};
        return all;
    }

    handle& attach(int descriptor) override { return *new uring_handle(descriptor); }

    handle& open_stream(const endpoint& peer, const stream_options& options) override {
        detail::owned_fd socket = detail::open_stream_socket(peer.family());
        detail::apply(socket.get(), options, peer.family());
        return adopt(std::move(socket));
    }

    handle& open_listener(const endpoint& local, const listener_options& options) override {
        return adopt(detail::open_listener(local, options));
    }

    void configure(handle& connection, const stream_options& options) override {
        detail::configure_accepted(native_descriptor(connection), options);
    }

    void release(handle& target, bool reset) noexcept override {
        if (ring_.was_forked()) [[unlikely]] {
            // The connection is the parent's, and so is what still points to the handle.
            ::close(native_descriptor(target));
            return;
        }
        target.released = true;
        if (reset) {
            detail::reset_on_close(native_descriptor(target));
        }
        if (target.in_flight == 0) {
            close(static_cast<uring_handle&>(target));
        }
    }

    endpoint local_endpoint(handle& target) override {
        return detail::local_endpoint(native_descriptor(target));
    }

    endpoint peer_endpoint(handle& target) override {
        return detail::peer_endpoint(native_descriptor(target));
    }

    [[nodiscard]] int native_descriptor(handle& target) const noexcept override {
        return static_cast<uring_handle&>(target).descriptor;
    }

    [[nodiscard]] bool submit(op& operation) noexcept override;
    void cancel(op& operation) noexcept override;

    void give_back(lent_buffer& buffer) noexcept override {
        buffers_.add(buffer.id);
        ++lendable_;
    }

    [[nodiscard]] bool can_lend() const noexcept override { return lendable_ > 0; }

    void turn(monotonic_time deadline) override;

    // This driver owns its thread: nobody hosts it.
    void arm(monotonic_time) override {}

    void hold(bool) override {}

    void wake() noexcept override {
        if (ring_.was_forked()) [[unlikely]] {
            return;
        }
        const std::uint64_t one = 1;
        // Full means that a wake is on its way already.
        static_cast<void>(!::write(wake_.get(), &one, sizeof one));
    }

    [[nodiscard]] monotonic_time now() noexcept override { return detail::machine::now(); }

    [[nodiscard]] wall_time wall_now() noexcept override { return detail::machine::wall_now(); }

    [[nodiscard]] std::uint64_t random() noexcept override { return machine_.random(); }

    void random_bytes(std::span<std::byte> out) override { detail::machine::random_bytes(out); }

private:
    handle& adopt(detail::owned_fd socket) {
        handle& adopted = attach(socket.get());
        static_cast<void>(socket.release());
        return adopted;
    }

    [[nodiscard]] bool submit_file(file_op& operation) noexcept;
    [[nodiscard]] bool submit_to_threads(file_op& operation) noexcept;
    void cancel_on_threads(file_op& operation) noexcept;
    /// One operation on it has ended.
    void let_go_of(handle* target) noexcept;
    void complete_finished() noexcept;
    [[nodiscard]] io_uring_sqe& next_entry() noexcept;
    void close(uring_handle& target) noexcept;
    void submit_closes() noexcept;
    void close_without_ring() noexcept;
    void submit_cancel(op& operation) noexcept;
    void submit_late_cancels() noexcept;
    void enable_once();
    void wait_without_ring(monotonic_time deadline) noexcept;
    void arm_wake() noexcept;
    static void check_entered(int result) noexcept;

    /// Zero when `deadline` has come. Compared before it is subtracted: it may be as far in the past as can
    /// be said.
    [[nodiscard]] nanoseconds time_left(monotonic_time deadline) noexcept {
        if (deadline == monotonic_time::min()) {
            return nanoseconds(0);
        }
        const monotonic_time current = now();
        return deadline <= current ? nanoseconds(0) : deadline - current;
    }

    void enter(monotonic_time deadline) noexcept;
    void submit_rest() noexcept;
    void reap() noexcept;
    void complete(op& operation, int result) noexcept;
    void complete_eager() noexcept;
    void received(recv_stream_op& operation, int result, std::uint32_t flags) noexcept;
    void accepted(accept_stream_op& operation, int result, std::uint32_t flags) noexcept;
    void sent(send_op& operation, int result) noexcept;
    void handle_completion(const io_uring_cqe& entry) noexcept;

    loop* loop_ = nullptr;
    detail::machine machine_;
    ring ring_;
    detail::buffer_ring buffers_;
    detail::owned_fd wake_;
    bool wake_is_armed_ = false;
    std::uint32_t lendable_;
    std::vector<lent_buffer> lent_;
    // Sends that report nothing when they succeed: known to have ended when the ring was entered.
    std::vector<send_op*> eager_;
    // Descriptors whose handles went: closed with the next turn.
    std::vector<int> to_close_;
    // Cancelled while nothing ran, perhaps on a thread that may not submit: told to the kernel by the next
    // turn.
    std::vector<op*> late_cancels_;
    bool reaping_ = false;
    std::optional<detail::resolver> resolver_;
    /// Operations on files that the kernel holds, not threads.
    std::size_t files_in_kernel_ = 0;
    // Last: its threads wake this driver until they have ended.
    detail::file_threads threads_{*this};
};

io_uring_sqe& uring_driver::next_entry() noexcept {
    PHOENIX_ASSERT(!reaping_, "nothing is submitted while completions are taken");
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_.native());
    while (entry == nullptr) [[unlikely]] {
        if (!ring_.is_enabled()) {
            ring_.enable();
        }
        submit_rest();
        entry = ::io_uring_get_sqe(&ring_.native());
    }
    return *entry;
}

bool uring_driver::submit(op& operation) noexcept {
    if (ring_.is_lost()) [[unlikely]] {
        operation.result = -static_cast<int>(ring_.was_forked() ? errc::loop_after_fork : errc::wrong_thread);
        operation.state = op_state::done;
        return true;
    }
    if (operation.kind == op_kind::resolve) {
        return resolver_->submit(static_cast<resolve_op&>(operation));
    }
    if (is_file_kind(operation.kind)) {
        return submit_file(static_cast<file_op&>(operation));
    }
    const int descriptor = descriptor_of(operation);
    if (operation.kind == op_kind::shutdown) {
        // The kernel would punt it to a worker thread, after which it races with what follows.
        operation.result = ::shutdown(descriptor, SHUT_WR) == 0 ? 0 : -errno;
        operation.state = op_state::done;
        return true;
    }
    io_uring_sqe& entry = next_entry();
    switch (operation.kind) {
    case op_kind::recv: {
        auto& receiving = static_cast<recv_op&>(operation);
        ::io_uring_prep_recv(&entry, descriptor, receiving.buffer.data(), receiving.buffer.size(), 0);
        break;
    }
    case op_kind::recv_stream:
        ::io_uring_prep_recv_multishot(&entry, descriptor, nullptr, 0, 0);
        entry.flags |= IOSQE_BUFFER_SELECT;
        entry.buf_group = detail::buffer_ring::group;
        break;
    case op_kind::send: {
        auto& sending = static_cast<send_op&>(operation);
        // MSG_WAITALL makes a short send a failure, which is reported even where success is not.
        const int flags = MSG_NOSIGNAL | MSG_WAITALL | (sending.eager ? MSG_DONTWAIT : 0);
        if (sending.pieces.size() == 1) {
            const iovec& piece = sending.pieces.front();
            ::io_uring_prep_send(&entry, descriptor, piece.iov_base, piece.iov_len, flags);
        } else {
            sending.header.msg_iov = sending.pieces.data();
            sending.header.msg_iovlen = sending.pieces.size();
            ::io_uring_prep_sendmsg(&entry, descriptor, &sending.header, static_cast<unsigned>(flags));
        }
        sending.reported = false;
        if (sending.eager) {
            entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
            eager_.push_back(&sending);
        }
        break;
    }
    case op_kind::accept:
        ::io_uring_prep_accept(&entry, descriptor, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        break;
    case op_kind::accept_stream:
        ::io_uring_prep_multishot_accept(&entry, descriptor, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        break;
    case op_kind::connect: {
        const endpoint& peer = static_cast<connect_op&>(operation).peer;
        ::io_uring_prep_connect(&entry, descriptor, peer.data(), peer.size());
        break;
    }
    default:
        break;
    }
    ::io_uring_sqe_set_data(&entry, &operation);
    operation.state = op_state::in_flight;
    ++operation.target->in_flight;
    return false;
}

bool uring_driver::submit_file(file_op& operation) noexcept {
    if (operation.target != nullptr) {
        operation.descriptor = descriptor_of(operation);
    }
    if (operation.kind == op_kind::file_size) {
        // What is open has its size in memory.
        operation.result = detail::run_blocking(operation);
        operation.state = op_state::done;
        return true;
    }
    if (!detail::ring_takes(operation.kind)) {
        return submit_to_threads(operation);
    }
    io_uring_sqe& entry = next_entry();
    detail::prepare(entry, operation);
    ::io_uring_sqe_set_data(&entry, &operation);
    operation.state = op_state::in_flight;
    ++files_in_kernel_;
    if (operation.target != nullptr) {
        ++operation.target->in_flight;
    }
    return false;
}

bool uring_driver::submit_to_threads(file_op& operation) noexcept {
    if (!threads_.submit(operation)) {
        operation.state = op_state::done;
        return true;
    }
    if (operation.target != nullptr) {
        ++operation.target->in_flight;
    }
    return false;
}

void uring_driver::complete_finished() noexcept {
    run_queue finished;
    threads_.take_finished(finished);
    while (!finished.empty()) {
        auto& each = static_cast<file_op&>(finished.pop());
        complete(each, each.result);
    }
}

void uring_driver::cancel(op& operation) noexcept {
    if (!operation.is_cancellable()) {
        return;
    }
    if (operation.state == op_state::queued && is_file_kind(operation.kind)) {
        cancel_on_threads(static_cast<file_op&>(operation));
        return;
    }
    if (operation.kind == op_kind::resolve) {
        resolver_->cancel(static_cast<resolve_op&>(operation));
        return;
    }
    if (ring_.is_lost()) [[unlikely]] {
        // Nobody will complete it here; in a forked child it goes on in the parent, on the parent's memory.
        complete(operation, -ECANCELED);
        return;
    }
    operation.state = op_state::cancelling;
    if (!loop_->on_own_thread()) [[unlikely]] {
        late_cancels_.push_back(&operation);
        return;
    }
    submit_cancel(operation);
}

void uring_driver::cancel_on_threads(file_op& operation) noexcept {
    if (!threads_.take_back(operation)) {
        operation.state = op_state::cancelling;
        return;
    }
    handle* const target = operation.target;
    loop_->complete_cancelled(operation);
    let_go_of(target);
}

void uring_driver::submit_cancel(op& operation) noexcept {
    // Whatever the cancel itself reports: the op ends with a completion of its own.
    io_uring_sqe& entry = next_entry();
    ::io_uring_prep_cancel(&entry, &operation, 0);
    ::io_uring_sqe_set_data64(&entry, ignored_tag);
    entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void uring_driver::submit_late_cancels() noexcept {
    for (op* const each : std::exchange(late_cancels_, {})) {
        // Making room for a submission may have completed it.
        if (each->state == op_state::cancelling) {
            submit_cancel(*each);
        }
    }
}

void uring_driver::close(uring_handle& target) noexcept {
    if (ring_.is_lost() || !loop_->on_own_thread()) {
        ::close(target.descriptor);
    } else {
        to_close_.push_back(target.descriptor);
    }
    delete &target;
}

void uring_driver::close_without_ring() noexcept {
    for (const int each : std::exchange(to_close_, {})) {
        ::close(each);
    }
}

void uring_driver::submit_closes() noexcept {
    while (!to_close_.empty()) {
        const int descriptor = to_close_.back();
        to_close_.pop_back();
        io_uring_sqe& entry = next_entry();
        ::io_uring_prep_close(&entry, descriptor);
        ::io_uring_sqe_set_data64(&entry, ignored_tag);
        entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
    }
}

void uring_driver::enable_once() {
    if (!ring_.is_enabled()) {
        ring_.enable();
    }
    if (!wake_is_armed_) {
        arm_wake();
    }
}

void uring_driver::arm_wake() noexcept {
    io_uring_sqe& entry = next_entry();
    ::io_uring_prep_poll_multishot(&entry, wake_.get(), POLLIN);
    ::io_uring_sqe_set_data64(&entry, wake_tag);
    wake_is_armed_ = true;
}

void uring_driver::turn(monotonic_time deadline) {
    if (ring_.is_lost()) [[unlikely]] {
        wait_without_ring(deadline);
        return;
    }
    enable_once();
    if (!late_cancels_.empty()) [[unlikely]] {
        submit_late_cancels();
    }
    submit_closes();
    buffers_.publish();
    enter(deadline);
    reap();
    submit_closes();
    submit_rest();
    complete_eager();
    if (threads_.has_finished()) {
        complete_finished();
    }
}

void uring_driver::give_up() noexcept {
    // What has completed already holds descriptors, and data.
    reap();
    // The kernel would go on with them, on memory that is no longer theirs.
    PHOENIX_ASSERT(files_in_kernel_ == 0,
                   "a loop on io_uring is destroyed on another thread while an operation on a "
                   "file is under way: let it come to rest before");
    ring_.give_up();
    for (op* const each : std::exchange(late_cancels_, {})) {
        if (each->state == op_state::cancelling) {
            complete(*each, -ECANCELED);
        }
    }
    close_without_ring();
}

void uring_driver::wait_without_ring(monotonic_time deadline) noexcept {
    // What still runs waits for time, or for other threads.
    const nanoseconds left = time_left(deadline);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    pollfd woken{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    static_cast<void>(::ppoll(&woken, 1, deadline == no_deadline ? nullptr : &timeout, nullptr));
    std::uint64_t count = 0;
    static_cast<void>(!::read(wake_.get(), &count, sizeof count));
    if (threads_.has_finished()) {
        complete_finished();
    }
}

/// Interruptions, time-outs, a lack of memory and a full completion queue are all answered alike: reap, and
/// come back.
void uring_driver::check_entered(int result) noexcept {
    PHOENIX_ASSERT(result != -EEXIST, "a loop on io_uring is run by one thread");
    PHOENIX_ASSERT(result >= 0 || result == -EINTR || result == -ETIME || result == -EAGAIN ||
                       result == -EBUSY || result == -ENOMEM,
                   "io_uring_enter failed: the ring was closed, or the kernel has lost a completion");
}

void uring_driver::enter(monotonic_time deadline) noexcept {
    io_uring& native = ring_.native();
    if (deadline == no_deadline) {
        check_entered(::io_uring_submit_and_wait(&native, 1));
        return;
    }
    const nanoseconds left = time_left(deadline);
    if (left == nanoseconds(0)) {
        check_entered(::io_uring_submit_and_get_events(&native));
        return;
    }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    __kernel_timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    io_uring_cqe* first = nullptr;
    check_entered(::io_uring_submit_and_wait_timeout(&native, &first, 1, &timeout, nullptr));
}

void uring_driver::submit_rest() noexcept {
    // The kernel takes no submissions while completions that overflowed wait for room: make room and hand
    // over.
    while (::io_uring_sq_ready(&ring_.native()) > 0) {
        check_entered(::io_uring_submit_and_get_events(&ring_.native()));
        reap();
    }
}

void uring_driver::reap() noexcept {
    io_uring& native = ring_.native();
    reaping_ = true;
    for (;;) {
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* entry = nullptr;
        io_uring_for_each_cqe(&native, head, entry) {
            handle_completion(*entry);
            ++count;
        }
        ::io_uring_cq_advance(&native, count);
        if (!::io_uring_cq_has_overflow(&native) || !ring_.runs_here()) [[likely]] {
            reaping_ = false;
            return;
        }
        check_entered(::io_uring_get_events(&native));
    }
}

void uring_driver::handle_completion(const io_uring_cqe& entry) noexcept {
    if (entry.user_data == ignored_tag) {
        return;
    }
    if (entry.user_data == wake_tag) {
        wake_is_armed_ = (entry.flags & IORING_CQE_F_MORE) != 0;
        return;
    }
    auto& operation = *reinterpret_cast<op*>(entry.user_data);
    switch (operation.kind) {
    case op_kind::recv_stream:
        received(static_cast<recv_stream_op&>(operation), entry.res, entry.flags);
        break;
    case op_kind::accept_stream:
        accepted(static_cast<accept_stream_op&>(operation), entry.res, entry.flags);
        break;
    case op_kind::send:
        sent(static_cast<send_op&>(operation), entry.res);
        break;
    case op_kind::accept:
        if (entry.res >= 0) {
            static_cast<accept_op&>(operation).accepted = &attach(entry.res);
        }
        complete(operation, entry.res);
        break;
    case op_kind::open_file:
        --files_in_kernel_;
        if (entry.res >= 0) {
            static_cast<open_file_op&>(operation).opened = &attach(entry.res);
        }
        complete(operation, entry.res);
        break;
    default:
        files_in_kernel_ -= is_file_kind(operation.kind) ? 1 : 0;
        complete(operation, entry.res);
        break;
    }
}

void uring_driver::complete(op& operation, int result) noexcept {
    operation.result = result;
    // The op may be gone when it has completed.
    handle* const target = operation.target;
    loop_->complete(operation);
    let_go_of(target);
}

void uring_driver::let_go_of(handle* target) noexcept {
    if (target != nullptr && --target->in_flight == 0 && target->released) {
        close(static_cast<uring_handle&>(*target));
    }
}

void uring_driver::received(recv_stream_op& operation, int result, std::uint32_t flags) noexcept {
    if ((flags & IORING_CQE_F_BUFFER) != 0) {
        lent_buffer& buffer = lent_[flags >> IORING_CQE_BUFFER_SHIFT];
        --lendable_;
        if (result > 0) {
            buffer.size = static_cast<std::uint32_t>(result);
            operation.arrived(operation, buffer);
        } else {
            give_back(buffer);
        }
    }
    if ((flags & IORING_CQE_F_MORE) == 0) {
        complete(operation, result);
    }
}

void uring_driver::accepted(accept_stream_op& operation, int result, std::uint32_t flags) noexcept {
    if (result >= 0) {
        operation.arrived(operation, attach(result));
    }
    if ((flags & IORING_CQE_F_MORE) == 0) {
        complete(operation, result);
    }
}

void uring_driver::sent(send_op& operation, int result) noexcept {
    if (operation.eager) {
        // Reported once, with its own result, when all eager sends of the turn are.
        operation.result = result;
        operation.reported = true;
    } else {
        complete(operation, result);
    }
}

void uring_driver::complete_eager() noexcept {
    for (send_op* const each : eager_) {
        complete(*each, each->reported ? each->result : static_cast<int>(each->total_bytes));
    }
    eager_.clear();
}

} // namespace

std::unique_ptr<driver> make_uring_driver(const loop_options& options) {
    return std::make_unique<uring_driver>(options);
}

} // namespace phoenix::net
