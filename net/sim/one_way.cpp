#include <phoenix/net/sim/connection.hpp>
#include <phoenix/net/sim/one_way.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace phoenix::net::sim {

one_way::one_way(world_core& around, node_number from, node_number to, std::weak_ptr<connection_end> sender,
                 std::weak_ptr<connection_end> receiver)
    : around_(around), from_(from), to_(to), sender_(std::move(sender)), receiver_(std::move(receiver)),
      power_losses_(around.at_machine(from).power_losses) {}

void one_way::send(std::size_t bytes, if_gone answer, std::function<void(connection_end&)> what) {
    // One nanosecond apart: what is sent first arrives first.
    last_due_ = std::max(around_.due_over(from_, to_, bytes), last_due_ + nanoseconds(1));
    messages_.push_back({bytes, answer, last_due_, std::move(what)});
    if (!is_expected_ && !stands_still_) {
        expect_first(last_due_);
    }
}

void one_way::expect_first(monotonic_time when) {
    is_expected_ = true;
    around_.at(when, [self = shared_from_this()] {
        self->is_expected_ = false;
        self->arrive();
    });
}

void one_way::arrive() {
    if (messages_.empty()) {
        return;
    }
    if (is_silent_ || !around_.link_between(from_, to_).is_open() || !around_.at_machine(to_).has_power) {
        stand_still();
        return;
    }
    message arrived = std::move(messages_.front());
    messages_.pop_front();
    if (!messages_.empty()) {
        expect_first(std::max(messages_.front().due, around_.now() + nanoseconds(1)));
    }
    deliver(std::move(arrived));
}

void one_way::deliver(message arrived) {
    around_.count_message(from_, to_, arrived.bytes);
    if (const std::shared_ptr<connection_end> here = receiver_.lock()) {
        arrived.what(*here);
    } else if (arrived.answer == if_gone::reset && around_.link_between(to_, from_).is_open()) {
        around_.at(around_.due_over(to_, from_, 0), [sender = sender_] {
            if (const std::shared_ptr<connection_end> told = sender.lock()) {
                told->reset_arrives();
            }
        });
    }
}

void one_way::stand_still() {
    stands_still_ = true;
    ++stops_;
    if (!is_silent_) {
        around_.link_between(from_, to_).waiting.push_back(shared_from_this());
    }
    around_.at(around_.now() + around_.how().retransmit_timeout, [weak = weak_from_this(), stop = stops_] {
        const std::shared_ptr<one_way> self = weak.lock();
        if (self == nullptr || !self->stands_still_ || self->stops_ != stop) {
            return;
        }
        self->messages_.clear();
        if (const std::shared_ptr<connection_end> sender = self->sender_.lock()) {
            sender->fail(-ETIMEDOUT);
        }
    });
}

void one_way::try_again() {
    if (!stands_still_ || is_silent_) {
        return;
    }
    stands_still_ = false;
    if (power_losses_ != around_.at_machine(from_).power_losses) {
        messages_.clear();
    }
    if (!messages_.empty()) {
        expect_first(around_.now() + around_.retransmit_delay(from_, to_));
    }
}

} // namespace phoenix::net::sim
