// Who may take how much: the rights of a bounded counter, as totals that only grow.
//
// For each replica: what it has minted (rights that it made) and what it has spent; for each pair of replicas
// what the first has given to the second. A replica's rights are what it minted and was given, less what it
// gave away and spent. It writes only its own totals and never spends or gives what it does not hold, so over
// all replicas no more is spent than was minted. Source: V. Balegas et al., Extending Eventually Consistent
// Cloud Databases for Enforcing Numeric Invariants (2015); minted totals are their R[i][i], given ones
// R[i][j], spent ones U[i].
#pragma once

#include <phoenix/crdt/core/replica_totals.hpp>
#include <phoenix/crdt/explain.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

class rights_matrix {
public:
    /// Each changes the matrix and returns the change. They throw errc::counter_overflow, and the latter two
    /// errc::insufficient_rights when `here` holds less than `amount`; `call` is for the message.
    rights_matrix mint(const char* call, const replica_id& here, std::uint64_t amount);
    rights_matrix spend(const char* call, const replica_id& here, std::uint64_t amount);
    rights_matrix give(const char* call, const replica_id& here, const replica_id& to, std::uint64_t amount);

    /// As far as this state knows. A state that has all that `replica` wrote may know of too little, never of
    /// too much: what it has not heard of can only be gifts to it.
    [[nodiscard]] std::uint64_t rights(const replica_id& replica) const noexcept;

    /// What was minted and not spent. Less than zero only while the minting behind a spending has not
    /// arrived.
    [[nodiscard]] wide_sum unspent() const noexcept { return totals_.sum(minted) - totals_.sum(spent); }

    void join(const rights_matrix& theirs);
    [[nodiscard]] rights_matrix delta_and_merge(const rights_matrix& theirs);
    [[nodiscard]] bool leq(const rights_matrix& theirs) const noexcept;

    [[nodiscard]] bool is_bottom() const noexcept { return totals_.empty() && given_.empty(); }

    [[nodiscard]] rights_matrix newer_than(const rights_matrix& theirs) const;
    [[nodiscard]] std::vector<rights_matrix> decompose() const;

    friend bool operator==(const rights_matrix& a, const rights_matrix& b) noexcept {
        return a.totals_ == b.totals_ && a.given_ == b.given_;
    }

    void write(byte_writer& out) const;
    [[nodiscard]] static rights_matrix read(byte_reader& in);
    void explain(explanation& facts) const;

private:
    static constexpr std::size_t minted = 0;
    static constexpr std::size_t spent = 1;

    /// From whom to whom.
    using way = std::pair<replica_id, replica_id>;

    struct flow {
        wide_sum received = 0;
        wide_sum given = 0;
    };

    [[nodiscard]] flow flow_of(const replica_id& replica) const noexcept;
    [[nodiscard]] std::vector<replica_id> replicas() const;
    void require(const char* call, const replica_id& here, std::uint64_t amount) const;

    replica_totals<2> totals_;
    max_map<way, 1> given_;
};

} // namespace phoenix::crdt::detail
