// A member of a user's struct with its name: what composites and records are described by.
#pragma once

namespace phoenix::crdt {

/// As in field("tags", &page::tags); the name is for people.
template <class Struct, class Member>
struct field {
    constexpr field(const char* field_name, Member Struct::* field_member) noexcept
        : name(field_name), member(field_member) {}

    using member_type = Member;

    const char* name;
    Member Struct::* member;
};

} // namespace phoenix::crdt
