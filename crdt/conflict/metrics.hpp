// Conflicts between measurements, by what is measured.
//
//   context<metric> requests{.siblings = {{.by = d1, .value = metric_counter{3}},
//                                         {.by = d2, .value = metric_counter{4}}}};
//   resolve(requests, metrics());                                     // 7
//   merged(std::array{fast, slow});                                   // histograms alone
//
// Siblings that another had seen when it was written are left out first. Then:
//
// - counters: the ancestor plus the sum of the differences to it; without an ancestor, the sum.
// - gauges: the latest by time (writer_order.hpp), wherever it stands among the siblings.
// - histograms: counts add up bucket by bucket. If the bounds differ, the result has the bounds of all, and
//   each bucket is split at the bounds inside it in proportion to the widths, in whole counts by largest
//   remainder, of equal ones to the lower bucket: the total is kept exactly. The first and the last bucket
//   are open, have no width, and stay whole at the open end (one without bounds, at the upper one): put the
//   least possible value first among the bounds when there is one. With an ancestor, a sibling adds what it
//   has more than the ancestor; one with other bounds, or with less in any bucket, has begun anew and counts
//   whole.
// - sets: the union.
//
// Siblings of several kinds fall to the last writer; an ancestor of another kind counts as none. Any thread.
#pragma once

#include <phoenix/crdt/conflict/strategy.hpp>

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace phoenix::crdt::conflict {

struct metric_counter {
    std::int64_t count = 0;

    friend bool operator==(const metric_counter&, const metric_counter&) = default;

    void write(byte_writer& out) const { write_value(out, count); }

    [[nodiscard]] static metric_counter read(byte_reader& in) { return {read_value<std::int64_t>(in)}; }
};

struct metric_gauge {
    double level = 0;

    friend bool operator==(const metric_gauge&, const metric_gauge&) = default;

    void write(byte_writer& out) const { write_value(out, level); }

    [[nodiscard]] static metric_gauge read(byte_reader& in) { return {read_value<double>(in)}; }
};

/// How many values were seen up to each bound (inclusive) and above the one before it; last, above them all.
struct metric_histogram {
    /// Finite, ascending.
    std::vector<double> bounds;
    /// One more than bounds.
    std::vector<std::uint64_t> counts = {0};

    friend bool operator==(const metric_histogram&, const metric_histogram&) = default;

    /// Throws errc::invalid_operation that names the wrong field, errc::counter_overflow when the total
    /// exceeds 64 bits.
    void validate() const;

    [[nodiscard]] std::uint64_t total() const noexcept;

    void write(byte_writer& out) const;
    [[nodiscard]] static metric_histogram read(byte_reader& in);
};

struct metric_set {
    std::set<std::string> elements;

    friend bool operator==(const metric_set&, const metric_set&) = default;

    void write(byte_writer& out) const;
    [[nodiscard]] static metric_set read(byte_reader& in);
};

using metric = std::variant<metric_counter, metric_gauge, metric_histogram, metric_set>;

[[nodiscard]] std::string to_text(const metric& shown);

/// The histograms as one, whatever their order. Throws as validate, and errc::counter_overflow.
[[nodiscard]] metric_histogram merged(std::span<const metric_histogram> all);

/// The same counts under `bounds`, among which are the histogram's own.
[[nodiscard]] metric_histogram split(const metric_histogram& from, std::span<const double> bounds);

[[nodiscard]] strategy<metric> metrics();

} // namespace phoenix::crdt::conflict
