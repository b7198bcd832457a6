// Register that keeps the last write, by the time it was stamped with.
//
//   lww_register<std::string> title;
//   auto delta = title.set(here, "tea", clock.now(wall_us));
//   other.join(delta);
//   clock.receive(title.stamp()->time, wall_us);      // so that what is written next is later
//   title.value().value_or("untitled");
//
// Of two writes the one that is greater by (time, replica, hash of the value, bytes of the value) stays, so
// all replicas choose the same one even where times are equal. The other is lost: mv_register keeps both. A
// write that is stamped before the one that stands changes nothing and returns bottom; with timestamps of a
// hybrid_clock that received what was read, that happens to concurrent writes alone. Any other source of
// timestamps (a monotonic clock, a wall clock that steps) makes later writes lose.
//
// A timestamp from the far future is joined like any other, or replicas would differ for ever: it wins until
// the clocks get there. Keeping it out of clocks is hybrid_clock's job, keeping out who sends it that of the
// session.
//
// One value and 40 bytes. The digest is the stamp and the hash of the value, 8 bytes: it tells apart all but
// two values with colliding hashes that one replica wrote at one time, which a replica that uses each
// timestamp once never does. Source: P. R. Johnson, R. H. Thomas, The Maintenance of Duplicate Databases (RFC
// 677, 1975). Any thread; a value, which belongs to one at a time.
#pragma once

#include <phoenix/crdt/core/register_operations.hpp>
#include <phoenix/crdt/core/write_stamp.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <concepts>
#include <optional>
#include <tuple>
#include <variant>
#include <vector>

namespace phoenix::crdt {

/// What a register may hold: a value that can be copied and compared, with canonical bytes.
template <class Value>
concept register_value = std::copyable<Value> && std::equality_comparable<Value> && byte_value<Value>;

/// Which write a register holds, if any.
struct lww_register_digest {
    struct write_mark {
        write_stamp stamp;
        std::uint64_t value_hash = 0;

        friend auto operator<=>(const write_mark&, const write_mark&) = default;

        void write(byte_writer& out) const {
            stamp.write(out);
            out.write_fixed64(value_hash);
        }

        [[nodiscard]] static write_mark read(byte_reader& in) {
            const write_stamp stamp = write_stamp::read(in);
            return {stamp, in.read_fixed64()};
        }
    };

    std::optional<write_mark> last;

    friend bool operator==(const lww_register_digest&, const lww_register_digest&) = default;

    void write(byte_writer& out) const { write_value(out, last); }

    [[nodiscard]] static lww_register_digest read(byte_reader& in) {
        return {read_value<std::optional<write_mark>>(in)};
    }
};

template <register_value Value>
class lww_register {
public:
    using value_type = Value;
    using digest_type = lww_register_digest;

    using operations = timed_register_operations<Value>;
    using operation = std::variant<typename operations::set>;

    /// Changes this register and returns the change, itself a register.
    lww_register set(const replica_id& here, const Value& value, const timestamp& time) {
        lww_register written;
        written.value_ = value;
        written.stamp_ = {time, here};
        return delta_and_merge(written);
    }

    /// Nothing when no value was set.
    [[nodiscard]] const std::optional<Value>& value() const noexcept { return value_; }

    /// When and by whom it was set; null when it was not. Valid until the register changes.
    [[nodiscard]] const write_stamp* stamp() const noexcept { return value_ ? &stamp_ : nullptr; }

    void join(const lww_register& theirs) {
        if (!theirs.leq(*this)) {
            *this = theirs;
        }
    }

    [[nodiscard]] lww_register delta_and_merge(const lww_register& theirs) {
        if (theirs.leq(*this)) {
            return {};
        }
        *this = theirs;
        return theirs;
    }

    [[nodiscard]] bool leq(const lww_register& theirs) const {
        if (!value_ || !theirs.value_) {
            return !value_;
        }
        if (stamp_ != theirs.stamp_) {
            return stamp_ < theirs.stamp_;
        }
        return *value_ == *theirs.value_ || detail::compare_values(*value_, *theirs.value_) <= 0;
    }

    [[nodiscard]] bool is_bottom() const noexcept { return !value_; }

    [[nodiscard]] digest_type digest() const { return {value_ ? std::optional(mark()) : std::nullopt}; }

    [[nodiscard]] lww_register delta_since(const digest_type& theirs) const {
        return value_ && (!theirs.last || *theirs.last < mark()) ? *this : lww_register();
    }

    /// Itself, when a value was set: writes form a chain.
    [[nodiscard]] std::vector<lww_register> decompose() const {
        return is_bottom() ? std::vector<lww_register>() : std::vector<lww_register>{*this};
    }

    lww_register apply(const replica_id& here, const operation& what) {
        const auto& write = std::get<typename operations::set>(what);
        return set(here, write.value, write.time);
    }

    void explain(explanation& facts) const {
        if (value_) {
            facts.add(explanation::verdict::stands, value_text(*value_),
                      "set " + to_text(stamp_) + ", the last");
        }
    }

    friend bool operator==(const lww_register& a, const lww_register& b) {
        return a.value_.has_value() == b.value_.has_value() && a.stamp_ == b.stamp_ &&
               (!a.value_ || detail::same_value(*a.value_, *b.value_));
    }

    void write(byte_writer& out) const {
        write_value(out, value_.has_value());
        if (value_) {
            stamp_.write(out);
            write_value(out, *value_);
        }
    }

    [[nodiscard]] static lww_register read(byte_reader& in) {
        lww_register made;
        if (read_value<bool>(in)) {
            made.stamp_ = write_stamp::read(in);
            made.value_ = read_value<Value>(in);
        }
        return made;
    }

private:
    [[nodiscard]] lww_register_digest::write_mark mark() const { return {stamp_, bytes_hash(*value_)}; }

    std::optional<Value> value_;
    write_stamp stamp_;
};

} // namespace phoenix::crdt
