// The types of a node's objects, each under the name that all nodes know it by.
//
//   type_registry types;
//   types.add<crdt::pn_counter>("counter");
//   types.add<cart>("cart", 2);               // the second version of a user's own type
//
// A name stands for one type and one layout of its bytes in the whole cluster. Peers compare fingerprints (of name and
// version) when they meet, and a link is refused, with the type's name, where they differ: raise the version when the bytes
// of a type change. On the wire a type is a hash of its name. What a type needs is in crdt/lattice.hpp: delta_crdt.
//
// Complete before a store is made of it; then it does not change and any thread may read it. Copies share the types.
#pragma once

#include <phoenix/crdt/lattice.hpp>
#include <phoenix/replication/store/typed_object.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace phoenix::replication {

class object_type {
public:
    object_type(std::string name, std::uint32_t version, const void* tag);

    object_type(const object_type&) = delete;
    object_type& operator=(const object_type&) = delete;
    virtual ~object_type() = default;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    [[nodiscard]] std::uint32_t version() const noexcept { return version_; }

    /// What the wire calls it: a hash of the name.
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

    /// Equal where name and version are.
    [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }

    [[nodiscard]] virtual std::unique_ptr<stored_object> create(std::string_view key) const = 0;

private:
    friend class type_registry;

    std::string name_;
    std::uint32_t version_;
    std::uint64_t id_;
    std::uint64_t fingerprint_;
    const void* tag_;
};

class type_registry {
public:
    /// Throws errc::invalid_options when the name or the type is registered already, or the name is empty or longer than
    /// 200 bytes.
    template <crdt::delta_crdt T>
    void add(std::string name, std::uint32_t version = 1) {
        insert(std::make_shared<const type_of<T>>(std::move(name), version));
    }

    /// Null when T is not registered.
    template <class T>
    [[nodiscard]] const object_type* find() const noexcept {
        return find_tag(&tag<T>);
    }

    /// Throws errc::unknown_type when T is not registered.
    template <class T>
    [[nodiscard]] const object_type& at() const {
        return at_tag(&tag<T>);
    }

    /// Null when no type has this id.
    [[nodiscard]] const object_type* find(std::uint64_t id) const noexcept;

    /// By id.
    [[nodiscard]] const std::vector<std::shared_ptr<const object_type>>& all() const noexcept {
        return types_;
    }

private:
    /// One address for each type.
    template <class T>
    static constexpr char tag = 0;

    template <class T>
    class type_of final : public object_type {
    public:
        type_of(std::string name, std::uint32_t version) : object_type(std::move(name), version, &tag<T>) {}

        [[nodiscard]] std::unique_ptr<stored_object> create(std::string_view key) const override {
            return std::make_unique<typed_object<T>>(*this, key);
        }
    };

    void insert(std::shared_ptr<const object_type> added);
    [[nodiscard]] const object_type* find_tag(const void* tag) const noexcept;
    [[nodiscard]] const object_type& at_tag(const void* tag) const;

    std::vector<std::shared_ptr<const object_type>> types_;
};

} // namespace phoenix::replication
