#include <phoenix/replication/subscription.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace phoenix::replication {

subscription change_feed::subscribe(callback told, bool also_here) {
    return add({++made_, nullptr, {}, {}, also_here}, std::move(told));
}

subscription change_feed::subscribe(const object_type& type, std::string key, callback told) {
    return add({++made_, &type, std::move(key), {}, true}, std::move(told));
}

subscription change_feed::add(subscriber added, callback told) {
    auto kept = std::make_shared<callback>(std::move(told));
    added.told = kept;
    subscribers_.push_back(std::move(added));
    local_subscribers_ += subscribers_.back().also_here ? 1 : 0;
    return subscription(std::move(kept));
}

std::list<change_feed::subscriber>::iterator change_feed::drop(std::list<subscriber>::iterator gone) {
    local_subscribers_ -= gone->also_here ? 1 : 0;
    return subscribers_.erase(gone);
}

void change_feed::note(const stored_object& object, bool here) {
    if (subscribers_.empty() || (here && local_subscribers_ == 0)) {
        return;
    }
    // A writer at work in one object fills no memory with it.
    if (!seen_.empty() && seen_.back().object == &object) {
        seen_.back().here |= here;
        seen_.back().elsewhere |= !here;
        return;
    }
    seen_.push_back({&object, here, !here});
}

std::vector<change_feed::seen> change_feed::take() {
    std::vector<seen> all = std::exchange(seen_, {});
    std::ranges::sort(all, {}, [](const seen& each) { return each.object->changed(); });
    std::vector<seen> once;
    for (const seen& each : all) {
        if (!once.empty() && once.back().object == each.object) {
            once.back().here |= each.here;
            once.back().elsewhere |= each.elsewhere;
        } else {
            once.push_back(each);
        }
    }
    return once;
}

} // namespace phoenix::replication
