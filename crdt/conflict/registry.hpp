// Which strategy goes with which kind of data, by name: so that configuration, not code, chooses.
//
//   registry<value> rules;                                  // knows the standard ones
//   rules.add(map_merge({.by_key = {{"visits", counter_merge()}}}), "page");
//   rules.use("page", "page");                              // a data type, and the strategy for it
//   rules.use("title", "first_writer");
//   const auto found = rules.resolve(about);                // by about.data_type
//
// From the start it knows last_writer, first_writer, vector_clock and semantic, and for `value` counter, set,
// map and list, which are also used for data of these types, with last_writer for "register". Data of a type
// that it does not know goes to the last writer: a replica with older rules still decides, as long as all
// have the same ones. A strategy that it does not know is an error. Any thread; a value, which belongs to one
// at a time.
#pragma once

#include <phoenix/crdt/conflict/semantic.hpp>
#include <phoenix/crdt/conflict/vector_clock.hpp>
#include <phoenix/crdt/error.hpp>
#include <phoenix/crdt/explain.hpp>

#include <array>
#include <concepts>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace phoenix::crdt::conflict {

template <byte_value Value>
class registry {
public:
    registry() {
        add(last_writer<Value>());
        add(first_writer<Value>());
        add(vector_clock<Value>());
        add(semantic<Value>());
        if constexpr (std::same_as<Value, value>) {
            for (strategy<value>& each :
                 std::array{counter_merge(), set_merge(), map_merge(), list_merge()}) {
                const std::string name = each.name;
                add(std::move(each));
                use(name, name);
            }
        }
        use("register", "last_writer");
    }

    /// Under its own name or another; in place of one that had it. Throws errc::invalid_operation when it has
    /// no function.
    void add(strategy<Value> added) {
        std::string name = added.name;
        add(std::move(added), name);
    }

    void add(strategy<Value> added, const std::string& name) {
        if (!added.decide) {
            throw_error(errc::invalid_operation,
                        "expected a function in the strategy " + quoted_text(name) + ", found none");
        }
        added.name = name;
        strategies_.insert_or_assign(name, std::move(added));
    }

    /// Data of this type is resolved by the strategy of that name. Throws errc::invalid_operation for an
    /// unknown one.
    void use(const std::string& data_type, std::string_view name) {
        (void)named(name);
        by_data_type_.insert_or_assign(data_type, std::string(name));
    }

    /// Throws errc::invalid_operation when there is none. Valid until it is replaced.
    [[nodiscard]] const strategy<Value>& named(std::string_view name) const {
        const auto found = strategies_.find(name);
        if (found == strategies_.end()) {
            throw_error(errc::invalid_operation,
                        "expected the name of a strategy, found " + quoted_text(name) + ": add it first");
        }
        return found->second;
    }

    /// Last writer for a type that it does not know. Valid until it is replaced.
    [[nodiscard]] const strategy<Value>& for_data_type(std::string_view data_type) const {
        const auto found = by_data_type_.find(data_type);
        return named(found != by_data_type_.end() ? std::string_view(found->second) : "last_writer");
    }

    [[nodiscard]] outcome<resolution<Value>> resolve(const context<Value>& about) const {
        return conflict::resolve(about, for_data_type(about.data_type));
    }

private:
    std::map<std::string, strategy<Value>, std::less<>> strategies_;
    std::map<std::string, std::string, std::less<>> by_data_type_;
};

} // namespace phoenix::crdt::conflict
