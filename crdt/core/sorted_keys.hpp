// The keys of hash tables in an order of their own, for bytes, digests and everything else that leaves a state.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

/// False for a NaN, which has no place in an order and is not equal to itself: it can neither be found nor
/// joined.
template <class Value>
[[nodiscard]] bool is_ordered(const Value& value) noexcept {
    if constexpr (std::floating_point<Value>) {
        return value == value;
    } else {
        return true;
    }
}

/// Throws errc::invalid_operation for a value that has no place in an order.
template <class Value>
void expect_ordered(const char* call, const Value& value) {
    if (!is_ordered(value)) {
        throw_error(errc::invalid_operation, std::string(call) + ": expected a number, found NaN");
    }
}

/// Reads a value that has a place in the order.
template <class Value>
[[nodiscard]] Value read_ordered(byte_reader& in) {
    const std::size_t at = in.position();
    Value value = read_value<Value>(in);
    if (!is_ordered(value)) {
        byte_reader::fail_at(at, "a number, found NaN");
    }
    return value;
}

/// Reads what comes in ascending order: next() gives each key.
template <class Key>
class ascending_reader {
public:
    [[nodiscard]] const Key& next(byte_reader& in) {
        const std::size_t at = in.position();
        Key key = read_ordered<Key>(in);
        if (previous_ && !(*previous_ < key)) {
            byte_reader::fail_at(at, "keys in ascending order, each once");
        }
        return previous_.emplace(std::move(key));
    }

private:
    std::optional<Key> previous_;
};

/// A string that is being sorted: eight of its bytes, from behind what all of them share, decide most comparisons
/// without a look at the string, which lies elsewhere.
template <class Entry>
struct string_rank {
    std::uint64_t head;
    const Entry* of;
};

/// The eight bytes from `at` on, such that greater ones are greater; zeros for what is missing.
[[nodiscard]] inline std::uint64_t rank_bytes(std::string_view text, std::size_t at) noexcept {
    std::uint64_t head = 0;
    for (std::size_t i = 0; i < sizeof head; ++i) {
        head = head << 8 | (at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U);
    }
    return head;
}

/// How many bytes all the strings begin with alike. Precondition: there is one.
template <class Entry, class KeyOf>
[[nodiscard]] std::size_t shared_bytes(const std::vector<const Entry*>& all, KeyOf key) {
    std::string_view shared = key(*all.front());
    for (const Entry* each : all) {
        const std::string_view text = key(*each);
        const auto [end, other] = std::mismatch(shared.begin(), shared.end(), text.begin(), text.end());
        shared = shared.substr(0, static_cast<std::size_t>(end - shared.begin()));
    }
    return shared.size();
}

template <class Entry, class KeyOf>
void sort_strings(std::vector<const Entry*>& all, KeyOf key) {
    const std::size_t shared = shared_bytes(all, key);
    std::vector<string_rank<Entry>> ranked;
    ranked.reserve(all.size());
    for (const Entry* each : all) {
        ranked.push_back({rank_bytes(key(*each), shared), each});
    }
    std::ranges::sort(ranked, [&](const string_rank<Entry>& a, const string_rank<Entry>& b) {
        return a.head != b.head ? a.head < b.head : key(*a.of) < key(*b.of);
    });
    std::ranges::transform(ranked, all.begin(), &string_rank<Entry>::of);
}

/// The entries of a table by key(entry). Valid until the table changes.
template <class Table, class KeyOf>
[[nodiscard]] auto sorted_entries(const Table& table, KeyOf key) {
    using entry = typename Table::value_type;
    std::vector<const entry*> sorted;
    sorted.reserve(table.size());
    for (const auto& each : table) {
        sorted.push_back(&each);
    }
    constexpr bool is_text = std::same_as<std::remove_cvref_t<decltype(key(*sorted.front()))>, std::string>;
    // Fewer are not worth the memory.
    constexpr std::size_t many = 16;
    if constexpr (is_text) {
        if (sorted.size() >= many) {
            sort_strings(sorted, key);
            return sorted;
        }
    }
    std::ranges::sort(sorted, [&](const entry* a, const entry* b) { return key(*a) < key(*b); });
    return sorted;
}

template <class Set>
[[nodiscard]] auto sorted_keys(const Set& set) {
    return sorted_entries(set, [](const auto& key) -> const auto& { return key; });
}

template <class Set>
void write_keys(byte_writer& out, const Set& set) {
    out.write_varint(set.size());
    for (const auto* each : sorted_keys(set)) {
        write_value(out, *each);
    }
}

template <class Set>
[[nodiscard]] Set read_keys(byte_reader& in) {
    Set made;
    ascending_reader<typename Set::key_type> keys;
    for (std::size_t left = in.read_count(1, "elements"); left > 0; --left) {
        made.insert(keys.next(in));
    }
    return made;
}

} // namespace phoenix::crdt::detail
