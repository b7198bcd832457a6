#include <phoenix/crdt/laws/history.hpp>

namespace phoenix::crdt::laws {

history random_history(random_source& random, std::size_t replicas, std::size_t steps) {
    history made;
    made.reserve(steps);
    for (std::size_t i = 0; i < steps; ++i) {
        step next;
        const std::uint64_t kind = random.below(10);
        next.what = kind < 6 ? step::kind::mutate : kind < 9 ? step::kind::deliver : step::kind::merge;
        next.replica = static_cast<std::uint8_t>(random.below(replicas));
        next.peer = static_cast<std::uint8_t>(random.below(replicas));
        next.seed = random.next();
        made.push_back(next);
    }
    return made;
}

std::string to_string(const history& steps) {
    std::string text;
    for (const step& each : steps) {
        const std::string who = "  replica " + std::to_string(each.replica);
        switch (each.what) {
        case step::kind::mutate:
            text += who + " mutates, seed " + std::to_string(each.seed) + "\n";
            break;
        case step::kind::deliver:
            text += who + " joins a delta, seed " + std::to_string(each.seed) + "\n";
            break;
        case step::kind::merge:
            text += who + " joins the state of replica " + std::to_string(each.peer) + "\n";
            break;
        }
    }
    return text.empty() ? "  nothing happens\n" : text;
}

} // namespace phoenix::crdt::laws
