// What a broken expectation says: runs a call that must abort in a forked child.
#pragma once

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace phoenix::net::testing {

/// What `call` wrote to standard error before it aborted; "" when it did not abort.
template <class Call>
std::string last_words(Call call) {
    int pipe_ends[2] = {-1, -1};
    BOOST_TEST_REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    BOOST_TEST_REQUIRE(child >= 0);
    if (child == 0) {
        // Boost.Test's handlers would report the abort as a failure of this process.
        std::signal(SIGABRT, SIG_DFL);
        ::dup2(pipe_ends[1], STDERR_FILENO);
        call();
        ::_exit(0);
    }
    ::close(pipe_ends[1]);
    std::string words;
    char block[512];
    for (;;) {
        const ssize_t count = ::read(pipe_ends[0], block, sizeof block);
        if (count <= 0) {
            break;
        }
        words.append(block, static_cast<std::size_t>(count));
    }
    ::close(pipe_ends[0]);
    int status = 0;
    BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
    const bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    return aborted ? words : std::string();
}

} // namespace phoenix::net::testing
