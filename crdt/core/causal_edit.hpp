// One edit of a causal state by one writer: it mints dots, and keeps the state and the delta in step.
#pragma once

#include <phoenix/crdt/core/dot_store.hpp>

namespace phoenix::crdt::detail {

class causal_edit {
public:
    causal_edit(causal_context& context, const replica_id& here, causal_context& delta_context)
        : context_(context), delta_context_(delta_context), here_(context.slot_of(here)),
          delta_here_(delta_context.slot_of(here)) {}

    causal_edit(const causal_edit&) = delete;
    causal_edit& operator=(const causal_edit&) = delete;

    /// The writer's next dot, seen by the state and by the delta.
    [[nodiscard]] compact_dot mint() {
        const compact_dot minted = context_.mint(here_);
        delta_context_.insert(compact_dot(delta_here_, minted.counter()));
        return minted;
    }

    /// The same dot in the delta's slots.
    [[nodiscard]] compact_dot in_delta(compact_dot d) {
        return {d.slot() == here_ ? delta_here_ : delta_context_.slot_of(context_.replica(d.slot())),
                d.counter()};
    }

    /// A dot of the state that goes: who gets the delta learns that, when the edit is finished.
    void supersede(compact_dot d) { superseded_.push_back(d); }

    /// To be called once, at the end, also of an edit that threw.
    void finish() {
        if (superseded_.size() <= few) [[likely]] {
            for (std::size_t i = 0; i < superseded_.size(); ++i) {
                delta_context_.insert(in_delta(superseded_[i]));
            }
        } else {
            delta_context_.insert(superseded_.all(), context_);
        }
    }

    [[nodiscard]] replica_slot here() const noexcept { return here_; }

    [[nodiscard]] const causal_context& context() const noexcept { return context_; }

    /// What came into the stores and left them.
    dot_changes mine;
    dot_changes delta;

private:
    static constexpr std::size_t few = 4;

    dot_list superseded_;
    causal_context& context_;
    causal_context& delta_context_;
    replica_slot here_;
    replica_slot delta_here_;
};

} // namespace phoenix::crdt::detail
