// The driver that a loop gets when nobody names one, on machines that refuse io_uring.
#include <phoenix/config.hpp>
#include <phoenix/net/loop.hpp>

#include "child.hpp"
#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include <sys/syscall.h>

namespace phoenix::net::conformance {

namespace {

class line {
public:
    log_level level;
    std::string text;
};

loop_options logging_into(std::vector<line>& lines, driver_kind kind) {
    loop_options options;
    options.driver = kind;
    options.log.level = log_level::trace;
    options.log.sink = [&lines](const log_record& record) {
        lines.push_back({record.level, std::string(record.component) + ": " + std::string(record.message)});
    };
    return options;
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

task<> small_talk() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await pair.client.write("hello");
    const std::string heard = co_await read_text(pair.server, 5);
    expect(heard == "hello", "expected a greeting, found " + heard);
}

/// In a child that refuses io_uring with `error`.
void fall_back(int error, std::string_view reason) {
    refuse_system_call(SYS_io_uring_setup, error);
    std::vector<line> lines;
    {
        loop here(logging_into(lines, driver_kind::automatic));
        expect(here.driver_name() == "asio", "expected asio, found " + std::string(here.driver_name()));
        expect(open_descriptors("anon_inode:[eventpoll]") == 1,
               "expected an epoll: " + describe_descriptors());
        expect(open_descriptors("anon_inode:[io_uring]") == 0, "expected no ring: " + describe_descriptors());
        here.run(small_talk());
    }
    expect(lines.size() == 1, "expected one line, found " + std::to_string(lines.size()));
    expect(lines.front().level == log_level::warning, "expected a warning");
    expect(holds(lines.front().text, "Asio") && holds(lines.front().text, reason),
           "expected a line that says why, found: " + lines.front().text);

    // Who asked for it by name gets the same words as an error.
    try {
        const loop here(logging_into(lines, driver_kind::uring));
    } catch (const std::system_error& refused) {
        expect(refused.code() == make_error(error), "expected the errno, found " + refused.code().message());
        expect(holds(refused.what(), reason), std::string("expected the reason, found: ") + refused.what());
        expect(lines.size() == 1, "expected nothing more in the log");
        // Who asked for Asio is told nothing.
        loop here(logging_into(lines, driver_kind::asio));
        here.run(small_talk());
        expect(lines.size() == 1, "expected nothing more in the log");
        return;
    }
    expect(false, "expected the ring to be refused");
}

void case_in_child(int error, std::string_view reason) {
    const watchdog bounded("default_driver");
    BOOST_TEST(in_child([&] { fall_back(error, reason); }) == "");
}

} // namespace

BOOST_AUTO_TEST_SUITE(default_driver)

#if PHOENIX_HAS_URING

BOOST_AUTO_TEST_CASE(trap_ring_refused_eperm) {
    case_in_child(EPERM, "io_uring_disabled");
}

BOOST_AUTO_TEST_CASE(trap_ring_refused_enosys) {
    case_in_child(ENOSYS, "no io_uring");
}

BOOST_AUTO_TEST_CASE(trap_ring_refused_einval) {
    case_in_child(EINVAL, "too old");
}

BOOST_AUTO_TEST_CASE(trap_memlock) {
    case_in_child(ENOMEM, "raise RLIMIT_MEMLOCK (ulimit -l; LimitMEMLOCK= in systemd)");
}

#endif

BOOST_AUTO_TEST_CASE(is_uring_where_the_machine_allows_it) {
    const watchdog bounded("default_driver");
    std::vector<line> lines;
    loop here(logging_into(lines, driver_kind::automatic));
    here.run(small_talk());
    const bool is_uring = here.driver_name() == "uring";
    BOOST_TEST(open_descriptors("anon_inode:[io_uring]") == (is_uring ? 1u : 0u));
    BOOST_TEST(open_descriptors("anon_inode:[eventpoll]") == (is_uring ? 0u : 1u));
    BOOST_TEST(lines.size() == (is_uring ? 0u : 1u));
    for (const driver_row& row : all_drivers()) {
        if (row.has_ring) {
            BOOST_TEST(is_uring == row.refusal().empty());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::net::conformance
