#include <phoenix/config.hpp>
#include <phoenix/crdt/core/key_hash.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/store/object_store.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace phoenix::replication {

namespace {

std::string type_text(std::uint64_t id) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text = "0x";
    for (int shift = 60; shift >= 0; shift -= 4) {
        text += digits[id >> shift & 0xf];
    }
    return text;
}

} // namespace

/// In the index: known by its name, not by where it lies.
struct object_store::named {
    stored_object* object;
};

struct object_store::name_hash {
    using is_transparent = void;
    using is_avalanching = void;

    [[nodiscard]] std::size_t operator()(const name& of) const noexcept {
        return crdt::detail::mix(std::hash<std::string_view>()(of.key) ^ of.type->id());
    }

    [[nodiscard]] std::size_t operator()(named of) const noexcept {
        return (*this)(name{&of.object->type(), of.object->key()});
    }
};

struct object_store::name_equal {
    using is_transparent = void;

    [[nodiscard]] bool operator()(named a, named b) const noexcept { return a.object == b.object; }

    [[nodiscard]] bool operator()(const name& a, named b) const noexcept {
        return a.type == &b.object->type() && a.key == b.object->key();
    }

    [[nodiscard]] bool operator()(named a, const name& b) const noexcept { return (*this)(b, a); }
};

struct object_store::index {
    boost::unordered_flat_set<named, name_hash, name_equal> by_name;
};

/// Orders objects by type and key, and looks at whole keys only where eight bytes do not tell.
struct object_store::sort_key {
    std::uint64_t type;
    /// Eight bytes of the key, those after what all have in common; they compare as the key does.
    std::uint64_t bytes;
    stored_object* object;

    [[nodiscard]] static std::uint64_t bytes_of(std::string_view key, std::size_t from) noexcept {
        std::uint64_t taken = 0;
        for (std::size_t at = 0; at < sizeof taken; ++at) {
            taken = taken << 8 | (from + at < key.size() ? static_cast<unsigned char>(key[from + at]) : 0U);
        }
        return taken;
    }

    friend bool operator<(const sort_key& a, const sort_key& b) noexcept {
        if (a.type != b.type) {
            return a.type < b.type;
        }
        return a.bytes != b.bytes ? a.bytes < b.bytes : a.object->key() < b.object->key();
    }
};

object_store::object_store(const type_registry& types, const crdt::replica_id& self, const store_options& how)
    : types_(types), self_(self), options_(how), index_(std::make_unique<index>()), clock_(how.clock) {}

object_store::~object_store() = default;

const stored_object* object_store::find_object(const object_type& type, std::string_view key) const {
    const auto found = index_->by_name.find(name{&type, key});
    return found != index_->by_name.end() ? found->object : nullptr;
}

stored_object& object_store::find_or_create(const object_type& type, std::string_view key) {
    const auto found = index_->by_name.find(name{&type, key});
    if (found != index_->by_name.end()) {
        return *found->object;
    }
    if (key.size() > options_.key_bytes_max) {
        throw_error(errc::limit_exceeded, "expected a key of at most " +
                                              std::to_string(options_.key_bytes_max) + " bytes, found " +
                                              std::to_string(key.size()));
    }
    if (objects_.size() >= std::numeric_limits<std::uint32_t>::max()) {
        throw_error(errc::limit_exceeded, "expected at most 2^32 - 1 objects in one store");
    }
    changed_.resize(objects_.size() / places_a_group + 1);
    objects_.push_back(type.create(key));
    stored_object& made = *objects_.back();
    made.place_ = static_cast<std::uint32_t>(objects_.size() - 1);
    try {
        index_->by_name.insert(named{&made});
    } catch (...) {
        objects_.pop_back();
        throw;
    }
    return made;
}

const object_type& object_store::type_at(std::uint64_t id) const {
    const object_type* const found = types_.find(id);
    if (found == nullptr) {
        throw_error(errc::unknown_type,
                    "joining a delta: no type with id " + type_text(id) + " is registered here");
    }
    return *found;
}

std::size_t object_store::find_changed(std::size_t from, std::uint64_t since) const noexcept {
    while (from < objects_.size()) {
        if (changed_[from / places_a_group] <= since) {
            from = (from / places_a_group + 1) * places_a_group;
        } else if (objects_[from]->changed() <= since) {
            ++from;
        } else {
            break;
        }
    }
    return from;
}

template <class Join>
std::optional<std::size_t> object_store::join_into(std::uint64_t type, std::string_view key, Join&& join) {
    const std::size_t before = objects_.size();
    stored_object& object = find_or_create(type_at(type), key);
    bool changed = false;
    try {
        changed = join(object);
    } catch (...) {
        if (objects_.size() > before) {
            index_->by_name.erase(named{&object});
            objects_.pop_back();
        } else {
            // It may have changed in part.
            note_change(object);
        }
        throw;
    }
    if (!changed) {
        return std::nullopt;
    }
    note_change(object);
    if (observer_ != nullptr) {
        observer_->changed_elsewhere(object);
    }
    return object.place();
}

std::size_t object_store::join(std::uint64_t type, std::string_view key, std::span<const std::byte> delta) {
    return *join_into(type, key, [&](stored_object& object) {
        object.join(delta);
        return true;
    });
}

std::optional<std::size_t> object_store::join_state(std::uint64_t type, std::string_view key,
                                                    std::span<const std::byte> state) {
    return join_into(type, key, [&](stored_object& object) { return object.join_if_new(state); });
}

void object_store::publish(std::size_t place) {
    stored_object& object = *objects_[place];
    note_pending(object);
    object.publish();
}

void object_store::set_self(const crdt::replica_id& self) noexcept {
    PHOENIX_ASSERT(self.node == self_.node && self.incarnation > self_.incarnation,
                   "a later life of the same node");
    PHOENIX_ASSERT(pending_.empty(),
                   "what is pending belongs to a batch of the life in which it was written");
    self_ = self;
}

void object_store::refuse_change() const {
    throw_error(errc::overtaken, "changing an object: another process with the id of node " +
                                     std::to_string(self_.node) +
                                     " has started later, this one writes no more");
}

void object_store::note_pending(stored_object& object) {
    if (!object.is_pending_) {
        pending_.push_back(&object);
        object.is_pending_ = true;
    }
}

std::span<stored_object* const> object_store::sorted_pending() {
    if (pending_.empty()) {
        return pending_;
    }
    const std::string_view first = pending_.front()->key();
    std::size_t common = first.size();
    for (const stored_object* const each : pending_) {
        const std::string_view key = each->key().substr(0, common);
        common = static_cast<std::size_t>(std::ranges::mismatch(key, first).in1 - key.begin());
    }
    sort_keys_.clear();
    for (stored_object* const each : pending_) {
        sort_keys_.push_back({each->type().id(), sort_key::bytes_of(each->key(), common), each});
    }
    std::ranges::sort(sort_keys_, std::less<>());
    std::ranges::transform(sort_keys_, pending_.begin(), &sort_key::object);
    return pending_;
}

void object_store::settle(stored_object& object) noexcept {
    object.clear_pending();
    object.is_pending_ = false;
}

void object_store::set_aside(stored_object& object) noexcept {
    object.is_pending_ = false;
}

void object_store::sweep_pending() noexcept {
    std::erase_if(pending_, [](const stored_object* each) { return !each->is_pending_; });
}

} // namespace phoenix::replication
