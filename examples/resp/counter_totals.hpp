// Counters that may be reset: for each incarnation of a node what it added and took away, and how much of that was written
// off since. All of it only grows and is joined by maximum, so that a delta counts once however often it arrives.
//
// A floor is a total that somebody has seen, and travels with it: in every state a floor is at most its total.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/replica.hpp>

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace resp {

namespace crdt = phoenix::crdt;

/// A total in one direction, and how much of it was written off.
struct floored_total {
    std::uint64_t total = 0;
    std::uint64_t floor = 0;

    friend bool operator==(const floored_total&, const floored_total&) = default;

    [[nodiscard]] std::uint64_t rest() const noexcept { return total - floor; }
};

/// One counter. A lattice.
class counter_totals {
public:
    /// Totals less floors; ends at the range of 64 bits.
    [[nodiscard]] std::int64_t value() const noexcept;

    /// Something was counted that was not written off, also when its value is 0.
    [[nodiscard]] bool is_present() const noexcept;

    /// Counts for `here` and joins that into `delta`. False when a total would leave its range: nothing has changed.
    [[nodiscard]] bool count(const crdt::replica_id& here, std::int64_t amount, counter_totals& delta);

    /// Writes off all that is seen, and joins that into `delta`.
    void reset(counter_totals& delta);

    void join(const counter_totals& theirs);
    [[nodiscard]] counter_totals delta_and_merge(const counter_totals& theirs);
    [[nodiscard]] bool leq(const counter_totals& theirs) const noexcept;

    [[nodiscard]] bool is_bottom() const noexcept { return shares_.empty(); }

    friend bool operator==(const counter_totals&, const counter_totals&) = default;
    void write(crdt::byte_writer& out) const;
    [[nodiscard]] static counter_totals read(crdt::byte_reader& in);

private:
    struct share {
        crdt::replica_id replica;
        floored_total up;
        floored_total down;

        friend bool operator==(const share&, const share&) = default;

        void join(const share& theirs) noexcept;
        [[nodiscard]] bool leq(const share& theirs) const noexcept;
        /// The least share that brings `before` up to this one.
        [[nodiscard]] share since(const share& before) const noexcept;
    };

    [[nodiscard]] share& share_of(const crdt::replica_id& replica);

    /// By replica; none without a total. Most counters have one writer.
    boost::container::small_vector<share, 1> shares_;
};

/// The counters of a hash's fields, by field. A lattice; no memory while there are none.
class field_counters {
public:
    using table = std::map<std::string, counter_totals, std::less<>>;

    field_counters() = default;
    field_counters(const field_counters& other);
    field_counters(field_counters&&) noexcept = default;
    field_counters& operator=(const field_counters& other);
    field_counters& operator=(field_counters&&) noexcept = default;
    ~field_counters() = default;

    /// Null for none.
    [[nodiscard]] const counter_totals* find(std::string_view field) const;

    /// All, also those that were written off, by field.
    [[nodiscard]] const table& all() const noexcept;

    /// How many are present.
    [[nodiscard]] std::size_t present() const noexcept {
        return counters_ != nullptr ? counters_->present : 0;
    }

    [[nodiscard]] bool count(std::string_view field, const crdt::replica_id& here, std::int64_t amount,
                             field_counters& delta);
    void reset(std::string_view field, field_counters& delta);
    void reset(field_counters& delta);

    void join(const field_counters& theirs);
    [[nodiscard]] field_counters delta_and_merge(const field_counters& theirs);
    [[nodiscard]] bool leq(const field_counters& theirs) const;

    [[nodiscard]] bool is_bottom() const noexcept { return counters_ == nullptr; }

    friend bool operator==(const field_counters& a, const field_counters& b) { return a.all() == b.all(); }

    void write(crdt::byte_writer& out) const;
    [[nodiscard]] static field_counters read(crdt::byte_reader& in);

private:
    struct counters {
        table by_field;
        std::size_t present = 0;
    };

    /// Calls change(counter) for one field, which is made when it is not there, and counts it again.
    template <class Change>
    decltype(auto) change(std::string_view field, Change&& change);

    /// Null while there are none; no counter in it is bottom.
    std::unique_ptr<counters> counters_;
};

} // namespace resp
