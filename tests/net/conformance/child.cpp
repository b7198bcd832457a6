#include "child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <system_error>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace phoenix::net::conformance {

namespace {

constexpr unsigned child_seconds = 50;

void check(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
}

[[noreturn]] void be_child(const std::function<void()>& body, int report) {
    // Boost.Test's handlers would carry on with the suite in here.
    for (const int each : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) {
        std::signal(each, SIG_DFL);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(child_seconds);
    std::string failure;
    try {
        body();
    } catch (const std::exception& e) {
        failure = e.what();
        failure += " (in the child)";
    } catch (...) {
        failure = "something that is no std::exception (in the child)";
    }
    static_cast<void>(!::write(report, failure.data(), failure.size()));
    ::_exit(failure.empty() ? 0 : 1);
}

} // namespace

std::string in_child(const std::function<void()>& body) {
    std::array<int, 2> ends{};
    check(::pipe(ends.data()), "pipe");
    const pid_t child = ::fork();
    check(child, "fork");
    if (child == 0) {
        ::close(ends[0]);
        be_child(body, ends[1]);
    }
    ::close(ends[1]);
    std::string report;
    std::array<char, 512> piece{};
    for (;;) {
        const ssize_t count = ::read(ends[0], piece.data(), piece.size());
        if (count <= 0) {
            break;
        }
        report.append(piece.data(), static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    int status = 0;
    check(::waitpid(child, &status, 0), "waitpid");
    if (WIFSIGNALED(status)) {
        report += "the child was killed by signal " + std::to_string(WTERMSIG(status));
    } else if (report.empty() && WEXITSTATUS(status) != 0) {
        report = "the child ended with status " + std::to_string(WEXITSTATUS(status));
    }
    return report;
}

void expect(bool holds, const std::string& what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

void enter_own_network() {
    // Under a sanitizer the process has a thread more, and only root may do without a user namespace.
    if (::unshare(CLONE_NEWNET) != 0) {
        check(::unshare(CLONE_NEWUSER | CLONE_NEWNET), "unshare the network");
    }
}

void set_loopback(bool up) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(fd, "socket");
    ifreq request{};
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    check(::ioctl(fd, SIOCGIFFLAGS, &request), "flags of the loopback");
    request.ifr_flags = static_cast<short>(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    check(::ioctl(fd, SIOCSIFFLAGS, &request), "set the flags of the loopback");
    ::close(fd);
}

void refuse_system_call(long number, int error) {
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{.len = sizeof code / sizeof code[0], .filter = code};
    check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
    check(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

std::string why_no_own_network() {
    static const std::string reason = in_child([] {
        enter_own_network();
        set_loopback(true);
    });
    return reason;
}

std::string why_no_v6() {
    static const std::string reason = []() -> std::string {
        const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            return "no sockets of IPv6 here";
        }
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_addr = in6addr_loopback;
        const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        ::close(fd);
        return bound == 0 ? "" : "no loopback address of IPv6 here";
    }();
    return reason;
}

} // namespace phoenix::net::conformance
