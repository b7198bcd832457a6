// A replicated list or text: inserts and erases anywhere, without interleaving.
//
//   sequence<char32_t> page;
//   auto delta = page.insert(here, 0, U"Phoenix");    // text, any range, or one value
//   delta.join(page.erase(here, 1, 2));
//   const auto cursor = page.position_at(3);
//   page.join(theirs);
//   page.index_of(cursor);                            // where that place is now
//   for (const char32_t each : page) { ... }
//
// The rule. Every replica that knows the same elements has them in the same order, and an element keeps its order to all
// others for ever. What is inserted at an index stands between the elements that it was inserted between. Runs that
// replicas type concurrently at one place, forwards or backwards, stand one after the other, the lower dot first, and
// never mix. (That is Fugue. Its authors show a rarer case that it does not cover: a run typed backwards in the
// middle of which another replica began a second one.) An erasure erases the elements that it has seen; erased is
// erased, and an insertion beside an erased element is not touched by it. There is no moving: that is an erasure and
// an insertion, and doubles what two replicas move at once.
//
// A delta names parents that its receiver may not have yet. Its elements then wait, unseen but part of the state, and
// take their places when the parents come: deltas may come in any order. Of elements whose parents form a circle,
// which only forged bytes have, none is ever seen.
//
// Tombstones stay. An erased element drops its value and keeps its id, as any replica may yet insert beside it; ids
// are held as runs, so that a passage typed and erased as one costs as much as one erased element. There is no
// collection of them: a document that is only ever edited grows by 90 to 150 bytes in memory and about 6 encoded for
// each erased passage.
//
// Costs, n the number of passages (runs, cut where something was erased or inserted): insert, erase, at, index_of and
// joining a delta O(log n), typing on at the last place too; iteration O(1) an element; memory one value an element and
// 90 to 150 bytes a passage; encoded one value an element and about 5 bytes a run. A delta of an erasure names the
// passages that it erases. Only the runs that hang on one and the same side of one element are searched in turn.
//
// Source: M. Weidner, M. Kleppmann, The Art of the Fugue: Minimizing Interleaving in Collaborative Text Editing
// (2023, IEEE TPDS 36(11), 2025). Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/sequence_state.hpp>

#include <boost/container/vector.hpp>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

/// A place between two elements that stays with one of them whatever happens around it.
struct sequence_position {
    enum class neighbour : std::uint8_t {
        next,     ///< before the element that follows; without one, at the end
        previous, ///< after the element before; without one, at the beginning
    };

    /// Counter 0: there was no such neighbour.
    dot element;
    neighbour stays_with = neighbour::next;

    friend auto operator<=>(const sequence_position&, const sequence_position&) = default;

    void write(byte_writer& out) const;
    [[nodiscard]] static sequence_position read(byte_reader& in);
};

namespace detail {

template <class Value>
concept character =
    std::same_as<Value, char> || std::same_as<Value, char8_t> || std::same_as<Value, char16_t> ||
    std::same_as<Value, char32_t> || std::same_as<Value, wchar_t>;

/// UTF-8 of a character; what is none becomes U+FFFD.
void append_utf8(std::string& text, char32_t character);

} // namespace detail

template <class Value>
    requires std::regular<Value> && byte_value<Value>
class sequence : public detail::sequence_state<sequence<Value>, Value> {
    using state = detail::sequence_state<sequence<Value>, Value>;
    using state::seen_;
    using state::take;
    using state::tree_;
    using state::values_;

public:
    using value_type = Value;
    using position = sequence_position;
    class iterator;

    struct operations {
        struct insert {
            std::uint64_t index = 0;
            std::vector<Value> values;

            friend bool operator==(const insert&, const insert&) = default;

            void write(byte_writer& out) const {
                out.write_varint(index);
                write_value(out, values);
            }

            [[nodiscard]] static insert read(byte_reader& in) {
                const std::uint64_t index = in.read_varint();
                return {index, read_value<std::vector<Value>>(in)};
            }
        };

        struct erase {
            std::uint64_t index = 0;
            std::uint64_t count = 1;

            friend bool operator==(const erase&, const erase&) = default;

            void write(byte_writer& out) const {
                out.write_varint(index);
                out.write_varint(count);
            }

            [[nodiscard]] static erase read(byte_reader& in) {
                const std::uint64_t index = in.read_varint();
                return {index, in.read_varint()};
            }
        };
    };

    /// Indexes are those of the state that it is applied to.
    using operation = std::variant<typename operations::insert, typename operations::erase>;

    /// Each mutator changes this sequence and returns the change, itself a sequence. errc::invalid_operation for an
    /// index beyond the end, errc::limit_exceeded when `here` has used up its dots.
    sequence insert(const replica_id& here, std::uint64_t index, const Value& value) {
        return insert_values(here, index, std::span(&value, 1));
    }

    template <std::ranges::input_range Values>
        requires std::convertible_to<std::ranges::range_reference_t<Values>, Value> &&
                 (!std::convertible_to<Values, Value>) &&
                 (!detail::character<Value> || !std::convertible_to<Values, const Value*>)
    sequence insert(const replica_id& here, std::uint64_t index, Values&& values) {
        boost::container::vector<Value> copies; // Not std::vector, whose bools are none.
        for (auto&& each : values) {
            copies.push_back(static_cast<Value>(each));
        }
        return insert_values(here, index, copies);
    }

    sequence insert(const replica_id& here, std::uint64_t index, std::initializer_list<Value> values) {
        return insert_values(here, index, values);
    }

    /// Text, up to its zero.
    sequence insert(const replica_id& here, std::uint64_t index, const Value* text)
        requires detail::character<Value>
    {
        return insert_values(here, index, std::basic_string_view<Value>(text));
    }

    /// The elements from `index` on. errc::invalid_operation when there are fewer than `count`.
    sequence erase(const replica_id& here, std::uint64_t index, std::uint64_t count = 1);

    /// Does what `what` says for writer `here`, as the mutator of that name.
    sequence apply(const replica_id& here, const operation& what) {
        if (const auto* const added = std::get_if<typename operations::insert>(&what)) {
            return insert(here, added->index, added->values);
        }
        const auto& erased = std::get<typename operations::erase>(what);
        return erase(here, erased.index, erased.count);
    }

    /// The elements that have a place and are not erased.
    [[nodiscard]] std::uint64_t size() const noexcept { return tree_.size(); }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// Valid until the sequence changes. The index is less than size(); at() throws errc::invalid_operation when not.
    [[nodiscard]] const Value& operator[](std::uint64_t index) const {
        PHOENIX_ASSERT(index < size(), "an index is less than size()");
        const auto place = tree_.at(index);
        const detail::sequence_span& span = tree_[place.node];
        return values_.from(span.slot(), span.first.counter() + place.offset).front();
    }

    [[nodiscard]] const Value& at(std::uint64_t index) const {
        check_range(index, 1);
        return (*this)[index];
    }

    /// The elements in order. Valid until the sequence changes.
    [[nodiscard]] iterator begin() const { return iterator(*this, tree_.first()); }

    [[nodiscard]] iterator end() const { return iterator(*this, detail::sequence_tree::none); }

    [[nodiscard]] std::basic_string<Value> text() const
        requires detail::character<Value>
    {
        std::basic_string<Value> made;
        made.reserve(static_cast<std::size_t>(size()));
        for_each_live([&](const detail::sequence_span&, std::span<const Value> part) {
            made.append(part.data(), part.size());
        });
        return made;
    }

    /// The place before the element of this index, or after the one before. Throws errc::invalid_operation when the
    /// index is beyond the end.
    [[nodiscard]] position position_at(std::uint64_t index,
                                       position::neighbour stays_with = position::neighbour::next) const;

    /// The index that the place has now, from 0 to size(); where its element stood when that is erased. Nothing while
    /// the element has not come here, or waits.
    [[nodiscard]] std::optional<std::uint64_t> index_of(const position& place) const;

    void explain(explanation& facts) const;

private:
    sequence insert_values(const replica_id& here, std::uint64_t index, std::span<const Value> values);
    void check_range(std::uint64_t index, std::uint64_t count) const;

    /// Calls visit(span, values) for what is seen, in order, part by part.
    template <class Visitor>
    void for_each_live(Visitor&& visit) const {
        for (auto node = tree_.first(); node != detail::sequence_tree::none; node = tree_.next(node)) {
            const detail::sequence_span& span = tree_[node];
            if (span.live) {
                values_.for_each_part(span.slot(), span.counters(),
                                      [&](std::span<const Value> part) { visit(span, part); });
            }
        }
    }

    friend class detail::sequence_state<sequence, Value>;
};

template <class Value>
    requires std::regular<Value> && byte_value<Value>
class sequence<Value>::iterator {
public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    using pointer = const Value*;
    using reference = const Value&;

    iterator() = default;

    [[nodiscard]] const Value& operator*() const noexcept { return part_.front(); }

    [[nodiscard]] const Value* operator->() const noexcept { return part_.data(); }

    iterator& operator++() noexcept {
        part_ = part_.subspan(1);
        ++offset_;
        if (part_.empty()) {
            open_part();
        }
        return *this;
    }

    iterator operator++(int) noexcept {
        iterator before = *this;
        ++*this;
        return before;
    }

    friend bool operator==(const iterator& a, const iterator& b) noexcept {
        return a.node_ == b.node_ && a.offset_ == b.offset_;
    }

private:
    friend sequence;

    iterator(const sequence& of, detail::sequence_tree::node_index node) noexcept : of_(&of), node_(node) {
        open_part();
    }

    void open_part() noexcept {
        const detail::sequence_tree& tree = of_->tree_;
        while (node_ != tree.none && (!tree[node_].live || offset_ == tree[node_].length)) {
            node_ = tree.next(node_);
            offset_ = 0;
        }
        if (node_ != tree.none) {
            const detail::sequence_span& span = tree[node_];
            part_ = of_->values_.from(span.slot(), span.first.counter() + offset_);
            part_ = part_.first(
                static_cast<std::size_t>(std::min<std::uint64_t>(part_.size(), span.length - offset_)));
        }
    }

    const sequence* of_ = nullptr;
    detail::sequence_tree::node_index node_ = detail::sequence_tree::none;
    std::uint64_t offset_ = 0;
    std::span<const Value> part_;
};

template <class Value>
    requires std::regular<Value> && byte_value<Value>
void sequence<Value>::check_range(std::uint64_t index, std::uint64_t count) const {
    if (index > size() || count > size() - index) {
        throw_error(errc::invalid_operation,
                    "sequence: expected a place within its " + std::to_string(size()) + " elements, found " +
                        std::to_string(count) + " from index " + std::to_string(index) + " on");
    }
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence<Value> sequence<Value>::insert_values(const replica_id& here, std::uint64_t index,
                                               std::span<const Value> values) {
    check_range(index, 0);
    sequence delta;
    if (values.empty()) {
        return delta;
    }
    const detail::replica_slot slot = seen_.slot_of(here);
    const std::uint64_t first = seen_.known(slot).max() + 1;
    if (values.size() > detail::max_counter - first + 1) {
        throw_error(errc::limit_exceeded,
                    "expected at most 2^47 - 1 writes of one incarnation to one object: restart the node");
    }
    // Before anything changes: the delta keeps the value of an element of this sequence that is inserted again.
    const detail::compact_dot in_delta(delta.seen_.slot_of(here), first);
    delta.values_.insert(in_delta, values);
    delta.seen_.insert(in_delta.slot(), detail::interval{first, first + values.size() - 1});
    delta.values_.for_each_part(in_delta.slot(), detail::interval{first, first + values.size() - 1},
                                [&, next = first](std::span<const Value> part) mutable {
                                    values_.insert(detail::compact_dot(slot, next), part);
                                    next += part.size();
                                });
    detail::sequence_span span = tree_.insert(index, detail::compact_dot(slot, first), values.size(), seen_);
    seen_.insert(slot, span.counters());
    span.first = in_delta;
    span.parent = delta.slotted(span.parent, *this);
    delta.tree_.add(span, delta.seen_);
    return delta;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence<Value> sequence<Value>::erase(const replica_id& /*here*/, std::uint64_t index, std::uint64_t count) {
    check_range(index, count);
    sequence delta;
    if (count == 0) {
        return delta;
    }
    std::vector<detail::sequence_span> erased;
    auto [node, offset] = tree_.at(index);
    for (std::uint64_t left = count; left > 0; node = tree_.next(node), offset = 0) {
        const detail::sequence_span& span = tree_[node];
        if (span.live) {
            const std::uint64_t first = span.first.counter() + offset;
            const std::uint64_t length = std::min(left, span.length - offset);
            erased.push_back(span.part({first, first + length - 1}));
            erased.back().live = false;
            left -= length;
        }
    }
    for (const detail::sequence_span& each : erased) {
        tree_.erase(each.slot(), each.counters(),
                    [&](detail::interval part) { values_.erase(each.slot(), part); });
        delta.take(*this, each);
    }
    return delta;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
sequence_position sequence<Value>::position_at(std::uint64_t index, position::neighbour stays_with) const {
    check_range(index, 0);
    const bool next = stays_with == position::neighbour::next;
    if (index == (next ? size() : 0)) {
        return {{}, stays_with};
    }
    const auto place = tree_.at(next ? index : index - 1);
    return {seen_.expand(tree_[place.node].at(place.offset)), stays_with};
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
std::optional<std::uint64_t> sequence<Value>::index_of(const position& place) const {
    const bool next = place.stays_with == position::neighbour::next;
    if (place.element.counter == 0) {
        return next ? size() : 0;
    }
    const detail::replica_slot slot = seen_.find_slot(place.element.replica);
    if (slot == detail::no_slot || !seen_.contains(place.element)) {
        return std::nullopt;
    }
    const detail::compact_dot element(slot, place.element.counter);
    auto index = tree_.index_of(element);
    if (index && !next && tree_[tree_.find(element).node].live) {
        ++*index;
    }
    return index;
}

template <class Value>
    requires std::regular<Value> && byte_value<Value>
void sequence<Value>::explain(explanation& facts) const {
    const auto add = [&](explanation::verdict outcome, const detail::sequence_span& span, std::string why) {
        std::string text;
        values_.for_each_part(span.slot(), span.counters(), [&](std::span<const Value> values) {
            for (const Value& each : values) {
                if constexpr (state::raw) {
                    text += static_cast<char>(each);
                } else if constexpr (detail::character<Value>) {
                    detail::append_utf8(text, static_cast<char32_t>(each));
                } else {
                    text += (text.empty() ? "" : ", ") + value_text(each);
                }
            }
        });
        std::vector<dot> by{seen_.expand(span.first)};
        if (span.length > 1) {
            by.push_back(seen_.expand(span.at(span.length - 1)));
        }
        facts.add(outcome, detail::character<Value> ? quoted_text(text) : text, std::move(why),
                  std::move(by));
    };
    for (auto node = tree_.first(); node != detail::sequence_tree::none; node = tree_.next(node)) {
        if (tree_[node].live) {
            add(explanation::verdict::stands, tree_[node], {});
        }
    }
    for (const detail::replica_slot slot : seen_.sorted_slots()) {
        tree_.for_each_in(slot, {1, detail::max_counter}, [&](const detail::sequence_span& span) {
            if (span.live && tree_.waits(tree_.find(span.first).node)) {
                add(explanation::verdict::loses, span, "waits for " + to_text(seen_.expand(span.parent)));
            }
        });
    }
    facts.add_gone(seen_, this->live());
}

} // namespace phoenix::crdt
