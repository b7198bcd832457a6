// The keys of hash tables in an order of their own, for bytes, digests and everything else that leaves a state.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
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

/// The entries of a table by key(entry). Valid until the table changes.
template <class Table, class KeyOf>
[[nodiscard]] auto sorted_entries(const Table& table, KeyOf key) {
    std::vector<const typename Table::value_type*> sorted;
    sorted.reserve(table.size());
    for (const auto& each : table) {
        sorted.push_back(&each);
    }
    std::ranges::sort(sorted, [&](const auto* a, const auto* b) { return key(*a) < key(*b); });
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
