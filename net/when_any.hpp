// when_any: runs tasks at once; the first to end wins, and the others are cancelled.
//
//   const auto first = co_await when_any(read(a), sleep_for(1s));
//   if (first.index() == 0) { use(std::get<0>(first)); }
//
// The await goes on after all have ended. If the first to end threw, its exception comes out; what the losers
// gave or threw is dropped. A task<void> gives std::monostate. What is no task, such as peer.read_some() or
// sleep_for(1s), is awaited in the expression that makes it. Thread rule: the loop's thread.
#pragma once

#include <phoenix/net/core/as_task.hpp>
#include <phoenix/net/core/gathering.hpp>
#include <phoenix/net/loop.hpp>
#include <phoenix/net/when_all.hpp>

#include <cstddef>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::net {

namespace detail {

template <class Result, class Members, std::size_t... Indexes>
Result take_winner(Members& members, std::size_t winner, std::index_sequence<Indexes...>) {
    Result result;
    const auto take = [&result]<std::size_t Index>(auto& slot, std::integral_constant<std::size_t, Index>) {
        result.template emplace<Index>(take_stored(slot.member().result()));
    };
    ((Indexes == winner ? take(std::get<Indexes>(members), std::integral_constant<std::size_t, Indexes>())
                        : void()),
     ...);
    return result;
}

} // namespace detail

/// A variant whose index says which task won. The first alternative must be default-constructible.
template <class... Values>
    requires(sizeof...(Values) > 0)
task<std::variant<detail::stored<Values>...>> when_any(task<Values>... works) {
    using result_type = std::variant<detail::stored<Values>...>;
    loop& here = co_await this_loop();
    std::tuple<detail::gathered_slot<Values>...> members(
        detail::gathered_slot<Values>(std::move(works), here)...);
    detail::gathering any(detail::gathering::goal::any);
    std::apply([&any](auto&... each) { (any.add(each.member()), ...); }, members);
    co_await any;
    detail::rethrow_failure(any);
    co_return detail::take_winner<result_type>(members, any.winner(), std::index_sequence_for<Values...>());
}

/// The same where some are no tasks: `co_await when_any(peer.read_some(), sleep_for(1s))`, in one expression.
template <detail::fresh_work... Works>
    requires(detail::fresh_awaitable<Works> || ...)
auto when_any(Works&&... works) {
    return detail::borrowing(when_any(detail::as_task(works)...));
}

/// The index of the winner among the tasks, and its result. Precondition: at least one task.
template <class T>
task<std::pair<std::size_t, detail::stored<T>>> when_any(std::vector<task<T>> works) {
    PHOENIX_ASSERT(!works.empty(), "when_any needs at least one task");
    loop& here = co_await this_loop();
    std::vector<detail::gathered_slot<T>> members;
    members.reserve(works.size());
    detail::gathering any(detail::gathering::goal::any);
    for (task<T>& work : works) {
        any.add(members.emplace_back(std::move(work), here).member());
    }
    co_await any;
    detail::rethrow_failure(any);
    const std::size_t winner = any.winner();
    co_return std::pair<std::size_t, detail::stored<T>>(
        winner, detail::take_stored(members[winner].member().result()));
}

} // namespace phoenix::net
