// Numbers that a running loop keeps about itself: counters, gauges and log-linear histograms, cheap enough
// to be always on.
//
//   net::counter received_bytes;
//   net::histogram turn_ns;
//   received_bytes.add(n);                            // on the loop's thread
//   turn_ns.record(elapsed_ns);
//   const auto seen = turn_ns.snapshot();             // on any thread
//   std::printf("p99 %llu ns\n", seen.percentile(99));
//
// Thread rule: one thread writes a metric (its loop's), any thread reads it. Writing is a relaxed load and a
// relaxed store, no locked instruction. A reader sees each number whole, but several numbers not of one
// instant. None of these types may be copied or moved: readers hold references.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace phoenix::net {

namespace detail {

/// Adds without a locked instruction: right because one thread alone writes.
template <typename Number>
inline void add_single_writer(std::atomic<Number>& value, Number n) noexcept {
    value.store(static_cast<Number>(value.load(std::memory_order_relaxed) + n), std::memory_order_relaxed);
}

} // namespace detail

/// Counts up from 0 and wraps at 2^64.
class counter {
public:
    counter() noexcept = default;
    counter(const counter&) = delete;
    counter& operator=(const counter&) = delete;

    void add(std::uint64_t n = 1) noexcept { detail::add_single_writer(value_, n); }

    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down: open connections, queued bytes.
class gauge {
public:
    gauge() noexcept = default;
    gauge(const gauge&) = delete;
    gauge& operator=(const gauge&) = delete;

    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

    void add(std::int64_t n) noexcept { detail::add_single_writer(value_, n); }

    void subtract(std::int64_t n) noexcept { detail::add_single_writer(value_, -n); }

    [[nodiscard]] std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

class histogram;

/// What a histogram held at about one moment; a value of its own, to be read and merged at leisure.
class histogram_snapshot {
public:
    /// Empty.
    histogram_snapshot() = default;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    /// Of the values as recorded, modulo 2^64.
    [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

    /// Exact; 0 when empty.
    [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }

    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }

    /// sum() / count(); 0 when empty.
    [[nodiscard]] double mean() const noexcept;

    /// A value that at least `percent` per cent of the recorded ones do not exceed. Against the exact answer
    /// (the value of rank ceil(percent / 100 * count), at least 1) it is never less, and more by less than
    /// 1/32 of it; values below 64 and the percentiles 0 and 100 are exact. 0 when empty. `percent` lies in
    /// [0, 100]: asserted.
    [[nodiscard]] std::uint64_t percentile(double percent) const noexcept;

    /// As if the values of both had been recorded in one.
    void merge(const histogram_snapshot& other);

    friend bool operator==(const histogram_snapshot& a, const histogram_snapshot& b) noexcept;

private:
    friend class histogram;

    std::vector<std::uint64_t> buckets_; // up to the last that is not 0
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t min_ = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t max_ = 0;
};

/// How values are distributed, over the whole range of 64 bits with a relative error below 1/32: 32 buckets
/// of equal width in each octave from 64 up, as HdrHistogram has them, and one bucket a value below. Fixed
/// memory, 15 KiB. record() costs about 2 ns (1.2 with clang 19) and snapshot() 3 us, at -O2 on an AMD
/// EPYC.
class histogram {
public:
    static constexpr unsigned sub_bucket_bits = 5;
    static constexpr std::size_t bucket_count = (std::size_t{64 - sub_bucket_bits} + 1) << sub_bucket_bits;

    histogram() noexcept = default;
    histogram(const histogram&) = delete;
    histogram& operator=(const histogram&) = delete;

    void record(std::uint64_t value) noexcept {
        detail::add_single_writer(buckets_[bucket_of(value)], std::uint64_t{1});
        detail::add_single_writer(sum_, value);
        if (value < min_.load(std::memory_order_relaxed)) [[unlikely]] {
            min_.store(value, std::memory_order_relaxed);
        }
        if (value > max_.load(std::memory_order_relaxed)) [[unlikely]] {
            max_.store(value, std::memory_order_relaxed);
        }
    }

    /// Any thread. Allocates at most 15 KiB. Records made meanwhile may be in some of its numbers and not in
    /// others; count() and percentile() agree with each other.
    [[nodiscard]] histogram_snapshot snapshot() const;

    /// Adds what the other holds. The writer's thread.
    void merge(const histogram_snapshot& other) noexcept;

    /// Forgets everything. The writer's thread; a reader meanwhile may see a part.
    void reset() noexcept;

    /// The bucket that counts `value`; grows with it. Below 2^(bits + 1) every value has its own; above, the
    /// leading bit and the `bits` after it choose.
    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        constexpr std::uint64_t linear = (std::uint64_t{2} << sub_bucket_bits) - 1;
        const auto shift = static_cast<unsigned>(std::bit_width(value | linear)) - (sub_bucket_bits + 1);
        return (std::size_t{shift} << sub_bucket_bits) + static_cast<std::size_t>(value >> shift);
    }

    /// The least and the largest value of a bucket.
    [[nodiscard]] static constexpr std::uint64_t bucket_min(std::size_t bucket) noexcept {
        return bucket == 0 ? 0 : bucket_max(bucket - 1) + 1;
    }

    [[nodiscard]] static constexpr std::uint64_t bucket_max(std::size_t bucket) noexcept {
        const auto octave = static_cast<unsigned>(bucket >> sub_bucket_bits);
        const unsigned shift = octave <= 1 ? 0 : octave - 1;
        const std::uint64_t leading = bucket - (std::size_t{shift} << sub_bucket_bits);
        return (leading << shift) + ((std::uint64_t{1} << shift) - 1);
    }

private:
    std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
    std::atomic<std::uint64_t> sum_{0};
    std::atomic<std::uint64_t> min_{std::numeric_limits<std::uint64_t>::max()};
    std::atomic<std::uint64_t> max_{0};
};

} // namespace phoenix::net
