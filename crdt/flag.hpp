// Flags that replicas switch on and off: one where a concurrent enable wins, one where a concurrent disable
// does.
//
//   enable_wins_flag subscribed;              // starts disabled
//   auto delta = subscribed.enable(here);
//   other.join(delta);
//   if (subscribed) { ... }
//
//   disable_wins_flag allowed;                // starts enabled
//   peer.join(allowed.disable(here));
//
// An enable_wins_flag keeps the dots of enables: it is enabled while one stands. Disabling takes away the
// enables that it has seen, so one that it has not seen wins. A disable_wins_flag keeps the dots of disables
// and is the mirror of it: enabled while none stands, and a disable that an enable has not seen wins.
// Whichever wins costs one dot, however often it is repeated; repeating it counts, as it wins over what it
// has not seen. The other call changes nothing when there is nothing to take away: disabling a disabled
// enable_wins_flag, enabling an enabled disable_wins_flag.
//
// Reset, as by removing the key of an or_map, brings back how the flag started, as far as the writer has seen:
// an enable_wins_flag is disabled, a disable_wins_flag enabled, and the dots that win survive when they are
// concurrent. A flag as it starts has no dots, so a key of an or_map is there while its enable_wins_flag is
// enabled, or its disable_wins_flag disabled. Source: P. S. Almeida, A. Shoker, C. Baquero, Delta State
// Replicated Data Types (2018), section 7. Any thread; values.
#pragma once

#include <phoenix/crdt/causal.hpp>
#include <phoenix/crdt/core/dot_set.hpp>
#include <phoenix/crdt/core/wrapped_store.hpp>

#include <variant>

namespace phoenix::crdt {

/// The operations of both flags, as values.
struct flag_operations {
    struct enable {
        friend bool operator==(const enable&, const enable&) = default;

        void write(byte_writer& /*out*/) const {}

        [[nodiscard]] static enable read(byte_reader& /*in*/) { return {}; }
    };

    struct disable {
        friend bool operator==(const disable&, const disable&) = default;

        void write(byte_writer& /*out*/) const {}

        [[nodiscard]] static disable read(byte_reader& /*in*/) { return {}; }
    };
};

namespace detail {

/// The dots of the call that wins become one new dot, or go.
void raise_flag(dot_set& mine, dot_set& delta, causal_edit& edit);
void lower_flag(dot_set& mine, dot_set& delta, causal_edit& edit);

} // namespace detail

/// The flag as a store: alone in an enable_wins_flag, or under the key of an or_map.
class enable_wins_flag_store : public detail::wrapped_store<enable_wins_flag_store, detail::dot_set> {
public:
    class editor;

    using operations = flag_operations;
    using operation = std::variant<operations::enable, operations::disable>;

    [[nodiscard]] bool is_enabled() const noexcept { return !inner_.empty(); }

    [[nodiscard]] explicit operator bool() const noexcept { return is_enabled(); }

    void explain(explanation& facts, const causal_context& context) const;
};

/// The mutators of the flag, for one writer; see causal::edit.
class enable_wins_flag_store::editor {
public:
    editor(enable_wins_flag_store& mine, enable_wins_flag_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    void enable() { detail::raise_flag(mine_.inner_, delta_.inner_, edit_); }

    /// Nothing when no enable was seen.
    void disable() { detail::lower_flag(mine_.inner_, delta_.inner_, edit_); }

    void reset() { disable(); }

    void apply(const operation& what);

private:
    enable_wins_flag_store& mine_;
    enable_wins_flag_store& delta_;
    detail::causal_edit& edit_;
};

class enable_wins_flag : public causal<enable_wins_flag, enable_wins_flag_store> {
public:
    using operations = flag_operations;

    /// Each mutator changes this flag and returns the change, itself a flag.
    enable_wins_flag enable(const replica_id& here);
    enable_wins_flag disable(const replica_id& here);

    [[nodiscard]] bool is_enabled() const noexcept { return store().is_enabled(); }

    [[nodiscard]] explicit operator bool() const noexcept { return is_enabled(); }
};

/// The flag as a store: alone in a disable_wins_flag, or under the key of an or_map.
class disable_wins_flag_store : public detail::wrapped_store<disable_wins_flag_store, detail::dot_set> {
public:
    class editor;

    using operations = flag_operations;
    using operation = std::variant<operations::enable, operations::disable>;

    [[nodiscard]] bool is_enabled() const noexcept { return inner_.empty(); }

    [[nodiscard]] explicit operator bool() const noexcept { return is_enabled(); }

    void explain(explanation& facts, const causal_context& context) const;
};

/// The mutators of the flag, for one writer; see causal::edit.
class disable_wins_flag_store::editor {
public:
    editor(disable_wins_flag_store& mine, disable_wins_flag_store& delta, detail::causal_edit& edit) noexcept
        : mine_(mine), delta_(delta), edit_(edit) {}

    /// Nothing when no disable was seen.
    void enable() { detail::lower_flag(mine_.inner_, delta_.inner_, edit_); }

    void disable() { detail::raise_flag(mine_.inner_, delta_.inner_, edit_); }

    void reset() { enable(); }

    void apply(const operation& what);

private:
    disable_wins_flag_store& mine_;
    disable_wins_flag_store& delta_;
    detail::causal_edit& edit_;
};

class disable_wins_flag : public causal<disable_wins_flag, disable_wins_flag_store> {
public:
    using operations = flag_operations;

    /// Each mutator changes this flag and returns the change, itself a flag.
    disable_wins_flag enable(const replica_id& here);
    disable_wins_flag disable(const replica_id& here);

    [[nodiscard]] bool is_enabled() const noexcept { return store().is_enabled(); }

    [[nodiscard]] explicit operator bool() const noexcept { return is_enabled(); }
};

} // namespace phoenix::crdt
