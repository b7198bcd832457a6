#include "command.hpp"

#include <limits>
#include <string>

namespace resp {

namespace {

void reply_with(call& c, const redis_value* found) {
    if (found == nullptr) {
        c.reply.null();
        return;
    }
    scalar::digits room;
    c.reply.bulk(found->string().text(room));
}

void set(call& c, std::string_view key, std::string_view text) {
    c.keys().edit(key, [&](redis_value::editor& value) { value.set_string(text, c.keys().stamp()); });
}

void add(call& c, std::string_view key, std::int64_t amount) {
    const redis_value* const found = c.find(key, redis_value::type::string);
    const auto before = found != nullptr ? found->string().number() : 0;
    if (!before) {
        refuse("ERR value is not an integer or out of range");
    }
    std::int64_t sum = 0;
    if (__builtin_add_overflow(*before, amount, &sum)) {
        refuse("ERR increment or decrement would overflow");
    }
    c.keys().edit(key, [&](redis_value::editor& value) {
        // Counting nothing would make no key; and a writer whose totals are full begins anew with what it sees.
        if ((found == nullptr && amount == 0) || !value.count(amount)) {
            value.set_string(std::to_string(sum), c.keys().stamp());
        }
    });
    c.reply.integer(sum);
}

} // namespace

void run_get(call& c) {
    reply_with(c, c.find(c[1], redis_value::type::string));
}

void run_set(call& c) {
    bool only_new = false;
    bool only_known = false;
    bool gets = false;
    for (std::size_t i = 3; i < c.count(); ++i) {
        if (c.is(i, "NX") && !only_known) {
            only_new = true;
        } else if (c.is(i, "XX") && !only_new) {
            only_known = true;
        } else if (c.is(i, "GET")) {
            gets = true;
        } else if (c.is(i, "EX") || c.is(i, "PX") || c.is(i, "EXAT") || c.is(i, "PXAT") ||
                   c.is(i, "KEEPTTL")) {
            refuse_option(c[i], "keys do not expire");
        } else {
            refuse_syntax();
        }
    }
    if (gets) {
        reply_with(c, c.find(c[1], redis_value::type::string));
    }
    if (only_new || only_known) {
        const bool exists = c.keys().type_of(c[1]) != redis_value::type::none;
        if (exists != only_known) {
            if (!gets) {
                c.reply.null();
            }
            return;
        }
    }
    set(c, c[1], c[2]);
    if (!gets) {
        c.reply.ok();
    }
}

void run_setnx(call& c) {
    const bool is_new = c.keys().type_of(c[1]) == redis_value::type::none;
    if (is_new) {
        set(c, c[1], c[2]);
    }
    c.reply.integer(is_new ? 1 : 0);
}

void run_getset(call& c) {
    reply_with(c, c.find(c[1], redis_value::type::string));
    set(c, c[1], c[2]);
}

void run_mset(call& c) {
    if (c.count() % 2 == 0) {
        refuse_count("mset");
    }
    for (std::size_t i = 1; i < c.count(); i += 2) {
        set(c, c[i], c[i + 1]);
    }
    c.reply.ok();
}

void run_mget(call& c) {
    c.reply.array(c.count() - 1);
    for (const std::string_view key : c.arguments.subspan(1)) {
        // A key of another type reads as none here.
        const redis_value* const found = c.keys().find(key);
        reply_with(c, found != nullptr && found->visible() == redis_value::type::string ? found : nullptr);
    }
}

void run_append(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::string);
    scalar::digits room;
    std::string text(found != nullptr ? found->string().text(room) : std::string_view());
    // What one SET may bring is what a value may be: all of it travels with each change.
    if (text.size() + c[2].size() > request_limits().bulk_bytes_max) {
        refuse("ERR string exceeds maximum allowed size (16 MiB)");
    }
    text += c[2];
    set(c, c[1], text);
    c.reply.integer(static_cast<std::int64_t>(text.size()));
}

void run_strlen(call& c) {
    const redis_value* const found = c.find(c[1], redis_value::type::string);
    scalar::digits room;
    c.reply.integer(found != nullptr ? static_cast<std::int64_t>(found->string().text(room).size()) : 0);
}

void run_incr(call& c) {
    add(c, c[1], 1);
}

void run_decr(call& c) {
    add(c, c[1], -1);
}

void run_incrby(call& c) {
    add(c, c[1], integer_argument(c[2]));
}

void run_decrby(call& c) {
    const std::int64_t amount = integer_argument(c[2]);
    if (amount == std::numeric_limits<std::int64_t>::min()) {
        refuse("ERR decrement would overflow");
    }
    add(c, c[1], -amount);
}

} // namespace resp
