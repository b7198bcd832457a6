// A counter that grows, shrinks and can be reset: alone, in a composite, or under the key of an or_map.
//
//   resettable_counter visits;
//   auto delta = visits.increment(here, 3);
//   visits.reset(here);                        // forgets what this replica has seen, and only that
//   visits.value();
//
// Each replica keeps the totals of its own increments and decrements. A reset writes down, as floors, the totals that
// its writer has seen; the value is the sum of totals less floors. So an increment that the reset has not seen survives it
// alone, and the totals before it never come back, whatever arrives late. When a key is removed from an or_map, its
// counter is reset. Once its own share is reset whole, a replica begins a new one, to which old floors do not apply.
//
// Totals are absolute and stand under the dot of the last write, so a delta counts once however often it arrives, and of
// two of one replica the later counts, in whatever order they come. State:
// one share for each replica that ever counted and one list of floors for each reset that was concurrent with others.
// Amounts are not negative (errc::negative_amount); a total beyond 2^63 - 1 is refused (errc::counter_overflow), a sum
// beyond the range of 64 bits is shown as its end. After C. Baquero, P. S. Almeida, C. Lerche, The Problem with Embedded
// CRDT Counters and a Solution (2016). Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/counter_operations.hpp>
#include <phoenix/crdt/core/dot_fun.hpp>
#include <phoenix/crdt/core/store_members.hpp>

#include <cstdint>
#include <tuple>
#include <variant>
#include <vector>

namespace phoenix::crdt {

namespace detail {

/// What one replica added and took away since it began this share, with its dot number `birth`: as totals of the
/// replica, or as the part of them that a reset has seen.
struct counter_share {
    replica_id replica;
    std::uint64_t birth = 0;
    std::int64_t plus = 0;
    std::int64_t minus = 0;

    friend bool operator==(const counter_share&, const counter_share&) = default;

    void write(byte_writer& out) const;
    [[nodiscard]] static counter_share read(byte_reader& in);
};

/// The floors that one reset wrote down: by replica and birth, each once.
struct counter_floors {
    std::vector<counter_share> all;

    friend bool operator==(const counter_floors&, const counter_floors&) = default;

    void write(byte_writer& out) const { write_value(out, all); }

    [[nodiscard]] static counter_floors read(byte_reader& in);
};

} // namespace detail

/// The counter as a store.
class resettable_counter_store : public detail::store_members<resettable_counter_store> {
public:
    class editor;

    using operations = counter_operations;
    using operation = std::variant<operations::increment, operations::decrement, operations::reset>;

    [[nodiscard]] std::int64_t value() const noexcept;

    /// Something was counted that no reset has seen.
    [[nodiscard]] bool is_present() const noexcept;

    void explain(explanation& facts, const causal_context& context) const;

    [[nodiscard]] static constexpr auto members() noexcept {
        return std::tuple(&resettable_counter_store::shares_, &resettable_counter_store::floors_);
    }

private:
    /// Calls visit(dot, share) with the last share of each replica: an earlier one comes late, after what replaced it.
    template <class Visitor>
    void for_each_share(Visitor&& visit) const {
        for (auto each = shares_.begin(); each != shares_.end(); ++each) {
            const auto next = each + 1;
            if (next == shares_.end() || next->under.slot() != each->under.slot()) {
                visit(each->under, each->value);
            }
        }
    }

    /// How much of the share no reset has seen.
    [[nodiscard]] detail::counter_share unreset(const detail::counter_share& share) const noexcept;
    [[nodiscard]] bool is_reset(const detail::counter_share& share) const noexcept;

    /// What a reset writes down: all that is seen, and floors for shares that are still to come.
    [[nodiscard]] detail::counter_floors floors_of_reset() const;

    detail::dot_fun<detail::counter_share> shares_;
    detail::dot_fun<detail::counter_floors> floors_;
};

/// The mutators of the counter, for one writer; see causal::edit. One that throws has changed nothing.
class resettable_counter_store::editor {
public:
    editor(resettable_counter_store& mine, resettable_counter_store& delta,
           detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    void increment(std::int64_t amount = 1) { count("increment", amount, &detail::counter_share::plus); }

    void decrement(std::int64_t amount = 1) { count("decrement", amount, &detail::counter_share::minus); }

    /// Sets what this replica has seen back to zero; nothing when that is nothing.
    void reset();

    void apply(const operation& what);

private:
    void count(const char* what, std::int64_t amount, std::int64_t detail::counter_share::* side);

    resettable_counter_store& mine_;
    resettable_counter_store& delta_;
    detail::causal_edit& edit_;
};

class resettable_counter : public causal<resettable_counter, resettable_counter_store> {
public:
    using operations = resettable_counter_store::operations;

    /// Each mutator changes this counter and returns the change, itself a counter.
    resettable_counter increment(const replica_id& here, std::int64_t amount = 1) {
        return mutate(here, [&](auto&& counter) { counter.increment(amount); });
    }

    resettable_counter decrement(const replica_id& here, std::int64_t amount = 1) {
        return mutate(here, [&](auto&& counter) { counter.decrement(amount); });
    }

    resettable_counter reset(const replica_id& here) {
        return mutate(here, [](auto&& counter) { counter.reset(); });
    }

    [[nodiscard]] std::int64_t value() const noexcept { return store().value(); }
};

} // namespace phoenix::crdt
