#include <phoenix/crdt/conflict/apportion.hpp>
#include <phoenix/crdt/conflict/metrics.hpp>
#include <phoenix/crdt/conflict/writer_order.hpp>
#include <phoenix/crdt/error.hpp>
#include <phoenix/crdt/explain.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace phoenix::crdt::conflict {

namespace {

using said = outcome<metric>;

std::uint64_t sum_of(std::uint64_t a, std::uint64_t b) {
    if (b > std::numeric_limits<std::uint64_t>::max() - a) {
        throw_error(errc::counter_overflow,
                    "expected a histogram whose total has 64 bits, found a larger one");
    }
    return a + b;
}

/// The widths between neighbours as integers in proportion, so that all machines split alike: floating-point
/// products may be fused on one and not on another.
std::vector<std::uint64_t> widths(std::span<const double> edges) {
    // The largest doubles are further apart than a double can say.
    const double scale = std::isfinite(edges.back() - edges.front()) ? 1 : 0.5;
    const double whole = edges.back() * scale - edges.front() * scale;
    std::vector<std::uint64_t> weights;
    for (std::size_t i = 1; i < edges.size(); ++i) {
        const double part = (edges[i] * scale - edges[i - 1] * scale) / whole;
        weights.push_back(static_cast<std::uint64_t>(std::ldexp(part, 53)));
    }
    return weights;
}

template <class Kind>
std::optional<std::vector<const Kind*>> all_of_kind(const sibling_set<metric>& siblings) {
    std::vector<const Kind*> found;
    for (const sibling<metric>& each : siblings) {
        const Kind* const held = std::get_if<Kind>(&each.value);
        if (held == nullptr) {
            return std::nullopt;
        }
        found.push_back(held);
    }
    return found;
}

said last_write(const context<metric>& about, const std::string& because) {
    const said last = decide(last_writer<metric>(), about);
    return said::resolved(last.result(), because + last.why());
}

said sum(const std::vector<const metric_counter*>& counters, const metric_counter* ancestor) {
    __extension__ using wide = __int128;
    const wide before = ancestor != nullptr ? ancestor->count : 0;
    wide total = before;
    for (const metric_counter* const each : counters) {
        total += each->count - before;
    }
    if (total < std::numeric_limits<std::int64_t>::min() ||
        total > std::numeric_limits<std::int64_t>::max()) {
        throw_error(errc::counter_overflow, "expected a total of 64 bits, found a larger one");
    }
    return said::resolved(metric_counter{static_cast<std::int64_t>(total)},
                          "the sum of " + std::to_string(counters.size()) + " counters");
}

/// What `grown` has more than `ancestor`; all of it when it has begun anew.
metric_histogram news(const metric_histogram& grown, const metric_histogram& ancestor) {
    metric_histogram more = grown;
    if (grown.bounds != ancestor.bounds) {
        return more;
    }
    for (std::size_t i = 0; i < grown.counts.size(); ++i) {
        if (grown.counts[i] < ancestor.counts[i]) {
            return grown;
        }
        more.counts[i] -= ancestor.counts[i];
    }
    return more;
}

said merge(const std::vector<const metric_histogram*>& histograms, const metric_histogram* ancestor) {
    std::vector<metric_histogram> parts;
    if (ancestor != nullptr) {
        ancestor->validate();
        parts.push_back(*ancestor);
    }
    for (const metric_histogram* const each : histograms) {
        each->validate();
        parts.push_back(ancestor != nullptr ? news(*each, *ancestor) : *each);
    }
    return said::resolved(merged(parts),
                          "the buckets of " + std::to_string(histograms.size()) + " histograms");
}

said unite(const std::vector<const metric_set*>& sets) {
    metric_set all;
    for (const metric_set* const each : sets) {
        all.elements.insert(each->elements.begin(), each->elements.end());
    }
    return said::resolved(std::move(all), "the union of " + std::to_string(sets.size()) + " sets");
}

template <class Kind>
const Kind* ancestor_of(const context<metric>& about) {
    return about.ancestor ? std::get_if<Kind>(&*about.ancestor) : nullptr;
}

} // namespace

void metric_histogram::validate() const {
    if (counts.size() != bounds.size() + 1) {
        throw_error(errc::invalid_operation,
                    "metric_histogram: expected " + std::to_string(bounds.size() + 1) + " counts for " +
                        std::to_string(bounds.size()) + " bounds, found " + std::to_string(counts.size()));
    }
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        if (!std::isfinite(bounds[i]) || (i > 0 && !(bounds[i - 1] < bounds[i]))) {
            throw_error(errc::invalid_operation,
                        "metric_histogram: expected finite bounds in ascending order, found " +
                            std::to_string(bounds[i]) + " in place " + std::to_string(i));
        }
    }
    (void)std::accumulate(counts.begin(), counts.end(), std::uint64_t(0), sum_of);
}

std::uint64_t metric_histogram::total() const noexcept {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t(0));
}

void metric_histogram::write(byte_writer& out) const {
    write_value(out, bounds);
    write_value(out, counts);
}

metric_histogram metric_histogram::read(byte_reader& in) {
    const std::size_t at = in.position();
    metric_histogram made;
    made.bounds = read_value<std::vector<double>>(in);
    made.counts = read_value<std::vector<std::uint64_t>>(in);
    try {
        made.validate();
    } catch (const std::system_error& e) {
        byte_reader::fail_at(at, std::string("a histogram, ") + e.what());
    }
    return made;
}

void metric_set::write(byte_writer& out) const {
    out.write_varint(elements.size());
    for (const std::string& each : elements) {
        out.write_string(each);
    }
}

metric_set metric_set::read(byte_reader& in) {
    metric_set made;
    for (std::size_t left = in.read_count(1, "elements"); left > 0; --left) {
        const std::size_t at = in.position();
        std::string element(in.read_string());
        if (!made.elements.empty() && element <= *made.elements.rbegin()) {
            byte_reader::fail_at(at, "elements in ascending order, each once");
        }
        made.elements.insert(made.elements.end(), std::move(element));
    }
    return made;
}

std::string to_text(const metric& shown) {
    if (const auto* const counter = std::get_if<metric_counter>(&shown)) {
        return std::to_string(counter->count);
    }
    if (const auto* const gauge = std::get_if<metric_gauge>(&shown)) {
        return std::to_string(gauge->level);
    }
    if (const auto* const histogram = std::get_if<metric_histogram>(&shown)) {
        std::string text;
        for (std::size_t i = 0; i < histogram->counts.size(); ++i) {
            text +=
                (i > 0 ? ", " : "") + std::to_string(histogram->counts[i]) +
                (i < histogram->bounds.size() ? " up to " + std::to_string(histogram->bounds[i]) : " above");
        }
        return text;
    }
    std::string text;
    for (const std::string& each : std::get<metric_set>(shown).elements) {
        text += (text.empty() ? "" : ", ") + quoted_text(each);
    }
    return "{" + text + "}";
}

metric_histogram split(const metric_histogram& from, std::span<const double> bounds) {
    if (!std::ranges::includes(bounds, from.bounds)) {
        throw_error(errc::invalid_operation, "split: expected bounds among which are the histogram's own");
    }
    metric_histogram made{{bounds.begin(), bounds.end()}, std::vector<std::uint64_t>(bounds.size() + 1, 0)};
    if (from.bounds.empty()) {
        // One bucket, open on both sides.
        made.counts.back() = from.counts.back();
        return made;
    }
    made.counts.front() = from.counts.front();
    made.counts.back() = from.counts.back();
    auto lower = std::ranges::lower_bound(bounds, from.bounds.front());
    for (std::size_t i = 1; i < from.bounds.size(); ++i) {
        const auto upper = std::ranges::lower_bound(bounds, from.bounds[i]);
        const auto parts = apportion(from.counts[i], widths({lower, upper + 1}));
        std::ranges::copy(parts, made.counts.begin() + (lower + 1 - bounds.begin()));
        lower = upper;
    }
    return made;
}

metric_histogram merged(std::span<const metric_histogram> all) {
    std::set<double> bounds;
    for (const metric_histogram& each : all) {
        each.validate();
        bounds.insert(each.bounds.begin(), each.bounds.end());
    }
    metric_histogram sum;
    sum.bounds.assign(bounds.begin(), bounds.end());
    sum.counts.assign(bounds.size() + 1, 0);
    for (const metric_histogram& each : all) {
        const metric_histogram parts = split(each, sum.bounds);
        std::ranges::transform(sum.counts, parts.counts, sum.counts.begin(), sum_of);
    }
    sum.validate();
    return sum;
}

strategy<metric> metrics() {
    return {"metrics", [](const context<metric>& all) {
                context<metric> about = all;
                about.siblings = latest(all.siblings);
                if (const auto counters = all_of_kind<metric_counter>(about.siblings)) {
                    return sum(*counters, ancestor_of<metric_counter>(about));
                }
                if (all_of_kind<metric_gauge>(about.siblings)) {
                    return last_write(about, "");
                }
                if (const auto histograms = all_of_kind<metric_histogram>(about.siblings)) {
                    return merge(*histograms, ancestor_of<metric_histogram>(about));
                }
                if (const auto sets = all_of_kind<metric_set>(about.siblings)) {
                    return unite(*sets);
                }
                return last_write(about, "not all are metrics of one kind: ");
            }};
}

} // namespace phoenix::crdt::conflict
