// The timer queue does what a multimap of deadlines does, whatever the order of arming, disarming and
// expiring, from outside and from inside the timers that fire.
#include <phoenix/config.hpp>
#include <phoenix/net/core/timer_queue.hpp>
#include <phoenix/net/time.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

namespace {

using namespace phoenix::net;

constexpr std::size_t timer_count = 32;

/// The queue and what it must be: deadlines and order of arming, with the timer's number.
class script {
public:
    explicit script(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
        for (std::size_t i = 0; i < timer_count; ++i) {
            timers_[i].number = i;
            timers_[i].owner = this;
        }
    }

    void run() {
        while (!bytes_.empty()) {
            const std::uint8_t what = next();
            if (what % 4 == 3) {
                expire(what / 4);
            } else {
                change();
            }
            PHOENIX_ASSERT(queue_.size() == expected_.size(), "the sizes must agree");
            PHOENIX_ASSERT(queue_.next_deadline() ==
                               (expected_.empty() ? no_deadline : expected_.begin()->first.first),
                           "the next deadlines must agree");
        }
        for (one_timer& each : timers_) {
            queue_.disarm(each);
        }
        PHOENIX_ASSERT(queue_.empty(), "nothing must be left");
    }

private:
    using place = std::pair<monotonic_time, std::uint64_t>;

    class one_timer : public timer {
    public:
        one_timer() : timer(&fire) {}

        std::size_t number = 0;
        script* owner = nullptr;
        place where{};

    private:
        static void fire(timer& self) noexcept {
            auto& here = static_cast<one_timer&>(self);
            here.owner->fired(here);
        }
    };

    std::uint8_t next() noexcept {
        if (bytes_.empty()) {
            return 0;
        }
        const std::uint8_t byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte;
    }

    /// Arms a timer that is not armed, disarms one that is.
    void change() noexcept {
        one_timer& chosen = timers_[next() % timer_count];
        if (chosen.is_armed()) {
            queue_.disarm(chosen);
            PHOENIX_ASSERT(expected_.erase(chosen.where) == 1, "an armed timer must be expected");
            return;
        }
        const monotonic_time deadline = now_ + nanoseconds(next() % 64 - 16);
        queue_.arm(chosen, deadline);
        // What a firing timer arms in the past is due now.
        chosen.where = place(is_expiring_ ? std::max(deadline, now_) : deadline, armed_++);
        expected_.emplace(chosen.where, chosen.number);
    }

    void expire(unsigned step) noexcept {
        now_ += nanoseconds(step);
        is_expiring_ = true;
        armed_before_ = armed_;
        queue_.expire(now_);
        is_expiring_ = false;
        for (const auto& [where, number] : expected_) {
            PHOENIX_ASSERT(where.first > now_ || where.second >= armed_before_,
                           "what was due must have fired");
        }
    }

    void fired(one_timer& fired) noexcept {
        PHOENIX_ASSERT(!fired.is_armed(), "a timer that fires is not armed any more");
        PHOENIX_ASSERT(!expected_.empty() && expected_.begin()->second == fired.number,
                       "the first in order must fire");
        PHOENIX_ASSERT(fired.where.first <= now_ && fired.where.second < armed_before_,
                       "only what was due before must fire");
        expected_.erase(expected_.begin());
        for (std::uint8_t changes = next() % 4; changes > 0; --changes) {
            change();
        }
    }

    std::span<const std::uint8_t> bytes_;
    timer_queue queue_;
    std::array<one_timer, timer_count> timers_;
    std::map<place, std::size_t> expected_;
    monotonic_time now_{};
    std::uint64_t armed_ = 0;
    std::uint64_t armed_before_ = 0;
    bool is_expiring_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    script(std::span(data, size)).run();
    return 0;
}
