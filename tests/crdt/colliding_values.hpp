// Two values with different bytes and one hash.
#pragma once

#include <array>
#include <string>

namespace phoenix::crdt::testing {

/// Of 32 canonical bytes XXH3 multiplies bytes 16 to 23 and 24 to 31, each xored with its secret; where the
/// first factor is zero the second does not count. The length takes the first byte.
[[nodiscard]] inline std::string colliding_value(char last) {
    constexpr std::array<unsigned char, 8> secret{0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb};
    std::string text(15, 'x');
    for (const unsigned char each : secret) {
        text += static_cast<char>(each);
    }
    return text + std::string(7, '-') + last;
}

} // namespace phoenix::crdt::testing
