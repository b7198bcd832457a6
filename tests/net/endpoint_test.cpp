#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/error.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <ostream>
#include <string>
#include <system_error>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include <net/if.h>

namespace phoenix::net {

static std::ostream& boost_test_print_type(std::ostream& out, const endpoint& e) {
    return out << e.to_string();
}

} // namespace phoenix::net

namespace {

using namespace phoenix::net;

/// What parse throws, "" when it throws nothing.
std::string refusal(std::string_view text) {
    try {
        static_cast<void>(endpoint::parse(text));
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == errc::invalid_endpoint));
        return e.what();
    }
    return "";
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

template <typename Native>
endpoint from(const Native& native, std::size_t size = sizeof(Native)) {
    return endpoint::from_native(reinterpret_cast<const sockaddr*>(&native), static_cast<socklen_t>(size));
}

sockaddr_un unix_native(std::string_view bytes) {
    sockaddr_un native{};
    native.sun_family = AF_UNIX;
    std::memcpy(native.sun_path, bytes.data(), bytes.size());
    return native;
}

constexpr std::size_t unix_header_bytes = offsetof(sockaddr_un, sun_path);

} // namespace

BOOST_AUTO_TEST_SUITE(endpoint_test)

static_assert(std::is_trivially_copyable_v<endpoint>);
static_assert(sizeof(endpoint) <= 128);

BOOST_AUTO_TEST_CASE(canonical_text_comes_back_unchanged) {
    for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::]:0", "[::1]:80",
                             "[2001:db8::8:800:200c:417a]:443", "[::ffff:10.0.0.1]:1", "[fe80::1%7]:80",
                             "[fe80::1%4294967295]:80", "unix:/run/x.sock", "unix:relative", "unix:@name",
                             "unix:/with:colon]and[blank ", "unix:@@", "unix:unix:"}) {
        BOOST_TEST(endpoint::parse(text).to_string() == text);
    }
}

BOOST_AUTO_TEST_CASE(other_spellings_of_v6_are_canonicalized) {
    BOOST_TEST(endpoint::parse("[0:0:0:0:0:0:0:1]:80") == endpoint::loopback_v6(80));
    BOOST_TEST(endpoint::parse("[2001:DB8::0001]:80").to_string() == "[2001:db8::1]:80");
}

BOOST_AUTO_TEST_CASE(scope_may_be_an_interface_name) {
    const unsigned index = ::if_nametoindex("lo");
    BOOST_TEST_REQUIRE(index != 0);
    BOOST_TEST(endpoint::parse("[fe80::1%lo]:80").scope() == index);
    BOOST_TEST(endpoint::parse("[fe80::1%lo]:80").to_string() ==
               "[fe80::1%" + std::to_string(index) + "]:80");
    BOOST_TEST(endpoint::tcp_v6("fe80::1%lo", 80).scope() == index);
}

BOOST_AUTO_TEST_CASE(text_that_is_no_endpoint_is_refused) {
    for (const char* text : {"",
                             ":",
                             ":80",
                             "80",
                             "127.0.0.1",
                             "127.0.0.1:",
                             "127.0.0.1:65536",
                             "127.0.0.1:-1",
                             "127.0.0.1:+1",
                             "127.0.0.1: 1",
                             "127.0.0.1:1 ",
                             "127.0.0.1:080",
                             "127.0.0.1:0x50",
                             "127.0.0.1:99999999999999999999",
                             "127.0.0:80",
                             "127.0.0.1.1:80",
                             "256.0.0.1:80",
                             "0127.0.0.1:80",
                             "localhost:80",
                             "::1:80",
                             "::1",
                             "[::1]",
                             "[::1]:",
                             "[::1]80",
                             "[::1:80",
                             "::1]:80",
                             "[]:80",
                             "[",
                             "]",
                             "[:80",
                             "[::1]x:80",
                             "[[::1]]:80",
                             "[127.0.0.1]:80",
                             "[:::1]:80",
                             "[12345::]:80",
                             "[fe80::1%]:80",
                             "[fe80::1%0]:80",
                             "[fe80::1%no-such-interface]:80",
                             "[fe80::1%4294967296]:80",
                             "[fe80::1%lo%lo]:80",
                             "unix:",
                             "unix:@",
                             "UNIX:/x",
                             "unix",
                             "tcp:127.0.0.1:80"}) {
        BOOST_TEST(!endpoint::try_parse(text).has_value(), "\"" << text << "\" was taken");
        BOOST_TEST(!refusal(text).empty());
    }
    using namespace std::string_view_literals;
    BOOST_TEST(!endpoint::try_parse("127.0.0.1\0:80"sv).has_value());
    BOOST_TEST(!endpoint::try_parse("[::1\0]:80"sv).has_value());
    BOOST_TEST(!endpoint::try_parse("[fe80::1%lo\0]:80"sv).has_value());
    BOOST_TEST(!endpoint::try_parse("unix:/a\0b"sv).has_value());
}

BOOST_AUTO_TEST_CASE(refusal_says_what_was_found_and_what_was_expected) {
    BOOST_TEST(contains(refusal("localhost:80"), "\"localhost:80\""));
    BOOST_TEST(contains(refusal("localhost:80"), "resolve"));
    BOOST_TEST(contains(refusal("::1:80"), "brackets"));
    BOOST_TEST(contains(refusal("127.0.0.1:70000"), "65535"));
    BOOST_TEST(contains(refusal("127.0.0.1"), "no port"));
    BOOST_TEST(contains(refusal("[fe80::1%no-such]:80"), "interface"));
}

BOOST_AUTO_TEST_CASE(refusal_of_long_text_stays_short) {
    const std::string message = refusal(std::string(1'000'000, 'x'));
    BOOST_TEST(message.size() < 500u);
    BOOST_TEST(contains(message, "1000000 bytes"));
}

BOOST_AUTO_TEST_CASE(unix_names_up_to_the_limit_are_taken_and_longer_ones_refused) {
    const std::string longest(endpoint::max_unix_name_bytes, 'p');
    BOOST_TEST(endpoint::max_unix_name_bytes == 107u);
    BOOST_TEST(endpoint::unix_path(longest).unix_name() == longest);
    BOOST_TEST(endpoint::parse("unix:" + longest).to_string() == "unix:" + longest);
    BOOST_TEST(endpoint::parse("unix:@" + longest).unix_name() == longest);
    BOOST_TEST(contains(refusal("unix:" + longest + "p"), "107 bytes"));
    BOOST_TEST(!refusal("unix:@" + longest + "p").empty());
    BOOST_CHECK_THROW(static_cast<void>(endpoint::unix_path(longest + "p")), std::system_error);
    BOOST_CHECK_THROW(static_cast<void>(endpoint::unix_path("")), std::system_error);
}

BOOST_AUTO_TEST_CASE(abstract_names_may_hold_any_byte) {
    const std::string name("\0\n\xff:", 4);
    const endpoint e = endpoint::unix_path("@" + name);
    BOOST_TEST(e.is_abstract());
    BOOST_TEST(e.unix_name() == name);
    BOOST_TEST(endpoint::parse(e.to_string()) == e);
}

BOOST_AUTO_TEST_CASE(factories_give_what_their_text_gives) {
    BOOST_TEST(endpoint::tcp_v4({10, 1, 2, 3}, 65535) == endpoint::parse("10.1.2.3:65535"));
    BOOST_TEST(endpoint::tcp_v4("10.1.2.3", 5) == endpoint::parse("10.1.2.3:5"));
    BOOST_TEST(endpoint::tcp_v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 80, 7) ==
               endpoint::parse("[fe80::1%7]:80"));
    BOOST_TEST(endpoint::tcp_v6("fe80::1%7", 80) == endpoint::parse("[fe80::1%7]:80"));
    BOOST_TEST(endpoint::loopback_v4(80) == endpoint::parse("127.0.0.1:80"));
    BOOST_TEST(endpoint::loopback_v6(80) == endpoint::parse("[::1]:80"));
    BOOST_TEST(endpoint::any_v4(80) == endpoint::parse("0.0.0.0:80"));
    BOOST_TEST(endpoint::any_v6(80) == endpoint::parse("[::]:80"));
    BOOST_TEST(endpoint::unix_path("/run/x") == endpoint::parse("unix:/run/x"));
    BOOST_TEST(endpoint::unix_path("@x") == endpoint::parse("unix:@x"));
    BOOST_CHECK_THROW(static_cast<void>(endpoint::tcp_v4("::1", 80)), std::system_error);
    BOOST_CHECK_THROW(static_cast<void>(endpoint::tcp_v6("127.0.0.1", 80)), std::system_error);
}

BOOST_AUTO_TEST_CASE(properties_tell_the_families_apart) {
    const endpoint v4 = endpoint::loopback_v4(80);
    BOOST_TEST((v4.family() == address_family::v4));
    BOOST_TEST(v4.is_tcp());
    BOOST_TEST(!v4.is_unix());
    BOOST_TEST(v4.port() == 80);
    BOOST_TEST(v4.unix_name().empty());
    const endpoint v6 = endpoint::parse("[fe80::1%9]:8080");
    BOOST_TEST((v6.family() == address_family::v6));
    BOOST_TEST(v6.is_tcp());
    BOOST_TEST(v6.port() == 8080);
    BOOST_TEST(v6.scope() == 9u);
    const endpoint path = endpoint::unix_path("/run/x");
    BOOST_TEST((path.family() == address_family::local));
    BOOST_TEST(path.is_unix());
    BOOST_TEST(!path.is_tcp());
    BOOST_TEST(!path.is_abstract());
    BOOST_TEST(path.port() == 0);
    BOOST_TEST(path.unix_name() == "/run/x");
}

BOOST_AUTO_TEST_CASE(with_port_changes_the_port_alone) {
    BOOST_TEST(endpoint::loopback_v4(1).with_port(2) == endpoint::loopback_v4(2));
    BOOST_TEST(endpoint::parse("[fe80::1%9]:1").with_port(8080) == endpoint::parse("[fe80::1%9]:8080"));
}

BOOST_AUTO_TEST_CASE(default_endpoint_names_nothing) {
    const endpoint none;
    BOOST_TEST((none.family() == address_family::none));
    BOOST_TEST(none.size() == 0u);
    BOOST_TEST(none.to_string() == "none");
    BOOST_TEST(none == endpoint{});
    BOOST_TEST(none != endpoint::any_v4(0));
    BOOST_TEST(!endpoint::try_parse(none.to_string()).has_value());
}

BOOST_AUTO_TEST_CASE(native_address_there_and_back) {
    for (const char* text : {"127.0.0.1:80", "[::1]:80", "[fe80::1%9]:8080", "unix:/run/x", "unix:@name"}) {
        const endpoint e = endpoint::parse(text);
        BOOST_TEST(endpoint::from_native(e.data(), e.size()) == e);
    }
}

BOOST_AUTO_TEST_CASE(native_padding_and_flow_label_do_not_distinguish) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(80);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memset(v4.sin_zero, 0xab, sizeof v4.sin_zero);
    BOOST_TEST(from(v4) == endpoint::loopback_v4(80));
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(80);
    v6.sin6_addr = in6addr_loopback;
    v6.sin6_flowinfo = htonl(77);
    BOOST_TEST(from(v6) == endpoint::loopback_v6(80));
    sockaddr_un path = unix_native(std::string_view("/run/x\0garbage", 14));
    BOOST_TEST(from(path) == endpoint::unix_path("/run/x"));
    BOOST_TEST(from(path).hash() == endpoint::unix_path("/run/x").hash());
}

BOOST_AUTO_TEST_CASE(native_unix_address_without_a_name_is_an_unbound_client) {
    const endpoint e = from(unix_native(""), unix_header_bytes);
    BOOST_TEST(e.is_unix());
    BOOST_TEST(e.unix_name().empty());
    BOOST_TEST(!e.is_abstract());
    BOOST_TEST(e.to_string() == "unix:");
    BOOST_TEST(e == from(unix_native(""), unix_header_bytes));
}

BOOST_AUTO_TEST_CASE(native_path_that_fills_the_structure_is_read_whole) {
    const std::string path(sizeof(sockaddr_un::sun_path), 'p');
    sockaddr_un native = unix_native(path);
    BOOST_TEST(from(native).unix_name() == path);
    // getsockname reports one byte more than the structure holds for it.
    sockaddr_storage larger{};
    std::memcpy(&larger, &native, sizeof native);
    BOOST_TEST(from(larger, sizeof native + 1) == from(native));
}

BOOST_AUTO_TEST_CASE(file_named_like_an_abstract_name_does_not_print_as_one) {
    const endpoint e = from(unix_native("@file"));
    BOOST_TEST(!e.is_abstract());
    BOOST_TEST(e.to_string() == "unix:./@file");
}

BOOST_AUTO_TEST_CASE(native_address_of_unknown_family_or_short_size_is_refused) {
    sockaddr_storage native{};
    native.ss_family = AF_NETLINK;
    const auto invalid = [](const std::system_error& e) {
        return e.code() == errc::invalid_endpoint;
    };
    BOOST_CHECK_EXCEPTION(from(native), std::system_error, invalid);
    native.ss_family = AF_INET;
    BOOST_CHECK_EXCEPTION(from(native, sizeof(sockaddr_in) - 1), std::system_error, invalid);
    native.ss_family = AF_INET6;
    BOOST_CHECK_EXCEPTION(from(native, sizeof(sockaddr_in)), std::system_error, invalid);
    BOOST_CHECK_EXCEPTION(from(native, 0), std::system_error, invalid);
    BOOST_CHECK_EXCEPTION(static_cast<void>(endpoint::from_native(nullptr, 0)), std::system_error, invalid);
}

BOOST_AUTO_TEST_CASE(order_is_total_and_by_family_address_scope_port_and_name) {
    const std::vector<endpoint> ascending = {
        endpoint{},
        endpoint::parse("1.2.3.4:80"),
        endpoint::parse("1.2.3.4:256"),
        endpoint::parse("1.2.3.5:1"),
        endpoint::parse("200.0.0.1:1"),
        endpoint::parse("[::1]:1"),
        endpoint::parse("[::1]:2"),
        endpoint::parse("[fe80::1%1]:9"),
        endpoint::parse("[fe80::1%2]:1"),
        from(unix_native(""), unix_header_bytes),
        endpoint::unix_path("@a"),
        endpoint::unix_path("@ab"),
        endpoint::unix_path("a"),
        endpoint::unix_path("ab"),
        endpoint::unix_path("b"),
    };
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            BOOST_TEST(((ascending[i] <=> ascending[j]) == (i <=> j)),
                       ascending[i] << " and " << ascending[j]);
            BOOST_TEST((ascending[i] == ascending[j]) == (i == j));
        }
    }
}

BOOST_AUTO_TEST_CASE(equal_endpoints_hash_equal_and_others_apart) {
    std::unordered_set<endpoint> seen;
    for (std::uint16_t port = 0; port < 100; ++port) {
        seen.insert(endpoint::loopback_v4(port));
        seen.insert(endpoint::loopback_v6(port));
        seen.insert(endpoint::loopback_v4(port));
    }
    BOOST_TEST(seen.size() == 200u);
    BOOST_TEST(seen.contains(endpoint::parse("[0::1]:99")));
    BOOST_TEST(endpoint::loopback_v4(1).hash() != endpoint::loopback_v4(2).hash());
}

BOOST_AUTO_TEST_SUITE_END()
