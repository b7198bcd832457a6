// What one key of the peer holds: a CRDT with a slot for each type of Redis, registered as any user's type.
//
//   types.add<redis_value>("redis_value");
//   objects.edit<redis_value>("hits", [&](auto& value) { value.count(1); });
//   objects.read<redis_value>("hits").string().number();         // 1
//
// The slots are a string and the fields of a hash, each a register with a counter beside it, and a set. They share one
// causal context, so that one write takes away what it has seen in all of them:
//
// - SET and DEL remove the register, the elements and the fields that they have seen, and raise the floors of the
//   counters to the totals that they have seen. What they have not seen survives.
// - A string reads as its register plus its counter: SET 5 then INCR is 6, and SET 100 beside an INCR that it has not seen
//   is 101. A register that is no integer reads as itself. Of concurrent SETs the last by the clock is read.
// - A counter keeps for each incarnation what it added and took away, and how much of either was written off, as floors;
//   all only grow and are joined by maximum. Its value is the sum of totals less floors.
// - When two peers give one key two types at once, the hash is visible before the set and the set before the string.
//
// A key with nothing in it is one that was deleted: what must still be remembered is its causal context and the floors.
// Any thread; a value.
#pragma once

#include <phoenix/crdt/boxed_store.hpp>
#include <phoenix/crdt/composite.hpp>
#include <phoenix/crdt/hybrid_clock.hpp>
#include <phoenix/crdt/lattice.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/register.hpp>

#include "counter_totals.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace resp {

namespace crdt = phoenix::crdt;

/// A register with a counter beside it, as read. Valid until the value changes.
class scalar {
public:
    using digits = std::array<char, 24>;

    scalar(const std::string* written, const counter_totals* counted) noexcept
        : written_(written), counted_(counted != nullptr && counted->is_present() ? counted : nullptr) {}

    [[nodiscard]] bool exists() const noexcept { return written_ != nullptr || counted_ != nullptr; }

    /// The register, 0 without one, plus the counter; nothing when the register is no integer. Ends at the range of 64
    /// bits.
    [[nodiscard]] std::optional<std::int64_t> number() const noexcept;

    /// Lies in the register or in `room`.
    [[nodiscard]] std::string_view text(digits& room) const noexcept;

private:
    const std::string* written_;
    const counter_totals* counted_;
};

/// What of a value is written under dots.
struct redis_slots {
    using text_store = crdt::causal_register_store<std::string>;

    text_store string;
    crdt::boxed_store<crdt::or_set_store<std::string>> set;
    crdt::boxed_store<crdt::or_map_store<std::string, text_store>> hash;

    static constexpr auto fields() {
        return std::tuple(crdt::field("string", &redis_slots::string), crdt::field("set", &redis_slots::set),
                          crdt::field("hash", &redis_slots::hash));
    }
};

class redis_value {
    using slots = redis_slots;
    using content = crdt::composite<slots>;

public:
    class editor;

    enum class type : std::uint8_t { none, string, set, hash };

    /// What a reader sees.
    [[nodiscard]] type visible() const noexcept;

    /// How many types the key has: more than one after a clash.
    [[nodiscard]] std::size_t types() const noexcept;

    [[nodiscard]] scalar string() const noexcept;

    [[nodiscard]] const crdt::or_set_store<std::string>& set() const noexcept {
        return content_.at(&slots::set);
    }

    /// A field of the hash.
    [[nodiscard]] scalar field(std::string_view name) const;

    [[nodiscard]] std::size_t field_count() const;

    /// The fields that exist, sorted. Valid until the value changes.
    [[nodiscard]] std::vector<std::pair<std::string_view, scalar>> fields() const;

    /// The elements of the set, sorted. Valid until the value changes.
    [[nodiscard]] std::vector<std::string_view> members() const;

    /// Calls edit(editor) for writer `here`, and joins what it did into `delta`.
    template <class Edit>
    void edit(const crdt::replica_id& here, redis_value& delta, Edit&& edit);

    // --- A delta_crdt.

    void join(const redis_value& theirs);
    [[nodiscard]] redis_value delta_and_merge(const redis_value& theirs);
    [[nodiscard]] bool leq(const redis_value& theirs) const;
    [[nodiscard]] bool is_bottom() const noexcept;
    friend bool operator==(const redis_value&, const redis_value&) = default;
    void write(crdt::byte_writer& out) const;
    [[nodiscard]] static redis_value read(crdt::byte_reader& in);

private:
    [[nodiscard]] bool has_hash() const noexcept;

    content content_;
    counter_totals counted_;
    field_counters fields_counted_;
};

/// The mutators, for one writer.
class redis_value::editor {
public:
    [[nodiscard]] const redis_value& value() const noexcept { return mine_; }

    /// SET: takes the place of all that is seen.
    void set_string(std::string_view text, const crdt::timestamp& time);
    /// INCR. False, and nothing has changed, when this writer's totals have no room for it.
    [[nodiscard]] bool count(std::int64_t amount);
    /// DEL.
    void remove();

    void add_member(std::string_view member) {
        change([&](auto&& open) { open.at(&slots::set).add(member); });
    }

    void remove_member(std::string_view member) {
        change([&](auto&& open) { open.at(&slots::set).remove(member); });
    }

    void set_field(std::string_view name, std::string_view text, const crdt::timestamp& time);
    [[nodiscard]] bool count_field(std::string_view name, std::int64_t amount);
    void remove_field(std::string_view name);

private:
    friend redis_value;

    editor(redis_value& mine, redis_value& delta, const crdt::replica_id& here) noexcept
        : mine_(mine), delta_(delta), here_(here) {}

    /// Calls change(editor) with the editor of what is written under dots. Counting needs none.
    template <class Change>
    void change(Change&& change) {
        mine_.content_.edit(here_, delta_.content_, std::forward<Change>(change));
    }

    redis_value& mine_;
    redis_value& delta_;
    const crdt::replica_id& here_;
};

template <class Edit>
void redis_value::edit(const crdt::replica_id& here, redis_value& delta, Edit&& edit) {
    editor mutators(*this, delta, here);
    std::forward<Edit>(edit)(mutators);
}

static_assert(crdt::delta_crdt<redis_value>);

} // namespace resp
