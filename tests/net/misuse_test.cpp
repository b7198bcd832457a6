// Mistakes that would otherwise be crashes or hangs somewhere else: each aborts where it is made, and says
// what it is.
#include <phoenix/net/connect.hpp>
#include <phoenix/net/endpoint.hpp>
#include <phoenix/net/listener.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/stream.hpp>
#include <phoenix/net/task.hpp>

#include "death.hpp"
#include "on_each_driver.hpp"
#include "stream_pair.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

namespace {

using namespace phoenix::net;
using namespace phoenix::net::testing;

task<> nothing() {
    co_return;
}

task<> read(stream& from) {
    [[maybe_unused]] const auto data = co_await from.read_some();
}

task<> write(stream& to, std::string text) {
    co_await to.write(text);
}

task<> flush(stream& to) {
    co_await to.flush();
}

task<> accept(listener& door) {
    const stream dropped = co_await door.accept();
}

void expect_words(const std::string& words, const std::string& part) {
    BOOST_TEST(words.find(part) != std::string::npos,
               "expected \"" << part << "\", found \"" << words << '"');
}

} // namespace

BOOST_AUTO_TEST_SUITE(misuse_test)

ON_EACH_DRIVER(what_belongs_to_another_loop_is_refused) {
    constexpr auto* said = "belongs to another loop";
    const auto on_another = [=](task<> (*use)(stream&)) {
        return last_words([=] {
            loop owner(options_on(driver));
            loop other(options_on(driver));
            stream_pair ends(owner);
            other.run(use(ends.left));
        });
    };
    expect_words(on_another(read), said);
    expect_words(on_another(flush), said);
    expect_words(on_another([](stream& to) { return write(to, std::string(1 << 20, 'x')); }), said);
    expect_words(last_words([=] {
                     loop owner(options_on(driver));
                     loop other(options_on(driver));
                     listener door(owner, endpoint::loopback_v4(0));
                     other.run(accept(door));
                 }),
                 said);
}

ON_EACH_DRIVER(a_stream_or_listener_that_outlives_its_loop_is_found_out) {
    constexpr auto* said = "outlives its loop";
    expect_words(last_words([=] {
                     auto owner = std::make_unique<loop>(options_on(driver));
                     const stream_pair ends(*owner);
                     owner.reset();
                 }),
                 said);
    expect_words(last_words([=] {
                     auto owner = std::make_unique<loop>(options_on(driver));
                     const listener door(*owner, endpoint::loopback_v4(0));
                     owner.reset();
                 }),
                 said);
}

ON_EACH_DRIVER(a_loop_destroyed_by_what_runs_on_it_is_found_out) {
    expect_words(last_words([=] {
                     auto* const owner = new loop(options_on(driver));
                     owner->post([owner] { delete owner; });
                     owner->run(nothing());
                 }),
                 "destroyed by what runs on it");
}

BOOST_AUTO_TEST_SUITE_END()
