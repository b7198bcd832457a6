#include <phoenix/crdt/conflict/value.hpp>
#include <phoenix/crdt/error.hpp>
#include <phoenix/crdt/explain.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace phoenix::crdt::conflict {

namespace {

const value& held_by(const value& item) noexcept {
    return item;
}

const value& held_by(const value::map::value_type& entry) noexcept {
    return entry.second;
}

template <class Items, class Show>
std::string joined(const Items& items, Show show) {
    std::string text;
    for (const auto& each : items) {
        text += (text.empty() ? "" : ", ") + show(each);
    }
    return text;
}

} // namespace

void value::expect_signed(std::uint64_t number) {
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        throw_error(errc::invalid_operation,
                    "conflict::value: expected a number of at most 2^63 - 1, found " +
                        std::to_string(number));
    }
}

template <class Items>
value::value(Items items, std::size_t deepest) : depth_(static_cast<std::uint8_t>(deepest)) {
    for (const auto& each : items) {
        depth_ = std::max(depth_, static_cast<std::uint8_t>(held_by(each).depth_ + 1));
    }
    if (depth_ > depth_max) {
        throw_error(errc::limit_exceeded,
                    "expected a value of at most " + std::to_string(depth_max) +
                        " levels, found one more: keep the parts as values of their own");
    }
    held_ = std::make_shared<const Items>(std::move(items));
}

// Empty ones have a level too, or the deepest could not be written.
value::value(list items) : value(std::move(items), 1) {}

value::value(set elements) : value(std::move(elements), 1) {}

value::value(map entries) : value(std::move(entries), 1) {}

std::strong_ordering operator<=>(const value& a, const value& b) noexcept {
    if (a.held_.index() != b.held_.index()) {
        return a.held_.index() <=> b.held_.index();
    }
    return std::visit(
        [&]<class T>(const T& mine) -> std::strong_ordering {
            const T& theirs = *std::get_if<T>(&b.held_);
            if constexpr (std::same_as<T, double>) {
                return std::strong_order(mine, theirs);
            } else if constexpr (requires { mine->begin(); }) {
                return mine == theirs ? std::strong_ordering::equal : *mine <=> *theirs;
            } else {
                return mine <=> theirs;
            }
        },
        a.held_);
}

void value::write(byte_writer& out) const {
    write_value(out, what());
    std::visit(
        [&]<class T>(const T& mine) {
            if constexpr (std::same_as<T, bytes>) {
                out.write_varint(mine.size());
                out.write_raw(mine);
            } else if constexpr (requires { mine->begin(); }) {
                out.write_varint(mine->size());
                for (const auto& each : *mine) {
                    if constexpr (std::same_as<T, std::shared_ptr<const map>>) {
                        out.write_string(each.first);
                    }
                    held_by(each).write(out);
                }
            } else {
                write_value(out, mine);
            }
        },
        held_);
}

value value::read(byte_reader& in) {
    return read(in, 0);
}

value value::read(byte_reader& in, std::size_t depth) {
    const std::size_t start = in.position();
    const auto found =
        static_cast<kind>(in.read_varint(static_cast<std::uint64_t>(kind::map), "a kind of value"));
    if (found >= kind::list && depth == depth_max) {
        byte_reader::fail_at(start, "a value of at most " + std::to_string(depth_max) + " levels");
    }
    switch (found) {
    case kind::integer:
        return read_value<std::int64_t>(in);
    case kind::real:
        return read_value<double>(in);
    case kind::text:
        return read_value<std::string>(in);
    case kind::bytes: {
        const auto raw = in.read_raw(in.read_count(1, "bytes"));
        return value(bytes(raw.begin(), raw.end()));
    }
    case kind::list: {
        list items;
        for (std::size_t left = in.read_count(2, "items"); left > 0; --left) {
            items.push_back(read(in, depth + 1));
        }
        return value(std::move(items));
    }
    case kind::set: {
        set elements;
        for (std::size_t left = in.read_count(2, "elements"); left > 0; --left) {
            const std::size_t at = in.position();
            value element = read(in, depth + 1);
            if (!elements.empty() && element <= *elements.rbegin()) {
                byte_reader::fail_at(at, "elements in ascending order, each once");
            }
            elements.insert(elements.end(), std::move(element));
        }
        return value(std::move(elements));
    }
    case kind::map:
        break;
    }
    map entries;
    for (std::size_t left = in.read_count(3, "entries"); left > 0; --left) {
        const std::size_t at = in.position();
        std::string key(in.read_string());
        if (!entries.empty() && key <= entries.rbegin()->first) {
            byte_reader::fail_at(at, "keys in ascending order, each once");
        }
        value item = read(in, depth + 1);
        entries.emplace_hint(entries.end(), std::move(key), std::move(item));
    }
    return value(std::move(entries));
}

const char* name(value::kind kind) noexcept {
    switch (kind) {
    case value::kind::integer:
        return "integer";
    case value::kind::real:
        return "real";
    case value::kind::text:
        return "text";
    case value::kind::bytes:
        return "bytes";
    case value::kind::list:
        return "list";
    case value::kind::set:
        return "set";
    case value::kind::map:
        return "map";
    }
    return "unknown";
}

std::string to_text(const value& shown) {
    const auto plain = [](const value& each) {
        return to_text(each);
    };
    if (const auto* const number = shown.as<std::int64_t>()) {
        return std::to_string(*number);
    }
    if (const auto* const number = shown.as<double>()) {
        return real_text(*number);
    }
    if (const auto* const text = shown.as<std::string>()) {
        return quoted_text(*text);
    }
    if (const auto* const data = shown.as<value::bytes>()) {
        return hex_text(*data);
    }
    if (const auto* const items = shown.as<value::list>()) {
        return "[" + joined(*items, plain) + "]";
    }
    if (const auto* const elements = shown.as<value::set>()) {
        return "{" + joined(*elements, plain) + "}";
    }
    return "{" +
           joined(*shown.as<value::map>(),
                  [](const auto& each) { return quoted_text(each.first) + ": " + to_text(each.second); }) +
           "}";
}

} // namespace phoenix::crdt::conflict
