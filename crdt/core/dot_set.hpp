// The dots under which one thing stands: almost always one, which then needs no memory of its own.
#pragma once

#include <phoenix/crdt/core/dot_store.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

class dot_set {
public:
    dot_set() = default;

    explicit dot_set(compact_dot only) noexcept : word_(only.word() << 1 | 1) {}

    dot_set(const dot_set& other)
        : word_(other.is_list() ? address(new list(other.as_list())) : other.word_) {}

    dot_set(dot_set&& other) noexcept : word_(std::exchange(other.word_, 0)) {}

    dot_set& operator=(const dot_set& other) {
        if (this != &other) {
            *this = dot_set(other);
        }
        return *this;
    }

    dot_set& operator=(dot_set&& other) noexcept {
        drop_list();
        word_ = std::exchange(other.word_, 0);
        return *this;
    }

    ~dot_set() { drop_list(); }

    [[nodiscard]] bool empty() const noexcept { return word_ == 0; }

    [[nodiscard]] std::size_t size() const noexcept { return is_list() ? as_list().size() : word_ != 0; }

    [[nodiscard]] bool contains(compact_dot d) const noexcept;

    /// By slot and counter.
    template <class Visitor>
    void for_each_dot(Visitor&& visit) const {
        if (is_list()) {
            for (const compact_dot each : as_list()) {
                visit(each);
            }
        } else if (word_ != 0) {
            visit(only());
        }
    }

    void insert(compact_dot d);

    void join(const dot_set& theirs, const join_scope& scope, dot_changes& changes) {
        if (empty() && !theirs.is_list() && !theirs.empty()) [[likely]] {
            const compact_dot d = scope.to_mine(theirs.only());
            if (!scope.we_saw(d)) {
                changes.added.push_back(d);
                *this = dot_set(d);
            }
            return;
        }
        join_any(theirs, scope, changes);
    }

    void clear(dot_changes& changes) {
        if (!empty()) {
            changes.removed.make_room(size());
            for_each_dot([&](compact_dot each) { changes.removed.push_back(each); });
            *this = dot_set();
        }
    }

    [[nodiscard]] dot_set restricted(const slot_map& slots, const causal_context& wanted) const;
    [[nodiscard]] bool equals(const dot_set& theirs, const slot_map& slots) const noexcept;
    void write(byte_writer& out, const slot_ranks& ranks) const;
    [[nodiscard]] static dot_set read(byte_reader& in, const causal_context& context);

private:
    using list = std::vector<compact_dot>;

    /// `dots` is sorted.
    explicit dot_set(list dots)
        : word_(dots.empty()       ? 0
                : dots.size() == 1 ? dot_set(dots.front()).word_
                                   : address(new list(std::move(dots)))) {}

    // Zero, or an odd word that holds the only dot, or the address of a list of two or more.
    [[nodiscard]] bool is_list() const noexcept { return word_ != 0 && (word_ & 1) == 0; }

    [[nodiscard]] compact_dot only() const noexcept { return compact_dot::from_word(word_ >> 1); }

    [[nodiscard]] list& as_list() const noexcept { return *reinterpret_cast<list*>(word_); }

    [[nodiscard]] static std::uint64_t address(list* dots) noexcept {
        return reinterpret_cast<std::uintptr_t>(dots);
    }

    void drop_list() noexcept {
        if (is_list()) [[unlikely]] {
            delete &as_list();
        }
    }

    [[nodiscard]] list to_list() const;
    void join_any(const dot_set& theirs, const join_scope& scope, dot_changes& changes);

    std::uint64_t word_ = 0;
};

} // namespace phoenix::crdt::detail
