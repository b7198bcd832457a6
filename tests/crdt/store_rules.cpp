#include "store_rules.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace phoenix::crdt::testing {

namespace {

using kind = placed_call::kind;
using word = words::word;

template <class Numbers>
std::string list_of(const Numbers& numbers) {
    std::string text;
    for (const auto& each : numbers) {
        text += (text.empty() ? "" : " ") + std::to_string(each);
    }
    return text;
}

bool starts_with(const place& where, const place& prefix) {
    return where.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), where.begin());
}

bool something_at(const reading& found, const place& prefix) {
    const auto first = found.lower_bound(prefix);
    return first != found.end() && starts_with(first->first, prefix);
}

std::map<place, words> words_by_leaf(const placed_calls& history, const placed_calls::seen_set& seen) {
    std::map<place, words> all;
    const auto note = [&](const place& leaf, std::size_t event, kind what) {
        words& said = all[leaf];
        word made{what, history.events[event].what.value, history.events[event].by, {}};
        for (std::size_t i = 0; i < said.events.size(); ++i) {
            if (history.saw(event, said.events[i])) {
                made.answers.push_back(i);
            }
        }
        said.all.push_back(std::move(made));
        said.events.push_back(event);
    };
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const placed_call& call = history.events[i].what;
        if (seen[i] && (call.what == kind::say || call.what == kind::unsay)) {
            note(call.where, i, call.what);
        }
        for (const place& leaf : call.taken) {
            if (seen[i]) {
                note(leaf, i, kind::reset);
            }
        }
    }
    return all;
}

reading expected_reading(const shape& root, const placed_calls& history, const placed_calls::seen_set& seen) {
    reading expected;
    for (const auto& [leaf, said] : words_by_leaf(history, seen)) {
        if (std::string text = root.at(leaf, leaf.size()).leaf(said); !text.empty()) {
            expected.emplace(leaf, std::move(text));
        }
    }
    return expected;
}

/// The leaves below `call` that its caller sees: erasing a key that is not there does nothing to what may be
/// below it, and a map resets those of its keys that are there. Fields of a record are always there.
std::set<place> leaves_taken(const placed_call& call, const shape& root, const placed_calls& history,
                             const placed_calls::seen_set& seen) {
    const reading there = expected_reading(root, history, seen);
    std::set<place> taken;
    for (const auto& [leaf, said] : words_by_leaf(history, seen)) {
        bool reached = starts_with(leaf, call.where);
        for (std::size_t depth = call.where.size() + (call.what == kind::remove ? 0 : 1);
             reached && depth <= leaf.size(); ++depth) {
            const place prefix(leaf.begin(), leaf.begin() + static_cast<std::ptrdiff_t>(depth));
            reached = root.at(leaf, depth - 1).keys == 0 || something_at(there, prefix);
        }
        if (reached) {
            taken.insert(leaf);
        }
    }
    return taken;
}

placed_call any_call(laws::random_source& random, const shape& root, const placed_calls& history,
                     const placed_calls::seen_set& seen) {
    placed_call made{kind::say, {}, 1 + random.below(4), {}};
    const shape* node = &root;
    while (node->leaf == nullptr && made.what == kind::say) {
        if (random.one_in(20)) {
            made.what = kind::reset;
        } else if (node->keys > 0) {
            made.where.push_back(random.below(node->keys));
            made.what = random.one_in(6) ? kind::remove : kind::say;
            node = &node->below[0];
        } else {
            made.where.push_back(random.below(node->below.size()));
            node = &node->below[made.where.back()];
        }
    }
    if (made.what == kind::say) {
        const std::uint64_t which = random.below(8);
        made.what = which == 0 ? kind::reset : which < 3 ? kind::unsay : kind::say;
    }
    if (made.what == kind::reset || made.what == kind::remove) {
        made.taken = leaves_taken(made, root, history, seen);
    }
    return made;
}

std::string to_text(const reading& what) {
    std::string text;
    for (const auto& [leaf, value] : what) {
        text += list_of(leaf) + ": " + value + "\n";
    }
    return text;
}

class copied_state {
public:
    copied_state() = default;

    explicit copied_state(std::unique_ptr<any_state> state) noexcept : state_(std::move(state)) {}

    copied_state(copied_state&&) noexcept = default;
    copied_state& operator=(copied_state&&) noexcept = default;
    ~copied_state() = default;

    copied_state(const copied_state& other) : state_(other.state_ ? other.state_->clone() : nullptr) {}

    copied_state& operator=(const copied_state& other) { return *this = copied_state(other); }

    any_state& of(const any_state& bottom) {
        if (!state_) {
            state_ = bottom.clone();
        }
        return *state_;
    }

    void join(const copied_state& theirs) {
        if (theirs.state_) {
            of(*theirs.state_).join(*theirs.state_);
        }
    }

private:
    std::unique_ptr<any_state> state_;
};

std::string writes_text(const std::vector<const word*>& standing) {
    std::multiset<std::uint64_t> values;
    for (const word* each : standing) {
        values.insert(each->value);
    }
    return list_of(values);
}

std::vector<const word*> standing_writes(const words& said) {
    return said.standing(kind::say, [](const word&, const word&) { return true; });
}

} // namespace

std::string add_wins(const words& said) {
    std::set<std::uint64_t> elements;
    for (const word* each : said.standing(kind::say, [](const word& later, const word& added) {
             return later.what == kind::reset || (later.what == kind::unsay && later.value == added.value);
         })) {
        elements.insert(each->value);
    }
    return list_of(elements);
}

std::string remove_wins(const words& said) {
    // Of additions and removals the later counts; of concurrent ones the removal.
    const auto answered = [](const word& later, const word& earlier) {
        return later.what == kind::reset || later.value == earlier.value;
    };
    std::set<std::uint64_t> elements;
    for (const word* each : said.standing(kind::say, answered)) {
        elements.insert(each->value);
    }
    for (const word* each : said.standing(kind::unsay, answered)) {
        elements.erase(each->value);
    }
    return list_of(elements);
}

std::string enable_wins(const words& said) {
    const auto standing =
        said.standing(kind::say, [](const word& later, const word&) { return later.what != kind::say; });
    return standing.empty() ? "" : "on";
}

std::string disable_wins(const words& said) {
    const auto standing =
        said.standing(kind::unsay, [](const word& later, const word&) { return later.what != kind::unsay; });
    return standing.empty() ? "" : "off";
}

std::string all_writes_stand(const words& said) {
    return writes_text(standing_writes(said));
}

std::string last_write_is_seen(const words& said) {
    const auto standing = standing_writes(said);
    const auto last = std::ranges::max_element(
        standing, {}, [](const word* each) { return std::tuple(time_of(each->value), each->by); });
    return standing.empty() ? "" : std::to_string((*last)->value) + " of " + writes_text(standing);
}

std::string counts_what_no_reset_saw(const words& said) {
    const auto reset = [](const word& later, const word&) {
        return later.what == kind::reset;
    };
    const auto up = said.standing(kind::say, reset);
    const auto down = said.standing(kind::unsay, reset);
    std::int64_t sum = 0;
    for (const word* each : up) {
        sum += static_cast<std::int64_t>(each->value);
    }
    for (const word* each : down) {
        sum -= static_cast<std::int64_t>(each->value);
    }
    return up.empty() && down.empty() ? "" : std::to_string(sum);
}

const shape& shape::at(const place& where, std::size_t depth) const {
    const shape* found = this;
    for (std::size_t i = 0; i < depth; ++i) {
        found = &found->below[found->keys > 0 ? 0 : where[i]];
    }
    return *found;
}

void agrees_with_the_rules(const shape& root, const any_state& bottom) {
    agrees_with_model<copied_state, placed_call>(
        [&](laws::random_source& random, const placed_calls& history, const placed_calls::seen_set& seen) {
            return any_call(random, root, history, seen);
        },
        [&](copied_state& state, const replica_id& here, const placed_call& call) {
            return copied_state(state.of(bottom).change(here, call));
        },
        [&](copied_state& state, const placed_calls& history,
            const placed_calls::seen_set& seen) -> std::optional<std::string> {
            const reading expected = expected_reading(root, history, seen);
            const reading found = state.of(bottom).read();
            return found == expected
                       ? std::nullopt
                       : std::optional("expected\n" + to_text(expected) + "found\n" + to_text(found));
        });
}

} // namespace phoenix::crdt::testing
