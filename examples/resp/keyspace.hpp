// The keys of a store as Redis sees them: objects of type redis_value with something visible in them.
//
//   keyspace keys(node.objects());
//   keys.edit("hits", [](auto& value) { (void)value.count(1); });
//   keys.size();                                    // how many there are, without looking at them
//
// A deleted key is an object with nothing in it. What other peers change is told to arrived(), so that the counts are
// right. Not to be outlived by the store. One thread.
#pragma once

#include <phoenix/replication/store/object_store.hpp>

#include "redis_value.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace resp {

class keyspace {
public:
    explicit keyspace(phoenix::replication::object_store& objects);

    /// Null when nothing was ever written there; a deleted key is a value of type none. Valid until it changes.
    [[nodiscard]] const redis_value* find(std::string_view key) const {
        return objects_.find<redis_value>(key);
    }

    [[nodiscard]] redis_value::type type_of(std::string_view key) const {
        const redis_value* const found = find(key);
        return found != nullptr ? found->visible() : redis_value::type::none;
    }

    /// Calls edit(editor), see redis_value::editor.
    template <class Edit>
    void edit(std::string_view key, Edit&& edit) {
        objects_.edit<redis_value>(key, [&](redis_value::editor& value) {
            const std::size_t before = value.value().types();
            std::forward<Edit>(edit)(value);
            note(value.value(), before);
        });
    }

    /// DEL. False when there was nothing to see.
    bool remove(std::string_view key);

    /// The stamp of a write that is made now.
    [[nodiscard]] crdt::timestamp stamp() { return objects_.stamp(); }

    /// Something else than edit has changed this object.
    void arrived(const phoenix::replication::stored_object& object);

    [[nodiscard]] std::size_t size() const noexcept { return visible_.size(); }

    /// Keys that were deleted and are still remembered.
    [[nodiscard]] std::size_t deleted() const;

    /// Keys with more types than the visible one, and how many those are.
    [[nodiscard]] std::size_t clashing() const noexcept { return clashing_.size(); }

    [[nodiscard]] std::size_t hidden_slots() const noexcept;

    /// Keys stand in places from 0 up to this, and stay there; some of them hold no key.
    [[nodiscard]] std::size_t places() const noexcept { return objects_.places(); }

    struct item {
        std::string_view key;
        const redis_value* value;
    };

    /// Without a value when the place holds no key to see.
    [[nodiscard]] item at(std::size_t place) const;

private:
    /// Values stand still, so that they can be known by where they are. Nothing depends on the order.
    using values = boost::unordered_flat_set<const redis_value*>;

    [[nodiscard]] const redis_value* value_of(const phoenix::replication::stored_object& object) const;
    void note(const redis_value& value, std::size_t types_before);
    static void keep(values& all, const redis_value& value, bool in);

    phoenix::replication::object_store& objects_;
    const phoenix::replication::object_type& type_;
    values visible_;
    values clashing_;
};

} // namespace resp
