#include <phoenix/config.hpp>
#include <phoenix/net/metrics.hpp>

#include <cmath>

namespace phoenix::net {

double histogram_snapshot::mean() const noexcept {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t histogram_snapshot::percentile(double percent) const noexcept {
    PHOENIX_ASSERT(percent >= 0 && percent <= 100, "percentile: expected 0 to 100 per cent");
    // Rounded up, but not by the noise of the multiplication: 99.9 % of 1000 is the 999th value.
    const double exact = percent / 100 * static_cast<double>(count_);
    const auto rank = static_cast<std::uint64_t>(std::max(1.0, std::ceil(exact * (1 - 1e-12))));
    if (rank <= 1) {
        return min(); // 0 when empty
    }
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        seen += buckets_[bucket];
        if (seen >= rank) {
            return std::clamp(histogram::bucket_max(bucket), min(), max_);
        }
    }
    return max_;
}

void histogram_snapshot::merge(const histogram_snapshot& other) {
    if (buckets_.size() < other.buckets_.size()) {
        buckets_.resize(other.buckets_.size());
    }
    for (std::size_t bucket = 0; bucket < other.buckets_.size(); ++bucket) {
        buckets_[bucket] += other.buckets_[bucket];
    }
    count_ += other.count_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

bool operator==(const histogram_snapshot& a, const histogram_snapshot& b) noexcept {
    return a.count_ == b.count_ && a.sum_ == b.sum_ && a.min_ == b.min_ && a.max_ == b.max_ &&
           a.buckets_ == b.buckets_;
}

histogram_snapshot histogram::snapshot() const {
    histogram_snapshot out;
    out.buckets_.resize(bucket_count);
    std::size_t lowest = bucket_count;
    std::size_t highest = 0;
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        const std::uint64_t n = buckets_[bucket].load(std::memory_order_relaxed);
        if (n == 0) {
            continue;
        }
        out.buckets_[bucket] = n;
        out.count_ += n;
        lowest = std::min(lowest, bucket);
        highest = bucket;
    }
    out.sum_ = sum_.load(std::memory_order_relaxed);
    if (out.count_ == 0) {
        out.buckets_.clear();
        return out;
    }
    out.buckets_.resize(highest + 1);
    // The writer may be between a bucket and min or max: those must fit the buckets that were seen.
    out.min_ = std::clamp(min_.load(std::memory_order_relaxed), bucket_min(lowest), bucket_max(lowest));
    out.max_ = std::clamp(max_.load(std::memory_order_relaxed), bucket_min(highest), bucket_max(highest));
    out.max_ = std::max(out.min_, out.max_);
    return out;
}

void histogram::merge(const histogram_snapshot& other) noexcept {
    for (std::size_t bucket = 0; bucket < other.buckets_.size(); ++bucket) {
        detail::add_single_writer(buckets_[bucket], other.buckets_[bucket]);
    }
    detail::add_single_writer(sum_, other.sum_);
    min_.store(std::min(min_.load(std::memory_order_relaxed), other.min_), std::memory_order_relaxed);
    max_.store(std::max(max_.load(std::memory_order_relaxed), other.max_), std::memory_order_relaxed);
}

void histogram::reset() noexcept {
    for (auto& bucket : buckets_) {
        bucket.store(0, std::memory_order_relaxed);
    }
    sum_.store(0, std::memory_order_relaxed);
    min_.store(std::numeric_limits<std::uint64_t>::max(), std::memory_order_relaxed);
    max_.store(0, std::memory_order_relaxed);
}

} // namespace phoenix::net
