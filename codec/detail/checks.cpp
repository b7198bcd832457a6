#include <phoenix/codec/detail/checks.hpp>
#include <phoenix/codec/error.hpp>

namespace phoenix::codec::detail {

namespace {

[[nodiscard]] std::string text_of(const identity& each) {
    return std::to_string(each.node) + "/" + std::to_string(each.incarnation);
}

[[nodiscard]] std::string row(std::string_view place, std::size_t index) {
    return std::string(place) + "[" + std::to_string(index) + "]";
}

[[nodiscard]] std::string more_than(const std::string& before) {
    return "more than the " + before + " before it";
}

} // namespace

void refuse(std::string_view place, std::string_view expected, std::string_view found) {
    std::string what(place);
    what.append(": expected ").append(expected).append(", found ").append(found);
    throw_error(errc::malformed_message, what);
}

void refuse(std::string_view place, std::string_view expected, std::uint64_t found) {
    refuse(place, expected, std::to_string(found));
}

void refuse_limit(std::string_view place, std::uint64_t most, std::uint64_t found) {
    throw_error(errc::limit_exceeded, std::string(place) + ": expected at most " + std::to_string(most) +
                                          ", found " + std::to_string(found));
}

void require_ends(std::string_view place, std::span<const std::uint32_t> ends, std::size_t size) {
    for (std::size_t i = 1; i < ends.size(); ++i) {
        if (ends[i] < ends[i - 1]) [[unlikely]] {
            refuse(row(place, i), std::to_string(ends[i - 1]) + " or more", ends[i]);
        }
    }
    const std::size_t last = ends.empty() ? 0 : ends.back();
    if (last != size) [[unlikely]] {
        refuse(place, "an end at " + std::to_string(size) + ", where its column ends", last);
    }
}

void require_ascending(std::string_view place, std::span<const std::uint64_t> numbers) {
    for (std::size_t i = 1; i < numbers.size(); ++i) {
        if (numbers[i] <= numbers[i - 1]) [[unlikely]] {
            refuse(row(place, i), more_than(std::to_string(numbers[i - 1])), numbers[i]);
        }
    }
}

void require_ascending(std::string_view place, std::span<const identity> identities) {
    for (std::size_t i = 1; i < identities.size(); ++i) {
        if (identities[i] <= identities[i - 1]) [[unlikely]] {
            refuse(row(place, i), more_than(text_of(identities[i - 1])), text_of(identities[i]));
        }
    }
}

void require_version_vector(std::string_view place, std::span<const vector_entry> has) {
    for (std::size_t i = 0; i < has.size(); ++i) {
        if (has[i].number == 0) [[unlikely]] {
            refuse(row(place, i), "a number from 1 on", std::uint64_t{0});
        }
        if (i > 0 && has[i].origin <= has[i - 1].origin) [[unlikely]] {
            refuse(row(place, i), more_than(text_of(has[i - 1].origin)), text_of(has[i].origin));
        }
    }
}

} // namespace phoenix::codec::detail
