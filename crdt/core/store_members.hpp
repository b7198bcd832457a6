// A store made of several, the members of a class: what joins, compares and writes them one after the other.
#pragma once

#include <phoenix/crdt/core/dot_store.hpp>

#include <tuple>
#include <utility>

namespace phoenix::crdt::detail {

/// Has a reader something to see in the store? A store may hold dots and show nothing: a counter that was reset.
template <dot_store Store>
[[nodiscard]] bool is_present(const Store& store) noexcept {
    if constexpr (requires { store.is_present(); }) {
        return store.is_present();
    } else {
        return !store.empty();
    }
}

/// What the removal of a key does to what stands below it: as much as the writer has seen goes.
template <class Editor>
void reset(Editor&& editor) {
    if constexpr (requires { editor.reset(); }) {
        editor.reset();
    } else {
        editor.clear();
    }
}

/// A dot store whose parts are members of Derived: Derived::members() is a tuple of pointers to them. Where they are
/// members of another object, which Derived holds, Derived::parts() is that.
template <class Derived>
class store_members {
public:
    [[nodiscard]] bool empty() const noexcept {
        return over([&](auto... member) { return (... && (mine().*member).empty()); });
    }

    template <class Visitor>
    void for_each_dot(Visitor&& visit) const {
        over([&](auto... member) { (..., (mine().*member).for_each_dot(visit)); });
    }

    void join(const Derived& theirs, const join_scope& scope, dot_changes& changes) {
        over([&](auto... member) { (..., (mine().*member).join(theirs.parts().*member, scope, changes)); });
    }

    void clear(dot_changes& changes) {
        over([&](auto... member) { (..., (mine().*member).clear(changes)); });
    }

    [[nodiscard]] Derived restricted(const slot_map& slots, const causal_context& wanted) const {
        Derived part;
        over([&](auto... member) {
            (..., (part.parts().*member = (mine().*member).restricted(slots, wanted)));
        });
        return part;
    }

    [[nodiscard]] bool equals(const Derived& theirs, const slot_map& slots) const {
        return over(
            [&](auto... member) { return (... && (mine().*member).equals(theirs.parts().*member, slots)); });
    }

    void write(byte_writer& out, const slot_ranks& ranks) const {
        over([&](auto... member) { (..., (mine().*member).write(out, ranks)); });
    }

    [[nodiscard]] static Derived read(byte_reader& in, const causal_context& context) {
        Derived made;
        over([&](auto... member) { (..., read_into(made.parts().*member, in, context)); });
        return made;
    }

private:
    template <class Visitor>
    static decltype(auto) over(Visitor&& visit) {
        return std::apply(std::forward<Visitor>(visit), Derived::members());
    }

    template <class Store>
    static void read_into(Store& store, byte_reader& in, const causal_context& context) {
        store = Store::read(in, context);
    }

    [[nodiscard]] Derived& parts() noexcept { return static_cast<Derived&>(*this); }

    [[nodiscard]] const Derived& parts() const noexcept { return static_cast<const Derived&>(*this); }

    // Derived's own parts(), where it has one.
    [[nodiscard]] auto& mine() noexcept { return static_cast<Derived&>(*this).parts(); }

    [[nodiscard]] const auto& mine() const noexcept { return static_cast<const Derived&>(*this).parts(); }
};

} // namespace phoenix::crdt::detail
