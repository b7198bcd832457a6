#include <phoenix/net/error.hpp>
#include <phoenix/net/uring/ring.hpp>
#include <phoenix/net/uring/uring_driver.hpp>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace phoenix::net::detail {

namespace {

// Completions may come in bursts (a cut link ends thousands of operations): overflow is slow, not lossy.
constexpr std::uint32_t completions_per_entry = 8;

constexpr std::uint32_t needed_features =
    IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP | IORING_FEAT_SUBMIT_STABLE;

// What liburing notes in io_uring::int_flags after io_uring_register_ring_fd (INT_FLAG_REG_RING of its own
// headers).
constexpr unsigned registered_ring_flag = 1;

constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

[[noreturn]] void refuse(int error, const char* step) {
    throw_error(make_error(error), std::string(step) + ": " + explain_ring_refusal(error));
}

std::byte* map_anonymous(std::size_t bytes) {
    void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
        refuse(errno, "memory for a ring");
    }
    return static_cast<std::byte*>(mapped);
}

} // namespace

std::string explain_ring_refusal(int error) {
    switch (error) {
    case ENOSYS:
        return "this kernel has no io_uring (or a sandbox hides it); Linux 6.1 or newer with CONFIG_IO_URING "
               "is needed";
    case EPERM:
    case EACCES:
        return "io_uring is forbidden here: see /proc/sys/kernel/io_uring_disabled (0 allows it) and the "
               "seccomp "
               "profile of the container";
    case EINVAL:
    case EBADF:
    case EOPNOTSUPP:
        return "this kernel is too old for the ring that is needed (single issuer, deferred task work, "
               "buffer rings): "
               "Linux 6.1 or newer";
    case ENOMEM: {
        rlimit limit{};
        ::getrlimit(RLIMIT_MEMLOCK, &limit);
        const std::string now = limit.rlim_cur == RLIM_INFINITY
                                    ? std::string("unlimited")
                                    : std::to_string(limit.rlim_cur / 1024) + " KiB";
        return "not enough memory may be locked: raise RLIMIT_MEMLOCK (ulimit -l; LimitMEMLOCK= in systemd), "
               "which is " +
               now +
               ", or the memory limit of the control group, or lower loop_options::ring_entries and "
               "receive_buffers";
    }
    case EMFILE:
    case ENFILE:
        return "no descriptor is left for the ring: raise RLIMIT_NOFILE (ulimit -n)";
    default:
        return "io_uring could not be set up";
    }
}

ring::ring(std::uint32_t entries) {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                       IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    parameters.cq_entries = entries * completions_per_entry;
    const int result = ::io_uring_queue_init_params(entries, &ring_, &parameters);
    if (result < 0) {
        refuse(-result, "io_uring_setup");
    }
    if ((parameters.features & needed_features) != needed_features) {
        ::io_uring_queue_exit(&ring_);
        refuse(EINVAL, "io_uring_setup");
    }
}

ring::~ring() {
    // In a forked child this only drops the child's mappings and its copy of the descriptor.
    if (!given_up_) {
        close();
    }
}

bool ring::runs_here() const noexcept {
    return !enabled_ || thread_ == ::gettid();
}

void ring::give_up() noexcept {
    close();
    given_up_ = true;
}

void ring::close() noexcept {
    if (was_forked() || !runs_here()) {
        // The registration is the thread's that enabled the ring. Here its number may be that of another
        // ring.
        ring_.int_flags &= static_cast<std::uint8_t>(~registered_ring_flag);
    }
    ::io_uring_queue_exit(&ring_);
}

void ring::enable() {
    // liburing 2.3 declares io_uring_enable_rings, but its library does not export it.
    const int result =
        ::io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    if (result < 0) {
        throw_error(make_error(-result), "io_uring_register(ENABLE_RINGS)");
    }
    enabled_ = true;
    thread_ = ::gettid();
    // Saves the kernel a descriptor look-up an enter; without it everything works too.
    static_cast<void>(::io_uring_register_ring_fd(&ring_));
}

buffer_ring::buffer_ring(ring& owner, std::uint32_t count, std::uint32_t bytes_each)
    : owner_(owner), count_(count), bytes_each_(bytes_each) {
    const std::size_t bytes = std::size_t{count} * bytes_each;
    memory_ = map_anonymous(bytes);
    if (bytes >= huge_page_bytes) {
        // Buffers are used in turn: small pages would miss the translation buffer on each.
        static_cast<void>(::madvise(memory_, bytes, MADV_HUGEPAGE));
    }
    entries_ = reinterpret_cast<io_uring_buf_ring*>(map_anonymous(std::size_t{count} * sizeof(io_uring_buf)));
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries_);
    registration.ring_entries = count;
    registration.bgid = group;
    const int result = ::io_uring_register_buf_ring(&owner_.native(), &registration, 0);
    if (result < 0) {
        ::munmap(memory_, bytes);
        ::munmap(entries_, std::size_t{count} * sizeof(io_uring_buf));
        refuse(-result, "io_uring_register_buf_ring");
    }
    for (std::uint32_t id = 0; id < count; ++id) {
        add(id);
    }
    publish();
}

buffer_ring::~buffer_ring() {
    if (!owner_.is_lost()) {
        ::io_uring_unregister_buf_ring(&owner_.native(), group);
    }
    ::munmap(memory_, std::size_t{count_} * bytes_each_);
    ::munmap(entries_, std::size_t{count_} * sizeof(io_uring_buf));
}

void buffer_ring::add(std::uint32_t id) noexcept {
    ::io_uring_buf_ring_add(entries_, data(id), bytes_each_, static_cast<std::uint16_t>(id),
                            ::io_uring_buf_ring_mask(count_), added_);
    ++added_;
}

void buffer_ring::publish() noexcept {
    if (added_ != 0) {
        ::io_uring_buf_ring_advance(entries_, added_);
        added_ = 0;
    }
}

} // namespace phoenix::net::detail
