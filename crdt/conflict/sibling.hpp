// What a strategy is handed: the siblings of one object, and what is known about them.
//
//   context<std::string> title{.object = "page/7", .siblings = {{.by = d1, .time = t1, .value = "Tea"},
//                                                               {.by = d2, .time = t2, .value = "Teas"}}};
//
// A sibling is one of several writes of which none has replaced the others. Siblings are told apart by dot:
// the same one twice is one, equal values of two replicas are two. A sibling_set is always in the order of
// the dots, whatever the order in which siblings came: what a strategy makes of it cannot depend on their
// arrival. Any thread; values.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/hybrid_clock.hpp>
#include <phoenix/crdt/replica.hpp>
#include <phoenix/crdt/version_vector.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt::conflict {

template <byte_value Value>
struct sibling {
    /// The write that it is.
    dot by;
    timestamp time;
    /// What its writer had seen, this write among it. Empty says that nobody knows: then it counts as
    /// concurrent with all.
    version_vector clock;
    Value value;

    /// Its writer had seen `other` when it wrote.
    [[nodiscard]] bool saw(const sibling& other) const {
        return clock != version_vector() && other.clock != version_vector() &&
               other.clock.happens_before(clock);
    }

    void write(byte_writer& out) const {
        write_value(out, by);
        write_value(out, time);
        write_value(out, clock);
        write_value(out, value);
    }

    [[nodiscard]] static sibling read(byte_reader& in) {
        const dot by = read_value<dot>(in);
        auto time = read_value<timestamp>(in);
        auto clock = read_value<version_vector>(in);
        return {by, time, std::move(clock), read_value<Value>(in)};
    }
};

template <byte_value Value>
class sibling_set {
public:
    sibling_set() = default;

    /// In any order. The same dot with two contents throws errc::invalid_operation: a dot is one write.
    sibling_set(std::vector<sibling<Value>> all) : sorted_(std::move(all)) {
        std::ranges::sort(sorted_, {}, &sibling<Value>::by);
        const auto repeated = std::ranges::unique(
            sorted_, [](const auto& a, const auto& b) { return a.by == b.by && (expect_equal(a, b), true); });
        sorted_.erase(repeated.begin(), repeated.end());
    }

    sibling_set(std::initializer_list<sibling<Value>> all) : sibling_set(std::vector<sibling<Value>>(all)) {}

    [[nodiscard]] std::size_t size() const noexcept { return sorted_.size(); }

    [[nodiscard]] bool empty() const noexcept { return sorted_.empty(); }

    /// By dot. Valid until the set changes.
    [[nodiscard]] auto begin() const noexcept { return sorted_.begin(); }

    [[nodiscard]] auto end() const noexcept { return sorted_.end(); }

    [[nodiscard]] std::vector<dot> dots() const {
        std::vector<dot> all;
        for (const auto& each : sorted_) {
            all.push_back(each.by);
        }
        return all;
    }

    /// Those of which `wanted` is true.
    template <class Predicate>
    [[nodiscard]] sibling_set where(Predicate wanted) const {
        sibling_set kept;
        std::ranges::copy_if(sorted_, std::back_inserter(kept.sorted_), wanted);
        return kept;
    }

    friend bool operator==(const sibling_set& a, const sibling_set& b) {
        return a.size() == b.size() && encode(a) == encode(b);
    }

    void write(byte_writer& out) const { write_value(out, sorted_); }

    [[nodiscard]] static sibling_set read(byte_reader& in) {
        sibling_set made;
        for (std::size_t left = in.read_count(least_bytes, "siblings"); left > 0; --left) {
            const std::size_t at = in.position();
            auto each = sibling<Value>::read(in);
            if (!made.empty() && each.by <= made.sorted_.back().by) {
                byte_reader::fail_at(at, "siblings by ascending dot, each once");
            }
            made.sorted_.push_back(std::move(each));
        }
        return made;
    }

private:
    /// Three numbers of a dot and two of a time.
    static constexpr std::size_t least_bytes = 5;

    static void expect_equal(const sibling<Value>& a, const sibling<Value>& b) {
        if (encode(a) != encode(b)) {
            throw_error(errc::invalid_operation, "expected one content under the dot " + to_text(a.by) +
                                                     ", found two: a replica that came back from a backup "
                                                     "must start a new incarnation");
        }
    }

    std::vector<sibling<Value>> sorted_;
};

/// The writes that no other has seen: those between which there is a conflict.
template <byte_value Value>
[[nodiscard]] sibling_set<Value> latest(const sibling_set<Value>& siblings) {
    return siblings.where([&](const sibling<Value>& each) {
        return std::ranges::none_of(siblings, [&](const sibling<Value>& other) { return other.saw(each); });
    });
}

/// A conflict, as a strategy sees it. All but the siblings may be left out.
template <byte_value Value>
struct context {
    /// Which object is in conflict: a manual queue files by it.
    std::string object = {};
    /// What semantic resolution goes by: "counter", "set", "map", "list", "register", or a name that a
    /// registry knows.
    std::string data_type = {};
    /// What the writers were doing, for strategies that care.
    std::string operation_type = {};
    sibling_set<Value> siblings = {};
    /// What all siblings were made from.
    std::optional<Value> ancestor = {};
    /// What is in force until the conflict is resolved: the last known good configuration, the state of a
    /// machine.
    std::optional<Value> current = {};
    std::map<std::string, std::string, std::less<>> metadata = {};
    /// What a resolution replaces, when that is not the siblings themselves but resolutions that stand for
    /// them: see versioned.hpp.
    std::vector<dot> replaces = {};
};

namespace detail {

// Hides all but what argument-dependent lookup finds: a to_text for exactly this type, not one that it
// converts to.
void to_text();

template <class Value>
concept has_text = requires(const Value& value) {
    { to_text(value) } -> std::convertible_to<std::string>;
};

template <has_text Value>
[[nodiscard]] std::string text_of(const Value& value) {
    return to_text(value);
}

} // namespace detail

/// A value for people, by the to_text of its own namespace if there is one.
template <byte_value Value>
[[nodiscard]] std::string shown(const Value& value) {
    if constexpr (detail::has_text<Value>) {
        return detail::text_of(value);
    } else {
        return value_text(value);
    }
}

} // namespace phoenix::crdt::conflict
