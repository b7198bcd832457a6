#include <phoenix/net/detail/require_option.hpp>
#include <phoenix/net/serve.hpp>
#include <phoenix/net/sleep.hpp>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <utility>

namespace phoenix::net {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view options_name = "serve_options";

void require_duration(std::string_view field, nanoseconds value, nanoseconds low, nanoseconds high) {
    if (value < low || value > high) {
        detail::refuse_option(options_name, field, std::to_string(value.count()) + " ns",
                              std::to_string(low.count()) + " to " + std::to_string(high.count()) + " ns");
    }
}

} // namespace

void serve_options::validate() const {
    detail::require_option_in_range(options_name, "max_connections", max_connections, 1, 10'000'000);
    require_duration("first_pause", first_pause, 1us, 1min);
    require_duration("longest_pause", longest_pause, first_pause, 1h);
}

namespace detail {

namespace {

const serve_options& validated(const serve_options& options) {
    options.validate();
    return options;
}

} // namespace

server::server(loop& owner, listener& door, const serve_options& options)
    : connections(owner), places(validated(options).max_connections), loop_(owner), door_(door),
      options_(options), pause_(options.first_pause) {}

task<std::optional<stream>> server::next() {
    for (;;) {
        std::error_code refusal;
        try {
            std::optional<stream> peer = co_await door_.accept();
            pause_ = options_.first_pause;
            co_return peer;
        } catch (const std::system_error& e) {
            refusal = e.code();
            if (refusal != errc::closed && retry_advice(refusal) == retry::never) {
                throw;
            }
        } catch (const std::bad_alloc&) {
            refusal = make_error(ENOMEM);
        }
        if (refusal == errc::closed) {
            co_return std::nullopt;
        }
        const nanoseconds pause = pause_after(refusal);
        co_await sleep_for(pause);
    }
}

nanoseconds server::pause_after(const std::error_code& refusal) {
    if (retry_advice(refusal) == retry::now) {
        return 0ns;
    }
    const nanoseconds pause = pause_;
    pause_ = std::min(2 * pause, options_.longest_pause);
    loop_.log(log_level::warning, "net.serve", "accept-failed",
              "accepting again after " + std::to_string(pause / 1us) + " us: " + refusal.message());
    return pause;
}

void server::handler_failed(const std::exception_ptr& error) {
    if (loop::is_cancellation(error)) {
        return;
    }
    std::string what = "a connection's handler failed: ";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        what += e.what();
    } catch (...) {
        what += "something that is not a std::exception";
    }
    loop_.log(log_level::warning, "net.serve", "handler-failed", what);
}

} // namespace detail
} // namespace phoenix::net
