#include "command.hpp"

#include <string_view>

namespace resp {

void run_sadd(call& c) {
    (void)c.find(c[1], redis_value::type::set);
    std::int64_t added = 0;
    c.keys().edit(c[1], [&](redis_value::editor& value) {
        for (const std::string_view each : c.arguments.subspan(2)) {
            // One that is there is added again: that outlives a removal elsewhere that has not seen this.
            const std::size_t before = value.value().set().size();
            value.add_member(each);
            added += value.value().set().size() > before ? 1 : 0;
        }
    });
    c.reply.integer(added);
}

void run_srem(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::set);
    std::int64_t removed = 0;
    for (const std::string_view each : c.arguments.subspan(2)) {
        if (found != nullptr && found->set().contains(each)) {
            c.keys().edit(c[1], [&](redis_value::editor& value) { value.remove_member(each); });
            ++removed;
        }
    }
    c.reply.integer(removed);
}

void run_smembers(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::set);
    if (found == nullptr) {
        c.reply.set(0);
        return;
    }
    const auto members = found->members();
    c.reply.set(members.size());
    for (const std::string_view each : members) {
        c.reply.bulk(each);
    }
}

void run_sismember(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::set);
    c.reply.integer(found != nullptr && found->set().contains(c[2]) ? 1 : 0);
}

void run_scard(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::set);
    c.reply.integer(found != nullptr ? static_cast<std::int64_t>(found->set().size()) : 0);
}

} // namespace resp
