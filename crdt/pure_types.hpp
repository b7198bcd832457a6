// Pure operation-based set, register and counter: policies for operation_log, to be used and to be learned from.
//
//   pure_set<std::string> shelf;
//   shelf.apply(here, set_operations<std::string>::add{"tea"});
//   pure_register<std::string> name;
//   name.apply(here, register_operations<std::string>::set{"Ann"});   // name.value(): what stands, several after concurrent writes
//   pure_counter visits;
//   visits.apply(here, counter_operations::increment{3});
//
// Set: an addition supersedes the additions of its element that it has seen; a removal removes those that it has seen and
// `clear` all that it has seen, and neither is kept: of a concurrent addition and removal the addition wins. Register: a
// write supersedes those that it has seen; concurrent ones stand beside each other. Counter: nothing is obsolete,
// and what is stable is folded into one number a replica.
//
// Source: C. Baquero, P. S. Almeida, A. Shoker, Pure Operation-Based Replicated Data Types (2017). Any thread; values.
#pragma once

#include <phoenix/crdt/core/counter_operations.hpp>
#include <phoenix/crdt/core/register_operations.hpp>
#include <phoenix/crdt/core/set_operations.hpp>
#include <phoenix/crdt/operation_log.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace phoenix::crdt {

template <class Element>
    requires std::regular<Element> && std::totally_ordered<Element> && byte_value<Element>
struct pure_set_policy {
    using operations = set_operations<Element>;
    using operation =
        std::variant<typename operations::add, typename operations::remove, typename operations::clear>;

    [[nodiscard]] static bool old_is_obsolete(const operation& old, const operation& fresh) {
        const Element& element = std::get<typename operations::add>(old).element;
        return std::visit(
            [&]<class What>(const What& each) {
                if constexpr (std::is_same_v<What, typename operations::clear>) {
                    return true;
                } else {
                    return each.element == element;
                }
            },
            fresh);
    }

    [[nodiscard]] static bool new_is_obsolete(const operation& fresh,
                                              const operation_log<pure_set_policy>& /*log*/) {
        return !is_kept(fresh);
    }

    [[nodiscard]] static bool is_kept(const operation& what) {
        return std::holds_alternative<typename operations::add>(what);
    }

    [[nodiscard]] static std::set<Element> eval(const operation_log<pure_set_policy>& log) {
        std::set<Element> elements;
        for (const auto& [d, entry] : log.operations()) {
            elements.insert(std::get<typename operations::add>(entry.what).element);
        }
        return elements;
    }

    [[nodiscard]] static std::string text(const operation& what) {
        return value_text(std::get<typename operations::add>(what).element);
    }
};

template <class Value>
    requires std::regular<Value> && byte_value<Value>
struct pure_register_policy {
    using operations = register_operations<Value>;
    using operation = std::variant<typename operations::set>;

    [[nodiscard]] static bool old_is_obsolete(const operation& /*old*/, const operation& /*fresh*/) {
        return true;
    }

    [[nodiscard]] static bool new_is_obsolete(const operation& /*fresh*/,
                                              const operation_log<pure_register_policy>& /*log*/) {
        return false;
    }

    /// The values that stand, by the dots of their writes.
    [[nodiscard]] static std::vector<Value> eval(const operation_log<pure_register_policy>& log) {
        std::vector<Value> values;
        for (const auto& [d, entry] : log.operations()) {
            values.push_back(std::get<typename operations::set>(entry.what).value);
        }
        return values;
    }

    [[nodiscard]] static std::string text(const operation& what) {
        return value_text(std::get<typename operations::set>(what).value);
    }
};

struct pure_counter_policy {
    using operations = counter_operations;
    using operation = std::variant<operations::increment, operations::decrement>;
    using folded = std::int64_t;
    using log = operation_log<pure_counter_policy>;

    /// Throws errc::negative_amount for an amount below nothing, errc::counter_overflow when what `here` counted in
    /// all would leave 64 bits.
    static void check(const log& state, const replica_id& here, const operation& what);

    static void fold(folded& sum, const operation& what);

    /// What all replicas counted; a sum beyond the range of 64 bits is shown as its end.
    [[nodiscard]] static std::int64_t eval(const log& state);

    [[nodiscard]] static std::string text(const operation& what);
};

/// The value is a std::set of the elements.
template <class Element>
using pure_set = operation_log<pure_set_policy<Element>>;

/// The value is a std::vector of what stands: one value, or those that were written concurrently.
template <class Value>
using pure_register = operation_log<pure_register_policy<Value>>;

/// The value is a std::int64_t.
using pure_counter = operation_log<pure_counter_policy>;

} // namespace phoenix::crdt
