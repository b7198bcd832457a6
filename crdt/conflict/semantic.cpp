#include <phoenix/crdt/conflict/list_merge.hpp>
#include <phoenix/crdt/conflict/semantic.hpp>
#include <phoenix/crdt/error.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

using said = outcome<value>;

said last_write(const context<value>& about, const std::string& because) {
    said last = decide(last_writer<value>(), about);
    return said::resolved(last.result(), because + last.why());
}

/// The values of the siblings that no other has seen and the ancestor's, as T.
template <class T>
struct fork {
    /// Not one of another kind among the siblings.
    [[nodiscard]] static std::optional<fork> of(const context<value>& about) {
        fork made;
        for (const sibling<value>& each : about.siblings) {
            const T* const found = each.value.as<T>();
            if (found == nullptr) {
                return std::nullopt;
            }
            made.siblings.push_back(found);
        }
        made.ancestor = about.ancestor ? about.ancestor->as<T>() : nullptr;
        return made;
    }

    std::vector<const T*> siblings;
    const T* ancestor = nullptr;
};

/// Runs merge(about) on the siblings that no other has seen.
template <class Merge>
strategy<value> of_latest(std::string name, Merge merge) {
    return {std::move(name), [merge = std::move(merge)](const context<value>& about) {
                context<value> concurrent = about;
                concurrent.siblings = latest(about.siblings);
                return merge(concurrent);
            }};
}

said sum(const fork<std::int64_t>& counts) {
    __extension__ using wide = __int128;
    const wide before = counts.ancestor != nullptr ? *counts.ancestor : 0;
    wide total = before;
    for (const std::int64_t* const each : counts.siblings) {
        total += *each - before;
    }
    if (total < std::numeric_limits<std::int64_t>::min() ||
        total > std::numeric_limits<std::int64_t>::max()) {
        throw_error(errc::counter_overflow, "expected a total of 64 bits, found a larger one");
    }
    return said::resolved(static_cast<std::int64_t>(total),
                          (counts.ancestor != nullptr
                               ? std::to_string(*counts.ancestor) + " and the differences of "
                               : "the sum of ") +
                              std::to_string(counts.siblings.size()) + " counts");
}

said sum(const fork<double>& counts) {
    const double before = counts.ancestor != nullptr ? *counts.ancestor : 0;
    double total = before;
    for (const double* const each : counts.siblings) {
        total += *each - before;
    }
    return said::resolved(total, "the ancestor and the differences of " +
                                     std::to_string(counts.siblings.size()) + " counts");
}

said merge_counters(const context<value>& about) {
    if (const auto counts = fork<std::int64_t>::of(about)) {
        return sum(*counts);
    }
    if (const auto counts = fork<double>::of(about)) {
        return sum(*counts);
    }
    return last_write(about, "not all are numbers of one kind: ");
}

said merge_sets(const context<value>& about) {
    const auto sets = fork<value::set>::of(about);
    if (!sets) {
        return last_write(about, "not all are sets: ");
    }
    value::set merged;
    for (const value::set* const each : sets->siblings) {
        merged.insert(each->begin(), each->end());
    }
    const std::size_t all = merged.size();
    if (sets->ancestor != nullptr) {
        std::erase_if(merged, [&](const value& element) {
            return sets->ancestor->contains(element) &&
                   std::ranges::any_of(sets->siblings,
                                       [&](const value::set* each) { return !each->contains(element); });
        });
    }
    std::string why = "the union of " + std::to_string(sets->siblings.size()) + " sets";
    if (merged.size() < all) {
        why += " without " + std::to_string(all - merged.size()) + " that one of them removed";
    }
    return said::resolved(value(std::move(merged)), std::move(why));
}

said merge_all_lists(const context<value>& about, std::size_t edits_max) {
    const auto lists = fork<value::list>::of(about);
    if (!lists) {
        return last_write(about, "not all are lists: ");
    }
    value::list merged = merge_lists(
        lists->ancestor != nullptr ? *lists->ancestor : common_subsequence(lists->siblings, edits_max),
        lists->siblings, edits_max);
    return said::resolved(value(std::move(merged)),
                          "the changes of " + std::to_string(lists->siblings.size()) + " lists to " +
                              (lists->ancestor != nullptr ? "their ancestor" : "what they have in common"));
}

const value* find(const value::map* entries, const std::string& key) {
    if (entries == nullptr) {
        return nullptr;
    }
    const auto found = entries->find(key);
    return found != entries->end() ? &found->second : nullptr;
}

const char* data_type_of(const std::vector<sibling<value>>& siblings) {
    if (siblings.empty()) {
        return "";
    }
    const value::kind first = siblings.front().value.what();
    if (!std::ranges::all_of(siblings, [&](const auto& each) { return each.value.what() == first; })) {
        return "register";
    }
    switch (first) {
    case value::kind::set:
        return "set";
    case value::kind::list:
        return "list";
    case value::kind::map:
        return "map";
    default:
        return "register";
    }
}

/// One key of a map as a conflict of its own.
struct key_conflict {
    context<value> about;
    bool removed = false;
    const value* before = nullptr;
};

key_conflict conflict_of(const std::string& key, const context<value>& about, const fork<value::map>& maps) {
    key_conflict found;
    found.before = find(maps.ancestor, key);
    std::vector<sibling<value>> writers;
    for (const sibling<value>& each : about.siblings) {
        const value* const held = find(each.value.as<value::map>(), key);
        if (held == nullptr) {
            found.removed = found.before != nullptr;
        } else if (found.before == nullptr || *held != *found.before) {
            writers.push_back({each.by, each.time, each.clock, *held});
        }
    }
    const value* const current = about.current ? find(about.current->as<value::map>(), key) : nullptr;
    found.about = {.object = about.object.empty() ? key : about.object + "/" + key,
                   .data_type = data_type_of(writers),
                   .operation_type = about.operation_type,
                   .siblings = std::move(writers),
                   .ancestor = found.before != nullptr ? std::optional(*found.before) : std::nullopt,
                   .current = current != nullptr ? std::optional(*current) : std::nullopt,
                   .metadata = about.metadata};
    return found;
}

/// The first few reasons, so that a map of a million keys explains itself in a few lines.
class reasons {
public:
    void add(const std::string& key, const std::string& why) {
        if (++count_ <= shown_max) {
            text_ += "; " + quoted_text(key) + ": " + why;
        }
    }

    [[nodiscard]] std::string text() const {
        return std::to_string(count_) + " keys in conflict" + text_ +
               (count_ > shown_max ? "; and " + std::to_string(count_ - shown_max) + " more" : "");
    }

private:
    static constexpr std::size_t shown_max = 8;
    std::size_t count_ = 0;
    std::string text_;
};

said merge_maps(const context<value>& about, const map_rules& rules) {
    const auto maps = fork<value::map>::of(about);
    if (!maps) {
        return last_write(about, "not all are maps: ");
    }
    std::set<std::string> keys;
    for (const value::map* const each : maps->siblings) {
        for (const auto& [key, held] : *each) {
            keys.insert(key);
        }
    }
    value::map merged;
    reasons why;
    for (const std::string& key : keys) {
        const key_conflict at = conflict_of(key, about, *maps);
        if (at.about.siblings.empty()) {
            if (!at.removed) {
                merged.emplace(key, *at.before);
            }
            continue;
        }
        const auto own = rules.by_key.find(key);
        const strategy<value>& rule = own != rules.by_key.end() ? own->second : rules.otherwise;
        const said found = decide(rule, at.about);
        if (!found) {
            return said::unresolved("key " + quoted_text(key) + ": " + found.why());
        }
        if (at.about.siblings.size() > 1) {
            why.add(key, found.why());
        }
        merged.emplace(key, found.result());
    }
    return said::resolved(value(std::move(merged)), why.text());
}

void expect_function(const std::string& field, const strategy<value>& rule) {
    if (!rule.decide) {
        throw_error(errc::invalid_operation,
                    "map_rules: expected a strategy with a function in " + field + ", found none");
    }
}

} // namespace

void list_options::validate() const {
    if (edits_max < 1 || edits_max > 10'000) {
        throw_error(errc::invalid_operation,
                    "list_options: expected edits_max of 1 to 10000, found " + std::to_string(edits_max));
    }
}

void map_rules::validate() const {
    for (const auto& [key, rule] : by_key) {
        expect_function("by_key[" + quoted_text(key) + "]", rule);
    }
    expect_function("otherwise", otherwise);
}

strategy<value> counter_merge() {
    return of_latest("counter", merge_counters);
}

strategy<value> set_merge() {
    return of_latest("set", merge_sets);
}

strategy<value> list_merge(const list_options& options) {
    options.validate();
    return of_latest(
        "list", [options](const context<value>& about) { return merge_all_lists(about, options.edits_max); });
}

strategy<value> map_merge(map_rules rules) {
    rules.validate();
    return of_latest(
        "map", [rules = std::move(rules)](const context<value>& about) { return merge_maps(about, rules); });
}

outcome<value> decide_semantic(const context<value>& about) {
    const auto by = [&](const strategy<value>& rule) {
        return decide(rule, about);
    };
    if (about.data_type == "counter") {
        return by(counter_merge());
    }
    if (about.data_type == "set") {
        return by(set_merge());
    }
    if (about.data_type == "map") {
        return by(map_merge());
    }
    if (about.data_type == "list") {
        return by(list_merge());
    }
    const strategy<value> last = of_latest("register", [&](const context<value>& concurrent) {
        return last_write(concurrent, about.data_type == "register" || about.data_type.empty()
                                          ? ""
                                          : "unknown data type " + quoted_text(about.data_type) + ": ");
    });
    return by(last);
}

} // namespace phoenix::crdt::conflict
