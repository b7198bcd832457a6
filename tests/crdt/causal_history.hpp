// A second opinion on causal types: what was called, by whom, and what the caller had seen. A type is right
// when each replica reads as a plain rule over the calls that it has seen says; the rule knows nothing of
// dots.
//
// States and deltas are delivered at random but in causal order, as replication does: a rule that speaks of
// "seen" means everything that the seen calls had seen in their turn.
#pragma once

#include "laws_hold.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::crdt::testing {

template <class Call>
class causal_history {
public:
    struct event {
        Call what;
        replica_id by;
        std::vector<bool> past; ///< of all earlier events: had the caller seen it?
    };

    using seen_set = std::vector<bool>;

    [[nodiscard]] bool saw(std::size_t later, std::size_t earlier) const {
        return earlier < events[later].past.size() && events[later].past[earlier];
    }

    /// The events that a replica may hear of now, as it has seen all that their callers had; with `again`, also
    /// those that it knows.
    [[nodiscard]] std::vector<std::size_t> deliverable(const seen_set& seen, bool again) const {
        std::vector<std::size_t> found;
        for (std::size_t each = 0; each < events.size(); ++each) {
            bool covered = again || !seen[each];
            for (std::size_t i = 0; i < each && covered; ++i) {
                covered = !saw(each, i) || seen[i];
            }
            if (covered) {
                found.push_back(each);
            }
        }
        return found;
    }

    template <class Visitor>
    void for_each_seen(const seen_set& seen, Visitor&& visit) const {
        for (std::size_t i = 0; i < seen.size(); ++i) {
            if (seen[i]) {
                visit(events[i]);
            }
        }
    }

    /// The events of `seen` for which concerns(call) is true and which no other of them had seen: what has
    /// the last word.
    template <class Concerns>
    [[nodiscard]] std::vector<const event*> last_words(const seen_set& seen, Concerns&& concerns) const {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            if (seen[i] && concerns(events[i].what)) {
                all.push_back(i);
            }
        }
        std::vector<const event*> last;
        for (const std::size_t each : all) {
            bool followed = false;
            for (const std::size_t later : all) {
                followed = followed || saw(later, each);
            }
            if (!followed) {
                last.push_back(&events[each]);
            }
        }
        return last;
    }

    std::vector<event> events;
};

/// Random histories of up to 5 replicas. `draw(random)`, or `draw(random, history, seen)` where it depends on
/// what the caller has seen, gives a call, `act(state, here, call)` makes it and returns the delta,
/// `wrong(state, history, seen)` says what a replica that has seen so much reads wrongly, if anything.
template <class State, class Call, class Draw, class Act, class Wrong>
void agrees_with_model(Draw draw, Act act, Wrong wrong) {
    laws::random_source seeds(random_seed());
    for (std::size_t round = 0; round < cases_wanted(); ++round) {
        const std::uint64_t seed = seeds.next();
        laws::random_source random(seed);
        const std::size_t replicas = 2 + random.below(4);
        causal_history<Call> history;
        std::vector<State> deltas;
        std::vector<State> states(replicas);
        std::vector<std::vector<bool>> seen(replicas);
        for (std::uint64_t left = 5 + random.below(50); left > 0; --left) {
            const std::size_t here = random.below(replicas);
            const std::size_t peer = random.below(replicas);
            for (auto& each : seen) {
                each.resize(history.events.size());
            }
            switch (random.below(6)) {
            case 0:
                states[here].join(State(states[peer]));
                for (std::size_t i = 0; i < seen[peer].size(); ++i) {
                    seen[here][i] = seen[here][i] || seen[peer][i];
                }
                break;
            case 1:
            case 2:
                // One of those whose past is here, as a rule one that is new.
                if (std::vector<std::size_t> ready = history.deliverable(seen[here], random.one_in(8));
                    !ready.empty()) {
                    const std::size_t which = ready[random.below(ready.size())];
                    states[here].join(deltas[which]);
                    seen[here][which] = true;
                }
                break;
            default: {
                const replica_id id = laws::replica_number(here);
                Call what = [&]() -> Call {
                    if constexpr (std::is_invocable_v<Draw, laws::random_source&>) {
                        return draw(random);
                    } else {
                        return draw(random, history, seen[here]);
                    }
                }();
                deltas.push_back(act(states[here], id, what));
                history.events.push_back({std::move(what), id, seen[here]});
                seen[here].push_back(true);
            }
            }
            const std::optional<std::string> found = wrong(states[here], history, seen[here]);
            BOOST_REQUIRE_MESSAGE(!found, "PHOENIX_TEST_SEED=" << random_seed() << ", round " << round << ": "
                                                               << found.value_or(""));
        }
    }
}

} // namespace phoenix::crdt::testing
