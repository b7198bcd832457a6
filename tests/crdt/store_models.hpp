// The stores of causal types as agrees_with_the_rules (store_rules.hpp) drives and reads them.
#pragma once

#include <phoenix/crdt/composite.hpp>
#include <phoenix/crdt/flag.hpp>
#include <phoenix/crdt/mv_register.hpp>
#include <phoenix/crdt/or_map.hpp>
#include <phoenix/crdt/or_set.hpp>
#include <phoenix/crdt/register.hpp>
#include <phoenix/crdt/resettable_counter.hpp>
#include <phoenix/crdt/rw_set.hpp>

#include "store_rules.hpp"

#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::crdt::testing {

using number = std::uint64_t;

/// How calls reach a store, and what it reads as, as a reader sees it: change(editor, call, depth) and
/// read(seen, where, all).
template <class Store>
struct modelled;

template <class Store, rule Rule>
struct modelled_leaf {
    static shape shape_of(number /*keys*/) { return {Rule, 0, {}}; }

    static void read(const typename detail::seen<Store>::type& store, place& where, reading& all) {
        if (std::string text = modelled<Store>::text(store); !text.empty()) {
            all.emplace(where, std::move(text));
        }
    }
};

template <class Numbers>
std::string sorted_text(const Numbers& numbers) {
    std::string text;
    for (const number each : std::multiset<number>(numbers.begin(), numbers.end())) {
        text += (text.empty() ? "" : " ") + std::to_string(each);
    }
    return text;
}

template <class Store, rule Rule>
struct modelled_set : modelled_leaf<Store, Rule> {
    template <class Editor>
    static void change(Editor&& editor, const placed_call& call, std::size_t /*depth*/) {
        call.what == placed_call::kind::say     ? editor.add(call.value)
        : call.what == placed_call::kind::unsay ? editor.remove(call.value)
                                                : editor.clear();
    }

    static std::string text(const Store& store) { return sorted_text(store); }
};

template <>
struct modelled<or_set_store<number>> : modelled_set<or_set_store<number>, add_wins> {};

template <>
struct modelled<rw_set_store<number>> : modelled_set<rw_set_store<number>, remove_wins> {};

template <class Store, rule Rule>
struct modelled_flag : modelled_leaf<Store, Rule> {
    template <class Editor>
    static void change(Editor&& editor, const placed_call& call, std::size_t /*depth*/) {
        call.what == placed_call::kind::say     ? editor.enable()
        : call.what == placed_call::kind::unsay ? editor.disable()
                                                : editor.reset();
    }
};

template <>
struct modelled<enable_wins_flag_store> : modelled_flag<enable_wins_flag_store, enable_wins> {
    static std::string text(const enable_wins_flag_store& store) { return store.is_enabled() ? "on" : ""; }
};

template <>
struct modelled<disable_wins_flag_store> : modelled_flag<disable_wins_flag_store, disable_wins> {
    static std::string text(const disable_wins_flag_store& store) { return store.is_enabled() ? "" : "off"; }
};

template <>
struct modelled<mv_register_store<number>> : modelled_leaf<mv_register_store<number>, all_writes_stand> {
    template <class Editor>
    static void change(Editor&& editor, const placed_call& call, std::size_t /*depth*/) {
        call.what == placed_call::kind::say ? editor.set(call.value) : editor.clear();
    }

    static std::string text(const mv_register_store<number>::view& store) {
        return sorted_text(store.values());
    }
};

template <>
struct modelled<causal_register_store<number>>
    : modelled_leaf<causal_register_store<number>, last_write_is_seen> {
    template <class Editor>
    static void change(Editor&& editor, const placed_call& call, std::size_t /*depth*/) {
        call.what == placed_call::kind::say ? editor.set(call.value, {time_of(call.value), 0})
                                            : editor.clear();
    }

    static std::string text(const causal_register_store<number>::view& store) {
        std::vector<number> siblings;
        for (const auto& [by, time, value] : store.siblings()) {
            siblings.push_back(value);
        }
        const number* const last = store.value();
        return last == nullptr ? "" : std::to_string(*last) + " of " + sorted_text(siblings);
    }
};

template <>
struct modelled<resettable_counter_store>
    : modelled_leaf<resettable_counter_store, counts_what_no_reset_saw> {
    template <class Editor>
    static void change(Editor&& editor, const placed_call& call, std::size_t /*depth*/) {
        const auto amount = static_cast<std::int64_t>(call.value);
        call.what == placed_call::kind::say     ? editor.increment(amount)
        : call.what == placed_call::kind::unsay ? editor.decrement(amount)
                                                : editor.reset();
    }

    static std::string text(const resettable_counter_store& store) {
        return store.is_present() || store.value() != 0 ? std::to_string(store.value()) : "";
    }
};

template <class Child>
struct modelled<or_map_store<number, Child>> {
    using store = or_map_store<number, Child>;

    static shape shape_of(number keys) { return {nullptr, keys, {modelled<Child>::shape_of(2)}}; }

    template <class Editor>
    static void change(Editor&& editor, const placed_call& call, std::size_t depth) {
        if (depth == call.where.size()) {
            editor.clear();
        } else if (call.what == placed_call::kind::remove && depth + 1 == call.where.size()) {
            editor.remove(call.where[depth]);
        } else {
            editor.update(call.where[depth],
                          [&](auto&& child) { modelled<Child>::change(child, call, depth + 1); });
        }
    }

    static void read(const typename store::view& map, place& where, reading& all) {
        std::size_t entries = 0;
        for (const auto& [key, child] : map) {
            const std::size_t before = all.size();
            where.push_back(key);
            modelled<Child>::read(child, where, all);
            if (all.size() == before || map.find(key) == nullptr || !map.contains(key)) {
                all[where] = "a key that is not there";
            }
            where.pop_back();
            ++entries;
        }
        if (entries != map.size() || map.empty() != (entries == 0)) {
            all[where] = "another size";
        }
    }
};

template <class Fields>
struct modelled<composite_store<Fields>> {
    static shape shape_of(number keys) {
        return std::apply(
            [&](const auto&... each) {
                return shape{nullptr, 0, {modelled_field<decltype(each)>::shape_of(keys)...}};
            },
            Fields::fields());
    }

    template <class Editor>
    static void change(Editor&& editor, const placed_call& call, std::size_t depth) {
        if (depth == call.where.size()) {
            return editor.reset();
        }
        for_each_field([&]<class Field>(number index, const Field& each) {
            if (index == call.where[depth]) {
                modelled_field<Field>::change(editor.at(each.member), call, depth + 1);
            }
        });
    }

    static void read(const typename composite_store<Fields>::view& record, place& where, reading& all) {
        for_each_field([&]<class Field>(number index, const Field& each) {
            where.push_back(index);
            modelled_field<Field>::read(record.at(each.member), where, all);
            where.pop_back();
        });
    }

private:
    template <class Field>
    using modelled_field = modelled<typename std::remove_cvref_t<Field>::member_type>;

    template <class Visitor>
    static void for_each_field(Visitor&& visit) {
        number index = 0;
        std::apply([&](const auto&... each) { (..., visit(index++, each)); }, Fields::fields());
    }
};

template <class State>
class modelled_state final : public any_state {
    using model = modelled<typename State::store_type>;

public:
    [[nodiscard]] std::unique_ptr<any_state> clone() const override {
        return std::make_unique<modelled_state>(*this);
    }

    void join(const any_state& theirs) override {
        state_.join(dynamic_cast<const modelled_state&>(theirs).state_);
    }

    [[nodiscard]] std::unique_ptr<any_state> change(const replica_id& here,
                                                    const placed_call& call) override {
        auto delta = std::make_unique<modelled_state>();
        state_.edit(here, delta->state_, [&](auto&& editor) { model::change(editor, call, 0); });
        return delta;
    }

    [[nodiscard]] reading read() const override {
        reading all;
        place where;
        model::read(detail::seen<typename State::store_type>::show(state_.store(), state_.context()), where,
                    all);
        return all;
    }

private:
    State state_;
};

template <class State>
void agrees_with_the_rules(number keys) {
    testing::agrees_with_the_rules(modelled<typename State::store_type>::shape_of(keys),
                                   modelled_state<State>());
}

/// Few keys and many, so that the map is scanned and indexed.
template <class Store>
void agrees_with_the_rules_under_a_map() {
    for (const number keys : {2, 30}) {
        agrees_with_the_rules<or_map<number, Store>>(keys);
    }
}

} // namespace phoenix::crdt::testing
