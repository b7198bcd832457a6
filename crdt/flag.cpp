#include <phoenix/crdt/flag.hpp>

#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt {

namespace detail {

void raise_flag(dot_set& mine, dot_set& delta, causal_edit& edit) {
    const compact_dot minted = edit.mint();
    lower_flag(mine, delta, edit);
    mine = dot_set(minted);
    edit.mine.added.push_back(minted);
    delta = dot_set(edit.in_delta(minted));
    edit.delta.added.push_back(edit.in_delta(minted));
}

void lower_flag(dot_set& mine, dot_set& delta, causal_edit& edit) {
    mine.for_each_dot([&](compact_dot each) { edit.supersede(each); });
    mine.clear(edit.mine);
    delta.clear(edit.delta);
}

} // namespace detail

namespace {

template <class Editor>
void apply_to(Editor& flag, const std::variant<flag_operations::enable, flag_operations::disable>& what) {
    if (std::holds_alternative<flag_operations::enable>(what)) {
        flag.enable();
    } else {
        flag.disable();
    }
}

/// One line: what the flag reads as, by which dots or for want of which.
template <class Store>
void explain_flag(const Store& flag, explanation& facts, const causal_context& context,
                  const char* without_dots) {
    std::vector<dot> by;
    flag.for_each_dot([&](detail::compact_dot each) { by.push_back(context.expand(each)); });
    std::ranges::sort(by);
    std::string why = by.empty() ? without_dots : "";
    facts.add(explanation::verdict::stands, flag.is_enabled() ? "enabled" : "disabled", std::move(why),
              std::move(by));
}

} // namespace

void enable_wins_flag_store::explain(explanation& facts, const causal_context& context) const {
    explain_flag(*this, facts, context, "no enable stands");
}

void enable_wins_flag_store::editor::apply(const operation& what) {
    apply_to(*this, what);
}

enable_wins_flag enable_wins_flag::enable(const replica_id& here) {
    return mutate(here, [](auto&& flag) { flag.enable(); });
}

enable_wins_flag enable_wins_flag::disable(const replica_id& here) {
    return mutate(here, [](auto&& flag) { flag.disable(); });
}

void disable_wins_flag_store::explain(explanation& facts, const causal_context& context) const {
    explain_flag(*this, facts, context, "no disable stands");
}

void disable_wins_flag_store::editor::apply(const operation& what) {
    apply_to(*this, what);
}

disable_wins_flag disable_wins_flag::enable(const replica_id& here) {
    return mutate(here, [](auto&& flag) { flag.enable(); });
}

disable_wins_flag disable_wins_flag::disable(const replica_id& here) {
    return mutate(here, [](auto&& flag) { flag.disable(); });
}

} // namespace phoenix::crdt
