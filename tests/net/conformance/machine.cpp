#include "machine.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace phoenix::net::conformance {

namespace {

template <class Each>
void for_each_descriptor(Each each) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string link = std::filesystem::read_symlink(entry.path(), gone).string();
        // The iterator's own descriptor lists this folder.
        if (!gone && !link.ends_with("/fd")) {
            each(entry.path().filename().string(), link);
        }
    }
}

} // namespace

std::size_t open_descriptors() {
    std::size_t count = 0;
    for_each_descriptor([&count](const std::string&, const std::string&) { ++count; });
    return count;
}

std::size_t open_descriptors(const std::string& text) {
    std::size_t count = 0;
    for_each_descriptor([&](const std::string&, const std::string& link) {
        count += link.find(text) != std::string::npos ? 1 : 0;
    });
    return count;
}

std::string describe_descriptors() {
    std::string all;
    for_each_descriptor(
        [&all](const std::string& number, const std::string& link) { all += number + " " + link + ", "; });
    return all;
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

std::uint64_t test_seed() {
    static const std::uint64_t seed = [] {
        const char* const given = std::getenv("PHOENIX_TEST_SEED");
        return given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
    }();
    return seed;
}

std::mt19937_64 seeded(std::uint64_t salt) {
    return std::mt19937_64(test_seed() * 0x9e3779b97f4a7c15U + salt);
}

} // namespace phoenix::net::conformance
