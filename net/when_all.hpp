// when_all: runs tasks at once and waits for all of them.
//
//   const auto [left, right] = co_await when_all(read(a), read(b));
//   const std::vector<reply> replies = co_await when_all(std::move(asks));
//
// When one throws, the others are cancelled, and the first exception comes out after all have ended. A
// task<void> gives std::monostate in the tuple. What is no task, such as peer.read_some() or gate.wait(), is
// awaited in the expression that makes it. Thread rule: the loop's thread.
#pragma once

#include <phoenix/net/core/as_task.hpp>
#include <phoenix/net/core/gathering.hpp>
#include <phoenix/net/loop.hpp>

#include <memory>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

namespace phoenix::net {

namespace detail {

template <class T>
stored<T> take_stored(outcome<T>& result) {
    if constexpr (std::is_void_v<T>) {
        result.take();
        return std::monostate();
    } else if constexpr (std::is_reference_v<T>) {
        return std::addressof(result.take());
    } else {
        return result.take();
    }
}

inline void rethrow_failure(const gathering& all) {
    if (all.failure() != nullptr) {
        std::rethrow_exception(all.failure());
    }
}

/// A pinned member that a container can hold.
template <class T>
class gathered_slot {
public:
    gathered_slot(task<T> work, loop& owner)
        : member_(std::make_unique<gathered_task<T>>(std::move(work), owner)) {}

    [[nodiscard]] gathered_task<T>& member() noexcept { return *member_; }

private:
    std::unique_ptr<gathered_task<T>> member_;
};

} // namespace detail

/// Results in the order of the tasks.
template <class... Values>
    requires(sizeof...(Values) > 0)
task<std::tuple<detail::stored<Values>...>> when_all(task<Values>... works) {
    loop& here = co_await this_loop();
    std::tuple<detail::gathered_slot<Values>...> members(
        detail::gathered_slot<Values>(std::move(works), here)...);
    detail::gathering all(detail::gathering::goal::all);
    std::apply([&all](auto&... each) { (all.add(each.member()), ...); }, members);
    co_await all;
    detail::rethrow_failure(all);
    co_return std::apply(
        [](auto&... each) {
            return std::tuple<detail::stored<Values>...>(detail::take_stored(each.member().result())...);
        },
        members);
}

/// The same where some are no tasks: `co_await when_all(peer.read_some(), gate.wait())`, in one expression.
template <detail::fresh_work... Works>
    requires(detail::fresh_awaitable<Works> || ...)
auto when_all(Works&&... works) {
    return detail::borrowing(when_all(detail::as_task(works)...));
}

/// Any number of tasks of one type.
template <class T>
task<std::vector<detail::stored<T>>> when_all(std::vector<task<T>> works) {
    loop& here = co_await this_loop();
    std::vector<detail::gathered_slot<T>> members;
    members.reserve(works.size());
    detail::gathering all(detail::gathering::goal::all);
    for (task<T>& work : works) {
        all.add(members.emplace_back(std::move(work), here).member());
    }
    co_await all;
    detail::rethrow_failure(all);
    std::vector<detail::stored<T>> results;
    results.reserve(members.size());
    for (auto& each : members) {
        results.push_back(detail::take_stored(each.member().result()));
    }
    co_return results;
}

} // namespace phoenix::net
