#include <phoenix/crdt/error.hpp>
#include <phoenix/crdt/laws/report.hpp>

#include <algorithm>

namespace phoenix::crdt::laws {

namespace {

using finding = std::optional<std::string>;

/// Leaves out pieces of the history, larger ones first, as long as the law stays broken.
history shortest(const law& broken, history steps, std::size_t replicas, std::uint64_t seed,
                 std::string& found) {
    for (std::size_t piece = std::max<std::size_t>(steps.size() / 2, 1); piece > 0; piece /= 2) {
        for (std::size_t from = 0; from < steps.size();) {
            const std::size_t to = std::min(from + piece, steps.size());
            history fewer(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(from));
            fewer.insert(fewer.end(), steps.begin() + static_cast<std::ptrdiff_t>(to), steps.end());
            if (finding still = broken.judge(fewer, replicas, seed)) {
                steps = std::move(fewer);
                found = std::move(*still);
            } else {
                from = to;
            }
        }
    }
    return steps;
}

law_result check_one(const law& each, const options& how) {
    law_result result;
    result.law = each.name;
    random_source random(how.seed);
    for (; result.cases < how.cases; ++result.cases) {
        // Short histories first: what they show is easier to read.
        const std::size_t steps = 1 + result.cases * how.steps_max / how.cases;
        const history tried = random_history(random, how.replicas, steps);
        const std::uint64_t seed = random.next();
        finding found = each.judge(tried, how.replicas, seed);
        if (!found) {
            continue;
        }
        result.holds = false;
        const history least = shortest(each, tried, how.replicas, seed, *found);
        result.counterexample = "  after (case " + std::to_string(result.cases) + " of seed " +
                                std::to_string(how.seed) + ")\n" + to_string(least) + *found;
        break;
    }
    return result;
}

} // namespace

bool report::all_hold() const noexcept {
    return std::ranges::all_of(laws, &law_result::holds);
}

const law_result* report::find(const std::string& law) const noexcept {
    const auto found = std::ranges::find(laws, law, &law_result::law);
    return found == laws.end() ? nullptr : &*found;
}

std::string to_string(const report& results) {
    std::string text;
    for (const law_result& each : results.laws) {
        text +=
            each.law + (each.holds ? ": holds, " + std::to_string(each.cases) + " cases\n" : ": BROKEN\n");
        if (!each.holds) {
            text += each.counterexample + "\n";
        }
    }
    return text;
}

void options::validate() const {
    const auto expect_positive = [](const char* field, std::size_t value) {
        if (value == 0) {
            throw_error(errc::invalid_operation,
                        std::string("laws::options: expected ") + field + " of at least 1, found 0");
        }
    };
    expect_positive("cases", cases);
    expect_positive("replicas", replicas);
    expect_positive("steps_max", steps_max);
}

report check(std::span<const law> laws, const options& how) {
    how.validate();
    report results;
    for (const law& each : laws) {
        results.laws.push_back(check_one(each, how));
    }
    return results;
}

} // namespace phoenix::crdt::laws
