// A store that is another one with queries and mutators of its own: what a type derives its store from.
#pragma once

#include <phoenix/crdt/core/dot_store.hpp>

#include <utility>

namespace phoenix::crdt::detail {

template <class Derived, dot_store Inner>
class wrapped_store {
public:
    [[nodiscard]] bool empty() const noexcept { return inner_.empty(); }

    template <class Visitor>
    void for_each_dot(Visitor&& visit) const {
        inner_.for_each_dot(std::forward<Visitor>(visit));
    }

    void join(const Derived& theirs, const join_scope& scope, dot_changes& changes) {
        inner_.join(theirs.inner_, scope, changes);
    }

    void clear(dot_changes& changes) { inner_.clear(changes); }

    [[nodiscard]] Derived restricted(const slot_map& slots, const causal_context& wanted) const {
        Derived part;
        part.inner_ = inner_.restricted(slots, wanted);
        return part;
    }

    [[nodiscard]] bool equals(const Derived& theirs, const slot_map& slots) const {
        return inner_.equals(theirs.inner_, slots);
    }

    void write(byte_writer& out, const slot_ranks& ranks) const { inner_.write(out, ranks); }

    [[nodiscard]] static Derived read(byte_reader& in, const causal_context& context) {
        Derived made;
        made.inner_ = Inner::read(in, context);
        return made;
    }

protected:
    Inner inner_;
};

} // namespace phoenix::crdt::detail
