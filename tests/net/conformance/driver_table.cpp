#include "driver_table.hpp"

#include <phoenix/config.hpp>
#include <phoenix/net/asio/asio_driver.hpp>
#include <phoenix/net/sim/world.hpp>

#include "machine.hpp"

#if PHOENIX_HAS_URING
#include <phoenix/net/uring/uring_driver.hpp>
#endif

#include <asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

namespace phoenix::net::conformance {

namespace {

class self_driven final : public world {
public:
    explicit self_driven(const loop_options& options) : loop_(options) {}

    loop& here() noexcept override { return loop_; }

    void run(task<> work) override { loop_.run(std::move(work)); }

private:
    loop loop_;
};

task<> keep_failure(task<> work, std::exception_ptr& failure) {
    try {
        co_await std::move(work);
    } catch (...) {
        failure = std::current_exception();
    }
}

/// As an Asio program embeds a loop: it spawns, and runs its own context.
class hosted_in_asio final : public world {
public:
    explicit hosted_in_asio(const loop_options& options) : loop_(make_asio_driver(context_), options) {}

    loop& here() noexcept override { return loop_; }

    void run(task<> work) override {
        std::exception_ptr failure;
        loop_.spawn(keep_failure(std::move(work), failure));
        context_.restart();
        context_.run();
        if (failure && !loop::is_cancellation(failure)) {
            std::rethrow_exception(failure);
        }
    }

private:
    asio::io_context context_{1};
    loop loop_;
};

/// A node that is alone in a simulated world, whose seed is the test's.
class simulated final : public world {
public:
    explicit simulated(const loop_options& options)
        : around_(test_seed()), node_(around_.add_node({}, options)) {}

    ~simulated() override { around_.stop(node_); }

    loop& here() noexcept override { return node_.here(); }

    void run(task<> work) override {
        std::exception_ptr failure;
        node_.here().spawn(keep_failure(std::move(work), failure));
        BOOST_REQUIRE(around_.run_until([this] { return !node_.is_busy(); }, std::chrono::hours(1)));
        if (failure && !loop::is_cancellation(failure)) {
            std::rethrow_exception(failure);
        }
    }

private:
    sim::world around_;
    sim::node& node_;
};

template <driver_kind Kind>
std::unique_ptr<world> open_self_driven(const loop_options& options) {
    loop_options chosen = options;
    chosen.driver = Kind;
    return std::make_unique<self_driven>(chosen);
}

std::unique_ptr<world> open_hosted(const loop_options& options) {
    return std::make_unique<hosted_in_asio>(options);
}

std::unique_ptr<world> open_simulated(const loop_options& options) {
    return std::make_unique<simulated>(options);
}

std::string not_refused() {
    return {};
}

std::string uring_refusal() {
#if PHOENIX_HAS_URING
    try {
        static_cast<void>(make_uring_driver());
        return {};
    } catch (const std::system_error& refused) {
        return refused.what();
    }
#else
    return "this build has no io_uring driver";
#endif
}

constexpr driver_row rows[] = {
    {.name = "uring",
     .driver_name = "uring",
     .uses_kernel = true,
     .has_files = true,
     .has_ring = true,
     .drives_itself = true,
     .open = &open_self_driven<driver_kind::uring>,
     .refusal = &uring_refusal},
    {.name = "asio",
     .driver_name = "asio",
     .uses_kernel = true,
     .has_files = true,
     .has_ring = false,
     .drives_itself = true,
     .open = &open_self_driven<driver_kind::asio>,
     .refusal = &not_refused},
    {.name = "asio_hosted",
     .driver_name = "asio",
     .uses_kernel = true,
     .has_files = true,
     .has_ring = false,
     .drives_itself = false,
     .open = &open_hosted,
     .refusal = &not_refused},
    {.name = "sim",
     .driver_name = "sim",
     .uses_kernel = false,
     .has_files = false,
     .has_ring = false,
     .drives_itself = false,
     .open = &open_simulated,
     .refusal = &not_refused},
};

} // namespace

std::span<const driver_row> all_drivers() noexcept {
    return rows;
}

} // namespace phoenix::net::conformance
