#include "suite.hpp"

#include "child.hpp"
#include "machine.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstring>
#include <map>
#include <string>

#include <unistd.h>

namespace phoenix::net::conformance {

namespace {

namespace test = boost::unit_test;

char watched[128];

void bark(int) {
    static constexpr char text[] = " did not end in time\n";
    static_cast<void>(!::write(STDERR_FILENO, watched, std::strlen(watched)));
    static_cast<void>(!::write(STDERR_FILENO, text, sizeof text - 1));
    ::_exit(3);
}

boost::test_tools::assertion_result unless(const std::string& reason) {
    boost::test_tools::assertion_result result(reason.empty());
    result.message() << reason;
    return result;
}

test::test_suite& suite_of(const driver_row& row) {
    static std::map<std::string, test::test_suite*> suites;
    test::test_suite*& suite = suites[row.name];
    if (suite == nullptr) {
        suite = new test::test_suite(std::string("conformance_") + row.name, __FILE__, __LINE__);
        suite->add_precondition([&row](test::test_unit_id) {
            static std::map<std::string, std::string> known;
            const auto [found, is_new] = known.try_emplace(row.name);
            if (is_new) {
                found->second = row.refusal();
            }
            return unless(found->second);
        });
        test::framework::master_test_suite().add(suite);
    }
    return *suite;
}

void run_case(const std::string& name, const driver_row& row, case_registration::function run) {
    const watchdog bounded(name);
    const std::size_t before = open_descriptors();
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << test_seed()) {
        run(row);
    }
    const std::size_t after = open_descriptors();
    BOOST_TEST(after == before,
               name << " left " << after - before << " descriptors open: " << describe_descriptors());
}

} // namespace

case_registration::case_registration(const char* name, const char* file, unsigned line, case_needs needs,
                                     function run) {
    for (const driver_row& row : all_drivers()) {
        if (((needs & needs_kernel) != 0 && !row.uses_kernel) ||
            ((needs & needs_ring) != 0 && !row.has_ring) || ((needs & needs_files) != 0 && !row.has_files)) {
            continue;
        }
        const std::string full = std::string("conformance_") + row.name + "/" + name;
        test::test_case* const added =
            test::make_test_case([full, &row, run] { run_case(full, row, run); }, name, file, line);
        if ((needs & needs_v6) != 0) {
            added->add_precondition([](test::test_unit_id) { return unless(why_no_v6()); });
        }
        if ((needs & needs_own_network) != 0) {
            added->add_precondition([](test::test_unit_id) { return unless(why_no_own_network()); });
        }
        suite_of(row).add(added);
    }
}

watchdog::watchdog(const std::string& name, unsigned seconds) {
    std::strncpy(watched, name.c_str(), sizeof watched - 1);
    struct sigaction action{};
    action.sa_handler = &bark;
    ::sigaction(SIGALRM, &action, nullptr);
    ::alarm(seconds);
}

watchdog::~watchdog() {
    ::alarm(0);
}

} // namespace phoenix::net::conformance
