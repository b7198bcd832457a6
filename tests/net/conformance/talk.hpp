// Small tasks that the cases share: a connected pair, errors as values, turns, bytes that can be checked.
#pragma once

#include <phoenix/net/connect.hpp>
#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/error.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/sleep.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/net/when_all.hpp>

#include <boost/test/unit_test.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace phoenix::net::conformance {

/// Both ends of one connection.
class connection {
public:
    connection(stream client, stream server) : client(std::move(client)), server(std::move(server)) {}

    stream client;
    stream server;
};

[[nodiscard]] task<stream> accept_one(listener& door);

/// Connects to `door` and accepts. Nobody else may connect to it meanwhile.
[[nodiscard]] task<connection> connect_pair(listener& door, stream_options options = stream_options());

/// What `work` threw as std::system_error; empty when it returned.
[[nodiscard]] task<std::error_code> code_of(task<> work);

[[nodiscard]] task<> write_all(stream& to, std::span<const std::byte> data);
[[nodiscard]] task<> write_text(stream& to, std::string text);
/// Awaits one read and drops what it gave.
[[nodiscard]] task<> read_once(stream& from);
/// Reads until the peer ends its side.
[[nodiscard]] task<std::string> read_to_end(stream& from);
[[nodiscard]] task<std::string> read_text(stream& from, std::size_t size);
/// Sends back what comes until the peer ends its side.
[[nodiscard]] task<> echo(stream peer);

/// Goes on in the loop's next turn, exactly, before anything that completed in it; the turn does not wait for
/// anything. Throws errc::canceled then when it was stopped.
class next_turn : private timer, private waitable {
public:
    next_turn() noexcept : timer(&fire), waitable(&stop) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> awaiting) {
        strand_ = &awaiting.promise().current_strand();
        waiting_ = awaiting;
        strand_->wait_for(*this);
        // A time that has come is looked at when a turn begins.
        strand_->owner().arm(*this, strand_->owner().now());
    }

    void await_resume() const {
        if (strand_->stop_requested()) {
            throw_error(errc::canceled, "the test was cancelled");
        }
    }

private:
    static void fire(timer& self) noexcept {
        auto& here = static_cast<next_turn&>(self);
        here.strand_->done_waiting();
        here.waiting_.resume();
    }

    // It ends soon in any case.
    static void stop(waitable&) noexcept {}

    strand* strand_ = nullptr;
    std::coroutine_handle<> waiting_;
};

[[nodiscard]] task<> turns(int count);

/// Reports a failure with the caller's place unless `found` is `expected`.
template <class Expected>
void check_code(std::error_code found, Expected expected,
                std::source_location caller = std::source_location::current()) {
    BOOST_TEST((found == expected), "line " << caller.line() << ": expected "
                                            << make_error_code(expected).message() << ", found " << found
                                            << " " << found.message());
}

/// Bytes that differ from place to place; the same for the same `salt`.
[[nodiscard]] std::vector<std::byte> pattern(std::size_t size, std::uint64_t salt);

/// A checksum that sees order, in pieces of any size.
class checksum {
public:
    void add(std::span<const std::byte> data) noexcept;

    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
    std::uint64_t value_ = 0;
    std::uint64_t size_ = 0;
    std::uint64_t word_ = 0;
};

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

[[nodiscard]] inline std::string text_of(std::span<const std::byte> data) {
    return std::string(reinterpret_cast<const char*>(data.data()), data.size());
}

/// Options with which little fits into the kernel's buffers.
[[nodiscard]] stream_options narrow();
[[nodiscard]] listener_options narrow_listener();

} // namespace phoenix::net::conformance
