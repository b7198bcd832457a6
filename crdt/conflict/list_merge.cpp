#include <phoenix/crdt/conflict/list_merge.hpp>
#include <phoenix/crdt/error.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

/// Items as numbers, equal exactly when the items are: comparing deep values once each is enough.
class numbering {
public:
    [[nodiscard]] std::vector<std::uint32_t> operator()(const value::list& items) {
        std::vector<std::uint32_t> numbers;
        numbers.reserve(items.size());
        for (const value& each : items) {
            numbers.push_back(
                numbers_.try_emplace(each, static_cast<std::uint32_t>(numbers_.size())).first->second);
        }
        return numbers;
    }

private:
    struct by_value {
        bool operator()(const value& a, const value& b) const noexcept { return a < b; }
    };

    std::map<std::reference_wrapper<const value>, std::uint32_t, by_value> numbers_;
};

using numbers = std::vector<std::uint32_t>;

/// Positions in a and in b of a longest common subsequence, ascending.
using matches = std::vector<std::pair<std::size_t, std::size_t>>;

/// Myers' greedy search. A path goes right by leaving out an item of a, down by taking one of b, and
/// diagonally along equal items for nothing. rounds[d][i] is how far into `a` a path of d edits gets on
/// diagonal 2i - d, which counts items left out less items taken.
class edit_graph {
public:
    edit_graph(const numbers& a, const numbers& b) : a_(a), b_(b) {}

    [[nodiscard]] matches longest(std::size_t edits_max) {
        for (std::size_t edits = 0; edits <= edits_max; ++edits) {
            if (reaches_the_end(edits)) {
                return way_back();
            }
        }
        throw_error(errc::limit_exceeded, "expected lists that differ in at most " +
                                              std::to_string(edits_max) +
                                              " items, found more: raise edits_max, or keep lists shorter");
    }

private:
    /// On diagonal i of this round, where a path stands after its edit and before it goes on along equal
    /// items.
    struct step {
        bool takes;
        std::size_t x;
    };

    [[nodiscard]] step entry(std::size_t edits, std::size_t i) const {
        if (edits == 0) {
            return {true, 0};
        }
        const std::vector<std::size_t>& before = rounds_[edits - 1];
        const bool takes = i == 0 || (i < edits && before[i - 1] < before[i]);
        return {takes, takes ? before[i] : before[i - 1] + 1};
    }

    [[nodiscard]] bool reaches_the_end(std::size_t edits) {
        std::vector<std::size_t>& furthest = rounds_.emplace_back();
        furthest.reserve(edits + 1);
        for (std::size_t i = 0; i <= edits; ++i) {
            std::size_t x = entry(edits, i).x;
            std::size_t y = x + edits - 2 * i;
            while (x < a_.size() && y < b_.size() && a_[x] == b_[y]) {
                ++x;
                ++y;
            }
            furthest.push_back(x);
            if (x >= a_.size() && y >= b_.size()) {
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] matches way_back() const {
        matches found;
        std::size_t x = a_.size();
        std::size_t y = b_.size();
        for (std::size_t edits = rounds_.size(); edits-- > 0;) {
            const step from = entry(edits, (x + edits - y) / 2);
            while (x > from.x) {
                found.emplace_back(--x, --y);
            }
            if (edits > 0) {
                --(from.takes ? y : x);
            }
        }
        std::ranges::reverse(found);
        return found;
    }

    const numbers& a_;
    const numbers& b_;
    std::vector<std::vector<std::size_t>> rounds_;
};

} // namespace

value::list merge_lists(const value::list& ancestor, std::span<const value::list* const> made,
                        std::size_t edits_max) {
    numbering number;
    const numbers before = number(ancestor);
    std::vector<std::size_t> kept_by(ancestor.size(), 0);
    // At i stands what was inserted before item i of the ancestor.
    std::vector<std::vector<const value*>> inserted(ancestor.size() + 1);
    for (const value::list* const items : made) {
        matches kept = edit_graph(before, number(*items)).longest(edits_max);
        kept.emplace_back(ancestor.size(), items->size());
        std::size_t place = 0;
        std::size_t next = 0;
        for (const auto& [in_ancestor, in_items] : kept) {
            for (; next < in_items; ++next) {
                inserted[place].push_back(&(*items)[next]);
            }
            if (in_ancestor < ancestor.size()) {
                ++kept_by[in_ancestor];
            }
            place = in_ancestor + 1;
            next = in_items + 1;
        }
    }
    value::list merged;
    for (std::size_t place = 0; place <= ancestor.size(); ++place) {
        for (const value* const each : inserted[place]) {
            merged.push_back(*each);
        }
        if (place < ancestor.size() && kept_by[place] == made.size()) {
            merged.push_back(ancestor[place]);
        }
    }
    return merged;
}

value::list common_subsequence(std::span<const value::list* const> lists, std::size_t edits_max) {
    if (lists.empty()) {
        return {};
    }
    value::list common = *lists.front();
    for (const value::list* const each : lists.subspan(1)) {
        numbering number;
        const numbers mine = number(common);
        value::list left;
        for (const auto& [in_common, in_each] : edit_graph(mine, number(*each)).longest(edits_max)) {
            left.push_back(common[in_common]);
        }
        common = std::move(left);
    }
    return common;
}

} // namespace phoenix::crdt::conflict
