// How a reader sees a store that stands in a state: through the store's `view`, which carries the context of the state, or
// as the store itself when what it reads as does not depend on that.
#pragma once

#include <phoenix/crdt/causal_context.hpp>

#include <cstddef>
#include <optional>

namespace phoenix::crdt {

/// Points to a view, which it holds; null when there is none. Valid as long as the view is: until the state changes.
template <class View>
class view_pointer {
public:
    view_pointer(std::nullptr_t = nullptr) noexcept {}

    explicit view_pointer(const View& view) noexcept : view_(view) {}

    [[nodiscard]] explicit operator bool() const noexcept { return view_.has_value(); }

    /// By value: the pointer itself may be gone before the view is.
    [[nodiscard]] View operator*() const noexcept { return *view_; }

    [[nodiscard]] const View* operator->() const noexcept { return &*view_; }

    friend bool operator==(const view_pointer& pointer, std::nullptr_t) noexcept { return !pointer; }

private:
    std::optional<View> view_;
};

namespace detail {

/// The store itself, for what needs no context.
template <class Store>
struct seen {
    using type = const Store&;
    using pointer = const Store*;

    [[nodiscard]] static type show(const Store& store, const causal_context& /*context*/) noexcept {
        return store;
    }

    [[nodiscard]] static pointer point(const Store* store, const causal_context& /*context*/) noexcept {
        return store;
    }
};

template <class Store>
    requires requires { typename Store::view; }
struct seen<Store> {
    using type = typename Store::view;
    using pointer = view_pointer<type>;

    [[nodiscard]] static type show(const Store& store, const causal_context& context) noexcept {
        return type(store, context);
    }

    [[nodiscard]] static pointer point(const Store* store, const causal_context& context) noexcept {
        return store != nullptr ? pointer(type(*store, context)) : pointer();
    }
};

} // namespace detail

} // namespace phoenix::crdt
