// The common part of every type with causality: a dot store under one causal context.
//
// A type derives from causal<Type, Store> and adds its mutators. What stands here makes it a delta_crdt and
// decomposable:
//
//   mine.join(theirs);                                // least upper bound
//   const auto fresh = mine.delta_and_merge(theirs);  // the same, and what of it was new
//   theirs.join(mine.delta_since(theirs.digest()));   // synchronization by digest
//
// When memory ends or the copy of a key or a value throws within a join or a mutator, what was done until then stays: a
// valid state that knows less than it was meant to, which joining again completes. An edit's delta holds nothing that the
// state does not; what it lacks, as a single mutator's delta that is lost, others learn by digest. Two things are not
// covered: a move that throws, and a join that is left without memory for a second time, for the gaps in what had come.
//
// Any thread; a value, which belongs to one at a time. Source: P. S. Almeida, A. Shoker, C. Baquero, Delta State
// Replicated Data Types (2018), section 7; decompositions after V. Enes et al. (2019).
#pragma once

#include <phoenix/crdt/core/causal_edit.hpp>
#include <phoenix/crdt/core/dot_store.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace phoenix::crdt {

/// What a causal state has: the dots that it has seen, and those that are live in it.
struct causal_digest {
    causal_context seen;
    causal_context live;

    friend bool operator==(const causal_digest&, const causal_digest&) = default;

    void write(byte_writer& out) const {
        seen.write(out);
        live.write(out);
    }

    [[nodiscard]] static causal_digest read(byte_reader& in) {
        causal_digest made;
        made.seen = causal_context::read(in);
        const std::size_t at = in.position();
        made.live = causal_context::read(in);
        if (!made.seen.includes(made.live)) {
            byte_reader::fail_at(at, "live dots that were seen");
        }
        return made;
    }
};

template <class Derived, detail::dot_store Store>
class causal {
public:
    using digest_type = causal_digest;
    using store_type = Store;
    using operation = typename Store::operation;

    void join(const Derived& theirs) {
        if (same_object(theirs)) {
            return;
        }
        const detail::join_scope scope(context_, theirs.context_);
        detail::dot_changes changes;
        take(theirs, scope, changes);
    }

    [[nodiscard]] Derived delta_and_merge(const Derived& theirs) {
        Derived fresh;
        if (same_object(theirs)) {
            return fresh;
        }
        const detail::join_scope scope(context_, theirs.context_);
        detail::dot_changes changes;
        if (!scope.overlap()) {
            take(theirs, scope, changes);
            return theirs;
        }
        causal_context news = theirs.context_.without(context_);
        take(theirs, scope, changes);
        fresh.store_ = theirs.store_.restricted(detail::slot_map(theirs.context_, news), news);
        fresh.context_ = std::move(news);
        fresh.context_.insert(changes.removed.all(), context_);
        return fresh;
    }

    /// Everything that this state knows, `theirs` knows too.
    [[nodiscard]] bool leq(const Derived& theirs) const {
        if (!theirs.context_.includes(context_)) {
            return false;
        }
        const detail::slot_map to_mine(theirs.context_, context_);
        const causal_context mine = live();
        bool alive = true;
        if (context_.count() < theirs.context_.count() / 8) {
            const Store both = theirs.store_.restricted(to_mine, context_);
            const detail::slot_map to_live(context_, mine);
            both.for_each_dot(
                [&](detail::compact_dot each) { alive = alive && detail::is_wanted(each, to_live, mine); });
            return alive;
        }
        const detail::slot_map to_live(theirs.context_, mine);
        theirs.store_.for_each_dot([&](detail::compact_dot each) {
            alive = alive &&
                    (!detail::is_wanted(each, to_mine, context_) || detail::is_wanted(each, to_live, mine));
        });
        return alive;
    }

    [[nodiscard]] bool is_bottom() const noexcept { return context_.empty(); }

    [[nodiscard]] digest_type digest() const { return {context_, live()}; }

    /// The least delta that brings a holder of `theirs` up to this state.
    [[nodiscard]] Derived delta_since(const digest_type& theirs) const {
        Derived delta;
        delta.context_ = context_.without(theirs.seen);
        delta.store_ = store_.restricted(detail::slot_map(context_, delta.context_), delta.context_);
        const causal_context doubtful = theirs.live.common_with(context_);
        if (!doubtful.empty()) {
            delta.context_.join(doubtful.without(live()));
        }
        return delta;
    }

    /// The join-irreducible states whose join this is: one for each dot, live or removed.
    [[nodiscard]] std::vector<Derived> decompose() const {
        std::vector<Derived> parts;
        context_.for_each_interval([&](const replica_id& replica, std::uint64_t first, std::uint64_t last) {
            for (std::uint64_t counter = first; counter <= last; ++counter) {
                Derived part;
                part.context_.insert(dot{replica, counter});
                part.store_ = store_.restricted(detail::slot_map(context_, part.context_), part.context_);
                parts.push_back(std::move(part));
            }
        });
        return parts;
    }

    /// The same dots seen, the same live, with the same payload.
    friend bool operator==(const Derived& a, const Derived& b) {
        return a.context_ == b.context_ &&
               a.store_.equals(b.store_, detail::slot_map(a.context_, b.context_));
    }

    /// Changes this state by edit(editor), whose methods are the type's mutators for writer `here`, and joins what
    /// they did into `delta`: a batch of any number of them is one delta. `delta` may hold earlier changes of `here`
    /// to this object; when `edit` throws, it holds what was done until then.
    template <class Edit>
    void edit(const replica_id& here, Derived& delta, Edit&& edit) {
        detail::causal_edit changes(context_, here, delta.context_);
        try {
            edit(typename Store::editor(store_, delta.store_, changes));
        } catch (...) {
            changes.finish_broken(delta.store_);
            throw;
        }
        changes.finish();
    }

    /// Does what `what` says for writer `here`, as the mutator of that name.
    Derived apply(const replica_id& here, const typename Store::operation& what) {
        return mutate(here, [&](auto&& editor) { editor.apply(what); });
    }

    void explain(explanation& facts) const {
        store_.explain(facts, context_);
        facts.add_gone(context_, live());
    }

    /// The dots that this state has seen.
    [[nodiscard]] const causal_context& context() const noexcept { return context_; }

    /// The dots that stand in it.
    [[nodiscard]] causal_context live() const {
        std::vector<detail::compact_dot> dots;
        store_.for_each_dot([&](detail::compact_dot each) { dots.push_back(each); });
        causal_context made;
        made.insert(std::move(dots), context_);
        return made;
    }

    [[nodiscard]] const Store& store() const noexcept { return store_; }

    void write(byte_writer& out) const {
        context_.write(out);
        store_.write(out, detail::slot_ranks(context_));
    }

    [[nodiscard]] static Derived read(byte_reader& in) {
        Derived made;
        made.context_ = causal_context::read(in);
        const std::size_t at = in.position();
        made.store_ = Store::read(in, made.context_);
        boost::container::small_vector<detail::compact_dot, 8> dots;
        made.store_.for_each_dot([&](detail::compact_dot each) { dots.push_back(each); });
        std::ranges::sort(dots);
        if (std::ranges::adjacent_find(dots) != dots.end()) {
            byte_reader::fail_at(at, "each dot in one place");
        }
        return made;
    }

protected:
    /// One mutator as a delta of its own.
    template <class Edit>
    [[nodiscard]] Derived mutate(const replica_id& here, Edit&& change) {
        Derived delta;
        edit(here, delta, std::forward<Edit>(change));
        return delta;
    }

private:
    [[nodiscard]] bool same_object(const Derived& theirs) const noexcept {
        return static_cast<const causal*>(&theirs) == this;
    }

    void take(const causal& theirs, const detail::join_scope& scope, detail::dot_changes& changes) {
        const std::size_t slots = theirs.context_.slot_count();
        for (std::size_t slot = 0; slot < slots; ++slot) {
            const auto from = static_cast<detail::replica_slot>(slot);
            context_.make_room(scope.to_mine()[from], theirs.context_.known(from));
        }
        try {
            store_.join(theirs.store_, scope, changes);
        } catch (...) {
            // What came until then stays, and is seen: a state between the two.
            for (std::size_t i = 0; i < changes.added.size(); ++i) {
                context_.insert(changes.added[i]);
            }
            throw;
        }
        for (std::size_t slot = 0; slot < slots; ++slot) {
            const auto from = static_cast<detail::replica_slot>(slot);
            context_.join(scope.to_mine()[from], theirs.context_.known(from));
        }
    }

    Store store_;
    causal_context context_;
};

} // namespace phoenix::crdt
