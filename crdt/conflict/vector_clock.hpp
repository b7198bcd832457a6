// The causally latest write, by vector clocks.
//
//   resolve(about, vector_clock<value>());                          // concurrent ones: semantic
//   resolve(about, vector_clock(first_writer<std::string>()));      // concurrent ones: the first
//
// Siblings that another sibling had seen when it was written are dropped. If one is left, that is the answer;
// else the fallback decides between those that are left. A sibling without a clock is concurrent with all.
// Any thread.
#pragma once

#include <phoenix/crdt/conflict/semantic.hpp>

#include <string>
#include <utility>

namespace phoenix::crdt::conflict {

template <byte_value Value>
[[nodiscard]] strategy<Value> vector_clock(strategy<Value> fallback) {
    return {"vector_clock", [fallback = std::move(fallback)](const context<Value>& about) {
                context<Value> concurrent = about;
                concurrent.siblings = latest(about.siblings);
                if (concurrent.siblings.size() == 1) {
                    const sibling<Value>& last = *concurrent.siblings.begin();
                    return outcome<Value>::resolved(last.value, "causally the latest, " + write_text(last));
                }
                outcome<Value> said = conflict::decide(fallback, concurrent);
                std::string why = std::to_string(concurrent.siblings.size()) + " concurrent writes, " +
                                  fallback.name + ": " + said.why();
                return said ? outcome<Value>::resolved(std::move(said).result(), std::move(why))
                            : outcome<Value>::unresolved(std::move(why));
            }};
}

template <byte_value Value>
[[nodiscard]] strategy<Value> vector_clock() {
    return vector_clock(semantic<Value>());
}

} // namespace phoenix::crdt::conflict
