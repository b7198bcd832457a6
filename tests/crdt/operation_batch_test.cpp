#include <phoenix/crdt/operation_batch.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/resettable_counter.hpp>

#include "replicas.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace phoenix::crdt {

namespace {

using testing::alice;
using testing::bob;

using words = or_set<std::string>;
using say = words::operations;
using counting = resettable_counter::operations;
using batch_type = operation_batch<std::string, words, resettable_counter>;
using refusals = std::vector<batch_type::refusal>;

/// The objects of a program, by name.
struct objects {
    std::map<std::string, words> sets;
    std::map<std::string, resettable_counter> counters;

    template <class T>
    [[nodiscard]] T& of(const std::string& name) {
        if constexpr (std::is_same_v<T, words>) {
            return sets[name];
        } else {
            return counters[name];
        }
    }

    [[nodiscard]] auto finder() {
        return [this]<class T>(const std::string& name) -> T& {
            return of<T>(name);
        };
    }
};

batch_type three_groups() {
    batch_type batch;
    batch.add<resettable_counter>("visits", counting::increment{2});
    batch.add<words>("tags", say::add{"new"});
    batch.add<words>("basket", say::add{"tea"});
    batch.add<words>("basket", say::remove{"tea"});
    batch.add<words>("basket", say::add{"milk"});
    batch.add<resettable_counter>("visits", counting::increment{3});
    return batch;
}

} // namespace

BOOST_AUTO_TEST_SUITE(operation_batch_test)

BOOST_AUTO_TEST_CASE(one_delta_for_each_type_and_target) {
    batch_type batch = three_groups();
    BOOST_TEST(batch.size() == 6U);
    BOOST_TEST(batch.group_count() == 3U);
    objects mine;
    objects theirs;
    std::vector<std::string> order;
    refusals refused;
    batch.apply(
        alice, mine.finder(),
        [&]<class T>(const std::string& name, const T& delta) {
            order.push_back(name);
            theirs.of<T>(name).join(delta);
        },
        refused);
    BOOST_TEST(refused.empty());
    BOOST_TEST(batch.empty());
    BOOST_TEST((order == std::vector<std::string>{"basket", "tags", "visits"}));
    BOOST_TEST(mine.counters["visits"].value() == 5);
    BOOST_TEST(mine.sets["basket"].contains("milk"));
    BOOST_TEST(!mine.sets["basket"].contains("tea"));
    BOOST_TEST((mine.sets == theirs.sets));
    BOOST_TEST((mine.counters == theirs.counters));
}

BOOST_AUTO_TEST_CASE(is_full_at_a_hundred_unless_said_otherwise) {
    batch_type batch;
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(!batch.is_full());
        batch.add<words>("tags", say::add{std::to_string(i)});
    }
    BOOST_TEST(batch.is_full());
    BOOST_CHECK_EXCEPTION(batch.add<words>("tags", say::add{"more"}), std::system_error,
                          [](const auto& e) { return e.code() == errc::limit_exceeded; });
    BOOST_TEST(batch.size() == 100U);
    batch_type small(operation_batch_options{1});
    small.add<words>("tags", say::add{"one"});
    BOOST_TEST(small.is_full());
    BOOST_CHECK_EXCEPTION(batch_type(operation_batch_options{0}), std::system_error, [](const auto& e) {
        return std::string(e.what()).find("operations_max") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(what_a_type_refuses_is_told_and_the_rest_is_applied) {
    batch_type batch;
    batch.add<resettable_counter>("visits", counting::increment{1});
    batch.add<resettable_counter>("visits", counting::increment{-1});
    batch.add<resettable_counter>("visits", counting::increment{1});
    objects mine;
    refusals refused;
    batch.apply(alice, mine.finder(), [](const auto&, const auto&) {}, refused);
    BOOST_TEST_REQUIRE(refused.size() == 1U);
    BOOST_TEST(refused[0].target == "visits");
    BOOST_TEST(refused[0].type == 1U);
    BOOST_TEST(refused[0].index == 1U);
    BOOST_TEST((refused[0].code == errc::negative_amount));
    BOOST_TEST(mine.counters["visits"].value() == 2);
}

BOOST_AUTO_TEST_CASE(can_be_written_down_and_replayed) {
    batch_type batch = three_groups();
    batch_type read = decode<batch_type>(encode(batch));
    BOOST_TEST((read == batch));
    objects mine;
    objects replayed;
    refusals refused;
    batch.apply(alice, mine.finder(), [](const auto&, const auto&) {}, refused);
    read.apply(alice, replayed.finder(), [](const auto&, const auto&) {}, refused);
    BOOST_TEST(refused.empty());
    BOOST_TEST((mine.sets == replayed.sets));
    BOOST_TEST((mine.counters == replayed.counters));
    auto bytes = encode(three_groups());
    bytes.pop_back();
    BOOST_CHECK_THROW((void)decode<batch_type>(bytes), decode_error);
}

BOOST_AUTO_TEST_CASE(what_is_left_stays_when_the_program_throws) {
    batch_type batch = three_groups();
    objects mine;
    const auto fails = [](const std::string& name, const auto&) {
        if (name == "basket") {
            throw std::runtime_error("no connection");
        }
    };
    refusals refused;
    BOOST_CHECK_THROW(batch.apply(bob, mine.finder(), fails, refused), std::runtime_error);
    BOOST_TEST(batch.size() == 3U);
    BOOST_TEST(batch.group_count() == 2U);
    batch.apply(bob, mine.finder(), fails, refused);
    BOOST_TEST(mine.counters["visits"].value() == 5);
    BOOST_TEST(mine.sets["basket"].size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_was_refused_is_told_also_when_the_program_throws) {
    using numbers = operation_batch<std::string, resettable_counter>;
    for (const bool when_found : {false, true}) {
        numbers batch;
        batch.add<resettable_counter>("first", counting::increment{-1});
        batch.add<resettable_counter>("first", counting::increment{1});
        batch.add<resettable_counter>("second", counting::increment{2});
        objects mine;
        bool fails = true;
        const auto find = [&]<class T>(const std::string& name) -> T& {
            if (when_found && fails && name == "second") {
                throw std::runtime_error("no such object");
            }
            return mine.of<T>(name);
        };
        const auto made = [&](const std::string& name, const auto&) {
            if (!when_found && fails && name == "first") {
                throw std::runtime_error("no connection");
            }
        };
        std::vector<numbers::refusal> refused;
        BOOST_CHECK_THROW(batch.apply(bob, find, made, refused), std::runtime_error);
        BOOST_TEST_REQUIRE(refused.size() == 1U);
        BOOST_TEST(refused[0].target == "first");
        fails = false;
        batch.apply(bob, find, made, refused);
        BOOST_TEST(refused.size() == 1U);
        BOOST_TEST(batch.empty());
        BOOST_TEST(mine.counters["second"].value() == 2);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::crdt
