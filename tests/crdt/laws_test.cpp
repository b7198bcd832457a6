// The laws themselves: each is broken by a type that breaks it, and says so with a short history.
#include <phoenix/crdt/laws.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt {

namespace {

/// What a wrong type does wrong.
enum class flaw {
    none,
    joins_by_sum,
    prefers_its_own,
    averages,
    bottom_counts,
    order_is_reversed,
    shrinks,
    delta_says_too_little,
    delta_says_too_much,
    merge_returns_all,
    digest_is_blunt,
    delta_since_is_everything,
    delta_since_misses,
    parts_overlap,
    part_is_missing,
    bytes_lose_something,
    bytes_in_order_of_arrival,
    reads_what_was_cut,
    throws,
};

/// A grow-only map from replicas to totals joined by maximum, with one flaw.
template <flaw Wrong>
class flawed {
public:
    using totals = std::map<std::uint64_t, std::uint64_t>;
    using digest_type = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

    flawed grow(const replica_id& here) {
        const std::uint64_t before = totals_[here.node];
        totals_[here.node] = before + (Wrong == flaw::shrinks && before == 2 ? std::uint64_t(0) - 1 : 1);
        note(here.node);
        flawed delta;
        delta.totals_[here.node] = totals_[here.node] -
                                   (Wrong == flaw::delta_says_too_little && before > 0 ? 1 : 0) +
                                   (Wrong == flaw::delta_says_too_much ? 1 : 0);
        delta.note(here.node);
        if (Wrong == flaw::throws && before == 3) {
            throw std::runtime_error("three is too many");
        }
        return delta;
    }

    void join(const flawed& theirs) {
        for (const auto& [node, total] : theirs.totals_) {
            std::uint64_t& mine = totals_[node];
            switch (Wrong) {
            case flaw::joins_by_sum:
                mine += total;
                break;
            case flaw::prefers_its_own:
                mine = mine == 0 ? total : mine;
                break;
            case flaw::averages:
                mine = (mine + total + 1) / 2;
                break;
            case flaw::bottom_counts:
                mine = std::max<std::uint64_t>(mine, total);
                break;
            default:
                mine = std::max(mine, total);
                break;
            }
            note(node);
        }
        if (Wrong == flaw::bottom_counts) {
            totals_[9] += 1;
            note(9);
        }
    }

    [[nodiscard]] bool leq(const flawed& theirs) const {
        if (Wrong == flaw::order_is_reversed) {
            return theirs.is_below(*this);
        }
        return is_below(theirs);
    }

    [[nodiscard]] bool is_bottom() const { return totals_.empty(); }

    [[nodiscard]] flawed delta_and_merge(const flawed& theirs) {
        const flawed fresh = Wrong == flaw::merge_returns_all ? theirs : theirs.news_for(totals_);
        join(theirs);
        return fresh;
    }

    [[nodiscard]] digest_type digest() const {
        return Wrong == flaw::digest_is_blunt ? digest_type{{0, totals_.size()}}
                                              : digest_type(totals_.begin(), totals_.end());
    }

    [[nodiscard]] flawed delta_since(const digest_type& theirs) const {
        if (Wrong == flaw::delta_since_is_everything) {
            return *this;
        }
        flawed news = news_for(totals(theirs.begin(), theirs.end()));
        if (Wrong == flaw::delta_since_misses && !news.totals_.empty()) {
            news.totals_.erase(news.totals_.begin());
        }
        return news;
    }

    [[nodiscard]] std::vector<flawed> decompose() const {
        std::vector<flawed> parts;
        for (const auto& [node, total] : totals_) {
            flawed part;
            part.totals_[node] = total;
            part.note(node);
            parts.push_back(part);
        }
        if (Wrong == flaw::parts_overlap && parts.size() > 1) {
            parts.push_back(*this);
        }
        if (Wrong == flaw::part_is_missing && parts.size() > 2) {
            parts.pop_back();
        }
        return parts;
    }

    friend bool operator==(const flawed& a, const flawed& b) { return a.totals_ == b.totals_; }

    void write(byte_writer& out) const {
        out.write_varint(totals_.size());
        if (Wrong == flaw::bytes_in_order_of_arrival) {
            for (const std::uint64_t node : arrived_) {
                out.write_varint(node);
                out.write_varint(totals_.at(node));
            }
            return;
        }
        for (const auto& [node, total] : totals_) {
            out.write_varint(node);
            out.write_varint(Wrong == flaw::bytes_lose_something ? std::min<std::uint64_t>(total, 3) : total);
        }
    }

    [[nodiscard]] static flawed read(byte_reader& in) {
        flawed made;
        const bool checks = Wrong != flaw::reads_what_was_cut;
        for (std::uint64_t left = checks ? in.read_count(2, "totals") : in.read_varint(); left > 0; --left) {
            if (!checks && in.remaining() < 2) {
                break;
            }
            const std::size_t at = in.position();
            const std::uint64_t node = in.read_varint();
            const std::uint64_t total = in.read_varint();
            if (Wrong != flaw::bytes_in_order_of_arrival && !made.totals_.empty() &&
                made.totals_.rbegin()->first >= node) {
                byte_reader::fail_at(at, "replicas in order");
            }
            if (!made.totals_.emplace(node, total).second || total == 0) {
                byte_reader::fail_at(at, "each replica once, with a total");
            }
            made.note(node);
        }
        return made;
    }

private:
    [[nodiscard]] bool is_below(const flawed& theirs) const {
        return news_for(theirs.totals_).totals_.empty();
    }

    [[nodiscard]] flawed news_for(const totals& known) const {
        flawed news;
        for (const auto& [node, total] : totals_) {
            const auto found = known.find(node);
            if (found == known.end() || found->second < total) {
                news.totals_[node] = total;
                news.note(node);
            }
        }
        return news;
    }

    void note(std::uint64_t node) {
        if (std::ranges::find(arrived_, node) == arrived_.end()) {
            arrived_.push_back(node);
        }
    }

    totals totals_;
    std::vector<std::uint64_t> arrived_;
};

template <flaw Wrong>
laws::report judge() {
    const laws::subject<flawed<Wrong>> of{
        .mutate = [](flawed<Wrong>& state, const replica_id& here, laws::random_source&) {
            return state.grow(here);
        }};
    return laws::check_all(of);
}

template <flaw Wrong>
void breaks(const char* law) {
    const laws::report found = judge<Wrong>();
    const laws::law_result* const result = found.find(law);
    BOOST_TEST_REQUIRE((result != nullptr), law);
    BOOST_TEST(!result->holds, law << " held for flaw " << static_cast<int>(Wrong));
    BOOST_TEST(result->counterexample.find("after (case ") != std::string::npos);
}

} // namespace

BOOST_AUTO_TEST_SUITE(laws_test)

BOOST_AUTO_TEST_CASE(a_right_type_holds_them_all) {
    const laws::report found = judge<flaw::none>();
    BOOST_TEST(found.all_hold(), laws::to_string(found));
    BOOST_TEST(found.laws.size() == 19U);
    for (const laws::law_result& each : found.laws) {
        BOOST_TEST(each.cases == laws::options().cases, each.law);
    }
}

BOOST_AUTO_TEST_CASE(each_law_is_broken_by_a_type_that_breaks_it) {
    breaks<flaw::prefers_its_own>("commutativity");
    breaks<flaw::averages>("associativity");
    breaks<flaw::joins_by_sum>("idempotency");
    breaks<flaw::bottom_counts>("bottom");
    breaks<flaw::order_is_reversed>("order");
    breaks<flaw::shrinks>("inflation");
    breaks<flaw::delta_says_too_little>("delta_equals_state");
    breaks<flaw::delta_says_too_much>("delta_groups");
    breaks<flaw::merge_returns_all>("delta_and_merge");
    breaks<flaw::part_is_missing>("parts");
    breaks<flaw::parts_overlap>("parts_are_irreducible");
    breaks<flaw::digest_is_blunt>("digest");
    breaks<flaw::delta_since_misses>("delta_since");
    breaks<flaw::delta_since_is_everything>("delta_since_is_least");
    breaks<flaw::joins_by_sum>("every_order");
    breaks<flaw::bytes_lose_something>("bytes_there_and_back");
    breaks<flaw::bytes_in_order_of_arrival>("canonical_bytes");
    breaks<flaw::reads_what_was_cut>("truncated_bytes");
    breaks<flaw::reads_what_was_cut>("damaged_bytes");
}

BOOST_AUTO_TEST_CASE(the_counterexample_is_short) {
    const laws::report found = judge<flaw::shrinks>();
    const std::string& shown = found.find("inflation")->counterexample;
    // Two mutations before the one that is judged: no history is shorter.
    BOOST_TEST(std::ranges::count(shown, '\n') <= 7, shown);
    BOOST_TEST(shown.find("before = ") != std::string::npos, shown);
}

BOOST_AUTO_TEST_CASE(a_mutator_that_throws_fails_the_law) {
    const laws::report found = judge<flaw::throws>();
    BOOST_TEST(!found.all_hold());
    BOOST_TEST(found.find("commutativity")->counterexample.find("three is too many") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_same_seed_judges_the_same_histories) {
    laws::random_source first(7);
    laws::random_source second(7);
    BOOST_TEST((laws::random_history(first, 4, 50) == laws::random_history(second, 4, 50)));
    BOOST_TEST((laws::random_history(first, 4, 50) != laws::history()));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
