#include <phoenix/codec/error.hpp>
#include <phoenix/codec/limits.hpp>

#include <string>
#include <string_view>

namespace phoenix::codec {

namespace {

void require_in_range(std::string_view field, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value < low || value > high) {
        std::string what("limits.");
        what.append(field).append(" is ").append(std::to_string(value));
        what.append(", expected ").append(std::to_string(low)).append(" to ").append(std::to_string(high));
        throw_error(errc::invalid_options, what);
    }
}

} // namespace

void limits::validate() const {
    constexpr std::uint64_t kibi = 1024;
    require_in_range("frame_bytes_max", frame_bytes_max, kibi, 256 * kibi * kibi);
    require_in_range("entries_max", entries_max, 1, 16 * kibi * kibi);
    require_in_range("key_bytes_max", key_bytes_max, 1, 16 * kibi * kibi);
    require_in_range("object_bytes_max", object_bytes_max, kibi, kibi * kibi * kibi * kibi);
    require_in_range("vector_entries_max", vector_entries_max, 1, kibi * kibi);
    require_in_range("peers_max", peers_max, 1, 64 * kibi);
    require_in_range("neighbours_max", neighbours_max, 1, kibi * kibi);
    require_in_range("types_max", types_max, 1, 64 * kibi);
    require_in_range("name_bytes_max", name_bytes_max, 1, 64 * kibi);
    require_in_range("text_bytes_max", text_bytes_max, 1, 64 * kibi);
}

} // namespace phoenix::codec
