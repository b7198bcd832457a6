// All objects of one node, by type and key.
//
//   object_store objects(types, self);
//   objects.edit<crdt::or_set<std::string>>("basket", [](auto&& set) { set.add("tea"); });
//   objects.read<crdt::or_set<std::string>>("basket").contains("tea");
//
// An object is there from its first change on. What changes here is joined, object by object, into what is pending, until
// the delta machine takes that for a batch; what arrives is joined into the state alone and leaves the pending delta as
// it is. Every change, from here or elsewhere, gets the next number of one count, so that a transfer can name what came
// after it. References to states are valid until the object changes; objects stay where they are.
//
// One thread, that of its node.
#pragma once

#include <phoenix/crdt/hybrid_clock.hpp>
#include <phoenix/crdt/replica.hpp>
#include <phoenix/replication/store/stored_object.hpp>
#include <phoenix/replication/store/type_registry.hpp>
#include <phoenix/replication/store/typed_object.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace phoenix::replication {

/// What is told of every change, after it. It may read the store, not change it.
class change_observer {
public:
    virtual ~change_observer() = default;

    /// A change made here, by this node's own writer.
    virtual void changed_here(const stored_object& object) noexcept = 0;

    /// A delta or a state that arrived.
    virtual void changed_elsewhere(const stored_object& object) noexcept = 0;
};

struct store_options {
    /// Longer keys are refused.
    std::size_t key_bytes_max = 64UL * 1024;

    crdt::hybrid_clock_options clock;
};

class object_store {
public:
    /// `types` must outlive the store. `self` writes what is changed here.
    object_store(const type_registry& types, const crdt::replica_id& self, const store_options& how = {});

    object_store(const object_store&) = delete;
    object_store& operator=(const object_store&) = delete;
    ~object_store();

    [[nodiscard]] const crdt::replica_id& self() const noexcept { return self_; }

    [[nodiscard]] const store_options& options() const noexcept { return options_; }

    [[nodiscard]] const type_registry& types() const noexcept { return types_; }

    /// Null when there is no such object. Throws errc::unknown_type when T is not registered.
    template <class T>
    [[nodiscard]] const T* find(std::string_view key) const {
        const stored_object* const found = find_object(types_.at<T>(), key);
        return found != nullptr ? &static_cast<const typed_object<T>*>(found)->state() : nullptr;
    }

    /// Its state, bottom when there is no such object.
    template <class T>
    [[nodiscard]] const T& read(std::string_view key) const {
        static const T bottom;
        const T* const found = find<T>(key);
        return found != nullptr ? *found : bottom;
    }

    /// Calls edit(editor) with the mutators of a type with causality (crdt/causal.hpp).
    template <class T, class Edit>
    void edit(std::string_view key, Edit&& edit) {
        change_object<T>(key,
                         [&](T& state, T& pending) { state.edit(self_, pending, std::forward<Edit>(edit)); });
    }

    /// Calls change(state, self), which changes the state and returns its delta, for any type:
    /// `change<pn_counter>("hits", [](auto& counter, auto& here) { return counter.increment(here, 3); })`.
    template <class T, class Change>
    void change(std::string_view key, Change&& change) {
        change_object<T>(key, [&](T& state, T& pending) {
            pending.join(std::forward<Change>(change)(state, std::as_const(self_)));
        });
    }

    /// Joins a delta that arrived for an object, which is made when it is not there, and returns the object's place. Throws
    /// errc::unknown_type and crdt::decode_error, and nothing has changed then.
    std::size_t join(std::uint64_t type, std::string_view key, std::span<const std::byte> delta);

    /// The same with a whole state, of which all may be known: then it is no change. Returns the object's place when it is
    /// one.
    std::optional<std::size_t> join_state(std::uint64_t type, std::string_view key,
                                          std::span<const std::byte> state);

    /// Makes the whole state of the object at `place` pending: for what came here without a number, and might never
    /// come to others.
    void publish(std::size_t place);

    /// How many objects have something pending.
    [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

    /// Those, by type id and key. Valid until one more is pending or sweep_pending.
    [[nodiscard]] std::span<stored_object* const> sorted_pending();

    /// What is pending in the object has been taken. It stays in the list of those that were pending until the sweep.
    void settle(stored_object& object) noexcept;

    /// What is pending in the object stays with it, and is pending again with its next change. In the list as settle says.
    void set_aside(stored_object& object) noexcept;

    /// Takes those that were settled or set aside off the list.
    void sweep_pending() noexcept;

    /// The clock that stamps what is written here.
    [[nodiscard]] crdt::hybrid_clock& timestamps() noexcept { return clock_; }

    [[nodiscard]] const crdt::hybrid_clock& timestamps() const noexcept { return clock_; }

    /// A timestamp greater than all that this node gave or accepted, for types that order writes by time.
    [[nodiscard]] crdt::timestamp stamp() { return clock_.now(wall_time()); }

    /// Wall time, in microseconds since 1970 UTC, from now on; or whom to ask for it, each time that it is needed.
    void set_wall_time(std::uint64_t wall_us) {
        set_wall_clock([wall_us] { return wall_us; });
    }

    void set_wall_clock(std::function<std::uint64_t()> wall_us) noexcept { wall_us_ = std::move(wall_us); }

    [[nodiscard]] std::uint64_t wall_time() const { return wall_us_(); }

    /// Writes in another life of the same node from now on. Nothing is pending.
    void set_self(const crdt::replica_id& self) noexcept;

    /// From now on changes made here throw errc::overtaken; what arrives is joined as before.
    void freeze() noexcept { is_frozen_ = true; }

    [[nodiscard]] bool is_frozen() const noexcept { return is_frozen_; }

    /// The number of the last change; 0 before the first.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }

    /// The first place from `from` on of an object that changed after change number `since`; places() or more for none.
    [[nodiscard]] std::size_t find_changed(std::size_t from, std::uint64_t since) const noexcept;

    /// Objects stand in places from 0 up to this, in the order in which they came.
    [[nodiscard]] std::size_t places() const noexcept { return objects_.size(); }

    [[nodiscard]] const stored_object& at(std::size_t place) const noexcept { return *objects_[place]; }

    [[nodiscard]] std::size_t size() const noexcept { return objects_.size(); }

    [[nodiscard]] const stored_object* find_object(const object_type& type, std::string_view key) const;

    /// Null for none. It must outlive the store or be taken away first.
    void set_observer(change_observer* observer) noexcept { observer_ = observer; }

private:
    struct name {
        const object_type* type;
        std::string_view key;
    };

    struct named;
    struct name_hash;
    struct name_equal;
    struct index;

    template <class T, class Change>
    void change_object(std::string_view key, Change&& change) {
        if (is_frozen_) [[unlikely]] {
            refuse_change();
        }
        auto& object = static_cast<typed_object<T>&>(find_or_create(types_.at<T>(), key));
        // Before the change: when that throws, what it did until then must be heard of.
        note_pending(object);
        note_change(object);
        object.change(std::forward<Change>(change));
        if (observer_ != nullptr) {
            observer_->changed_here(object);
        }
    }

    [[noreturn]] void refuse_change() const;
    void note_pending(stored_object& object);

    void note_change(stored_object& object) noexcept {
        object.changed_ = ++changes_;
        changed_[object.place_ / places_a_group] = changes_;
    }

    [[nodiscard]] stored_object& find_or_create(const object_type& type, std::string_view key);
    [[nodiscard]] const object_type& type_at(std::uint64_t id) const;

    /// Calls join(object), which says whether that changed it, and returns its place if it did; an object that was made for
    /// it goes when it throws.
    template <class Join>
    std::optional<std::size_t> join_into(std::uint64_t type, std::string_view key, Join&& join);

    const type_registry& types_;
    crdt::replica_id self_;
    store_options options_;
    /// Who looks for what changed passes over groups of places in which nothing did.
    static constexpr std::size_t places_a_group = 64;

    std::vector<std::unique_ptr<stored_object>> objects_;
    /// The last change in each group.
    std::vector<std::uint64_t> changed_;
    std::unique_ptr<index> index_;
    std::vector<stored_object*> pending_;
    /// For sorting them.
    struct sort_key;
    std::vector<sort_key> sort_keys_;
    std::uint64_t changes_ = 0;
    crdt::hybrid_clock clock_;
    std::function<std::uint64_t()> wall_us_ = [] {
        return std::uint64_t{0};
    };
    bool is_frozen_ = false;
    change_observer* observer_ = nullptr;
};

} // namespace phoenix::replication
