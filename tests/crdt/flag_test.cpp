#include <phoenix/crdt/flag.hpp>
#include <phoenix/crdt/or_map.hpp>

#include "causal_history.hpp"
#include "laws_hold.hpp"
#include "replicas.hpp"
#include "store_models.hpp"
#include "under_a_map.hpp"

#include <boost/mpl/list.hpp>

#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;
using testing::carol;
using testing::laws_hold;

static_assert(decomposable<enable_wins_flag> && operable<enable_wins_flag> && explainable<enable_wins_flag>);
static_assert(decomposable<disable_wins_flag> && operable<disable_wins_flag> &&
              explainable<disable_wins_flag>);
static_assert(!std::is_convertible_v<enable_wins_flag, bool>);
static_assert(!std::is_convertible_v<disable_wins_flag, bool>);

/// The two flags are mirrors: what holds of one holds of the other with the calls exchanged. `win` is the
/// call whose dots are kept.
struct enabling {
    using flag = enable_wins_flag;
    using win_operation = flag::store_type::operations::enable;
    using lose_operation = flag::store_type::operations::disable;
    static constexpr bool winner = true;

    static flag win(flag& state, const replica_id& here) { return state.enable(here); }

    static flag lose(flag& state, const replica_id& here) { return state.disable(here); }
};

struct disabling {
    using flag = disable_wins_flag;
    using win_operation = flag::store_type::operations::disable;
    using lose_operation = flag::store_type::operations::enable;
    static constexpr bool winner = false;

    static flag win(flag& state, const replica_id& here) { return state.disable(here); }

    static flag lose(flag& state, const replica_id& here) { return state.enable(here); }
};

using both = boost::mpl::list<enabling, disabling>;

template <class Flag>
bool wins(const typename Flag::flag& state) {
    BOOST_TEST(state.is_enabled() == static_cast<bool>(state));
    return state.is_enabled() == Flag::winner;
}

} // namespace

BOOST_AUTO_TEST_SUITE(flag_test)

BOOST_AUTO_TEST_CASE_TEMPLATE(keeps_the_laws, each, both) {
    using flag = typename each::flag;
    laws_hold(
        laws::subject<flag>{.mutate = [](flag& state, const replica_id& here, laws::random_source& random) {
            if (random.one_in(5)) {
                flag batch;
                state.edit(here, batch, [&](auto&& editor) {
                    for (std::uint64_t left = random.below(4); left > 0; --left) {
                        switch (random.below(3)) {
                        case 0:
                            editor.enable();
                            break;
                        case 1:
                            editor.disable();
                            break;
                        default:
                            editor.reset();
                        }
                    }
                });
                return batch;
            }
            return random.one_in(2) ? state.enable(here) : state.disable(here);
        }});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keeps_the_laws_under_a_map, each, both) {
    using operation = typename each::flag::operation;
    testing::laws_hold_under_a_map<typename each::flag::store_type>([](laws::random_source& random) {
        return random.one_in(3) ? operation(typename each::lose_operation{}) : typename each::win_operation{};
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(agrees_with_the_calls_that_were_seen, each, both) {
    using flag = typename each::flag;
    testing::agrees_with_model<flag, bool>(
        [](laws::random_source& random) { return random.one_in(2); },
        [](flag& state, const replica_id& here, bool win) {
            return win ? each::win(state, here) : each::lose(state, here);
        },
        [](const flag& state, const auto& history, const auto& seen) -> std::optional<std::string> {
            bool expected = false;
            for (const auto* last : history.last_words(seen, [](bool) { return true; })) {
                expected = expected || last->what;
            }
            return (state.is_enabled() == each::winner) == expected ? std::nullopt
                                                                    : std::optional(to_text(explain(state)));
        });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(agrees_with_the_calls_that_were_seen_under_a_map, each, both) {
    testing::agrees_with_the_rules_under_a_map<typename each::flag::store_type>();
}

BOOST_AUTO_TEST_CASE(an_enable_wins_flag_starts_disabled_and_a_disable_wins_flag_enabled) {
    BOOST_TEST(!enable_wins_flag());
    BOOST_TEST(!enable_wins_flag().is_enabled());
    BOOST_TEST(static_cast<bool>(disable_wins_flag()));
    BOOST_TEST(disable_wins_flag().is_enabled());
    BOOST_TEST(enable_wins_flag().is_bottom());
    BOOST_TEST(disable_wins_flag().is_bottom());
}

BOOST_AUTO_TEST_CASE(a_concurrent_enable_wins_in_the_one_and_loses_in_the_other) {
    enable_wins_flag one;
    (void)one.enable(alice);
    enable_wins_flag same = one;
    const auto enabled = one.enable(alice);
    (void)same.disable(bob);
    BOOST_TEST(!same);
    same.join(enabled);
    BOOST_TEST(same.is_enabled());

    disable_wins_flag other;
    (void)other.disable(alice);
    disable_wins_flag copy = other;
    const auto disabled = other.disable(alice);
    (void)copy.enable(bob);
    BOOST_TEST(copy.is_enabled());
    copy.join(disabled);
    BOOST_TEST(!copy);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_concurrent_calls_the_one_that_wins_wins, each, both) {
    typename each::flag mine;
    typename each::flag theirs;
    theirs.join(each::win(mine, alice));
    const auto lost = each::lose(theirs, bob);
    BOOST_TEST(!wins<each>(theirs));
    const auto won = each::win(mine, alice);
    mine.join(lost);
    theirs.join(won);
    BOOST_TEST(wins<each>(mine));
    BOOST_TEST(wins<each>(theirs));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(costs_one_dot_however_often_it_is_repeated, each, both) {
    typename each::flag flag;
    for (int i = 0; i < 5; ++i) {
        (void)each::win(flag, alice);
        (void)each::win(flag, bob);
    }
    BOOST_TEST(flag.live().count() == 1U);
    (void)each::lose(flag, carol);
    BOOST_TEST(flag.live().empty());
    BOOST_TEST(!wins<each>(flag));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(trap_remove_without_context, each, both) {
    typename each::flag flag;
    const auto nothing = each::lose(flag, alice);
    BOOST_TEST(nothing.is_bottom());
    typename each::flag other;
    (void)each::win(other, bob);
    other.join(nothing);
    BOOST_TEST(wins<each>(other));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(trap_update_carries_superseded_dots, each, both) {
    typename each::flag mine;
    typename each::flag theirs;
    theirs.join(each::win(mine, alice));
    const auto again = each::win(mine, bob);
    BOOST_TEST(again.context().count() == 2U);
    theirs.join(again);
    BOOST_TEST(theirs.live().count() == 1U);
    BOOST_TEST((theirs == mine));
    theirs.join(each::lose(mine, bob));
    BOOST_TEST(!wins<each>(theirs));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(trap_present_in_both_still_removed, each, both) {
    typename each::flag mine;
    typename each::flag theirs;
    const auto first = each::win(mine, alice);
    const auto second = each::win(theirs, bob);
    typename each::flag saw_first;
    saw_first.join(first);
    typename each::flag saw_second;
    saw_second.join(second);
    mine.join(each::lose(saw_second, carol));
    theirs.join(each::lose(saw_first, carol));
    BOOST_TEST(wins<each>(mine));
    BOOST_TEST(wins<each>(theirs));
    mine.join(theirs);
    theirs.join(mine);
    BOOST_TEST(!wins<each>(mine));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(trap_stale_peer_reinserts, each, both) {
    typename each::flag mine;
    const auto old = each::win(mine, alice);
    typename each::flag theirs;
    theirs.join(old);
    theirs.join(each::lose(mine, alice));
    theirs.join(old);
    BOOST_TEST(!wins<each>(theirs));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(trap_context_alias_on_copy, each, both) {
    typename each::flag mine;
    (void)each::win(mine, alice);
    typename each::flag copy = mine;
    (void)each::win(mine, alice);
    BOOST_TEST(copy.context().count() == 1U);
    (void)each::lose(copy, bob);
    BOOST_TEST(wins<each>(mine));
    copy.join(mine);
    BOOST_TEST(wins<each>(copy));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(trap_canonical_bytes, each, both) {
    typename each::flag one;
    typename each::flag other;
    typename each::flag first;
    typename each::flag second;
    const auto a = each::win(first, alice);
    const auto b = each::win(second, bob);
    one.join(a);
    one.join(b);
    other.join(b);
    other.join(a);
    BOOST_TEST((one == other));
    BOOST_TEST(encode(one) == encode(other));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reset_brings_back_the_start_and_spares_what_is_concurrent, each, both) {
    typename each::flag mine;
    (void)each::win(mine, alice);
    typename each::flag theirs = mine;
    typename each::flag reset;
    mine.edit(alice, reset, [](auto&& flag) { flag.reset(); });
    BOOST_TEST(mine.is_enabled() == typename each::flag().is_enabled());
    BOOST_TEST(mine.store().empty());
    const auto again = each::win(theirs, bob);
    theirs.join(reset);
    mine.join(again);
    BOOST_TEST(wins<each>(theirs));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(operations_do_what_the_mutators_do, each, both) {
    using operation = typename each::flag::operation;
    typename each::flag mine;
    typename each::flag theirs;
    const std::vector<operation> all{typename each::win_operation{}, typename each::lose_operation{},
                                     typename each::win_operation{}};
    const auto read = decode<std::vector<operation>>(encode(all));
    BOOST_TEST((read == all));
    theirs.join(mine.apply(alice, read[0]));
    BOOST_TEST(wins<each>(mine));
    theirs.join(mine.apply(alice, read[1]));
    BOOST_TEST(!wins<each>(mine));
    theirs.join(mine.apply(alice, read[2]));
    BOOST_TEST(wins<each>(mine));
    BOOST_TEST((mine == theirs));
}

BOOST_AUTO_TEST_CASE(explains_what_it_reads_as) {
    enable_wins_flag flag;
    BOOST_TEST(to_text(explain(flag)) == "stands disabled (no enable stands)\n");
    enable_wins_flag other;
    (void)other.enable(alice);
    (void)flag.enable(bob);
    flag.join(other);
    BOOST_TEST(to_text(explain(flag)) == "stands enabled by 1.10:1 2.10:1\n");
    (void)flag.disable(alice);
    BOOST_TEST(to_text(explain(flag)) == "stands disabled (no enable stands)\n"
                                         "gone by 1.10:1 (1 removed or superseded)\n"
                                         "gone by 2.10:1 (1 removed or superseded)\n");

    disable_wins_flag gate;
    BOOST_TEST(to_text(explain(gate)) == "stands enabled (no disable stands)\n");
    (void)gate.disable(alice);
    BOOST_TEST(to_text(explain(gate)) == "stands disabled by 1.10:1\n");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_of_a_map_is_there_while_a_dot_stands, each, both) {
    using operation = typename each::flag::operation;
    using map = or_map<std::string, typename each::flag::store_type>;
    const auto apply = [](map& where, const operation& what) {
        return where.update(alice, "beta", [&](auto&& flag) { flag.apply(what); });
    };
    map mine;
    (void)apply(mine, typename each::lose_operation{});
    BOOST_TEST(mine.is_bottom());
    (void)apply(mine, typename each::win_operation{});
    BOOST_TEST(mine.contains("beta"));
    BOOST_TEST(static_cast<bool>(*mine.find("beta")) == each::winner);
    map theirs = mine;
    const auto erased = mine.remove(alice, "beta");
    BOOST_TEST(mine.empty());
    theirs.join(theirs.update(bob, "beta", [](auto&& flag) { flag.apply(typename each::win_operation{}); }));
    theirs.join(erased);
    BOOST_TEST(theirs.contains("beta"));
    mine.join(theirs);
    BOOST_TEST((mine == theirs));
    BOOST_TEST((decode<map>(encode(mine)) == mine));
    (void)apply(mine, typename each::lose_operation{});
    BOOST_TEST(!mine.contains("beta"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(hostile_bytes_are_refused, each, both) {
    typename each::flag flag;
    (void)each::win(flag, alice);
    const auto good = encode(flag);
    // The last three bytes: one dot, of the first replica, counter 1.
    for (const auto& [place, value, expected] : std::vector<std::tuple<std::size_t, int, std::string>>{
             {1, 2, "context has seen"}, {2, 1, "context has seen"}, {3, 9, "dots"}}) {
        auto bytes = good;
        bytes[bytes.size() - place] = static_cast<std::byte>(value);
        BOOST_CHECK_EXCEPTION(
            (void)decode<typename each::flag>(bytes), decode_error,
            [&](const decode_error& e) { return std::string(e.what()).find(expected) != std::string::npos; });
    }
    // One dot twice.
    auto twice = good;
    twice[twice.size() - 3] = std::byte(2);
    twice.insert(twice.end(), good.end() - 2, good.end());
    BOOST_CHECK_EXCEPTION((void)decode<typename each::flag>(twice), decode_error, [](const decode_error& e) {
        return std::string(e.what()).find("ascending order") != std::string::npos;
    });
    // An operation that is none.
    byte_writer out;
    out.write_byte(bytes_version);
    out.write_byte(2);
    BOOST_CHECK_THROW((void)decode<typename each::flag::operation>(out.bytes()), decode_error);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
