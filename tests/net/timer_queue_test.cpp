#include <phoenix/net/core/timer_queue.hpp>
#include <phoenix/net/time.hpp>

#include "random_seed.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <vector>

namespace {

using namespace phoenix::net;

constexpr monotonic_time at(std::int64_t nanoseconds_since_origin) {
    return monotonic_time(nanoseconds(nanoseconds_since_origin));
}

/// Writes down when it fires, and then does what it is told.
class noted_timer : public timer {
public:
    using action = void (*)(noted_timer&);

    noted_timer(int name, std::vector<int>& fired, timer_queue& queue, action act = nullptr)
        : timer(&fire), name(name), queue(queue), fired_(fired), act_(act) {}

    const int name;
    timer_queue& queue;
    noted_timer* other = nullptr;
    monotonic_time deadline{};

private:
    static void fire(timer& self) noexcept {
        auto& here = static_cast<noted_timer&>(self);
        here.fired_.push_back(here.name);
        if (here.act_ != nullptr) {
            here.act_(here);
        }
    }

    std::vector<int>& fired_;
    action act_;
};

struct fixture {
    timer_queue queue;
    std::vector<int> fired;
};

using names = std::vector<int>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(timer_queue_test, fixture)

BOOST_AUTO_TEST_CASE(an_empty_queue_has_no_deadline_and_fires_nothing) {
    BOOST_TEST(queue.empty());
    BOOST_TEST((queue.next_deadline() == no_deadline));
    queue.expire(no_deadline);
    BOOST_TEST(fired.empty());
}

BOOST_AUTO_TEST_CASE(timers_fire_by_deadline_and_not_before) {
    noted_timer a(1, fired, queue);
    noted_timer b(2, fired, queue);
    noted_timer c(3, fired, queue);
    queue.arm(b, at(20));
    queue.arm(c, at(30));
    queue.arm(a, at(10));
    BOOST_TEST(queue.size() == 3u);
    BOOST_TEST((queue.next_deadline() == at(10)));
    queue.expire(at(9));
    BOOST_TEST(fired.empty());
    queue.expire(at(20));
    BOOST_TEST(fired == names({1, 2}), boost::test_tools::per_element());
    BOOST_TEST(!a.is_armed());
    BOOST_TEST(c.is_armed());
    BOOST_TEST((queue.next_deadline() == at(30)));
    queue.expire(at(30));
    BOOST_TEST(fired == names({1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(equal_deadlines_fire_in_the_order_of_arming) {
    std::deque<noted_timer> many;
    names expected;
    for (int i = 0; i < 100; ++i) {
        queue.arm(many.emplace_back(i, fired, queue), at(5));
        expected.push_back(i);
    }
    queue.expire(at(5));
    BOOST_TEST(fired == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_disarmed_timer_does_not_fire_and_may_be_armed_again) {
    noted_timer a(1, fired, queue);
    noted_timer b(2, fired, queue);
    queue.arm(a, at(1));
    queue.arm(b, at(2));
    queue.disarm(a);
    queue.disarm(a);
    BOOST_TEST(!a.is_armed());
    queue.expire(at(1));
    BOOST_TEST(fired.empty());
    queue.arm(a, at(3));
    queue.expire(at(3));
    BOOST_TEST(fired == names({2, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_a_firing_timer_arms_waits_for_the_next_call) {
    noted_timer a(1, fired, queue, [](noted_timer& self) { self.queue.arm(self, self.deadline); });
    a.deadline = at(1);
    queue.arm(a, at(1));
    queue.expire(at(10));
    BOOST_TEST(fired == names({1}), boost::test_tools::per_element());
    BOOST_TEST(a.is_armed());
    queue.expire(at(10));
    BOOST_TEST(fired == names({1, 1}), boost::test_tools::per_element());
    queue.disarm(a);
}

BOOST_AUTO_TEST_CASE(a_timer_armed_in_the_past_again_and_again_holds_up_no_other) {
    noted_timer again(1, fired, queue, [](noted_timer& self) { self.queue.arm(self, self.deadline); });
    again.deadline = at(1);
    noted_timer due(2, fired, queue);
    queue.arm(again, at(1));
    queue.arm(due, at(5));
    queue.expire(at(10));
    BOOST_TEST(fired == names({1, 2}), boost::test_tools::per_element());
    queue.disarm(again);
}

BOOST_AUTO_TEST_CASE(a_firing_timer_may_disarm_another_that_is_due) {
    noted_timer a(1, fired, queue, [](noted_timer& self) { self.queue.disarm(*self.other); });
    noted_timer b(2, fired, queue);
    a.other = &b;
    queue.arm(a, at(1));
    queue.arm(b, at(1));
    queue.expire(at(1));
    BOOST_TEST(fired == names({1}), boost::test_tools::per_element());
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_multimap) {
    const std::uint64_t seed = phoenix::net::testing::random_seed();
    BOOST_TEST_CONTEXT("PHOENIX_TEST_SEED=" << seed) {
        std::mt19937_64 random(seed);
        constexpr int timers = 300;
        std::deque<noted_timer> pool;
        for (int i = 0; i < timers; ++i) {
            pool.emplace_back(i, fired, queue);
        }
        // Equal keys of a multimap keep the order of insertion.
        std::multimap<monotonic_time, int> oracle;
        std::vector<std::multimap<monotonic_time, int>::iterator> places(timers, oracle.end());
        std::int64_t now = 0;
        int mismatches = 0;
        for (int step = 0; step < 100'000; ++step) {
            const auto chosen = static_cast<std::size_t>(random() % timers);
            const std::uint64_t what = random() % 16;
            if (what == 0) {
                now += static_cast<std::int64_t>(random() % 40);
                fired.clear();
                queue.expire(at(now));
                names expected;
                while (!oracle.empty() && oracle.begin()->first <= at(now)) {
                    const int name = oracle.begin()->second;
                    expected.push_back(name);
                    places[static_cast<std::size_t>(name)] = oracle.end();
                    oracle.erase(oracle.begin());
                }
                mismatches += fired != expected ? 1 : 0;
            } else if (places[chosen] == oracle.end()) {
                const monotonic_time deadline = at(now + static_cast<std::int64_t>(random() % 200) - 20);
                queue.arm(pool[chosen], deadline);
                places[chosen] = oracle.emplace(deadline, static_cast<int>(chosen));
            } else if (what < 8) {
                queue.disarm(pool[chosen]);
                oracle.erase(places[chosen]);
                places[chosen] = oracle.end();
            }
            mismatches += queue.size() != oracle.size() ? 1 : 0;
            mismatches +=
                queue.next_deadline() != (oracle.empty() ? no_deadline : oracle.begin()->first) ? 1 : 0;
        }
        BOOST_TEST(mismatches == 0);
        for (noted_timer& each : pool) {
            BOOST_TEST(each.is_armed() == (places[static_cast<std::size_t>(each.name)] != oracle.end()));
            queue.disarm(each);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
