// Runs a test case once on each driver of this machine, and what such tests share.
//
//   ON_EACH_DRIVER(a_sleep_ends_after_its_time) {
//       loop l(options_on(driver));
//       l.run(sleeper());
//   }
//
// makes a suite of that name with the cases `uring` and `asio`; the body is a function of `driver`, a
// driver_kind.
#pragma once

#include <phoenix/net/error.hpp>
#include <phoenix/net/log.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/loop_options.hpp>
#include <phoenix/net/task.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::net::testing {

/// Whether this build and this kernel have the driver: the precondition of its cases.
class driver_is_here {
public:
    explicit driver_is_here(driver_kind kind) noexcept : kind_(kind) {}

    boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
        if (kind_ == driver_kind::asio) {
            return true;
        }
        static const std::string refusal = why_no_uring();
        boost::test_tools::assertion_result here(refusal.empty());
        here.message() << refusal;
        return here;
    }

private:
    static std::string why_no_uring() {
        try {
            loop_options options;
            options.driver = driver_kind::uring;
            const loop opened(options);
            return {};
        } catch (const std::system_error& refused) {
            return refused.what();
        }
    }

    driver_kind kind_;
};

/// Keeps what a loop logs.
class captured_log {
public:
    [[nodiscard]] log_options options() {
        log_options made;
        made.sink = [this](const log_record& record) {
            messages_.emplace_back(record.message);
        };
        return made;
    }

    [[nodiscard]] const std::vector<std::string>& messages() const noexcept { return messages_; }

    /// How many messages hold `part`.
    [[nodiscard]] std::size_t count(std::string_view part) const {
        std::size_t found = 0;
        for (const std::string& each : messages_) {
            found += each.find(part) != std::string::npos ? 1 : 0;
        }
        return found;
    }

private:
    std::vector<std::string> messages_;
};

[[nodiscard]] inline loop_options options_on(driver_kind driver) {
    loop_options options;
    options.driver = driver;
    return options;
}

[[nodiscard]] inline loop_options options_on(driver_kind driver, captured_log& log) {
    loop_options options = options_on(driver);
    options.log = log.options();
    return options;
}

/// Awaits `work` and gives the code of the std::system_error that it threw, or an empty one.
template <class T>
task<std::error_code> error_of(task<T> work) {
    std::error_code code;
    try {
        co_await std::move(work);
    } catch (const std::system_error& e) {
        code = e.code();
    }
    co_return code;
}

/// Awaits `work` and gives the text of the exception that it threw, or "".
template <class T>
task<std::string> message_of(task<T> work) {
    std::string message;
    try {
        co_await std::move(work);
    } catch (const std::exception& e) {
        message = e.what();
    }
    co_return message;
}

/// True on destruction.
class set_on_exit {
public:
    explicit set_on_exit(bool& flag) noexcept : flag_(&flag) {}

    set_on_exit(set_on_exit&& other) noexcept : flag_(std::exchange(other.flag_, nullptr)) {}

    set_on_exit& operator=(set_on_exit&&) = delete;

    ~set_on_exit() {
        if (flag_ != nullptr) {
            *flag_ = true;
        }
    }

private:
    bool* flag_;
};

} // namespace phoenix::net::testing

// The body follows. The case's own function has another name than the suite that Boost.Test makes a namespace
// of.
#define ON_EACH_DRIVER(name)                                                                                 \
    static void name##_on(phoenix::net::driver_kind driver);                                                 \
    BOOST_AUTO_TEST_SUITE(name)                                                                              \
    BOOST_AUTO_TEST_CASE(uring, *boost::unit_test::precondition(phoenix::net::testing::driver_is_here(       \
                                    phoenix::net::driver_kind::uring))) {                                    \
        name##_on(phoenix::net::driver_kind::uring);                                                         \
    }                                                                                                        \
    BOOST_AUTO_TEST_CASE(asio) {                                                                             \
        name##_on(phoenix::net::driver_kind::asio);                                                          \
    }                                                                                                        \
    BOOST_AUTO_TEST_SUITE_END()                                                                              \
    static void name##_on([[maybe_unused]] phoenix::net::driver_kind driver)
