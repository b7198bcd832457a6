#include <phoenix/crdt/conflict/apportion.hpp>
#include <phoenix/crdt/error.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace phoenix::crdt::conflict {

std::vector<std::uint64_t> apportion(std::uint64_t whole, std::span<const std::uint64_t> weights) {
    __extension__ using wide = unsigned __int128;
    wide sum = 0;
    for (const std::uint64_t each : weights) {
        sum += each;
    }
    if (sum == 0) {
        throw_error(errc::invalid_operation, "apportion: expected a weight above 0, found none");
    }
    if (sum > std::numeric_limits<std::uint64_t>::max()) {
        throw_error(errc::counter_overflow, "apportion: expected weights whose sum has 64 bits, found more");
    }
    std::vector<std::uint64_t> parts;
    std::vector<std::pair<std::uint64_t, std::size_t>> remainders;
    std::uint64_t left = whole;
    for (const std::uint64_t weight : weights) {
        const wide product = static_cast<wide>(whole) * weight;
        remainders.emplace_back(static_cast<std::uint64_t>(product % sum), parts.size());
        parts.push_back(static_cast<std::uint64_t>(product / sum));
        left -= parts.back();
    }
    // Fewer are left than there are parts with a remainder.
    std::ranges::sort(remainders, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (std::size_t i = 0; i < left; ++i) {
        ++parts[remainders[i].second];
    }
    return parts;
}

} // namespace phoenix::crdt::conflict
