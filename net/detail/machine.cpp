#include <phoenix/net/detail/machine.hpp>
#include <phoenix/net/error.hpp>

#include <bit>
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

machine::machine() {
    random_bytes(std::as_writable_bytes(std::span(state_)));
    state_[0] |= 1;
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

std::uint64_t machine::random() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

} // namespace phoenix::net::detail
