// Rules that several kinds of message share. `place` names the field, as in "report.has".
#pragma once

#include <phoenix/codec/identity.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace phoenix::codec::detail {

/// Throws errc::malformed_message: "place: expected ..., found ...".
[[noreturn, gnu::cold]] void refuse(std::string_view place, std::string_view expected,
                                    std::string_view found);
[[noreturn, gnu::cold]] void refuse(std::string_view place, std::string_view expected, std::uint64_t found);

/// Throws errc::limit_exceeded.
[[noreturn, gnu::cold]] void refuse_limit(std::string_view place, std::uint64_t most, std::uint64_t found);

inline void require_at_most(std::string_view place, std::uint64_t most, std::uint64_t found) {
    if (found > most) [[unlikely]] {
        refuse_limit(place, most, found);
    }
}

/// `count` rows in every column.
inline void require_rows(std::string_view place, std::size_t count, std::size_t found) {
    if (found != count) [[unlikely]] {
        refuse(place, std::to_string(count) + " elements, one a row", found);
    }
}

/// Ends of the parts of a column of `size` elements: none before the one before it, the last at the end.
void require_ends(std::string_view place, std::span<const std::uint32_t> ends, std::size_t size);

void require_ascending(std::string_view place, std::span<const std::uint64_t> numbers);
void require_ascending(std::string_view place, std::span<const identity> identities);

/// By origin, each once, numbers from 1 on.
void require_version_vector(std::string_view place, std::span<const vector_entry> has);

} // namespace phoenix::codec::detail
