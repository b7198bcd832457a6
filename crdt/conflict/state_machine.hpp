// Conflicts between states of a machine: only what the current state leads to.
//
//   const state_machine<std::string> door{.transitions = {{"closed", "open"}, {"closed", "locked"}},
//                                         .priority = {{"locked", 1}}};
//   resolve({.siblings = {...}, .current = "closed"}, legal_transition(door));
//
// Of the siblings that no other has seen, those to which the context's `current` state has a transition are
// legal. Of several the one with the highest priority wins (0 unless given), of equal ones the last write
// (writer_order.hpp). When none is legal the machine stays as it is; without a current state the conflict is
// unresolved. A state leads to itself only if the table says so. Any thread.
#pragma once

#include <phoenix/crdt/conflict/writer_order.hpp>

#include <algorithm>
#include <concepts>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace phoenix::crdt::conflict {

template <std::totally_ordered State>
    requires byte_value<State>
struct state_machine {
    /// From, to.
    std::set<std::pair<State, State>> transitions;
    std::map<State, int> priority = {};

    /// Throws errc::invalid_operation that names the wrong field.
    void validate() const {
        if (transitions.empty()) {
            throw_error(errc::invalid_operation, "state_machine: expected transitions, found none");
        }
        for (const auto& [state, rank] : priority) {
            if (std::ranges::none_of(transitions, [&](const auto& each) { return each.second == state; })) {
                throw_error(errc::invalid_operation,
                            "state_machine: expected a transition to each state in priority, "
                            "found none to " +
                                shown(state));
            }
        }
    }

    [[nodiscard]] bool leads(const State& from, const State& to) const {
        return transitions.contains({from, to});
    }

    [[nodiscard]] int priority_of(const State& state) const {
        const auto found = priority.find(state);
        return found != priority.end() ? found->second : 0;
    }
};

template <class State>
[[nodiscard]] strategy<State> legal_transition(state_machine<State> machine) {
    machine.validate();
    return {
        "state_machine", [machine = std::move(machine)](const context<State>& about) {
            if (!about.current) {
                return outcome<State>::unresolved("expected the current state of the machine, found none");
            }
            const sibling_set<State> legal = latest(about.siblings).where([&](const sibling<State>& each) {
                return machine.leads(*about.current, each.value);
            });
            if (legal.empty()) {
                return outcome<State>::resolved(*about.current,
                                                "stays: no sibling is legal from " + shown(*about.current));
            }
            // From the last write on, so of equal priorities the last wins.
            const auto newest = newest_first(legal);
            const sibling<State>& chosen = **std::ranges::max_element(
                newest, {}, [&](const sibling<State>* each) { return machine.priority_of(each->value); });
            return outcome<State>::resolved(
                chosen.value, "legal from " + shown(*about.current) + ", priority " +
                                  std::to_string(machine.priority_of(chosen.value)) + " of " +
                                  std::to_string(legal.size()) + " legal, " + write_text(chosen));
        }};
}

} // namespace phoenix::crdt::conflict
