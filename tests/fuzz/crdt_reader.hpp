// What the decoders of a type must do with bytes from anywhere: refuse them with an error that says where, or read just
// what was written; and what was read must serve like any other state, beside states it never met.
//
// Of an input the first byte picks the type, the second what the bytes are taken for, the third where the first of two
// parts ends. PHOENIX_FUZZ_TYPE=<name> in the environment fixes the type; with a wrong name the target lists them.
#pragma once

#include <phoenix/crdt/error.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace phoenix::crdt::fuzz {

using bytes = std::span<const std::byte>;

inline void expect(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

/// What the bytes say; nothing when they are refused.
template <byte_value Value>
std::optional<Value> read(bytes from) {
    // On the heap and no longer than they are, so that a read beyond the end is found.
    const std::vector<std::byte> exact(from.begin(), from.end());
    std::optional<Value> found;
    try {
        found.emplace(decode<Value>(exact));
    } catch (const decode_error& e) {
        expect(e.offset() <= exact.size());
        return std::nullopt;
    }
    expect(std::ranges::equal(encode(*found), exact));
    return found;
}

/// A state is never left such that others refuse it.
template <class State>
void expect_readable(const State& state) {
    expect(decode<State>(encode(state)) == state);
}

template <class State>
std::uint64_t dots_of(const State& state) {
    if constexpr (requires { state.context().count(); }) {
        return state.context().count();
    } else {
        return 0;
    }
}

template <class State>
void read_state(bytes from) {
    const std::optional<State> found = read<State>(from);
    if (!found) {
        return;
    }
    State joined = *found;
    joined.join(*found);
    expect(joined == *found && found->leq(joined));
    State empty;
    expect(empty.delta_and_merge(*found) == *found);
    expect(found->delta_since(found->digest()).is_bottom());
    // A few bytes can name many dots, and there is a part for each.
    if (dots_of(*found) <= 1000) {
        State whole;
        for (const State& part : found->decompose()) {
            whole.join(part);
        }
        expect(whole == *found);
    }
    (void)to_text(explain(*found));
}

/// Two states that may contradict each other, as no honest replicas' do: the join may refuse, and nothing else.
template <class State>
void read_two_states(bytes first, bytes second) {
    std::optional<State> mine = read<State>(first);
    const std::optional<State> theirs = mine ? read<State>(second) : std::nullopt;
    if (!theirs) {
        return;
    }
    try {
        const State delta = mine->delta_and_merge(*theirs);
        expect_readable(delta);
    } catch (const std::system_error&) {
    }
    expect_readable(*mine);
}

template <class State>
void read_digest(bytes first, bytes second) {
    const auto digest = read<typename State::digest_type>(first);
    const std::optional<State> state = digest ? read<State>(second) : std::nullopt;
    if (state) {
        const State missing = state->delta_since(*digest);
        expect(missing.leq(*state));
        expect_readable(missing);
    }
}

template <class State>
void read_operation(bytes first, bytes second) {
    const auto operation = read<typename State::operation>(first);
    std::optional<State> mine = operation ? read<State>(second) : std::nullopt;
    if (!mine) {
        return;
    }
    const State before = *mine;
    try {
        const State delta = mine->apply({1, 1}, *operation);
        State theirs = before;
        theirs.join(delta);
        expect(theirs == *mine);
    } catch (const std::system_error&) {
        expect(*mine == before);
    }
    expect_readable(*mine);
}

template <class State>
void read_all(bytes from) {
    if (from.size() < 2) {
        return;
    }
    const auto what = std::to_integer<unsigned>(from[0]) % 4;
    const bytes rest = from.subspan(2);
    const bytes first = rest.first(std::min(rest.size(), std::to_integer<std::size_t>(from[1])));
    const bytes second = rest.subspan(first.size());
    switch (what) {
    case 0:
        return read_state<State>(rest);
    case 1:
        return read_two_states<State>(first, second);
    case 2:
        return read_digest<State>(first, second);
    default:
        return read_operation<State>(first, second);
    }
}

/// A value that is no state: its bytes alone.
template <class Value>
void read_value_only(bytes from) {
    (void)read<Value>(from);
}

struct reader {
    std::string_view name;
    void (*read)(bytes);
};

inline const reader* named(std::span<const reader> all, std::string_view name) {
    const auto found = std::ranges::find(all, name, &reader::name);
    if (found == all.end()) {
        std::fprintf(stderr, "PHOENIX_FUZZ_TYPE: expected one of");
        for (const reader& each : all) {
            std::fprintf(stderr, " %.*s", static_cast<int>(each.name.size()), each.name.data());
        }
        std::fprintf(stderr, "\n");
        std::exit(2);
    }
    return &*found;
}

/// The body of LLVMFuzzerTestOneInput.
inline int run(std::span<const reader> all, const std::uint8_t* data, std::size_t size) {
    static const char* const wanted = std::getenv("PHOENIX_FUZZ_TYPE");
    static const reader* const fixed = wanted != nullptr ? named(all, wanted) : nullptr;
    if (size > 0) {
        const reader& chosen = fixed != nullptr ? *fixed : all[data[0] % all.size()];
        chosen.read(std::as_bytes(std::span(data + 1, size - 1)));
    }
    return 0;
}

} // namespace phoenix::crdt::fuzz
