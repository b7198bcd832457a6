#include <phoenix/net/sim/connection.hpp>
#include <phoenix/net/sim/sim_driver.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace phoenix::net::sim {

void connection_end::join(connection_end& asking, connection_end& accepting) {
    world_core& all = asking.owner_.around();
    const node_number one = asking.owner_.number();
    const node_number other = accepting.owner_.number();
    asking.other_ = accepting.weak_from_this();
    asking.other_number_ = other;
    asking.out_ = std::make_shared<one_way>(all, one, other, asking.weak_from_this(), asking.other_);
    asking.credit_ = accepting.holds_;
    asking.was_heard_ = true;
    accepting.other_ = asking.weak_from_this();
    accepting.other_number_ = one;
    accepting.out_ = std::make_shared<one_way>(all, other, one, accepting.weak_from_this(), accepting.other_);
    accepting.credit_ = asking.holds_;
    accepting.joined_ = true;
    if (one != other) {
        all.add_connection(asking.shared_from_this());
    }
}

std::pair<node_number, node_number> connection_end::machines() const noexcept {
    return {owner_.number(), other_number_};
}

void connection_end::pass(std::size_t bytes, one_way::if_gone answer,
                          std::function<void(connection_end&)> what) {
    // The last words of a process are its kernel's, and without power that has none.
    if (owner_.around().at_machine(owner_.number()).has_power) {
        out_->send(bytes, answer, std::move(what));
    }
}

int connection_end::receive(std::span<std::byte> into) {
    if (unread_.empty()) {
        return failure_ != 0 ? failure_ : end_came_ ? 0 : -EAGAIN;
    }
    const std::size_t taken = owner_.part_of(std::min(into.size(), unread_.size()));
    const auto end = unread_.begin() + static_cast<std::ptrdiff_t>(taken);
    std::copy(unread_.begin(), end, into.begin());
    unread_.erase(unread_.begin(), end);
    pass(0, one_way::if_gone::nothing, [taken](connection_end& other) { other.room_arrives(taken); });
    return static_cast<int>(taken);
}

int connection_end::send(std::span<const iovec> pieces) {
    if (failure_ != 0) {
        return failure_;
    }
    if (!joined_) {
        return -ENOTCONN;
    }
    if (sending_ended_) {
        return -EPIPE;
    }
    std::size_t total = 0;
    for (const iovec& each : pieces) {
        total += each.iov_len;
    }
    if (total == 0) {
        return 0;
    }
    if (credit_ == 0) {
        return -EAGAIN;
    }
    const std::size_t sent = owner_.part_of(std::min(total, credit_));
    std::vector<std::byte> data;
    data.reserve(sent);
    for (const iovec& each : pieces) {
        const auto* const from = static_cast<const std::byte*>(each.iov_base);
        data.insert(data.end(), from, from + std::min(each.iov_len, sent - data.size()));
    }
    credit_ -= sent;
    pass(sent, one_way::if_gone::reset,
         [data = std::move(data)](connection_end& other) mutable { other.data_arrives(std::move(data)); });
    return static_cast<int>(sent);
}

int connection_end::end_sending() {
    if (!joined_ || failure_ != 0) {
        return -ENOTCONN;
    }
    if (!sending_ended_) {
        sending_ended_ = true;
        pass(0, one_way::if_gone::nothing, [](connection_end& other) { other.end_arrives(); });
    }
    return 0;
}

void connection_end::release(bool reset) {
    released_ = true;
    if (!joined_ || failure_ != 0) {
        return;
    }
    // As a kernel does: who does not read what has come breaks the connection.
    if (reset || !unread_.empty()) {
        pass(0, one_way::if_gone::nothing, [](connection_end& other) { other.reset_arrives(); });
    } else {
        static_cast<void>(end_sending());
    }
    unread_.clear();
}

void connection_end::answer_request() {
    pass(0, one_way::if_gone::reset, [](connection_end& other) { other.answer_arrives(); });
}

void connection_end::fall_silent() noexcept {
    out_->fall_silent();
    if (const std::shared_ptr<connection_end> other = other_.lock()) {
        other->out_->fall_silent();
    }
}

void connection_end::answer_arrives() {
    joined_ = true;
    if (connecting != nullptr) {
        owner_.complete(*std::exchange(connecting, nullptr), 0);
    }
}

void connection_end::data_arrives(std::vector<std::byte> data) {
    if (failure_ != 0) {
        return;
    }
    if (released_) {
        pass(0, one_way::if_gone::nothing, [](connection_end& other) { other.reset_arrives(); });
        return;
    }
    unread_.insert(unread_.end(), data.begin(), data.end());
    wake_receiver();
}

void connection_end::end_arrives() {
    end_came_ = true;
    wake_receiver();
}

void connection_end::break_off() {
    const std::shared_ptr<connection_end> other = other_.lock();
    out_->drop();
    fail(-ECONNRESET);
    if (other != nullptr) {
        other->out_->drop();
        other->fail(-ECONNRESET);
    }
}

void connection_end::fail(int result) {
    if (failure_ == 0) {
        failure_ = result;
    }
    wake_receiver();
    wake_sender();
    if (connecting != nullptr) {
        owner_.complete(*std::exchange(connecting, nullptr), result);
    }
}

void connection_end::room_arrives(std::size_t bytes) {
    credit_ += bytes;
    wake_sender();
}

void connection_end::wake_receiver() {
    if (receiving == nullptr) {
        return;
    }
    const int result = receive(receiving->buffer);
    if (result != -EAGAIN) {
        owner_.complete_receive(*std::exchange(receiving, nullptr), result);
    }
}

void connection_end::wake_sender() {
    if (sending == nullptr) {
        return;
    }
    const int result = send(sending->pieces);
    if (result != -EAGAIN) {
        owner_.complete(*std::exchange(sending, nullptr), result);
    }
}

} // namespace phoenix::net::sim
