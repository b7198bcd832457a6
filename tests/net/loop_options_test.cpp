#include <phoenix/net/error.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/loop_options.hpp>

#include "on_each_driver.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <system_error>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// What validate() says of the defaults with one change, "" when they are valid.
template <class Change>
std::string refusal(Change change) {
    loop_options options;
    change(options);
    try {
        options.validate();
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == errc::invalid_options));
        BOOST_TEST(contains(e.what(), "expected"));
        return e.what();
    }
    return "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(loop_options_test)

BOOST_AUTO_TEST_CASE(defaults_are_valid) {
    BOOST_TEST(refusal([](loop_options&) {}) == "");
}

BOOST_AUTO_TEST_CASE(the_ends_of_every_range_are_valid) {
    const auto valid = [](auto change) {
        const std::string said = refusal(change);
        BOOST_TEST(said == "");
    };
    valid([](loop_options& o) { o.post_capacity = 2; });
    valid([](loop_options& o) { o.post_capacity = 1'048'576; });
    valid([](loop_options& o) { o.inline_budget = 1; });
    valid([](loop_options& o) { o.inline_budget = 1'000'000; });
    valid([](loop_options& o) { o.receive_buffers = 2; });
    valid([](loop_options& o) { o.receive_buffers = 32'768; });
    valid([](loop_options& o) { o.receive_buffer_bytes = 1024; });
    valid([](loop_options& o) { o.receive_buffer_bytes = 1 << 20; });
    valid([](loop_options& o) { o.write_block_bytes = 1024; });
    valid([](loop_options& o) { o.write_block_bytes = 1 << 20; });
    valid([](loop_options& o) { o.ring_entries = 8; });
    valid([](loop_options& o) { o.ring_entries = 32'768; });
}

BOOST_AUTO_TEST_CASE(a_wrong_field_is_named_with_what_it_holds) {
    const auto refused = [](const std::string& field, const std::string& value, auto change) {
        const std::string said = refusal(change);
        BOOST_TEST(contains(said, field), field << ": " << said);
        BOOST_TEST(contains(said, "is " + value), value << ": " << said);
    };
    refused("post_capacity", "1,", [](loop_options& o) { o.post_capacity = 1; });
    refused("post_capacity", "1048577", [](loop_options& o) { o.post_capacity = 1'048'577; });
    refused("inline_budget", "0", [](loop_options& o) { o.inline_budget = 0; });
    refused("inline_budget", "1000001", [](loop_options& o) { o.inline_budget = 1'000'001; });
    refused("receive_buffers", "1,", [](loop_options& o) { o.receive_buffers = 1; });
    refused("receive_buffers", "65536", [](loop_options& o) { o.receive_buffers = 65'536; });
    refused("receive_buffers", "100", [](loop_options& o) { o.receive_buffers = 100; });
    refused("receive_buffer_bytes", "1023", [](loop_options& o) { o.receive_buffer_bytes = 1023; });
    refused("receive_buffer_bytes", "1048577", [](loop_options& o) { o.receive_buffer_bytes = 1'048'577; });
    refused("write_block_bytes", "1023", [](loop_options& o) { o.write_block_bytes = 1023; });
    refused("write_block_bytes", "1048577", [](loop_options& o) { o.write_block_bytes = 1'048'577; });
    refused("ring_entries", "7", [](loop_options& o) { o.ring_entries = 7; });
    refused("ring_entries", "32769", [](loop_options& o) { o.ring_entries = 32'769; });
    refused("messages_per_window", "0", [](loop_options& o) { o.log.messages_per_window = 0; });
}

ON_EACH_DRIVER(a_loop_refuses_wrong_options_before_it_opens_anything) {
    loop_options options = options_on(driver);
    options.ring_entries = 0;
    BOOST_CHECK_EXCEPTION(const loop refused(options), std::system_error, [](const std::system_error& e) {
        return e.code() == errc::invalid_options && contains(e.what(), "ring_entries");
    });
}

ON_EACH_DRIVER(a_loop_opens_the_driver_that_is_asked_for) {
    const loop l(options_on(driver));
    BOOST_TEST(l.driver_name() == (driver == driver_kind::uring ? "uring" : "asio"));
    BOOST_TEST((l.options().driver == driver));
}

ON_EACH_DRIVER(the_least_of_every_option_still_runs) {
    loop_options options = options_on(driver);
    options.post_capacity = 2;
    options.inline_budget = 1;
    options.receive_buffers = 2;
    options.receive_buffer_bytes = 1024;
    options.write_block_bytes = 1024;
    options.ring_entries = 8;
    loop l(options);
    l.run([]() -> task<> {
        co_return;
    }());
}

BOOST_AUTO_TEST_SUITE_END()
