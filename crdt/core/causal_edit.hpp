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

    /// The writer's next dot, seen by the state and by the delta. There is room to note once that it came to each.
    [[nodiscard]] compact_dot mint() {
        mine.added.make_room(1);
        delta.added.make_room(1);
        const compact_dot minted = context_.mint(here_);
        last_minted_ = minted.counter();
        delta_context_.insert(compact_dot(delta_here_, last_minted_));
        return minted;
    }

    /// The same dot in the delta's slots.
    [[nodiscard]] compact_dot in_delta(compact_dot d) {
        return {d.slot() == here_ ? delta_here_ : delta_context_.slot_of(context_.replica(d.slot())),
                d.counter()};
    }

    /// A dot of the state that goes: who gets the delta learns that, when the edit is finished.
    void supersede(compact_dot d) { superseded_.push_back(d); }

    /// To be called once, at the end.
    void finish() { tell_removed(superseded_); }

    /// The same when the edit threw. The delta's context must not tell what was not done: not the dot minted last, if it did
    /// not come to `delta`, the delta's store, and no dot that did not go.
    template <class Store>
    void finish_broken(const Store& delta_store) {
        const compact_dot minted(delta_here_, last_minted_);
        bool told = last_minted_ == 0;
        delta_store.for_each_dot([&](compact_dot each) { told = told || each == minted; });
        if (!told) {
            delta_context_.remove_max(minted);
        }
        tell_removed(mine.removed);
    }

    [[nodiscard]] replica_slot here() const noexcept { return here_; }

    [[nodiscard]] const causal_context& context() const noexcept { return context_; }

    /// What came into the stores and left them.
    dot_changes mine;
    dot_changes delta;

private:
    void tell_removed(const dot_list& dots) {
        if (dots.size() == 1) {
            delta_context_.insert(in_delta(dots[0]));
        } else if (dots.size() > 1) {
            delta_context_.insert(dots.all(), context_);
        }
    }

    dot_list superseded_;
    causal_context& context_;
    causal_context& delta_context_;
    replica_slot here_;
    replica_slot delta_here_;
    std::uint64_t last_minted_ = 0;
};

} // namespace phoenix::crdt::detail
