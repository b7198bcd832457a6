#include "command.hpp"

#include <string>

namespace resp {

namespace {

void reply_with(call& c, const scalar& field) {
    if (!field.exists()) {
        c.reply.null();
        return;
    }
    scalar::digits room;
    c.reply.bulk(field.text(room));
}

scalar field_of(const redis_value* found, std::string_view name) {
    return found != nullptr ? found->field(name) : scalar(nullptr, nullptr);
}

} // namespace

void run_hset(call& c) {
    if (c.count() % 2 != 0) {
        refuse_count("hset");
    }
    (void)c.find(c[1], redis_value::type::hash);
    std::int64_t added = 0;
    c.keys().edit(c[1], [&](redis_value::editor& value) {
        for (std::size_t i = 2; i < c.count(); i += 2) {
            added += value.value().field(c[i]).exists() ? 0 : 1;
            value.set_field(c[i], c[i + 1], c.keys().stamp());
        }
    });
    c.reply.integer(added);
}

void run_hget(call& c) {
    reply_with(c, field_of(c.find(c[1], redis_value::type::hash), c[2]));
}

void run_hmget(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::hash);
    c.reply.array(c.count() - 2);
    for (const std::string_view name : c.arguments.subspan(2)) {
        reply_with(c, field_of(found, name));
    }
}

void run_hgetall(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::hash);
    if (found == nullptr) {
        c.reply.map(0);
        return;
    }
    const auto fields = found->fields();
    c.reply.map(fields.size());
    for (const auto& [name, field] : fields) {
        c.reply.bulk(name);
        reply_with(c, field);
    }
}

void run_hdel(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::hash);
    std::int64_t removed = 0;
    for (const std::string_view name : c.arguments.subspan(2)) {
        if (field_of(found, name).exists()) {
            c.keys().edit(c[1], [&](redis_value::editor& value) { value.remove_field(name); });
            ++removed;
        }
    }
    c.reply.integer(removed);
}

void run_hlen(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::hash);
    c.reply.integer(found != nullptr ? static_cast<std::int64_t>(found->field_count()) : 0);
}

void run_hincrby(call& c) {
    const std::int64_t amount = integer_argument(c[3]);
    const scalar field = field_of(c.find(c[1], redis_value::type::hash), c[2]);
    const bool exists = field.exists();
    const auto before = field.number();
    if (!before) {
        refuse("ERR hash value is not an integer");
    }
    std::int64_t sum = 0;
    if (__builtin_add_overflow(*before, amount, &sum)) {
        refuse("ERR increment or decrement would overflow");
    }
    const std::string name(c[2]);
    c.keys().edit(c[1], [&](redis_value::editor& value) {
        // As INCRBY.
        if ((!exists && amount == 0) || !value.count_field(name, amount)) {
            value.set_field(name, std::to_string(sum), c.keys().stamp());
        }
    });
    c.reply.integer(sum);
}

} // namespace resp
