#include "scratch.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace phoenix::net::conformance {

scratch::scratch() : path_((std::filesystem::temp_directory_path() / "phoenix-test-XXXXXX").string()) {
    BOOST_REQUIRE_MESSAGE(::mkdtemp(path_.data()) != nullptr, "no directory can be made at " << path_);
}

scratch::~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

} // namespace phoenix::net::conformance
