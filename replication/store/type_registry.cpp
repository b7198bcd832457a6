#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/store/type_registry.hpp>

#include <algorithm>
#include <utility>

namespace phoenix::replication {

namespace {

constexpr std::size_t name_bytes_max = 200;

} // namespace

object_type::object_type(std::string name, std::uint32_t version, const void* tag)
    : name_(std::move(name)), version_(version), id_(crdt::bytes_hash(name_)),
      fingerprint_(crdt::bytes_hash(std::pair(name_, version_))), tag_(tag) {
    if (name_.empty() || name_.size() > name_bytes_max) {
        throw_error(errc::invalid_options, "registering a type: expected a name of 1 to " +
                                               std::to_string(name_bytes_max) + " bytes, found " +
                                               std::to_string(name_.size()));
    }
}

void type_registry::insert(std::shared_ptr<const object_type> added) {
    for (const auto& each : types_) {
        if (each->name_ == added->name_ || each->tag_ == added->tag_) {
            throw_error(errc::invalid_options,
                        "registering type " + added->name_ + ": it is registered already, as " + each->name_);
        }
        if (each->id_ == added->id_) {
            throw_error(errc::invalid_options, "registering type " + added->name_ + ": its hash is that of " +
                                                   each->name_ + ", choose another name");
        }
    }
    const auto place =
        std::ranges::upper_bound(types_, added->id_, {}, [](const auto& each) { return each->id_; });
    types_.insert(place, std::move(added));
}

const object_type* type_registry::find(std::uint64_t id) const noexcept {
    const auto found = std::ranges::lower_bound(types_, id, {}, [](const auto& each) { return each->id_; });
    return found != types_.end() && (*found)->id_ == id ? found->get() : nullptr;
}

const object_type* type_registry::find_tag(const void* tag) const noexcept {
    const auto found = std::ranges::find(types_, tag, [](const auto& each) { return each->tag_; });
    return found != types_.end() ? found->get() : nullptr;
}

const object_type& type_registry::at_tag(const void* tag) const {
    const object_type* const found = find_tag(tag);
    if (found == nullptr) {
        throw_error(errc::unknown_type,
                    "opening an object: its C++ type is not registered: type_registry::add it");
    }
    return *found;
}

} // namespace phoenix::replication
