#include <phoenix/replication/delta/send_window.hpp>

#include <iterator>

namespace phoenix::replication {

void send_window::sent(const crdt::replica_id& origin, std::uint64_t last, std::size_t bytes) {
    by_origin_[origin].push_back({last, bytes});
    bytes_ += bytes;
}

bool send_window::confirm(const crdt::version_vector& has) {
    bool any = false;
    for (auto each = by_origin_.begin(); each != by_origin_.end();) {
        const std::uint64_t joined = has.at(each->first);
        auto& flights = each->second;
        while (!flights.empty() && flights.front().last <= joined) {
            bytes_ -= flights.front().bytes;
            flights.pop_front();
            any = true;
        }
        each = flights.empty() ? by_origin_.erase(each) : std::next(each);
    }
    return any;
}

} // namespace phoenix::replication
