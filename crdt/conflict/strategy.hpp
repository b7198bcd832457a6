// How conflicts between concurrent writes are resolved: start here.
//
//   using namespace phoenix::crdt::conflict;
//   mv_register<versioned<value>> stored;                         // with times and clocks
//   (void)set(stored, here, value(3), now);
//   ...                                                           // joins bring siblings
//   if (in_conflict(stored)) {
//       const auto found = resolve(context_of(stored, {.data_type = "counter"}), semantic<value>());
//       if (found) {
//           (void)apply(stored, here, found.result(), now);       // supersedes the siblings: send the delta
//       } else {
//           log(found.why());                                     // the siblings stay, nothing is lost
//       }
//   }
//
// A strategy is a name and a function from a context (data type, operation type, siblings with values, times
// and clocks, ancestor, current value, metadata) to a value or a reason. `resolve` runs it and makes a
// resolution of what it says. All of these are functions of the set of siblings, so replicas that have the
// same siblings decide the same:
//
// | header | strategies |
// | --- | --- |
// | `writer_order.hpp` | last_writer, first_writer: by hybrid time, replica, hash of the value |
// | `vector_clock.hpp` | vector_clock: the causally latest write; of concurrent ones semantic or another |
// | `semantic.hpp` | semantic: by data type: counter, set, map key by key, list, register |
// | `manual.hpp` | manual: a queue that a person or a program drains |
// | `configuration.hpp` | the newest valid one, else the last known good one |
// | `metrics.hpp` | counters add up, gauges take the latest, histograms merge, sets unite |
// | `state_machine.hpp` | legal transitions from the current state, then priority, then time; else it stays |
// | `resource_allocation.hpp` | all granted if they fit, else scaled fairly, in integers that add up |
// | `registry.hpp` | finds a strategy by name, or by data type; an unknown type falls to the last writer |
//
// A context's ancestor, current value and metadata are the caller's, and must be the same everywhere as well.
// One's own strategy is strategy<V>{"mine", function}. It must depend on nothing but its argument: a clock, a
// random number or local state makes replicas decide differently for ever. What it throws is caught here and
// leaves the conflict unresolved. Any thread; a strategy is a value.
#pragma once

#include <phoenix/crdt/conflict/outcome.hpp>
#include <phoenix/crdt/conflict/resolution.hpp>
#include <phoenix/crdt/conflict/sibling.hpp>

#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace phoenix::crdt::conflict {

template <byte_value Value>
struct strategy {
    std::string name;
    /// Called with one sibling at least.
    std::function<outcome<Value>(const context<Value>&)> decide;
};

/// What the strategy says; unresolved when there is no sibling or when it throws.
template <byte_value Value>
[[nodiscard]] outcome<Value> decide(const strategy<Value>& by, const context<Value>& about) {
    if (about.siblings.empty()) {
        return outcome<Value>::unresolved("expected siblings, found none: there is no conflict");
    }
    try {
        return by.decide(about);
    } catch (const std::exception& e) {
        return outcome<Value>::unresolved(by.name + " failed: " + e.what());
    } catch (...) {
        return outcome<Value>::unresolved(by.name + " failed: it threw what is no std::exception");
    }
}

template <byte_value Value>
[[nodiscard]] outcome<resolution<Value>> resolve(const context<Value>& about, const strategy<Value>& by) {
    outcome<Value> said = decide(by, about);
    std::string why = said.why();
    if (!said) {
        return outcome<resolution<Value>>::unresolved(std::move(why));
    }
    resolution<Value> made{.value = std::move(said).result(),
                           .supersedes = about.replaces.empty() ? about.siblings.dots() : about.replaces,
                           .decided_by = by.name,
                           .why = why,
                           .stands_for = about.siblings,
                           .ancestor = about.ancestor};
    return outcome<resolution<Value>>::resolved(std::move(made), std::move(why));
}

} // namespace phoenix::crdt::conflict
