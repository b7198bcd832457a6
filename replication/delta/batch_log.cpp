#include <phoenix/config.hpp>
#include <phoenix/replication/delta/batch_log.hpp>

#include <algorithm>
#include <utility>

namespace phoenix::replication {

void batch_log::append(const crdt::replica_id& origin, logged_batch batch) {
    std::deque<logged_batch>& log = by_origin_[origin];
    PHOENIX_ASSERT(batch.first <= batch.last && (log.empty() || log.back().last < batch.last),
                   "each batch of an origin reaches further than the one before it");
    log.push_back(std::move(batch));
    try {
        arrivals_.push_back(origin);
    } catch (...) {
        log.pop_back();
        throw;
    }
    bytes_ += log.back().bytes;
    while (arrivals_.size() > 1 && (bytes_ > bytes_max_ || arrivals_.size() > batches_max_)) {
        evict_oldest();
    }
}

const logged_batch* batch_log::find(const crdt::replica_id& origin, std::uint64_t number) const {
    const auto log = by_origin_.find(origin);
    if (log == by_origin_.end()) {
        return nullptr;
    }
    const auto found = std::ranges::lower_bound(log->second, number, {}, &logged_batch::last);
    return found != log->second.end() && found->first <= number ? &*found : nullptr;
}

void batch_log::evict_oldest() {
    const auto log = by_origin_.find(arrivals_.front());
    bytes_ -= log->second.front().bytes;
    log->second.pop_front();
    if (log->second.empty()) {
        by_origin_.erase(log);
    }
    arrivals_.pop_front();
    ++evicted_;
}

} // namespace phoenix::replication
