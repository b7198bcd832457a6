// Tests that need a process of their own: limits, namespaces, filters, forks.
//
//   BOOST_TEST(in_child([&] {
//       enter_own_network();
//       expect(works(), "expected it to work");
//   }) == "");
#pragma once

#include <functional>
#include <string>

namespace phoenix::net::conformance {

/// Runs `body` in a forked child. Gives nothing when it returned, otherwise what it threw or what killed it.
[[nodiscard]] std::string in_child(const std::function<void()>& body);

/// Throws `what` when `holds` is false: in a child, where Boost.Test reports to nobody.
void expect(bool holds, const std::string& what);

/// Moves this process, a child, into a new network namespace, in which nothing but a loopback that is down
/// exists. Throws std::system_error.
void enter_own_network();

/// Takes the loopback of this namespace up or down. Throws std::system_error.
void set_loopback(bool up);

/// From now on the system call fails with `error` in this process, a child. Throws std::system_error.
void refuse_system_call(long number, int error);

/// Why children cannot have a network of their own here; empty when they can.
[[nodiscard]] std::string why_no_own_network();

/// Why nobody can listen on ::1 here; empty when one can.
[[nodiscard]] std::string why_no_v6();

} // namespace phoenix::net::conformance
