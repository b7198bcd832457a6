// Traps of rings, and which driver is really in use.
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/file_system.hpp>
#include <phoenix/net/when_all.hpp>
#include <phoenix/net/with_scope.hpp>

#include "../temporary_folder.hpp"
#include "child.hpp"
#include "machine.hpp"
#include "suite.hpp"
#include "talk.hpp"

#include <asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>

#include <sys/socket.h>
#include <unistd.h>

namespace phoenix::net::conformance {

namespace {

task<> small_talk() {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    connection pair = co_await connect_pair(door);
    co_await pair.client.write("hello");
    const std::string heard = co_await read_text(pair.server, 5);
    expect(heard == "hello", "expected a greeting, found " + heard);
}

task<> open_many(listener& door, std::size_t count, std::vector<connection>& pairs) {
    for (std::size_t left = count; left > 0; --left) {
        connection pair = co_await connect_pair(door);
        pairs.push_back(std::move(pair));
    }
}

void send_behind(stream& from, std::string_view text) {
    BOOST_TEST(::send(from.native_descriptor(), text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size()));
}

// --- cq_overflow ----------------------------------------------------------------------------------------

std::string said_in(int round, std::size_t size) {
    std::string text = "round " + std::to_string(10 + round);
    text.append(size - text.size(), static_cast<char>('a' + round));
    return text;
}

task<> expect_rounds(stream& from, int rounds, std::size_t size, std::size_t& heard) {
    for (int round = 0; round < rounds; ++round) {
        const std::string text = co_await read_text(from, size);
        BOOST_TEST((text == said_in(round, size)));
        ++heard;
    }
}

task<> complete_more_than_fits(scope& readers, std::size_t count, std::size_t size) {
    constexpr int rounds = 10;
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    std::vector<connection> pairs;
    co_await open_many(door, count, pairs);
    std::size_t heard = 0;
    for (connection& each : pairs) {
        readers.spawn(expect_rounds(each.server, rounds, size, heard));
    }
    co_await turns(5);
    for (int round = 0; round < rounds; ++round) {
        // All of it arrives between two turns.
        for (connection& each : pairs) {
            send_behind(each.client, said_in(round, size));
        }
        // A new submission while completions wait for room.
        listener another(here, endpoint::loopback_v4(0));
        const connection pair = co_await connect_pair(another);
        BOOST_TEST(pair.client.is_open());
    }
    co_await readers.join();
    BOOST_TEST(heard == count * rounds);
}

task<> close_while_many_arrive(std::size_t count, std::size_t closed_before) {
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    const endpoint where = door.local_endpoint();
    const connection first = co_await connect_pair(door);
    std::vector<listener> others;
    for (std::size_t left = closed_before; left > 0; --left) {
        others.emplace_back(here, endpoint::loopback_v4(0));
    }
    co_await turns(2);
    std::vector<int> clients;
    for (std::size_t left = count; left > 0; --left) {
        const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        expect(::connect(client, where.data(), where.size()) == 0,
               "expected the backlog to take the connection");
        clients.push_back(client);
    }
    // The kernel has accepted some of them when it learns that nobody wants them any more: a ring is handed
    // its entries here when it is full of what was closed before.
    others.clear();
    door.close();
    co_await turns(20);
    for (const int each : clients) {
        ::close(each);
    }
}

// --- multishot_enobufs ----------------------------------------------------------------------------------

task<> collect(stream& from, std::size_t size, std::string& all) {
    while (all.size() < size) {
        const auto data = co_await from.read_some();
        BOOST_TEST(!data.empty());
        all += text_of(data);
        // The buffer stays lent for a while.
        co_await turns(static_cast<int>(all.size() % 3));
    }
}

task<> run_out_of_buffers(scope& readers, std::size_t count) {
    constexpr std::size_t each_bytes = 20'000;
    loop& here = co_await this_loop();
    listener door(here, endpoint::loopback_v4(0));
    std::vector<connection> pairs;
    co_await open_many(door, count, pairs);
    std::vector<std::string> found(count);
    const std::string sent = text_of(pattern(each_bytes, 60));
    // Two readers that took a buffer and keep it.
    std::vector<connection> holders;
    co_await open_many(door, 2, holders);
    for (connection& each : holders) {
        send_behind(each.client, "keep this");
        const auto kept = co_await each.server.read_some();
        BOOST_TEST(text_of(kept) == "keep this");
    }
    for (std::size_t i = 0; i < count; ++i) {
        readers.spawn(collect(pairs[i].server, each_bytes, found[i]));
    }
    co_await turns(3);
    for (connection& each : pairs) {
        send_behind(each.client, sent);
    }
    co_await readers.join();
    BOOST_TEST(std::ranges::all_of(found, [&sent](const std::string& each) { return each == sent; }));
    // They go on when buffers are there again, too.
    for (connection& each : holders) {
        send_behind(each.client, "more");
        const std::string more = co_await read_text(each.server, 4);
        BOOST_TEST(more == "more");
    }
    for (connection& each : pairs) {
        send_behind(each.client, "again");
        const std::string again = co_await read_text(each.server, 5);
        BOOST_TEST(again == "again");
    }
}

// --- ring_after_fork ------------------------------------------------------------------------------------

task<> open_door(std::unique_ptr<listener>& door, std::unique_ptr<connection>& pair) {
    loop& here = co_await this_loop();
    door = std::make_unique<listener>(here, endpoint::loopback_v4(0));
    connection made = co_await connect_pair(*door);
    pair = std::make_unique<connection>(std::move(made));
}

task<> look_up() {
    const auto found = co_await resolve("localhost", 80);
    expect(!found.empty(), "expected localhost to be known");
}

/// Needs a thread for files, on every driver.
task<> list_a_folder() {
    const testing::temporary_folder place;
    const auto names = co_await list_directory(place.path());
    expect(names.empty(), "expected an empty folder");
}

task<> talk_over(connection& pair) {
    co_await pair.client.write("ping");
    const std::string ping = co_await read_text(pair.server, 4);
    expect(ping == "ping", "expected ping, found " + ping);
    co_await pair.server.write("pong");
    const std::string pong = co_await read_text(pair.client, 4);
    expect(pong == "pong", "expected pong, found " + pong);
}

task<> dial(endpoint where) {
    const stream made = co_await connect(where);
}

std::error_code code_of_run(world& inherited, task<> work) {
    try {
        inherited.run(std::move(work));
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

} // namespace

CONFORMANCE_CASE(trap_cq_overflow, needs_kernel) {
    loop_options small;
    small.ring_entries = 8;
    row.open(small)->run(with_scope(complete_more_than_fits, std::size_t{500}, std::size_t{8}));
    // Newer kernels complete few operations at a time, but each of these many times over.
    small.receive_buffers = 4096;
    small.receive_buffer_bytes = 1024;
    row.open(small)->run(with_scope(complete_more_than_fits, std::size_t{100}, std::size_t{20'000}));
}

CONFORMANCE_CASE(listener_closed_while_many_arrive, needs_kernel) {
    loop_options small;
    small.ring_entries = 8;
    const auto world = row.open(small);
    const std::size_t before = open_descriptors();
    for (int round = 0; round < 20; ++round) {
        world->run(close_while_many_arrive(100, static_cast<std::size_t>(round)));
        BOOST_TEST(open_descriptors() == before);
        world->run(small_talk());
    }
}

CONFORMANCE_CASE(trap_multishot_enobufs, needs_kernel) {
    for (const std::uint32_t buffers : {2U, 4U}) {
        loop_options few;
        few.receive_buffers = buffers;
        few.receive_buffer_bytes = 1024;
        row.open(few)->run(with_scope(run_out_of_buffers, std::size_t{64}));
    }
}

CONFORMANCE_CASE(trap_ring_after_fork, needs_kernel) {
    const std::size_t before = open_descriptors();
    auto inherited = row.open(loop_options());
    std::unique_ptr<listener> door;
    std::unique_ptr<connection> pair;
    inherited->run(open_door(door, pair));
    // From here on a receive waits on each end, and the thread of the resolver for names.
    inherited->run(talk_over(*pair));
    inherited->run(look_up());
    inherited->run(list_a_folder());
    BOOST_TEST(in_child([&] {
                   auto own = row.open(loop_options());
                   own->run(small_talk());
                   own->run(list_a_folder());
                   if (row.drives_itself) {
                       const endpoint where = door->local_endpoint();
                       const std::error_code code = code_of_run(*inherited, dial(where));
                       expect(code == errc::loop_after_fork,
                              "expected errc::loop_after_fork, found " + code.message());
                       const std::error_code again = code_of_run(*inherited, talk_over(*pair));
                       expect(again == errc::loop_after_fork,
                              "the second time: expected errc::loop_after_fork, found " + again.message());
                       // What was inherited may be let go of.
                       pair->server.reset();
                       pair.reset();
                       door.reset();
                       inherited.reset();
                   }
                   own->run(small_talk());
                   own.reset();
                   // The way to the parent is left.
                   expect(!row.drives_itself || open_descriptors() == before + 1,
                          "expected no descriptor of the parent's, found " + describe_descriptors());
               }) == "");
    // Nothing of it reached the parent.
    linger how{};
    socklen_t size = sizeof how;
    BOOST_TEST(::getsockopt(pair->server.native_descriptor(), SOL_SOCKET, SO_LINGER, &how, &size) == 0);
    BOOST_TEST(how.l_onoff == 0);
    inherited->run(talk_over(*pair));
    inherited->run(list_a_folder());
    inherited->run(small_talk());
}

CONFORMANCE_CASE(forked_host_goes_on_with_files, needs_kernel) {
    if (row.drives_itself) {
        return;
    }
    auto inherited = row.open(loop_options());
    inherited->run(list_a_folder());
    BOOST_TEST(in_child([&] {
                   asio_context(inherited->here()).notify_fork(asio::io_context::fork_child);
                   inherited->run(list_a_folder());
                   inherited.reset();
               }) == "");
}

CONFORMANCE_CASE(forked_child_runs_nothing_of_the_parent, needs_kernel) {
    if (!row.drives_itself) {
        return;
    }
    auto inherited = row.open(loop_options());
    bool ran = false;
    const auto note = [](bool& seen) -> task<> {
        seen = true;
        co_return;
    };
    inherited->run(turns(3));
    inherited->here().post([&ran] { ran = true; });
    inherited->here().spawn(note(ran));
    BOOST_TEST(in_child([&] {
                   inherited.reset();
                   expect(!ran, "expected the parent's tasks and calls to be left alone");
               }) == "");
    BOOST_TEST(!ran);
    inherited->run(turns(3));
    BOOST_TEST(ran);
}

CONFORMANCE_CASE(descriptors_show_the_driver, needs_kernel) {
    const std::size_t rings = open_descriptors("anon_inode:[io_uring]");
    const std::size_t polls = open_descriptors("anon_inode:[eventpoll]");
    const auto world = row.open(loop_options());
    BOOST_TEST(world->here().driver_name() == row.driver_name);
    world->run(small_talk());
    BOOST_TEST(open_descriptors("anon_inode:[io_uring]") == rings + (row.has_ring ? 1 : 0));
    BOOST_TEST(open_descriptors("anon_inode:[eventpoll]") == polls + (row.has_ring ? 0 : 1));
}

} // namespace phoenix::net::conformance
