// Conflicts that wait for a decision: a queue that a person or a program drains.
//
//   manual_queue<std::string> waiting;
//   resolve(about, manual(waiting));                                 // unresolved, "queued as number 1 ..."
//   for (const auto& each : waiting) { ... each.about.siblings ... }
//   const auto found = waiting.resolve(each.ticket, "Tea", "ann");   // to be applied as any other
//
// An object stands in the queue once: a conflict that is raised again with other siblings takes the place of
// the old one and raises the ticket's revision, so that a decision on siblings that are no longer the ones is
// not taken for one on these. The queue is bounded; beyond that, raising throws errc::limit_exceeded, and the
// conflict stays where it is, among the siblings. A decision is a write of its own, not derived from the
// siblings: two people who decide differently and concurrently make a conflict again. The strategy refers to
// the queue, which must outlive it. The queue is local state: it belongs to one thread at a time, and
// replicas raise and decide each for themselves.
#pragma once

#include <phoenix/crdt/conflict/strategy.hpp>
#include <phoenix/crdt/error.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <ranges>
#include <string>
#include <utility>

namespace phoenix::crdt::conflict {

/// One conflict in one of its states.
struct manual_ticket {
    std::uint64_t number = 0;
    std::uint64_t revision = 0;

    friend auto operator<=>(const manual_ticket&, const manual_ticket&) = default;
};

struct manual_options {
    /// Objects that may wait; 1 to 1'000'000.
    std::size_t capacity = 10'000;

    /// Throws errc::invalid_operation that names the field.
    void validate() const;
};

template <byte_value Value>
class manual_queue {
public:
    struct entry {
        manual_ticket ticket;
        context<Value> about;
    };

    explicit manual_queue(const manual_options& options = {}) : options_(options) { options_.validate(); }

    // Strategies refer to it.
    manual_queue(const manual_queue&) = delete;
    manual_queue& operator=(const manual_queue&) = delete;

    /// Puts a conflict in, under its object's name. Throws errc::limit_exceeded when the queue is full.
    manual_ticket raise(const context<Value>& about) {
        const auto known = by_object_.find(about.object);
        if (known != by_object_.end()) {
            entry& old = entries_.at(known->second);
            if (!(old.about.siblings == about.siblings) || old.about.replaces != about.replaces) {
                ++old.ticket.revision;
            }
            old.about = about;
            return old.ticket;
        }
        if (entries_.size() >= options_.capacity) {
            throw_error(errc::limit_exceeded,
                        "expected at most " + std::to_string(options_.capacity) +
                            " conflicts in the manual queue, found one more: resolve some");
        }
        const std::uint64_t number = next_number_;
        entries_.emplace(number, entry{{number, 1}, about});
        by_object_.emplace(about.object, number);
        ++next_number_;
        return {number, 1};
    }

    /// Takes the conflict out with a decision for `value` by `who`. Unresolved, and still in the queue, when
    /// it has changed since the ticket was given out; unresolved as well when it is no longer there.
    [[nodiscard]] outcome<resolution<Value>> resolve(const manual_ticket& ticket, Value value,
                                                     const std::string& who) {
        using made = outcome<resolution<Value>>;
        const auto found = entries_.find(ticket.number);
        if (found == entries_.end()) {
            return made::unresolved("expected conflict " + std::to_string(ticket.number) +
                                    " in the queue, found none: it was resolved or withdrawn");
        }
        const entry& at = found->second;
        if (at.ticket.revision != ticket.revision) {
            return made::unresolved("expected revision " + std::to_string(at.ticket.revision) +
                                    " of conflict " + std::to_string(ticket.number) + ", found " +
                                    std::to_string(ticket.revision) +
                                    ": the siblings have changed, inspect it again");
        }
        const context<Value>& about = at.about;
        resolution<Value> decision{.value = std::move(value),
                                   .supersedes =
                                       about.replaces.empty() ? about.siblings.dots() : about.replaces,
                                   .decided_by = who,
                                   .why = "decided by hand",
                                   .stands_for = {},
                                   .ancestor = {}};
        erase(found);
        return made::resolved(std::move(decision), "decided by " + who);
    }

    /// Takes out the conflict about `object` when it is none any more: another replica resolved it. True when
    /// it was there.
    bool withdraw(const std::string& object) {
        const auto known = by_object_.find(object);
        if (known == by_object_.end()) {
            return false;
        }
        erase(entries_.find(known->second));
        return true;
    }

    /// Null when it is not in the queue. Valid until the queue changes.
    [[nodiscard]] const entry* find(const std::string& object) const {
        const auto known = by_object_.find(object);
        return known != by_object_.end() ? &entries_.at(known->second) : nullptr;
    }

    [[nodiscard]] std::size_t unresolved_count() const noexcept { return entries_.size(); }

    /// From the one that waits longest. Valid until the queue changes.
    [[nodiscard]] auto begin() const { return std::views::values(entries_).begin(); }

    [[nodiscard]] auto end() const { return std::views::values(entries_).end(); }

private:
    void erase(typename std::map<std::uint64_t, entry>::iterator which) {
        by_object_.erase(which->second.about.object);
        entries_.erase(which);
    }

    manual_options options_;
    std::uint64_t next_number_ = 1;
    std::map<std::uint64_t, entry> entries_;
    std::map<std::string, std::uint64_t> by_object_;
};

inline void manual_options::validate() const {
    if (capacity < 1 || capacity > 1'000'000) {
        throw_error(errc::invalid_operation,
                    "manual_options: expected capacity of 1 to 1000000, found " + std::to_string(capacity));
    }
}

template <byte_value Value>
[[nodiscard]] strategy<Value> manual(manual_queue<Value>& queue) {
    return {"manual", [&queue](const context<Value>& about) {
                const manual_ticket ticket = queue.raise(about);
                return outcome<Value>::unresolved("queued as number " + std::to_string(ticket.number) +
                                                  " for a decision by hand");
            }};
}

} // namespace phoenix::crdt::conflict
