#include <phoenix/net/connect.hpp>
#include <phoenix/net/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string_view>
#include <system_error>

namespace {

using namespace phoenix::net;

void check_parsed(std::string_view text, std::string_view host, std::uint16_t port) {
    const host_and_port found = host_and_port::parse(text);
    BOOST_TEST(found.host == host);
    BOOST_TEST(found.port == port);
}

void check_refused(std::string_view text, std::string_view expected) {
    BOOST_CHECK_EXCEPTION(static_cast<void>(host_and_port::parse(text)), std::system_error,
                          [&](const std::system_error& e) {
                              return e.code() == errc::invalid_endpoint &&
                                     std::string_view(e.what()).find(expected) != std::string_view::npos;
                          });
}

} // namespace

BOOST_AUTO_TEST_SUITE(hosts_and_ports)

BOOST_AUTO_TEST_CASE(names_and_addresses_are_read) {
    check_parsed("db.internal:7000", "db.internal", 7000);
    check_parsed("10.0.0.1:0", "10.0.0.1", 0);
    check_parsed("[::1]:65535", "::1", 65535);
}

BOOST_AUTO_TEST_CASE(others_are_refused_with_what_was_expected) {
    check_refused("", "HOST:PORT");
    check_refused("db", "HOST:PORT");
    check_refused(":80", "HOST:PORT");
    check_refused("::1:80", "brackets");
    check_refused("[::1:80", "brackets");
    check_refused("db:", "a port");
    check_refused("db:-1", "a port");
    check_refused("db:80x", "a port");
    check_refused("db:65536", "a port");
}

BOOST_AUTO_TEST_SUITE_END()
