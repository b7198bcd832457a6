// The sequence against a plain Fugue: elements as they hang, a list by recursion, no spans and no index. And bytes and
// shapes that no replica makes.
#include <phoenix/crdt/sequence.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using page = sequence<char>;

/// As the paper has it: a set of nodes that only grows, and a set of erased ones.
struct plain_fugue {
    struct hook {
        dot parent; // Counter 0: the root.
        bool left = false;
        friend bool operator==(const hook&, const hook&) = default;
    };

    std::map<dot, std::pair<hook, char>> nodes;
    std::set<dot> erased;

    void join(const plain_fugue& theirs) {
        nodes.insert(theirs.nodes.begin(), theirs.nodes.end());
        erased.insert(theirs.erased.begin(), theirs.erased.end());
    }

    void walk(const dot& at, std::vector<dot>& list) const {
        const auto children = [&](bool left) {
            // In the order of the map: by dot.
            for (const auto& [id, node] : nodes) {
                if (node.first == hook{at, left}) {
                    walk(id, list);
                }
            }
        };
        children(true);
        if (at.counter > 0) {
            list.push_back(at);
        }
        children(false);
    }

    [[nodiscard]] std::vector<dot> everything() const {
        std::vector<dot> list;
        walk({}, list);
        return list;
    }

    [[nodiscard]] std::vector<dot> visible() const {
        std::vector<dot> list = everything();
        std::erase_if(list, [&](const dot& each) { return erased.contains(each); });
        return list;
    }

    [[nodiscard]] std::string text() const {
        std::string made;
        for (const dot& each : visible()) {
            made += nodes.at(each).second;
        }
        return made;
    }

    plain_fugue insert(const replica_id& here, std::size_t index, char value) {
        const dot left = index == 0 ? dot{} : visible()[index - 1];
        hook place{left, false};
        const bool has_right_children = std::ranges::any_of(
            nodes, [&](const auto& each) { return each.second.first == hook{left, false}; });
        if (has_right_children) {
            const auto list = everything();
            const auto after = left.counter == 0 ? list.begin() : std::ranges::find(list, left) + 1;
            place = {*after, true};
        }
        dot mine{here, 1};
        for (const auto& [id, node] : nodes) {
            if (id.replica == here) {
                mine.counter = std::max(mine.counter, id.counter + 1);
            }
        }
        plain_fugue delta;
        delta.nodes[mine] = {place, value};
        join(delta);
        return delta;
    }

    plain_fugue erase(std::size_t index) {
        const dot gone = visible()[index];
        plain_fugue delta;
        delta.nodes[gone] = nodes[gone];
        delta.erased.insert(gone);
        join(delta);
        return delta;
    }
};

struct replica {
    page real;
    plain_fugue model;
};

std::string disagreement(const replica& each) {
    if (each.real.text() != each.model.text()) {
        return "expected \"" + each.model.text() + "\", found \"" + each.real.text() + "\"";
    }
    const auto visible = each.model.visible();
    for (std::size_t i = 0; i < visible.size(); ++i) {
        if (each.real.position_at(i).element != visible[i] ||
            each.real[i] != each.model.nodes.at(visible[i]).second) {
            return "another element at " + std::to_string(i);
        }
    }
    std::uint64_t before = 0;
    for (const dot& id : each.model.everything()) {
        if (each.real.index_of({id, sequence_position::neighbour::next}) != before) {
            return "another index of " + to_text(id);
        }
        before += each.model.erased.contains(id) ? 0 : 1;
    }
    return {};
}

std::string run_history(std::uint64_t seed, std::size_t replicas, int steps) {
    laws::random_source random(seed);
    std::vector<replica> all(replicas);
    std::vector<replica> deltas;
    for (int i = 0; i < steps; ++i) {
        const std::size_t who = random.below(replicas);
        replica& mine = all[who];
        const std::uint64_t size = mine.real.size();
        if (random.one_in(3) && !deltas.empty()) {
            // Any delta, however late or early.
            const replica& each = deltas[random.below(deltas.size())];
            mine.real.join(each.real);
            mine.model.join(each.model);
        } else if (random.one_in(12)) {
            const replica other = all[random.below(replicas)];
            mine.real.join(other.real);
            mine.model.join(other.model);
        } else if (size > 0 && random.one_in(3)) {
            const std::uint64_t count = random.below(std::min<std::uint64_t>(size, 4)) + 1;
            const std::uint64_t at = random.below(size - count + 1);
            replica delta{mine.real.erase(laws::replica_number(who), at, count), {}};
            for (std::uint64_t left = count; left > 0; --left) {
                delta.model.join(mine.model.erase(at));
            }
            deltas.push_back(std::move(delta));
        } else {
            const std::uint64_t at = random.one_in(2) ? random.below(std::min<std::uint64_t>(size, 2) + 1)
                                                      : random.below(size + 1);
            std::string typed(random.below(3) + 1, static_cast<char>('a' + random.below(26)));
            replica delta{mine.real.insert(laws::replica_number(who), at, typed), {}};
            for (std::size_t k = 0; k < typed.size(); ++k) {
                delta.model.join(mine.model.insert(laws::replica_number(who), at + k, typed[k]));
            }
            deltas.push_back(std::move(delta));
        }
        if (const std::string wrong = disagreement(mine); !wrong.empty()) {
            return "step " + std::to_string(i) + ": " + wrong;
        }
    }
    replica together;
    for (const replica& each : all) {
        together.real.join(each.real);
        together.model.join(each.model);
    }
    return disagreement(together);
}

/// A call that typed or erased `text` at `at`. No letter is typed twice in one history, so that each is known
/// by itself.
struct edit {
    bool types;
    std::size_t at;
    std::string text;
};

/// Which letter was read before which, by anyone at any time. One order of all letters must explain it all.
class read_order {
public:
    void note(const std::string& text) {
        for (std::size_t i = 1; i < text.size(); ++i) {
            after_[index(text[i - 1])].insert(index(text[i]));
        }
    }

    [[nodiscard]] bool contradicts_itself() const {
        std::array<int, letters> state{};
        for (std::size_t each = 0; each < letters; ++each) {
            if (leads_back(each, state)) {
                return true;
            }
        }
        return false;
    }

private:
    static constexpr std::size_t letters = 256;

    static std::size_t index(char letter) { return static_cast<unsigned char>(letter); }

    bool leads_back(std::size_t from, std::array<int, letters>& state) const {
        if (state[from] == 0) {
            state[from] = 1;
            for (const std::size_t next : after_[from]) {
                if (leads_back(next, state)) {
                    return true;
                }
            }
            state[from] = 2;
        }
        return state[from] == 1;
    }

    std::array<std::set<std::size_t>, letters> after_;
};

/// What is wrong with what a replica reads, by the rules of lists (H. Attiya et al., Specification and
/// Complexity of Collaborative Text Editing, 2016): exactly what was typed and not erased is there. And
/// nobody stands within a run but who had seen it.
std::string misread(const std::string& text, const testing::causal_history<edit>& history,
                    const std::vector<bool>& seen) {
    std::map<char, std::size_t> writer;
    std::string expected;
    std::string erased;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const edit& each = history.events[i].what;
        for (const char letter : each.text) {
            if (each.types) {
                writer[letter] = i;
            }
            if (seen[i]) {
                (each.types ? expected : erased) += letter;
            }
        }
    }
    std::erase_if(expected, [&](char each) { return erased.find(each) != std::string::npos; });
    std::string found = text;
    std::ranges::sort(found);
    std::ranges::sort(expected);
    if (found != expected) {
        return "expected the letters " + expected + ", found " + found;
    }
    for (std::size_t first = 0; first < text.size(); ++first) {
        for (std::size_t last = text.size() - 1; last > first; --last) {
            if (writer[text[first]] == writer[text[last]]) {
                for (std::size_t within = first + 1; within < last; ++within) {
                    const std::size_t by = writer[text[within]];
                    if (by != writer[text[first]] && !history.saw(by, writer[text[first]])) {
                        return std::string("a stranger within a run: ") + text[within];
                    }
                }
                break;
            }
        }
    }
    return {};
}

/// Bytes by hand: replicas, then the runs of each.
class forged {
public:
    explicit forged(std::vector<replica_id> replicas) {
        out_.write_byte(bytes_version);
        out_.write_varint(replicas.size());
        for (const replica_id& each : replicas) {
            out_.write_varint(each.node);
            out_.write_varint(each.incarnation);
        }
    }

    forged& numbers(std::initializer_list<std::uint64_t> values) {
        for (const std::uint64_t each : values) {
            out_.write_varint(each);
        }
        return *this;
    }

    forged& text(std::string_view values) {
        out_.write_raw(std::as_bytes(std::span(values.data(), values.size())));
        return *this;
    }

    [[nodiscard]] std::string refusal() const {
        try {
            (void)decode<page>(out_.bytes());
        } catch (const decode_error& e) {
            return e.what();
        }
        return "accepted";
    }

    [[nodiscard]] page accepted() const { return decode<page>(out_.bytes()); }

private:
    byte_writer out_;
};

constexpr replica_id alice{1, 1};
constexpr replica_id bob{2, 1};
constexpr std::uint64_t right = 0;
constexpr std::uint64_t left = 1;
constexpr std::uint64_t gap = 2;
constexpr std::uint64_t erased = 4;

constexpr std::uint64_t head(std::uint64_t length, std::uint64_t flags) {
    return (length - 1) << 3 | flags;
}

bool says(const std::string& refusal, const char* what) {
    return refusal.find(what) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sequence_model_test)

BOOST_AUTO_TEST_CASE(agrees_with_a_plain_fugue_on_random_histories) {
    const std::uint64_t seed = testing::random_seed();
    for (std::uint64_t i = 0; i < testing::cases_wanted(); ++i) {
        const std::string wrong = run_history(seed + i, 1 + i % 5, 30 + static_cast<int>(i % 30));
        BOOST_TEST(wrong.empty(), "PHOENIX_TEST_SEED=" << seed << ", history " << i << ": " << wrong);
        if (!wrong.empty()) {
            break;
        }
    }
}

BOOST_AUTO_TEST_CASE(agrees_with_the_calls_that_were_seen) {
    read_order order;
    char letter = 0;
    testing::agrees_with_model<page, edit>(
        [&](laws::random_source& random, const auto& history, const auto& /*seen*/) {
            if (history.events.empty()) {
                order = {};
                letter = 0;
            }
            edit made{!random.one_in(3), random.next(), std::string(1 + random.below(4), 0)};
            for (char& each : made.text) {
                each = made.types ? ++letter : 0;
            }
            return made;
        },
        [](page& mine, const replica_id& here, edit& made) {
            std::string expected = mine.text();
            page delta;
            if (made.types) {
                made.at %= expected.size() + 1;
                expected.insert(made.at, made.text);
                delta = mine.insert(here, made.at, made.text);
            } else {
                made.at = expected.empty() ? 0 : made.at % expected.size();
                made.text = expected.substr(made.at, made.text.size());
                expected.erase(made.at, made.text.size());
                delta = mine.erase(here, made.at, made.text.size());
            }
            BOOST_TEST_REQUIRE(mine.text() == expected, "an edit lands elsewhere");
            return delta;
        },
        [&](const page& mine, const auto& history, const auto& seen) -> std::optional<std::string> {
            const std::string text = mine.text();
            order.note(text);
            const std::string wrong = misread(text, history, seen);
            return !wrong.empty()               ? std::optional(wrong)
                   : order.contradicts_itself() ? std::optional("read in two orders: " + text)
                                                : std::nullopt;
        });
}

BOOST_AUTO_TEST_CASE(forged_bytes_that_are_no_forgery) {
    // A right child of the root, its left child, and one that is erased in the middle.
    const page made = forged({alice, bob})
                          .numbers({1, head(2, right), 0})
                          .text("ab")
                          .numbers({1, head(4, left | erased), 1, 2, 1, 1, 0})
                          .text("12")
                          .accepted();
    BOOST_TEST(made.text() == "a12b");
}

BOOST_AUTO_TEST_CASE(hostile_parents_are_refused) {
    BOOST_TEST(says(forged({alice}).numbers({1, head(1, left), 0}).text("a").refusal(),
                    "a parent for what stands on its left"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(1, right), 1, 1}).text("a").refusal(),
                    "a parent that was written before its child"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(1, right), 1, 5}).text("a").refusal(),
                    "a parent that was written before its child"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(1, right), 1, 0}).text("a").refusal(),
                    "a parent that was written before its child"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(1, right), 2, 1}).text("a").refusal(),
                    "the number of a parent's replica"));
}

BOOST_AUTO_TEST_CASE(unknown_parents_and_circles_of_parents_stay_unseen) {
    const auto waiting = forged({alice, bob}).numbers({0, 1, head(1, right), 1, 9}).text("b").accepted();
    BOOST_TEST(waiting.empty());
    BOOST_TEST(!waiting.complete());
    const auto circle = forged({alice, bob})
                            .numbers({1, head(2, right), 2, 1})
                            .text("aa")
                            .numbers({1, head(1, left), 1, 2})
                            .text("b");
    page text = circle.accepted();
    BOOST_TEST(text.empty());
    BOOST_TEST(text.context().count() == 3U);
    (void)text.insert({3, 1}, 0, "still works");
    text.join(text.erase({3, 1}, 5, 1));
    BOOST_TEST(text.text() == "stillworks");
    BOOST_TEST((decode<page>(encode(text)) == text));
    page other = circle.accepted();
    (void)other.insert(alice, 0, "x");
    other.join(text);
    text.join(other);
    BOOST_TEST(other.text() == text.text());
}

BOOST_AUTO_TEST_CASE(runs_have_one_form) {
    BOOST_TEST(says(forged({alice})
                        .numbers({2, head(1, right), 0})
                        .text("a")
                        .numbers({head(1, right), 1, 1})
                        .text("b")
                        .refusal(),
                    "runs as long as they are"));
    BOOST_TEST(says(forged({alice, bob}).numbers({1, head(1, right), 0}).text("a").numbers({0}).refusal(),
                    "replicas that have elements or children"));
    BOOST_TEST(says(forged({bob, alice}).numbers({0, 0}).refusal(), "replicas in ascending order"));
    BOOST_TEST(says(forged({alice, alice}).numbers({0, 0}).refusal(), "replicas in ascending order"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(2, right | erased), 0, 2, 0}).refusal(),
                    "a length of live elements of at most 1"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(2, right | erased), 0, 1, 1}).text("a").refusal(),
                    "a length of elements of at most 0"));
}

BOOST_AUTO_TEST_CASE(claims_that_the_bytes_cannot_hold_cost_nothing) {
    const std::uint64_t most = (std::uint64_t(1) << 47) - 1;
    BOOST_TEST(says(forged({alice}).numbers({1, head(most, right), 0}).text("ab").refusal(),
                    "as many values as the bytes that follow can hold"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(most + 1, right), 0}).text("ab").refusal(),
                    "dots of at most 2^47 - 1"));
    BOOST_TEST(says(forged({alice}).numbers({1, head(2, right | gap), most - 1, 0}).text("ab").refusal(),
                    "dots of at most 2^47 - 1"));
    // Erased ones cost nothing, and leave no dot for others.
    page full = forged({alice}).numbers({1, head(most, right | erased), 0, 0, most - 1}).accepted();
    BOOST_TEST(full.empty());
    BOOST_CHECK_EXCEPTION((void)full.insert(alice, 0, 'a'), std::system_error,
                          [](const std::system_error& e) { return e.code() == errc::limit_exceeded; });
    BOOST_TEST(full.insert(bob, 0, 'b').size() == 0U);
    BOOST_TEST(full.text() == "b");
}

BOOST_AUTO_TEST_CASE(one_dot_with_two_meanings_does_no_harm) {
    // Only a forger gives one dot two parents or values: what came first stays, and nothing breaks.
    page mine = forged({alice}).numbers({1, head(3, right), 0}).text("abc").accepted();
    const page theirs = forged({alice})
                            .numbers({2, head(1, right), 0})
                            .text("x")
                            .numbers({head(3, left), 1, 1})
                            .text("yzw")
                            .accepted();
    BOOST_TEST(theirs.text() == "yzwx");
    mine.join(theirs);
    BOOST_TEST(mine.text() == "abcw");
    (void)mine.erase(bob, 0, 4);
    mine.join(theirs);
    BOOST_TEST(mine.empty());
}

BOOST_AUTO_TEST_CASE(siblings_of_one_replica_stand_by_their_counters) {
    // No replica writes such, but bytes may say so, and the order of arrival must not decide.
    const page all = forged({alice})
                         .numbers({4, head(1, right), 0})
                         .text("a")
                         .numbers({head(1, right), 0})
                         .text("b")
                         .numbers({head(1, left), 1, 1})
                         .text("c")
                         .numbers({head(1, left), 1, 1})
                         .text("d")
                         .accepted();
    BOOST_TEST(all.text() == "cdab");
    auto parts = all.decompose();
    std::ranges::reverse(parts);
    page joined;
    for (const page& each : parts) {
        joined.join(each);
    }
    BOOST_TEST(joined.text() == "cdab");
    BOOST_TEST((joined == all));
}

BOOST_AUTO_TEST_CASE(many_runs_at_one_place_and_deep_trees) {
    page all;
    std::string expected;
    for (std::uint64_t i = 1; i <= 300; ++i) {
        page alone;
        const char each = static_cast<char>('a' + i % 26);
        (void)alone.insert({1000 - i, 1}, 0, std::string(2, each));
        all.join(alone);
        expected.insert(0, std::string(2, each));
    }
    BOOST_TEST(all.text() == expected);
    // Every element the child of the one before, by turns to the left and to the right.
    page deep;
    page behind;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        const auto delta =
            deep.insert(i % 2 == 0 ? alice : bob, (i + 1) / 2, static_cast<char>('a' + i % 26));
        behind.join(delta);
    }
    BOOST_TEST(deep.text() == behind.text());
    BOOST_TEST((decode<page>(encode(deep)).text() == deep.text()));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
