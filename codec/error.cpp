#include <phoenix/codec/error.hpp>

namespace phoenix::codec {

namespace {

class codec_category final : public std::error_category {
public:
    constexpr codec_category() noexcept = default;

    [[nodiscard]] const char* name() const noexcept override { return "phoenix.codec"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::malformed_frame:
            return "malformed frame: the peer does not speak this protocol, or not this version of it";
        case errc::bad_checksum:
            return "bad checksum: the frame was damaged on its way";
        case errc::unsupported_compression:
            return "unsupported compression: wire version 1 carries frames as they are";
        case errc::malformed_message:
            return "malformed message";
        case errc::limit_exceeded:
            return "limit exceeded: raise it on the reader, or send less at a time";
        case errc::stream_lost:
            return "the stream was refused before: close the connection";
        case errc::invalid_options:
            return "invalid options";
        }
        return "unknown error " + std::to_string(value);
    }

    [[nodiscard]] bool equivalent(int value, const std::error_condition& condition) const noexcept override {
        switch (static_cast<errc>(value)) {
        case errc::malformed_frame:
        case errc::bad_checksum:
        case errc::malformed_message:
            return condition == std::errc::bad_message;
        case errc::unsupported_compression:
            return condition == std::errc::not_supported;
        case errc::limit_exceeded:
            return condition == std::errc::message_size;
        case errc::invalid_options:
            return condition == std::errc::invalid_argument;
        case errc::stream_lost:
            break;
        }
        return false;
    }
};

constinit const codec_category the_category;

} // namespace

const std::error_category& category() noexcept {
    return the_category;
}

void throw_error(errc code, const std::string& what) {
    throw std::system_error(code, what);
}

} // namespace phoenix::codec
