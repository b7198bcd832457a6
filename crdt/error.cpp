#include <phoenix/crdt/error.hpp>

namespace phoenix::crdt {

namespace {

class crdt_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "phoenix.crdt"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::malformed_bytes:
            return "malformed bytes";
        case errc::limit_exceeded:
            return "limit exceeded";
        case errc::negative_amount:
            return "negative amount: use the operation that takes away";
        case errc::counter_overflow:
            return "counter overflow";
        case errc::insufficient_rights:
            return "insufficient rights: take less, or ask another replica for some of its rights";
        case errc::clock_too_far_ahead:
            return "timestamp too far in the future: check the sender's clock";
        case errc::invalid_operation:
            return "invalid operation";
        }
        return "unknown error " + std::to_string(value);
    }

    [[nodiscard]] bool equivalent(int value, const std::error_condition& condition) const noexcept override {
        switch (static_cast<errc>(value)) {
        case errc::malformed_bytes:
            return condition == std::errc::bad_message;
        case errc::negative_amount:
        case errc::invalid_operation:
            return condition == std::errc::invalid_argument;
        case errc::counter_overflow:
        case errc::clock_too_far_ahead:
            return condition == std::errc::result_out_of_range;
        case errc::limit_exceeded:
        case errc::insufficient_rights:
            break;
        }
        return false;
    }
};

} // namespace

const std::error_category& category() noexcept {
    static const crdt_category instance;
    return instance;
}

void throw_error(errc code, const std::string& what) {
    throw std::system_error(code, what);
}

decode_error::decode_error(errc code, std::size_t offset, const std::string& expected)
    : std::system_error(code, "at byte " + std::to_string(offset) + ": expected " + expected),
      offset_(offset) {}

} // namespace phoenix::crdt
