// What the tests ask the machine: descriptors, memory, randomness.
#pragma once

#include <phoenix/config.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PHOENIX_UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define PHOENIX_UNDER_TSAN 1
#endif
#ifndef PHOENIX_UNDER_TSAN
#define PHOENIX_UNDER_TSAN 0
#endif

namespace phoenix::net::conformance {

/// A build for speed: the others get less of what is only a matter of quantity.
#if defined(__OPTIMIZE__)
inline constexpr bool is_fast_build = !PHOENIX_UNDER_ASAN && !PHOENIX_UNDER_TSAN;
#else
inline constexpr bool is_fast_build = false;
#endif

/// Descriptors that this process has open.
[[nodiscard]] std::size_t open_descriptors();

/// Descriptors whose link in /proc/self/fd holds `text`, "anon_inode:[io_uring]" say.
[[nodiscard]] std::size_t open_descriptors(const std::string& text);

/// Number and link of each, for messages.
[[nodiscard]] std::string describe_descriptors();

/// Memory of this process that is in RAM now.
[[nodiscard]] std::size_t resident_bytes();

/// As many descriptors as the hard limit allows; gives the limit.
std::size_t raise_descriptor_limit();

/// From PHOENIX_TEST_SEED, or new for each process. Every failure of a case names it.
[[nodiscard]] std::uint64_t test_seed();

/// The same sequence for the same seed and `salt`.
[[nodiscard]] std::mt19937_64 seeded(std::uint64_t salt);

} // namespace phoenix::net::conformance
