// Conflicts between configurations: the newest that is valid, so that no replica runs what would break it.
//
//   const auto rule = configuration<settings>([](const settings& s) {
//       return s.workers > 0 ? std::optional<std::string>() : "expected workers above 0";
//   });
//   resolve({.siblings = {...}, .current = running}, rule);
//
// Siblings are asked from the last write to the first (writer_order.hpp); the first without a complaint wins,
// and the reason says which newer ones were passed over, and why. When none is valid, the context's
// `current`, the last known good one, stays in force: that is taken as it is, since it runs. Without one the
// conflict stays unresolved. A validator that throws has complained. Any thread, as far as the validator is.
#pragma once

#include <phoenix/crdt/conflict/writer_order.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace phoenix::crdt::conflict {

/// What is wrong with a value; nothing when it is valid.
template <byte_value Value>
using validator = std::function<std::optional<std::string>(const Value&)>;

template <byte_value Value>
[[nodiscard]] std::optional<std::string> complaint_of(const validator<Value>& check, const Value& value) {
    try {
        return check(value);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "the validator threw what is no std::exception";
    }
}

/// Throws errc::invalid_operation when there is no validator.
template <byte_value Value>
[[nodiscard]] strategy<Value> configuration(validator<Value> check) {
    if (!check) {
        throw_error(errc::invalid_operation,
                    "configuration: expected a validator, found none: use last_writer");
    }
    return {"configuration", [check = std::move(check)](const context<Value>& about) {
                std::string refused;
                for (const sibling<Value>* const each : newest_first(about.siblings)) {
                    const std::optional<std::string> complaint = complaint_of(check, each->value);
                    if (!complaint) {
                        return outcome<Value>::resolved(each->value, "the newest valid one, " +
                                                                         write_text(*each) + refused);
                    }
                    refused += "; refused " + write_text(*each) + ": " + *complaint;
                }
                if (about.current) {
                    return outcome<Value>::resolved(*about.current, "the last known good one" + refused);
                }
                return outcome<Value>::unresolved("expected a valid configuration or a last known good one" +
                                                  refused);
            }};
}

} // namespace phoenix::crdt::conflict
