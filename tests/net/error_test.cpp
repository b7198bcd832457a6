#include <phoenix/net/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <ios>
#include <string>
#include <system_error>

namespace {

using namespace phoenix::net;

constexpr errc library_conditions[] = {
    errc::canceled,          errc::timed_out,      errc::closed,           errc::end_of_stream,
    errc::host_not_found,    errc::resolve_failed, errc::invalid_endpoint, errc::invalid_options,
    errc::resolve_try_again, errc::queue_full,     errc::loop_after_fork,  errc::wrong_thread,
    errc::not_supported,
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(error_test)

BOOST_AUTO_TEST_CASE(category_has_its_name_and_is_one_object) {
    BOOST_TEST(std::string(category().name()) == "phoenix.net");
    BOOST_TEST(&category() == &make_error(EPIPE).category());
    BOOST_TEST(&category() == &make_error_code(errc::closed).category());
}

BOOST_AUTO_TEST_CASE(kernel_errno_keeps_its_number_and_equals_the_portable_condition) {
    const std::error_code refused = make_error(ECONNREFUSED);
    BOOST_TEST(refused.value() == ECONNREFUSED);
    BOOST_TEST((refused == std::errc::connection_refused));
    BOOST_TEST((refused != std::errc::connection_reset));
    BOOST_TEST((refused != errc::closed));
    // Not listed in the table, still portable.
    BOOST_TEST((make_error(EDOM) == std::errc::argument_out_of_domain));
}

BOOST_AUTO_TEST_CASE(zero_is_success) {
    BOOST_TEST(!make_error(0));
    BOOST_TEST((make_error(0) == std::error_code{}));
}

BOOST_AUTO_TEST_CASE(library_conditions_equal_the_portable_ones_they_are_kinds_of) {
    BOOST_TEST((make_error_code(errc::canceled) == std::errc::operation_canceled));
    BOOST_TEST((make_error_code(errc::timed_out) == std::errc::timed_out));
    BOOST_TEST((make_error_code(errc::closed) == std::errc::bad_file_descriptor));
    BOOST_TEST((make_error_code(errc::invalid_endpoint) == std::errc::invalid_argument));
    BOOST_TEST((make_error_code(errc::invalid_options) == std::errc::invalid_argument));
    BOOST_TEST((make_error_code(errc::queue_full) == std::errc::no_buffer_space));
    BOOST_TEST((make_error_code(errc::not_supported) == std::errc::not_supported));
}

BOOST_AUTO_TEST_CASE(library_conditions_convert_and_compare_as_codes) {
    const std::error_code code = errc::end_of_stream;
    BOOST_TEST((code == errc::end_of_stream));
    BOOST_TEST((code != errc::closed));
    BOOST_TEST((code != std::errc::io_error));
}

BOOST_AUTO_TEST_CASE(library_conditions_lie_above_every_errno_and_have_messages) {
    for (const errc e : library_conditions) {
        const std::error_code code = e;
        BOOST_TEST(code.value() >= 10000);
        BOOST_TEST(!code.message().empty());
        BOOST_TEST(!contains(code.message(), "Unknown error"));
    }
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
    BOOST_TEST(contains(make_error(EMFILE).message(), "RLIMIT_NOFILE"));
    BOOST_TEST(contains(make_error(ENFILE).message(), "fs.file-max"));
    BOOST_TEST(contains(make_error(ENOMEM).message(), "RLIMIT_MEMLOCK"));
    BOOST_TEST(contains(make_error(ECONNREFUSED).message(), "start the peer"));
    BOOST_TEST(contains(make_error(EADDRINUSE).message(), "choose another"));
    BOOST_TEST(contains(make_error(ENETUNREACH).message(), "routes"));
}

BOOST_AUTO_TEST_CASE(errno_without_a_row_has_the_systems_message) {
    BOOST_TEST(make_error(EXDEV).message() == std::generic_category().message(EXDEV));
}

BOOST_AUTO_TEST_CASE(every_errno_and_unknown_number_has_a_message) {
    for (int value = 1; value < 200; ++value) {
        BOOST_TEST(!make_error(value).message().empty());
    }
    BOOST_TEST(!make_error(9999).message().empty());
    BOOST_TEST(!make_error(1'000'000).message().empty());
}

BOOST_AUTO_TEST_CASE(retry_now_where_nothing_is_wrong) {
    for (const int value : {EINTR, ECONNABORTED}) {
        BOOST_TEST((retry_advice(make_error(value)) == retry::now), "errno " << value);
    }
}

BOOST_AUTO_TEST_CASE(retry_later_where_a_peer_or_a_limit_may_recover) {
    for (const int value : {EAGAIN, ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
                            ENETDOWN, EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL}) {
        BOOST_TEST((retry_advice(make_error(value)) == retry::later), "errno " << value);
    }
    for (const errc e : {errc::timed_out, errc::resolve_try_again, errc::queue_full, errc::end_of_stream}) {
        BOOST_TEST((retry_advice(e) == retry::later), make_error_code(e).message());
    }
}

BOOST_AUTO_TEST_CASE(retry_never_for_mistakes_cancellation_and_success) {
    for (const int value : {EADDRINUSE, EACCES, EBADF, EINVAL, ENOTSOCK, EDOM, EAFNOSUPPORT}) {
        BOOST_TEST((retry_advice(make_error(value)) == retry::never), "errno " << value);
    }
    for (const errc e :
         {errc::canceled, errc::closed, errc::host_not_found, errc::resolve_failed, errc::invalid_endpoint,
          errc::invalid_options, errc::loop_after_fork, errc::wrong_thread, errc::not_supported}) {
        BOOST_TEST((retry_advice(e) == retry::never), make_error_code(e).message());
    }
    BOOST_TEST((retry_advice({}) == retry::never));
}

BOOST_AUTO_TEST_CASE(retry_advice_judges_codes_of_other_categories_by_their_condition) {
    BOOST_TEST((retry_advice({ECONNRESET, std::system_category()}) == retry::later));
    BOOST_TEST((retry_advice(std::make_error_code(std::errc::interrupted)) == retry::now));
    BOOST_TEST((retry_advice(std::make_error_code(std::io_errc::stream)) == retry::never));
}

BOOST_AUTO_TEST_CASE(cancellation_is_known_from_every_layer) {
    BOOST_TEST(is_canceled(errc::canceled));
    BOOST_TEST(is_canceled(make_error(ECANCELED)));
    BOOST_TEST(is_canceled({ECANCELED, std::system_category()})); // asio::error::operation_aborted
    BOOST_TEST(!is_canceled(errc::timed_out));
    BOOST_TEST(!is_canceled({}));
}

BOOST_AUTO_TEST_CASE(thrown_errors_carry_the_code_and_what_was_being_done) {
    const auto check = [](const std::system_error& e) {
        return e.code() == errc::closed && contains(e.what(), "read from peer") &&
               contains(e.what(), make_error_code(errc::closed).message());
    };
    BOOST_CHECK_EXCEPTION(throw_error(errc::closed, "read from peer"), std::system_error, check);
    BOOST_CHECK_EXCEPTION(throw_error(errc::closed, std::string("read from peer")), std::system_error, check);
}

BOOST_AUTO_TEST_SUITE_END()
