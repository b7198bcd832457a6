// The boundary between coroutines and the machine: io_uring, Asio or a simulator behind one abstract class.
//
// Users never call a driver: they open a loop (loop.hpp), which owns one. Who writes a driver keeps this
// contract, which tests/net/conformance holds:
//   - submit() takes an op and completes it exactly once: inline (it returns true and the op is done) or
//     later, through loop::complete(). It never resumes anybody.
//   - cancel() asks for the end of an op that submit() took. The op still completes exactly once, with its
//     own result or -ECANCELED; its buffers are the driver's until then.
//   - A handle that was released is closed after its last op has completed.
//   - A driver keeps no clock, queue or random state of the caller's; time is read in now() alone.
// Thread rule: everything belongs to the loop's thread, except wake().
#pragma once

#include <phoenix/net/op.hpp>
#include <phoenix/net/time.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace phoenix::net {

class loop;
struct stream_options;
struct listener_options;

/// What a driver can do beyond the one-shot operations.
struct driver_capabilities {
    /// "uring", "asio": for logs and status.
    std::string_view name;
    /// recv_stream with lent buffers.
    bool recv_stream = false;
    /// accept_stream.
    bool accept_stream = false;
    /// Somebody else's event loop calls loop::poll(); otherwise loop::run() calls turn().
    bool hosted = false;
};

class driver {
public:
    driver() = default;
    driver(const driver&) = delete;
    driver& operator=(const driver&) = delete;
    virtual ~driver() = default;

    /// False in a forked child, where the driver's resources are the parent's.
    [[nodiscard]] virtual bool is_usable() const noexcept { return true; }

    /// False on a thread that may not run the driver, because another one did and the driver is bound to it.
    [[nodiscard]] virtual bool runs_here() const noexcept { return true; }

    /// The loop is destroyed where the driver does not run: it lets go of what is in flight. From now on an
    /// op ends at once, when it is submitted or cancelled, and turn() waits for time and wake() alone.
    virtual void give_up() noexcept {}

    /// Hosted drivers: whether the calling thread is inside the host's event loop.
    [[nodiscard]] virtual bool is_host_thread() const noexcept { return false; }

    /// Called once, by the loop that takes the driver, before anything else.
    virtual void bind(loop& owner) = 0;

    [[nodiscard]] virtual const driver_capabilities& capabilities() const noexcept = 0;

    /// Takes over a connected or listening non-blocking stream socket; the driver closes it.
    virtual handle& attach(int descriptor) = 0;

    /// A socket of the family of `peer`, ready for a connect op. Throws std::system_error.
    virtual handle& open_stream(const endpoint& peer, const stream_options& options) = 0;

    /// A socket that listens at `local`. Throws std::system_error.
    virtual handle& open_listener(const endpoint& local, const listener_options& options) = 0;

    /// Applies the options to a connection that a listener accepted.
    virtual void configure(handle& connection, const stream_options& options) = 0;

    /// The owner's last word about a handle. `reset` drops what the kernel still would send (RST).
    virtual void release(handle& target, bool reset) noexcept = 0;

    virtual endpoint local_endpoint(handle& target) = 0;
    virtual endpoint peer_endpoint(handle& target) = 0;

    /// The kernel's descriptor, or -1 where there is none.
    [[nodiscard]] virtual int native_descriptor(handle& target) const noexcept = 0;

    /// True when the op completed inline.
    [[nodiscard]] virtual bool submit(op& operation) noexcept = 0;
    virtual void cancel(op& operation) noexcept = 0;

    /// Lent buffers: see recv_stream_op. They return to the kernel together, at the next turn.
    virtual void give_back(lent_buffer& buffer) noexcept = 0;
    [[nodiscard]] virtual bool can_lend() const noexcept = 0;

    /// Lets the kernel work: hands over what was submitted, waits until something completed or `deadline`
    /// came (a deadline in the past polls), and completes ops through the loop.
    virtual void turn(monotonic_time deadline) = 0;

    /// A driver inside somebody else's event loop wakes itself at `deadline` and calls loop::poll(); not at
    /// all any more when it is no_deadline. Others ignore it.
    virtual void arm(monotonic_time deadline) = 0;

    /// A hosted driver keeps its host from running out of work while `busy`.
    virtual void hold(bool busy) = 0;

    /// Ends a turn's wait, from any thread.
    virtual void wake() noexcept = 0;

    [[nodiscard]] virtual monotonic_time now() noexcept = 0;
    [[nodiscard]] virtual wall_time wall_now() noexcept = 0;
    /// Uniform 64 bits, fast, not for secrets.
    [[nodiscard]] virtual std::uint64_t random() noexcept = 0;
    /// Fit for keys and nonces (outside a simulator).
    virtual void random_bytes(std::span<std::byte> out) = 0;

    /// See loop::buggify.
    [[nodiscard]] virtual bool buggify(std::string_view /*site*/) { return false; }
};

} // namespace phoenix::net
