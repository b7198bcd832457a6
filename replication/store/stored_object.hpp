// One replicated object as the store holds it: its state, and what changed in it here since the last batch.
//
// The store, the delta machine and transfers know objects by this class alone; what they are made of is known where a type
// is registered (typed_object.hpp). A value of the store: it stays where it is made, on the thread of its store.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <boost/container/string.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace phoenix::replication {

class object_type;

class stored_object {
public:
    stored_object(const object_type& type, std::string_view key)
        : type_(type), key_(key.begin(), key.end()) {}

    stored_object(const stored_object&) = delete;
    stored_object& operator=(const stored_object&) = delete;
    virtual ~stored_object() = default;

    [[nodiscard]] const object_type& type() const noexcept { return type_; }

    /// Valid as long as the object.
    [[nodiscard]] std::string_view key() const noexcept { return {key_.data(), key_.size()}; }

    /// Joins what arrived, without a look at what of it is new. Throws crdt::decode_error, and nothing has changed then.
    virtual void join(std::span<const std::byte> delta) = 0;

    /// Joins it unless all of it is known already; true when it was joined.
    virtual bool join_if_new(std::span<const std::byte> state) = 0;

    /// The whole state, with its whole context.
    virtual void write_state(crdt::byte_writer& out) const = 0;

    /// What changed here since clear_pending, joined into one delta: bottom when nothing did.
    virtual void write_pending(crdt::byte_writer& out) const = 0;

    /// Nothing is pending any more.
    virtual void clear_pending() noexcept = 0;

    /// Makes the whole state pending, as if all of it had been written here just now.
    virtual void publish() = 0;

    /// Where the store has it: object_store::at.
    [[nodiscard]] std::size_t place() const noexcept { return place_; }

    /// The number of the store's last change to it.
    [[nodiscard]] std::uint64_t changed() const noexcept { return changed_; }

private:
    friend class object_store;

    const object_type& type_;
    /// Up to 23 bytes lie in the object itself: a lookup compares them without another miss of the cache.
    const boost::container::string key_;
    std::uint64_t changed_ = 0;
    std::uint32_t place_ = 0;
    bool is_pending_ = false;
};

} // namespace phoenix::replication
