// Siblings in a register, and resolutions written back into it.
//
//   mv_register<versioned<value>> stored;
//   auto delta = set(stored, here, value("Tea"), now);                // with its time and clock
//   stored.join(theirs);
//   if (in_conflict(stored)) {
//       if (const auto found = resolve(context_of(stored), semantic<value>())) {
//           if (const auto change = apply(stored, here, found.result(), now)) { send(*change); }
//       }
//   }
//   value_of(stored);                                                 // nothing while there is a conflict
//
// A resolution supersedes exactly the siblings that it was made of: if others have come since, apply does
// nothing, and the conflict is resolved anew. A resolution by rule is no write of its own. It keeps the
// siblings that it stands for, and where it meets other siblings (a write that had not seen it, or what
// another replica resolved at the same time) they take its place. So replicas that resolve at once, or each
// another part, come to the same value, and nothing counts twice: two replicas that add up the same
// increments have not added them again. Where replicas resolved the same siblings by different rules, one
// resolution stands, the same one everywhere, and nothing more is written. What somebody decided by hand, and
// any plain write, takes the place of what it had seen. The cost is that a resolution keeps its siblings
// until the next write.
//
// The clock of a write is what its register had seen: per replica the highest dot. That says no more than was
// seen, since a replica has seen its own earlier writes. Any thread; values.
#pragma once

#include <phoenix/crdt/causal_context.hpp>
#include <phoenix/crdt/conflict/resolution.hpp>
#include <phoenix/crdt/conflict/strategy.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace phoenix::crdt::conflict {

/// A value as a register holds it.
template <byte_value Value>
struct versioned {
    /// Of a write; a resolution by rule has the times and clocks of its siblings.
    timestamp time;
    version_vector clock;
    Value value;
    sibling_set<Value> stands_for = {};
    std::optional<Value> ancestor = {};

    friend bool operator==(const versioned& a, const versioned& b) { return encode(a) == encode(b); }

    void write(byte_writer& out) const {
        write_value(out, time);
        write_value(out, clock);
        write_value(out, value);
        write_value(out, stands_for);
        write_value(out, ancestor);
    }

    [[nodiscard]] static versioned read(byte_reader& in) {
        auto time = read_value<timestamp>(in);
        auto clock = read_value<version_vector>(in);
        Value value = read_value<Value>(in);
        auto stands_for = sibling_set<Value>::read(in);
        return {time, std::move(clock), std::move(value), std::move(stands_for),
                read_value<std::optional<Value>>(in)};
    }
};

/// A register of versioned values: mv_register is one.
template <class Register>
concept versioned_register = requires(Register& stored, const replica_id& here) {
    typename Register::value_type;
    { stored.set(here, std::declval<typename Register::value_type>()) } -> std::same_as<Register>;
    { stored.context() } -> std::convertible_to<const causal_context&>;
    stored.siblings();
} && std::same_as<typename Register::value_type, versioned<decltype(Register::value_type::value)>>;

template <versioned_register Register>
using value_in = decltype(Register::value_type::value);

namespace detail {

template <byte_value Value>
[[nodiscard]] sibling_set<Value> siblings_of(const dot& by, const versioned<Value>& written) {
    if (!written.stands_for.empty()) {
        return written.stands_for;
    }
    return {{by, written.time, written.clock, written.value}};
}

[[nodiscard]] inline version_vector next_clock(const causal_context& seen, const replica_id& here) {
    version_vector clock;
    seen.for_each_interval(
        [&](const replica_id& replica, std::uint64_t, std::uint64_t last) { clock.advance(replica, last); });
    (void)clock.tick(here);
    return clock;
}

} // namespace detail

/// Sets `value` in place of what the register shows, and returns the change.
template <versioned_register Register>
Register set(Register& stored, const replica_id& here, value_in<Register> value, const timestamp& time) {
    return stored.set(
        here, {.time = time, .clock = detail::next_clock(stored.context(), here), .value = std::move(value)});
}

/// `about` with the register's siblings: the writes that stand in it, those that its resolutions stand for,
/// and of all these the ones that no other has seen. The ancestor is that of the resolutions when `about` has
/// none.
template <versioned_register Register>
[[nodiscard]] context<value_in<Register>> context_of(const Register& stored,
                                                     context<value_in<Register>> about = {}) {
    std::vector<sibling<value_in<Register>>> all;
    about.replaces.clear();
    for (const auto& [by, written] : stored.siblings()) {
        const auto own = detail::siblings_of(by, written);
        all.insert(all.end(), own.begin(), own.end());
        about.replaces.push_back(by);
        if (!about.ancestor) {
            about.ancestor = written.ancestor;
        }
    }
    std::ranges::sort(about.replaces);
    about.siblings = latest(sibling_set<value_in<Register>>(std::move(all)));
    return about;
}

/// What the register says; nothing when it is empty or in conflict. It says what a plain write or a
/// resolution of all its siblings says: of resolutions that disagree, the one with the greatest dot.
template <versioned_register Register>
[[nodiscard]] std::optional<value_in<Register>> value_of(const Register& stored) {
    const auto siblings = context_of(stored).siblings;
    const typename Register::value_type* found = nullptr;
    for (const auto& [by, written] : stored.siblings()) {
        if (detail::siblings_of(by, written) == siblings) {
            found = &written;
        }
    }
    return found != nullptr ? std::optional(found->value) : std::nullopt;
}

template <versioned_register Register>
[[nodiscard]] bool in_conflict(const Register& stored) {
    return !stored.empty() && !value_of(stored);
}

/// Writes the resolution in place of the siblings that it was made of, and returns the change; nothing, and
/// the register is as before, when it shows others by now.
template <versioned_register Register>
[[nodiscard]] std::optional<Register> apply(Register& stored, const replica_id& here,
                                            const resolution<value_in<Register>>& decided,
                                            const timestamp& time) {
    if (context_of(stored).replaces != decided.supersedes) {
        return std::nullopt;
    }
    if (decided.stands_for.empty()) {
        return set(stored, here, decided.value, time);
    }
    return stored.set(here, {.time = {},
                             .clock = {},
                             .value = decided.value,
                             .stands_for = decided.stands_for,
                             .ancestor = decided.ancestor});
}

} // namespace phoenix::crdt::conflict
