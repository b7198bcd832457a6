// The greatest, or the least, of all values that were ever set.
//
//   max_register<std::uint64_t> high_water;
//   auto delta = high_water.set(here, 42);
//   other.join(delta);
//   high_water.value().value_or(0);
//
// The join of two registers is the better of their values; one that was never set is bottom. Setting a value
// that is no better than the one that stands changes nothing and returns bottom. The order must be total:
// strings and integers as they are, floating-point numbers but NaN (errc::invalid_operation). O(1) values;
// the digest is the register itself. Source: C. Baquero, P. S. Almeida, A. Cunha, C. Ferreira, Composition in
// State-based Replicated Data Types (2017), chains. Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/register_operations.hpp>
#include <phoenix/crdt/core/sorted_keys.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <concepts>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace phoenix::crdt {

/// What an extreme_register may hold: a regular, totally ordered value with canonical bytes.
template <class Value>
concept ordered_value = std::copyable<Value> && std::totally_ordered<Value> && byte_value<Value>;

/// `Better(a, b)` says that a, and not b, is kept.
template <ordered_value Value, class Better>
class extreme_register {
public:
    using value_type = Value;
    using digest_type = extreme_register;

    using operations = register_operations<Value>;
    using operation = std::variant<typename operations::set>;

    /// Keeps the value if it is better. Changes this register and returns the change, itself a register.
    extreme_register set(const replica_id& /*here*/, const Value& value) {
        detail::expect_ordered("set", value);
        extreme_register offered;
        offered.value_ = value;
        return delta_and_merge(offered);
    }

    /// Nothing when no value was set.
    [[nodiscard]] const std::optional<Value>& value() const noexcept { return value_; }

    void join(const extreme_register& theirs) {
        if (!theirs.leq(*this)) {
            value_ = theirs.value_;
        }
    }

    [[nodiscard]] extreme_register delta_and_merge(const extreme_register& theirs) {
        if (theirs.leq(*this)) {
            return {};
        }
        value_ = theirs.value_;
        return theirs;
    }

    [[nodiscard]] bool leq(const extreme_register& theirs) const {
        return !value_ || (theirs.value_ && !Better()(*value_, *theirs.value_));
    }

    [[nodiscard]] bool is_bottom() const noexcept { return !value_; }

    [[nodiscard]] digest_type digest() const { return *this; }

    [[nodiscard]] extreme_register delta_since(const digest_type& theirs) const {
        return leq(theirs) ? extreme_register() : *this;
    }

    /// Itself, when a value was set: values form a chain.
    [[nodiscard]] std::vector<extreme_register> decompose() const {
        return is_bottom() ? std::vector<extreme_register>() : std::vector<extreme_register>{*this};
    }

    extreme_register apply(const replica_id& here, const operation& what) {
        return set(here, std::get<typename operations::set>(what).value);
    }

    void explain(explanation& facts) const {
        if (value_) {
            facts.add(explanation::verdict::stands, value_text(*value_), "the best of all that were set");
        }
    }

    friend bool operator==(const extreme_register&, const extreme_register&) = default;

    void write(byte_writer& out) const { write_value(out, value_); }

    [[nodiscard]] static extreme_register read(byte_reader& in) {
        extreme_register made;
        if (read_value<bool>(in)) {
            made.value_ = detail::read_ordered<Value>(in);
        }
        return made;
    }

private:
    std::optional<Value> value_;
};

template <ordered_value Value>
using max_register = extreme_register<Value, std::greater<Value>>;

template <ordered_value Value>
using min_register = extreme_register<Value, std::less<Value>>;

} // namespace phoenix::crdt
