// Conflicts between claims on one pool: everybody gets what was asked for, or all are scaled down alike.
//
//   context<claims> asked{.siblings = {{.by = d1, .value = {{{"web", 6}}}},
//                                      {.by = d2, .value = {{{"batch", 3}}}}}};
//   resolve(asked, resource_allocation({.available = 6}));            // web 4, batch 2
//
// A sibling says who asks for how much; claims of one name in several siblings add up. If the sum fits into
// what is available, all is granted. Else each gets its proportional part in whole units, and the units left
// over go to the largest remainders, of equal ones to the first name: the grants add up to exactly what is
// available, and nobody gets more than asked. What is available: the context's metadata "available", else the
// option, else the sum of the claims. A claim below 1 is refused, and leaves the conflict unresolved. Any
// thread.
#pragma once

#include <phoenix/crdt/conflict/strategy.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace phoenix::crdt::conflict {

/// Who asks for how much, or is granted it: by name.
struct claims {
    std::map<std::string, std::int64_t> amounts;

    friend bool operator==(const claims&, const claims&) = default;

    void write(byte_writer& out) const;
    [[nodiscard]] static claims read(byte_reader& in);
};

[[nodiscard]] std::string to_text(const claims& shown);

struct resource_options {
    /// Units to hand out, from 0; nothing: as many as are asked for.
    std::optional<std::int64_t> available = {};

    /// Throws errc::negative_amount that names the field.
    void validate() const;
};

[[nodiscard]] strategy<claims> resource_allocation(const resource_options& options = {});

/// What each gets of `available`. Throws errc::negative_amount for less than nothing to hand out,
/// errc::invalid_operation for a claim below 1, errc::counter_overflow when the claims add up to more than 64
/// bits.
[[nodiscard]] claims share(const claims& asked, std::int64_t available);

} // namespace phoenix::crdt::conflict
