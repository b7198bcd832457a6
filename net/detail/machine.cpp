#include <phoenix/net/detail/machine.hpp>
#include <phoenix/net/error.hpp>

#include <cerrno>
#include <ctime>

#include <sys/random.h>

namespace phoenix::net::detail {

namespace {

nanoseconds read_clock(clockid_t clock) noexcept {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

} // namespace

machine::machine() : generator_(seed()) {}

xoshiro256::state machine::seed() {
    xoshiro256::state words;
    random_bytes(std::as_writable_bytes(std::span(words)));
    words[0] |= 1;
    return words;
}

monotonic_time machine::now() noexcept {
    return monotonic_time(read_clock(CLOCK_MONOTONIC));
}

wall_time machine::wall_now() noexcept {
    return wall_time(read_clock(CLOCK_REALTIME));
}

void machine::random_bytes(std::span<std::byte> out) {
    while (!out.empty()) {
        const ssize_t taken = ::getrandom(out.data(), out.size(), 0);
        if (taken >= 0) {
            out = out.subspan(static_cast<std::size_t>(taken));
        } else if (errno != EINTR) {
            throw_error(make_error(errno), "getrandom");
        }
    }
}

} // namespace phoenix::net::detail
