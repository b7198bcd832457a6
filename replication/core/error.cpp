#include <phoenix/replication/core/error.hpp>

namespace phoenix::replication {

namespace {

class replication_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "phoenix.replication"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::invalid_options:
            return "invalid options";
        case errc::unknown_type:
            return "unknown type: register it on every node";
        case errc::protocol_violation:
            return "protocol violation";
        case errc::limit_exceeded:
            return "limit exceeded";
        case errc::refused:
            return "refused";
        case errc::cryptography_failed:
            return "cryptography failed";
        case errc::overtaken:
            return "overtaken: a later process runs with this node's id";
        }
        return "unknown error " + std::to_string(value);
    }

    [[nodiscard]] bool equivalent(int value, const std::error_condition& condition) const noexcept override {
        switch (static_cast<errc>(value)) {
        case errc::invalid_options:
            return condition == std::errc::invalid_argument;
        case errc::unknown_type:
        case errc::protocol_violation:
            return condition == std::errc::protocol_error;
        case errc::limit_exceeded:
        case errc::refused:
        case errc::cryptography_failed:
        case errc::overtaken:
            break;
        }
        return false;
    }
};

} // namespace

const std::error_category& category() noexcept {
    static const replication_category instance;
    return instance;
}

void throw_error(errc code, const std::string& what) {
    throw std::system_error(code, what);
}

} // namespace phoenix::replication
