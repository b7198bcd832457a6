// The common part of lattices that hold totals of replicas: grow and pn counters, version vectors.
//
// Their digest is the state itself: which totals a holder lacks cannot be told from less than all that it
// has. In bytes a replica takes about 6 bytes (small node numbers, started within a day of each other) to 15
// (random 64-bit ones), and its totals: replicas are sorted, nodes are written as the gap to the one before
// and incarnations as the difference.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/core/max_map.hpp>
#include <phoenix/crdt/replica.hpp>

#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

template <std::size_t N, std::size_t Inline = 1>
using replica_totals = max_map<replica_id, N, Inline>;

/// `previous` is the one written before; null for the first. Replicas ascend.
void write_replica(byte_writer& out, const replica_id& replica, const replica_id* previous);
[[nodiscard]] replica_id read_replica(byte_reader& in, const replica_id* previous);

/// As `1.10`: node and incarnation.
[[nodiscard]] std::string replica_text(const replica_id& replica);

/// A counter's argument as a total. Throws errc::negative_amount.
[[nodiscard]] std::uint64_t unsigned_amount(const char* call, std::int64_t amount);

/// `total` + `amount`. Throws errc::counter_overflow.
[[nodiscard]] std::uint64_t raised_total(const char* call, std::uint64_t total, std::uint64_t amount);

/// The closest number of 64 bits.
[[nodiscard]] std::int64_t saturated(wide_sum value) noexcept;

template <std::size_t N, std::size_t Inline>
void write_totals(byte_writer& out, const replica_totals<N, Inline>& totals) {
    out.write_varint(totals.size());
    const replica_id* previous = nullptr;
    for (const auto& each : totals) {
        write_replica(out, each.key, previous);
        for (const std::uint64_t total : each.total) {
            out.write_varint(total);
        }
        previous = &each.key;
    }
}

template <std::size_t N, std::size_t Inline>
void read_totals(byte_reader& in, replica_totals<N, Inline>& totals) {
    replica_id previous;
    for (std::size_t left = in.read_count(2 + N, "totals of replicas"); left > 0; --left) {
        previous = read_replica(in, totals.empty() ? nullptr : &previous);
        const std::size_t at = in.position();
        std::array<std::uint64_t, N> found{};
        for (std::uint64_t& each : found) {
            each = in.read_varint();
        }
        if (found == std::array<std::uint64_t, N>{}) {
            byte_reader::fail_at(at, "a total above zero");
        }
        totals.append(previous, found);
    }
}

/// A lattice that is nothing but totals of replicas.
template <class Derived, std::size_t N, std::size_t Inline = 1>
class totals_lattice {
public:
    using digest_type = Derived;

    void join(const Derived& theirs) { totals_.join(theirs.totals_); }

    [[nodiscard]] Derived delta_and_merge(const Derived& theirs) {
        return with(totals_.delta_and_merge(theirs.totals_));
    }

    [[nodiscard]] bool leq(const Derived& theirs) const noexcept { return totals_.leq(theirs.totals_); }

    [[nodiscard]] bool is_bottom() const noexcept { return totals_.empty(); }

    [[nodiscard]] digest_type digest() const { return static_cast<const Derived&>(*this); }

    /// The least delta that brings a holder of `theirs` up to this state.
    [[nodiscard]] Derived delta_since(const digest_type& theirs) const {
        return with(totals_.newer_than(theirs.totals_));
    }

    /// The join-irreducible states whose join this is: one for each total of each replica.
    [[nodiscard]] std::vector<Derived> decompose() const {
        std::vector<Derived> parts;
        for (auto& each : totals_.decompose()) {
            parts.push_back(with(std::move(each)));
        }
        return parts;
    }

    friend bool operator==(const Derived& a, const Derived& b) noexcept { return a.totals_ == b.totals_; }

    void write(byte_writer& out) const { write_totals(out, totals_); }

    [[nodiscard]] static Derived read(byte_reader& in) {
        Derived made;
        read_totals(in, made.totals_);
        return made;
    }

protected:
    using totals_type = replica_totals<N, Inline>;

    [[nodiscard]] static Derived with(totals_type totals) {
        Derived made;
        made.totals_ = std::move(totals);
        return made;
    }

    /// Raises one total; the delta is that total.
    Derived raise(const replica_id& replica, std::size_t index, std::uint64_t total) {
        Derived delta;
        delta.totals_.raise(replica, index, total);
        totals_.raise(replica, index, total);
        return delta;
    }

    totals_type totals_;
};

} // namespace phoenix::crdt::detail
