// Where the machine has no more to give, and where it has no answer.
#include <phoenix/net/event.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/when_any.hpp>

#include "child.hpp"
#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <utility>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace phoenix::net::conformance {

namespace {

using namespace std::chrono_literals;

/// Lowers the limit of this process, a child, so that it can be reached. A ring takes the limit of the moment
/// in which an operation is handed to it.
void allow_few_descriptors() {
    const int next = ::dup(STDERR_FILENO);
    ::close(next);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(next) + 50;
    expect(next > 0 && ::setrlimit(RLIMIT_NOFILE, &limit) == 0, "expected the limit to be lowered");
}

/// Takes every descriptor that is left.
class descriptor_famine {
public:
    descriptor_famine() {
        for (int taken = ::dup(STDERR_FILENO); taken >= 0; taken = ::dup(STDERR_FILENO)) {
            taken_.push_back(taken);
        }
        expect(!taken_.empty() && errno == EMFILE, "expected to run out of descriptors");
    }

    void end() {
        for (const int each : std::exchange(taken_, {})) {
            ::close(each);
        }
    }

private:
    std::vector<int> taken_;
};

int plain_client() {
    return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

void dial_plainly(int client, const endpoint& where) {
    expect(::connect(client, where.data(), where.size()) == 0, "expected the backlog to take the connection");
}

task<> accept_and_drop(listener& door) {
    const stream dropped = co_await door.accept();
}

task<> dial(endpoint where) {
    const stream made = co_await connect(where);
}

/// In a child: it throws what it did not expect.
task<> run_out_of_descriptors() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    {
        const connection all_is_well = co_await connect_pair(door);
        expect(all_is_well.server.is_open(), "expected a connection");
    }
    co_await turns(3);
    const int waiting_client = plain_client();
    descriptor_famine famine;
    dial_plainly(waiting_client, where);

    for (int round = 0; round < 3; ++round) {
        const std::error_code code = co_await code_of(accept_and_drop(door));
        expect(code == std::errc::too_many_files_open, "accept: expected EMFILE, found " + code.message());
        expect(retry_advice(code) == retry::later, "accept: expected advice to retry later");
        const std::uint64_t turns_before = here.statistics().turns;
        co_await sleep_for(10ms);
        const std::uint64_t turns_slept = here.statistics().turns - turns_before;
        expect(turns_slept < 10,
               "expected the loop to sleep, it turned " + std::to_string(turns_slept) + " times");
    }
    const std::error_code code = co_await code_of(dial(where));
    expect(code == std::errc::too_many_files_open, "connect: expected EMFILE, found " + code.message());

    famine.end();
    const stream accepted = co_await door.accept();
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ::getsockname(waiting_client, reinterpret_cast<sockaddr*>(&name), &size);
    expect(accepted.peer_endpoint().port() == ntohs(name.sin_port), "expected the client that waited");
}

task<> meet_famine(listener& door, event& met) {
    const std::error_code code = co_await code_of(accept_and_drop(door));
    expect(code == std::errc::too_many_files_open, "accept: expected EMFILE, found " + code.message());
    met.set();
}

task<> last_for_one_accept(int client, endpoint where, event& met) {
    co_await turns(3);
    descriptor_famine famine;
    dial_plainly(client, where);
    co_await met.wait();
    famine.end();
}

/// In a child as well: accept waits already when the descriptors run out.
task<> run_out_while_accepting() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    event met;
    co_await when_all(meet_famine(door, met), last_for_one_accept(plain_client(), where, met));
    const stream accepted = co_await door.accept();
    expect(accepted.is_open(), "expected the client that waited");
}

task<> look_up(std::string host, std::vector<endpoint>& found) {
    found = co_await resolve(host, 4711);
}

task<> look_up_known() {
    std::vector<endpoint> found;
    co_await look_up("localhost", found);
    BOOST_TEST(!found.empty());
    for (const endpoint& each : found) {
        BOOST_TEST((each == endpoint::loopback_v4(4711) || each == endpoint::loopback_v6(4711)),
                   each.to_string());
    }
    co_await look_up("127.0.0.1", found);
    BOOST_TEST(found.size() == 1u);
    BOOST_TEST((found.front() == endpoint::loopback_v4(4711)));
    co_await look_up("::1", found);
    BOOST_TEST(found.size() == 1u);
    BOOST_TEST((found.front() == endpoint::loopback_v6(4711)));
}

task<> look_up_several() {
    std::vector<std::vector<endpoint>> found(20);
    std::vector<task<>> lookups;
    for (auto& each : found) {
        lookups.push_back(look_up("localhost", each));
    }
    co_await when_all(std::move(lookups));
    BOOST_TEST(std::ranges::none_of(found, [](const auto& each) { return each.empty(); }));
}

task<> cancel_lookups() {
    std::vector<endpoint> found;
    for (int round = 0; round < 50; ++round) {
        // The point of the cancellation wanders through the life of a lookup.
        co_await when_any(look_up("localhost", found), turns(round));
    }
    co_await look_up("localhost", found);
    BOOST_TEST(!found.empty());
}

task<> keep_lookup_code(std::error_code& code) {
    std::vector<endpoint> found;
    code = co_await code_of(look_up("nosuchhost.invalid", found));
}

task<> look_up_with_zero_byte(std::error_code& code) {
    std::vector<endpoint> found;
    code = co_await code_of(look_up(std::string("127.0.0.1\0.evil.example", 23), found));
    BOOST_TEST(found.empty());
}

/// In a child.
task<> look_up_without_descriptors() {
    std::vector<endpoint> found;
    descriptor_famine famine;
    const std::error_code code = co_await code_of(look_up("localhost", found));
    expect(code == std::errc::too_many_files_open, "resolve: expected EMFILE, found " + code.message());
    expect(retry_advice(code) == retry::later, "resolve: expected advice to retry later");
    famine.end();
    co_await look_up("localhost", found);
    expect(!found.empty(), "expected localhost to be known again");
}

task<> begin_lookup(std::vector<endpoint>& found) {
    co_await when_any(look_up("localhost", found), turns(1));
}

} // namespace

CONFORMANCE_CASE(out_of_descriptors, needs_kernel) {
    BOOST_TEST(in_child([&row] {
                   allow_few_descriptors();
                   row.open(loop_options())->run(run_out_of_descriptors());
               }) == "");
}

CONFORMANCE_CASE(out_of_descriptors_while_accept_pending, needs_kernel) {
    BOOST_TEST(in_child([&row] {
                   allow_few_descriptors();
                   row.open(loop_options())->run(run_out_while_accepting());
               }) == "");
}

CONFORMANCE_CASE(resolve_known_names, needs_kernel) {
    const auto world = row.open(loop_options());
    world->run(look_up_known());
    world->run(look_up_several());
}

CONFORMANCE_CASE(resolve_unknown_name, needs_kernel | needs_own_network) {
    BOOST_TEST(in_child([&row] {
                   enter_own_network();
                   std::error_code code;
                   row.open(loop_options())->run(keep_lookup_code(code));
                   // Without a network nobody can say for sure that it does not exist.
                   expect(code == errc::host_not_found || code == errc::resolve_try_again ||
                              code == errc::resolve_failed,
                          "expected an error of the resolver, found " + code.message());
               }) == "");
}

CONFORMANCE_CASE(resolve_refuses_zero_bytes, needs_kernel) {
    std::error_code code;
    row.open(loop_options())->run(look_up_with_zero_byte(code));
    check_code(code, errc::invalid_endpoint);
}

CONFORMANCE_CASE(resolve_without_descriptors, needs_kernel) {
    BOOST_TEST(in_child([&row] {
                   allow_few_descriptors();
                   row.open(loop_options())->run(look_up_without_descriptors());
               }) == "");
}

CONFORMANCE_CASE(resolve_without_threads, needs_kernel) {
    BOOST_TEST(in_child([&row] {
                   const auto world = row.open(loop_options());
                   world->run(turns(3));
                   refuse_system_call(SYS_clone3, ENOSYS);
                   refuse_system_call(SYS_clone, EAGAIN);
                   std::error_code code;
                   world->run(keep_lookup_code(code));
                   expect(retry_advice(code) == retry::later,
                          "expected advice to retry later, found " + code.message());
               }) == "");
}

CONFORMANCE_CASE(open_without_descriptors, needs_kernel) {
    BOOST_TEST(in_child([&row] {
                   allow_few_descriptors();
                   descriptor_famine famine;
                   std::exception_ptr thrown;
                   try {
                       const auto world = row.open(loop_options());
                   } catch (const std::system_error&) {
                       thrown = std::current_exception();
                   }
                   // UBSan looks at an exception through a pipe.
                   famine.end();
                   std::string message;
                   try {
                       if (thrown) {
                           std::rethrow_exception(thrown);
                       }
                   } catch (const std::system_error& e) {
                       message = e.what();
                       expect(retry_advice(e.code()) == retry::later, "expected advice to retry later");
                   }
                   // A loop inside somebody's io_context has what its host has.
                   expect(!row.drives_itself || message.find("RLIMIT_NOFILE") != std::string::npos,
                          "expected to be told what to raise, found " + message);
               }) == "");
}

CONFORMANCE_CASE(resolve_cancelled, needs_kernel) {
    row.open(loop_options())->run(cancel_lookups());
    // The destructor waits for a lookup that nobody wants any more.
    std::vector<endpoint> found;
    row.open(loop_options())->run(begin_lookup(found));
}

} // namespace phoenix::net::conformance
