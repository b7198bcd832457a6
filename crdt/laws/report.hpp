// What a check of laws found: law by law, and for a broken one the shortest history that breaks it.
#pragma once

#include <phoenix/crdt/laws/history.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace phoenix::crdt::laws {

struct options {
    std::size_t cases = 500;
    std::size_t replicas = 4;
    std::size_t steps_max = 24;
    std::uint64_t seed = 1;

    /// Throws errc::invalid_operation that names the field, what it may be and what it is.
    void validate() const;
};

struct law_result {
    std::string law;
    std::size_t cases = 0;
    bool holds = true;
    /// Of a broken law: the shortest history that was found, and what came out.
    std::string counterexample;
};

struct report {
    std::vector<law_result> laws;

    [[nodiscard]] bool all_hold() const noexcept;
    /// Null when no law of that name was checked.
    [[nodiscard]] const law_result* find(const std::string& law) const noexcept;

    void append(const report& other) { laws.insert(laws.end(), other.laws.begin(), other.laws.end()); }
};

/// One line a law, with the counterexample below a broken one.
[[nodiscard]] std::string to_string(const report& results);

/// A law, bound to a type: judges one history and says what is wrong, or nothing.
struct law {
    std::string name;
    std::function<std::optional<std::string>(const history& steps, std::size_t replicas, std::uint64_t seed)>
        judge;
};

/// Judges random histories by each law, and shortens the first that breaks one.
[[nodiscard]] report check(std::span<const law> laws, const options& how);

} // namespace phoenix::crdt::laws
