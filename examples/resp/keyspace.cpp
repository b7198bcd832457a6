#include "keyspace.hpp"

#include <phoenix/replication/store/typed_object.hpp>

namespace resp {

namespace replication = phoenix::replication;

keyspace::keyspace(replication::object_store& objects)
    : objects_(objects), type_(objects.types().at<redis_value>()) {
    for (std::size_t place = 0; place < objects_.places(); ++place) {
        arrived(objects_.at(place));
    }
}

bool keyspace::remove(std::string_view key) {
    const redis_value* const found = find(key);
    // Also what hides below the visible type.
    if (found == nullptr || found->types() == 0) {
        return false;
    }
    edit(key, [](redis_value::editor& value) { value.remove(); });
    return true;
}

void keyspace::arrived(const replication::stored_object& object) {
    if (const redis_value* const value = value_of(object)) {
        keep(visible_, *value, value->types() > 0);
        keep(clashing_, *value, value->types() > 1);
    }
}

std::size_t keyspace::deleted() const {
    std::size_t count = 0;
    for (std::size_t place = 0; place < objects_.places(); ++place) {
        const redis_value* const value = value_of(objects_.at(place));
        count += value != nullptr && value->types() == 0 ? 1U : 0U;
    }
    return count;
}

std::size_t keyspace::hidden_slots() const noexcept {
    std::size_t count = 0;
    for (const redis_value* const each : clashing_) {
        count += each->types() - 1;
    }
    return count;
}

keyspace::item keyspace::at(std::size_t place) const {
    const replication::stored_object& object = objects_.at(place);
    const redis_value* const value = value_of(object);
    return value != nullptr && value->types() > 0 ? item{object.key(), value} : item{{}, nullptr};
}

const redis_value* keyspace::value_of(const replication::stored_object& object) const {
    return &object.type() == &type_
               ? &static_cast<const replication::typed_object<redis_value>&>(object).state()
               : nullptr;
}

void keyspace::note(const redis_value& value, std::size_t types_before) {
    const std::size_t now = value.types();
    if (now != types_before) {
        keep(visible_, value, now > 0);
        keep(clashing_, value, now > 1);
    }
}

void keyspace::keep(values& all, const redis_value& value, bool in) {
    if (in) {
        all.insert(&value);
    } else {
        all.erase(&value);
    }
}

} // namespace resp
