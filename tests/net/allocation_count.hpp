// Counts what the calling thread takes from the heap, and remembers where it did so first.
//
//   allocation_count taken;
//   ... the work ...
//   const std::size_t count = taken.stop();
//   BOOST_TEST(count == 0u, taken.first_place());
//
// The test binary replaces malloc and its relatives, on which operator new stands as well. Under the address
// and thread sanitizers, which have a heap of their own, nothing is counted.
#pragma once

#include <cstddef>
#include <string>

namespace phoenix::net::testing {

/// Whether this build counts at all.
[[nodiscard]] bool allocations_are_counted() noexcept;

/// One at a time on a thread.
class allocation_count {
public:
    /// Starts counting.
    allocation_count() noexcept;
    allocation_count(const allocation_count&) = delete;
    allocation_count& operator=(const allocation_count&) = delete;
    ~allocation_count();

    /// Ends counting; how many blocks the thread took.
    std::size_t stop() noexcept;

    /// The calls that led to the first of them, one a line; for addr2line where no name is known.
    [[nodiscard]] std::string first_place() const;

private:
    static constexpr int most_callers = 24;

    friend void note_allocation() noexcept;

    std::size_t count_ = 0;
    int callers_ = 0;
    void* caller_[most_callers] = {};
};

} // namespace phoenix::net::testing
