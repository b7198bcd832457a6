#include "command.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace resp {

namespace {

std::string_view name_of(redis_value::type type) noexcept {
    switch (type) {
    case redis_value::type::string:
        return "string";
    case redis_value::type::set:
        return "set";
    case redis_value::type::hash:
        return "hash";
    case redis_value::type::none:
        break;
    }
    return "none";
}

std::size_t cursor_argument(std::string_view text) {
    std::size_t cursor = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cursor);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        refuse("ERR invalid cursor");
    }
    return cursor;
}

} // namespace

void run_dbsize(call& c) {
    c.reply.integer(static_cast<std::int64_t>(c.keys().size()));
}

void run_type(call& c) {
    c.reply.simple(name_of(c.keys().type_of(c[1])));
}

void run_exists(call& c) {
    c.reply.integer(std::ranges::count_if(c.arguments.subspan(1), [&](std::string_view key) {
        return c.keys().type_of(key) != redis_value::type::none;
    }));
}

void run_del(call& c) {
    std::int64_t removed = 0;
    for (const std::string_view key : c.arguments.subspan(1)) {
        removed += c.keys().remove(key) ? 1 : 0;
    }
    c.reply.integer(removed);
}

void run_flushall(call& c) {
    if (c.count() > 2 || (c.count() == 2 && !c.is(1, "ASYNC") && !c.is(1, "SYNC"))) {
        refuse_syntax();
    }
    for (std::size_t place = 0; place < c.keys().places(); ++place) {
        if (const auto [key, value] = c.keys().at(place); value != nullptr) {
            (void)c.keys().remove(key);
        }
    }
    c.reply.ok();
}

void run_keys(call& c) {
    std::vector<std::string_view> found;
    for (std::size_t place = 0; place < c.keys().places(); ++place) {
        const auto [key, value] = c.keys().at(place);
        if (value != nullptr && matches_glob(c[1], key)) {
            found.push_back(key);
        }
    }
    c.reply.array(found.size());
    for (const std::string_view key : found) {
        c.reply.bulk(key);
    }
}

void run_scan(call& c) {
    // The cursor is a place, and those stay: who scans to the end sees every key that was there all the time.
    std::size_t place = cursor_argument(c[1]);
    std::string_view pattern = "*";
    std::optional<std::string_view> type;
    std::size_t steps = 10;
    for (std::size_t i = 2; i < c.count(); i += 2) {
        if (i + 1 == c.count()) {
            refuse_syntax();
        }
        if (c.is(i, "MATCH")) {
            pattern = c[i + 1];
        } else if (c.is(i, "COUNT")) {
            const std::int64_t count = integer_argument(c[i + 1]);
            if (count < 1) {
                refuse_syntax();
            }
            steps = static_cast<std::size_t>(count);
        } else if (c.is(i, "TYPE")) {
            type = c[i + 1];
        } else {
            refuse_syntax();
        }
    }
    std::vector<std::string_view> found;
    for (; steps > 0 && place < c.keys().places(); --steps, ++place) {
        const auto [key, value] = c.keys().at(place);
        if (value != nullptr && matches_glob(pattern, key) &&
            (!type || equals_nocase(*type, name_of(value->visible())))) {
            found.push_back(key);
        }
    }
    c.reply.array(2);
    c.reply.bulk(std::to_string(place < c.keys().places() ? place : 0));
    c.reply.array(found.size());
    for (const std::string_view key : found) {
        c.reply.bulk(key);
    }
}

} // namespace resp
